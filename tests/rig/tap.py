# SPDX-License-Identifier: MIT
"""TAP out of a guest's console, and TAP of our own."""
import re

# A hypervisor may put "(d1) " or a level before a guest's words.
LINE = re.compile(r"^(?:\(\w+\) )*(not ok|ok)\b(?: \d+)?(?: - )?(.*)$")
PLAN = re.compile(r"^(?:\(\w+\) )*1\.\.(\d+)\s*$")


class Results:
    """The verdicts of one guest: [(good, name)], and whether it ended."""

    def __init__(self, lines):
        self.cases, self.plan = [], None
        for line in lines:
            case, plan = LINE.match(line), PLAN.match(line)
            if case:
                self.cases.append((case.group(1) == "ok", case.group(2)))
            elif plan:
                self.plan = int(plan.group(1))

    def failed(self):
        return [name for good, name in self.cases if not good]

    def problem(self):
        """None, or what is wrong in one line."""
        if self.plan is None:
            return "the guest did not get to its end (%d checks seen)" % len(
                self.cases)
        if self.plan != len(self.cases):
            return "%d checks planned, %d seen" % (self.plan, len(self.cases))
        if self.failed():
            return "; ".join(self.failed()[:3])
        if not self.cases:
            return "the guest checked nothing"
        return None
