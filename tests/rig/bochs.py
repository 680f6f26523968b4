# SPDX-License-Identifier: MIT
"""The processors that Bochs has and QEMU's TCG has not (tests/guest/processors):
VT-x, and AMD-V with what real machines offer."""
import functools
import os
import re
import shutil

from . import debian, guests, hypervisor

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
        # (guest, hypervisor word): run once more, with the word.
        self.without = [tuple(w.split(":")) for w in options.pop(
            "without", "").split(";") if w]
        tests = guests.all_tests()
        words = [] if which == "none" else which.split(",")
        self.tests = [t for t in tests if t.name in words or
                      "all" in words and "dom0" in t.where or
                      "pv" in words and "pv" in t.where and not t.append]
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


def run(cpu, test, logs, word=""):
    """One guest; (checks, machine that has ended, why it failed or None)."""
    hv = hypervisor.Hypervisor("ours")
    name = "bochs-%s-%s%s" % (cpu.model, test.name, word and "-" + word)
    results, m, problem = guests.run_as_dom0(
        test, hv, logs, name=name, append=word, emulator="bochs",
        cpu=cpu.model, timeout=max(test.timeout, 40))
    if not problem and not word:  # which may turn off what it says
        problem = _unsaid(cpu.says, m.console.text)
    return len(results.cases), m, problem


def exit_counts(text):
    """What a guest said of its exits: {"xAPIC, 100 to oneself": 201, ...}."""
    counts = {}
    for mode, line in re.findall(r"# (\w+): (\d+ exits for .*)", text):
        for n, what in re.findall(r"(\d+)(?: exits)? for (\d+ [a-z ]+)", line):
            counts["%s, %s" % (mode, what.strip())] = int(n)
    return counts


def not_fewer(helped, without):
    """Where the processor's help saved no exits, as text; None: it did."""
    if not helped or helped.keys() != without.keys():
        return "no exits to compare: %s, %s" % (helped, without)
    bad = ["%s: %d, without %d" % (what, n, without[what])
           for what, n in helped.items() if n >= without[what]]
    return "\n".join(bad) or None


def _found(m):
    """The hypervisor's own lines about what it uses, for people."""
    return [l for _, l in m.console.lines
            if re.match(r"\(XEN\) (VMX|SVM): ", l)]


def level(name, report, pairs):
    """Starts the processors of a level; the function that judges them."""
    if not shutil.which("bochs-bin"):
        report.skip("level " + name, "Bochs is not here (package bochs)")
        return lambda: None
    runs = []
    for cpu in (c for c in all_processors() if c.level == name):
        runs += [(cpu, test, "") for test in cpu.tests or [None]]
        runs += [(cpu, guests.find(g), word) for g, word in cpu.without]
    return functools.partial(judge, report, name, runs, pairs.start(
        [functools.partial(_one, report, *r) for r in runs]))


def judge(report, name, runs, futures):
    exits = {}
    for (cpu, test, word), job in zip(runs, futures):
        m = _judge(report, name, "guest %s in Bochs, %s" % (
            test.name if test else "none", " ".join([cpu.model, word]).strip()),
            job)
        if not m or not test:
            continue
        counts = exit_counts(m.console.text)
        if not word:
            exits[cpu.model, test.name] = counts
            continue
        report.result(not_fewer(exits.get((cpu.model, test.name)), counts),
                      "guest %s exits less than with %s, %s" %
                      (test.name, word, cpu.model))


def _one(report, cpu, test, word):
    if report.left() < 0:
        return None
    return run(cpu, test, report.logs, word) if test else ask(cpu, report.logs)


def _judge(report, name, label, job):
    """The verdict on one machine; the machine, if there was one."""
    try:
        done = job.result()
    except debian.Missing as e:
        report.skip(label, str(e))
        return None
    if done is None:
        report.skip(label, "no time is left")
        return None
    checks, m, problem = done
    report.result(m.explain(problem) if problem else None,
                  "%s, %d checks" % (label, checks), m.seconds_run)
    if name == "models":
        for line in _found(m):
            report.note(line)
    return m
