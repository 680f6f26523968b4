# SPDX-License-Identifier: MIT
"""Freestanding guest tests: which there are, and one run of one as dom0."""
import copy
import os

from . import debian, hypervisor
from .tap import Results

# A guest prints its plan last. What a hypervisor says when it gives up ends
# the wait at once.
ENDED = (r"^# guest \S+ ends|Hardware Dom0 (crashed|shutdown)|FATAL|"
         r"^\(XEN\) (Panic on|Reboot in)|BUG at|Assertion .* failed")


class GuestTest:
    """A line of tests/guest/list."""

    def __init__(self, line):
        fields = line.split()
        self.name, self.where = fields[0], fields[1].split(",")
        options = dict(f.split("=", 1) for f in fields[2:])
        self.memory = int(options.pop("memory", 64))
        self.cpus = int(options.pop("vcpus", 1))
        self.timeout = int(options.pop("timeout", 20))
        self.ends = options.pop("ends", "plan")
        self.needs = options.pop("needs", None)
        self.words = options.pop("words", "").replace("+", " ")
        self.append = options.pop("xen", "").replace("+", " ")
        program = options.pop("guest", self.name)
        self.path = os.path.join(hypervisor.build_dir(), "tests", "guest",
                                 program, program)
        if options:
            raise ValueError("tests/guest/list: %s: unknown %s" %
                             (self.name, ", ".join(options)))


def all_tests():
    with open(os.path.join(hypervisor.SOURCE, "tests/guest/list")) as f:
        return [GuestTest(l) for l in f if l.strip() and l[0] != "#"]


def find(name):
    """The test of that name, or a file treated as one."""
    for test in all_tests():
        if test.name == name:
            return test
    if os.path.isdir(name):
        name = os.path.join(name, os.path.basename(name.rstrip("/")))
    if not os.path.exists(name):
        raise debian.Missing("there is no guest %s" % name)
    test = GuestTest("%s dom0" % os.path.basename(name))
    test.path = name
    return test


def run_as_dom0(test, hv, logs, words="", echo=None, **options):
    """Boots the guest as dom0; (Results, machine that has ended, why)."""
    if "pv" in test.where:
        hv = copy.copy(hv)
        hv.dom0 = "pv"
    cpus = options.pop("cpus", None) or test.cpus
    append = (test.append + " " + options.pop("append", "")).strip()
    timeout = options.pop("timeout", None) or test.timeout
    emulator = options.pop("emulator", None) or "qemu"
    name = options.pop("name", "guest-%s-%s" % (test.name, hv.name))
    modules = [(test.path, (test.words + " " + words).strip())]
    memory = options.pop("dom0_memory", None) or test.memory
    start = hypervisor.EMULATORS[emulator]
    with start(hv, logs, name, modules, dom0_memory=memory,
               append=(append + " dom0_max_vcpus=%d" % cpus),
               cpus=cpus, echo=echo, **options) as m:
        seen = m.wait(ENDED, timeout)
        m.wait_end(2 if seen and emulator == "qemu" else 0)
    results = Results([line for _, line in m.console.lines])
    problem = results.problem()
    if problem and not seen and not m.console.ended:
        problem += "; stopped after %d s" % timeout
    return results, m, problem
