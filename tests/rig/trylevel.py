# SPDX-License-Identifier: MIT
"""The level "try" (on demand): ./try as a person would call it, without a
terminal, and what it has to show."""
import os
import re
import subprocess
import sys
import tempfile
import time

from . import disk, hypervisor

# (what, options, patterns in this order); DISK is a file's name.
CASES = [
    ("./try", [], [r"dom0 is a PVH domain", r"type=PVH", r"type=PV ",
                   r"^Domain-0 ", r"^pvh ", r"^pv ", r"powered off"]),
    ("./try without AMD-V", ["--cpu", "EPYC,-svm"],
     [r"dom0 is a PV domain", r"neither AMD-V nor VT-x", r"type=PV ",
      r"^Domain-0 ", r"^pv ", r"powered off"]),
    ("./try with PCs as guests", ["--guests", "pvhvm,hvm"],
     [r"type=HVM", r"GUEST-UP .*type= ", r"^pvhvm ", r"^hvm ",
      r"powered off"]),
    ("./try --disk, a new one", ["--disk", "DISK", "--guests", "pv"],
     [r"disk .* is made", r"type=PV ", r"powered off"]),
    ("./try --disk, the same again", ["--disk", "DISK", "--guests", "none"],
     [r"is used as it is", r"^Domain-0 ", r"powered off"]),
    ("./try --guests with a kind that is none", ["--guests", "odd"],
     [r"try: --guests odd: there are"]),
]


def one(report, what, options, patterns):
    """Runs it; what it printed stays in the logs."""
    begun = time.monotonic()
    p = subprocess.run([sys.executable, "-m", "rig.tryit", "--no-prompt",
                        "--keep", report.logs] + options, text=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=900,
                       cwd=os.path.join(hypervisor.SOURCE, "tests"))
    at, problem = 0, None
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(p.stdout, at)
        if not found:
            problem = "it does not say %s:\n%s" % (pattern, p.stdout[-3000:])
            break
        at = found.end()
    if bool(p.returncode) != patterns[-1].startswith("try:"):
        problem = problem or "its status is %d" % p.returncode
    report.result(problem, what, time.monotonic() - begun)


def kept(path):
    """None, or why the disk did not keep what dom0 wrote."""
    said = disk.tool("debugfs", "-R", "cat /etc/xen/pv.cfg", path)
    return None if 'name="pv"' in said else "/etc/xen/pv.cfg: " + said


def level(report):
    with tempfile.TemporaryDirectory(dir=report.logs) as d:
        path = os.path.join(d, "disk")
        for what, options, patterns in CASES:
            if report.room_for(what, 60):
                one(report, what, [path if o == "DISK" else o
                                   for o in options], patterns)
        if os.path.exists(path):
            report.result(kept(path), "dom0's disk keeps /etc/xen")
