# SPDX-License-Identifier: MIT
"""The level "try" (on demand): ./try as a person would call it, without a
terminal, and what it has to show."""
import os
import re
import signal
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
    ("./try --hv stock --tools stock, two CPUs",
     ["--hv", "stock", "--tools", "stock", "--cpus", "2", "--memory", "3072"],
     [r"dom0 is a PV domain", r"type=PVH", r"type=PV ", r"^Domain-0 ",
      r"powered off"]),
    ("./try --dom0 pv, 6.12, as packed",
     ["--dom0", "pv", "--kernel", "6.12", "--packed", "--guests", "pv"],
     [r"dom0 is a PV domain", r"type=PV ", r"powered off"]),
    ("./try --bochs", ["--bochs", "--guests", "pvh"],
     [r"dom0 is a PVH domain", r"type=PVH", r"^pvh ", r"powered off"]),
    ("./try --guests with a kind that is none", ["--guests", "odd"],
     [r"try: --guests odd: there are"]),
]


def command(report, options):
    return [sys.executable, "-m", "rig.tryit", "--no-prompt", "--keep",
            report.logs] + options


def one(report, what, options, patterns):
    """Runs it; what it printed stays in the logs."""
    begun = time.monotonic()
    p = subprocess.run(command(report, options), text=True,
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


def processes(mark):
    """The processes whose environment has it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as f:
                if mark.encode() in f.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            pass
    return found


def interrupted(report, folder):
    """Ctrl-C while dom0 starts: what a terminal sends to all that the command
    started. No process of its own is left, nor a file."""
    mark = "TMPDIR=" + folder
    p = subprocess.Popen(
        command(report, []), text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=dict(os.environ, TMPDIR=folder),
        cwd=os.path.join(hypervisor.SOURCE, "tests"),
        # Whatever was started in the background ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT,
                                         signal.default_int_handler))
    said = []
    for line in p.stdout:
        said.append(line)
        if "the hypervisor speaks" in line:
            break
    running = len(processes(mark))
    os.killpg(p.pid, signal.SIGINT)
    said.append(p.communicate(timeout=60)[0])
    time.sleep(1)
    problem = None
    if p.returncode != 130 or "nothing is left running" not in said[-1]:
        problem = "its status is %d:\n%s" % (p.returncode, "".join(said))
    elif running < 2:
        problem = "no emulator ran"
    elif processes(mark) or os.listdir(folder):
        problem = "left: processes %s, files %s" % (
            processes(mark), os.listdir(folder))
    report.result(problem, "./try: Ctrl-C leaves nothing")


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
        if report.room_for("./try and Ctrl-C", 60):
            with tempfile.TemporaryDirectory(prefix="ostler-try.") as folder:
                interrupted(report, folder)
        if os.path.exists(path):
            report.result(kept(path), "dom0's disk keeps /etc/xen")
