# SPDX-License-Identifier: MIT
"""What a run has to say: TAP as it goes, then a page with each level's counts
and what was skipped."""
import threading
import time

from .console import say


class Report:
    """Numbers the verdicts, remembers what was skipped, knows the time. Any
    thread may use it; what a level says goes through its part()."""

    def __init__(self, logs, budget, lines=0):
        """lines: of TAP that were there before."""
        self.logs, self.end = logs, time.monotonic() + budget
        self.lines, self.levels, self.skipped = lines, {}, []
        self.lock = threading.Lock()
        self.halted = False

    def halt(self):
        """What still comes is no verdict: machines are being stopped."""
        self.halted, self.end = True, 0

    def part(self, level):
        with self.lock:
            self.levels.setdefault(level, [0, 0, 0])
        return Part(self, level)

    def line(self, verdict, level, problem, checks):
        """One line of TAP; the problem's first line is in it, the others are
        under it."""
        with self.lock:
            if self.halted:
                return
            self.levels[level][problem is not None] += checks
            self.lines += 1
            first, *rest = (problem or "").strip().split("\n")
            say("%s %d - %s%s" % ("not ok" if problem is not None else "ok",
                                  self.lines, verdict,
                                  ": " + first if problem is not None else
                                  ""))
            for text in rest:
                say("# " + text)

    def skip(self, level, what, why):
        with self.lock:
            if self.halted:
                return
            self.levels[level][2] += 1
            self.skipped.append((what, why))
            say("# SKIP %s: %s" % (what, why))

    def counts(self):
        """(passed, failed, skipped)"""
        return tuple(map(sum, zip((0, 0, 0), *self.levels.values())))

    def summary(self):
        """A line for each level and for each thing that was skipped."""
        for level, counts in self.levels.items():
            if any(counts):
                say("# %-10s %5d passed, %d failed, %d skipped" %
                    (level, *counts))
        for what, why in self.skipped:
            say("# skipped: %s: %s" % (what, why))


class Part:
    """The report as one level sees it."""

    def __init__(self, report, level):
        self.report, self.level, self.logs = report, level, report.logs

    def result(self, problem, name, seconds=None, checks=1):
        """A verdict: problem is None or text. If it is good it stands for so
        many checks."""
        took = " (%.1f s)" % seconds if seconds is not None else ""
        self.report.line(name + (took if problem is None else ""), self.level,
                         problem, checks if problem is None else 1)

    def note(self, text):
        say("# " + text)

    def skip(self, what, why):
        self.report.skip(self.level, what, why)

    def left(self):
        return self.report.end - time.monotonic()

    def room_for(self, what, seconds):
        """Whether the time left allows it; if not, it is skipped."""
        left = self.left()
        if left >= seconds:
            return True
        self.skip(what, "%.0f s of the time are left, it may take %.0f" %
                  (max(left, 0), seconds))
        return False
