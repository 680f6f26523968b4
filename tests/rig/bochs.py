# SPDX-License-Identifier: MIT
"""The processors that Bochs has and QEMU's TCG has not (tests/guest/processors):
VT-x, and AMD-V with what real machines offer."""
import functools
import os
import re
import shutil
import time

from . import debian, guests, hypervisor
from .pairs import in_pairs

# What a Linux needs not do where each instruction counts.
LINUX = "nokaslr rodata=off cryptomgr.notests mitigations=off"


class Processor:
    """A line of tests/guest/processors."""

    def __init__(self, line):
        fields = line.split()
        self.model, self.level, which = fields[:3]
        options = dict(f.split("=", 1) for f in fields[3:])
        self.says = [s for s in options.pop("says", "").replace(
            "+", " ").split(";") if s]
        tests = guests.all_tests()
        words = [] if which == "none" else which.split(",")
        self.tests = [t for t in tests if t.name in words or
                      "all" in words and "dom0" in t.where or
                      "pv" in words and "pv" in t.where]
        if options:
            raise ValueError("tests/guest/processors: %s: unknown %s" %
                             (self.model, ", ".join(options)))


def all_processors():
    path = os.path.join(hypervisor.SOURCE, "tests/guest/processors")
    with open(path) as f:
        return [Processor(l) for l in f if l.strip() and l[0] != "#"]


def _unsaid(patterns, text):
    for pattern in patterns:
        if not re.search(pattern, text):
            return "the hypervisor did not say: " + pattern
    return None


def ask(cpu, logs):
    """Only what the hypervisor finds: (0 checks, machine, problem)."""
    hv = hypervisor.Hypervisor("ours")
    with hypervisor.bochs(hv, logs, "bochs-" + cpu.model, [],
                          cpu=cpu.model) as m:
        for pattern in cpu.says:
            m.wait(pattern, 30)
    return 0, m, _unsaid(cpu.says, m.console.text)


def run(cpu, test, logs):
    """One guest; (checks, machine that has ended, why it failed or None)."""
    hv = hypervisor.Hypervisor("ours")
    results, m, problem = guests.run_as_dom0(
        test, hv, logs, name="bochs-%s-%s" % (cpu.model, test.name),
        emulator="bochs", cpu=cpu.model, timeout=max(test.timeout, 40))
    return len(results.cases), m, problem or _unsaid(cpu.says, m.console.text)


def _found(m):
    """The hypervisor's own lines about what it uses, for people."""
    return [l for _, l in m.console.lines
            if re.match(r"\(XEN\) (VMX|SVM): ", l)]


def level(report, name):
    """The processors of a level, two machines at a time."""
    if not shutil.which("bochs-bin"):
        report.skip("level " + name, "Bochs is not here (package bochs)")
        return
    pairs = [(cpu, test) for cpu in all_processors() if cpu.level == name
             for test in cpu.tests or [None]]
    jobs = [functools.partial(_one, report, *p) for p in pairs]
    for (cpu, test), job in zip(pairs, in_pairs(report, jobs)):
        _judge(report, name, "guest %s in Bochs, %s" %
               (test.name if test else "none", cpu.model), job)


def _one(report, cpu, test):
    if time.monotonic() > report.end:
        return None
    return run(cpu, test, report.logs) if test else ask(cpu, report.logs)


def _judge(report, name, label, job):
    try:
        done = job.result()
    except debian.Missing as e:
        report.skip(label, str(e))
        return
    if done is None:
        report.skip(label, "no time is left")
        return
    checks, m, problem = done
    report.result(m.explain(problem) if problem else None,
                  "%s, %d checks" % (label, checks), m.seconds_run)
    if name == "models":
        for line in _found(m):
            report.note(line)
