# SPDX-License-Identifier: MIT
"""What ./try does once everything is built: boots dom0, makes guests, shows
them, and gives the prompt."""
import argparse
import os
import re
import shutil
import signal
import sys
import time

from . import debian, hypervisor, image, session, slots
from .console import say

MILESTONES = [
    (r"Ostler|Xen version", "the hypervisor speaks"),
    (r"Linux version", "dom0's kernel starts"),
    (r"\[dom0 .*init starts", "dom0's first process runs"),
    (r"\[dom0 .*xenstored up", "xenstored is up"),
    (r"\[dom0 .*ready", "dom0 is ready"),
]

HINT = """
You are at dom0's prompt. Some things to type:
  xl list            the domains            xl info          the machine
  xl console pvh     a guest's console      xl dmesg         the hypervisor's log
  xl destroy pvh     end a guest            xl create /run/pvh.cfg
  exit               power off; the machine ends, nothing stays
(The console is the emulated machine's serial port. Ctrl-] leaves xl console.)
"""


class Steps:
    """Lines with the time since the start and that of the step."""

    def __init__(self):
        self.begun = self.last = time.monotonic()

    def done(self, text):
        now = time.monotonic()
        say("%6.1f s  %-44s %5.1f s" % (now - self.begun, text,
                                        now - self.last))
        self.last = now


def arguments():
    p = argparse.ArgumentParser(prog="try", description=__doc__)
    p.add_argument("--hv", default="auto", help="ours or stock")
    p.add_argument("--tools", default="ours", choices=["ours", "stock"])
    p.add_argument("--dom0", default="", choices=["pvh", "pv", ""])
    p.add_argument("--guests", default="pvh",
                   help="kinds with commas: pvh, pv, pvhvm, hvm")
    p.add_argument("--kernel", default="6.1", choices=["6.1", "6.12"])
    p.add_argument("--cpus", type=int, default=1)
    p.add_argument("--memory", type=int, default=2048, help="MiB")
    p.add_argument("--packed", action="store_true",
                   help="boot vmlinuz as it is; slower under emulation")
    p.add_argument("--no-prompt", action="store_true")
    p.add_argument("--keep", metavar="DIR", help="keep the logs there")
    return p.parse_args()


def choose_hypervisor(a):
    built = os.path.exists(os.path.join(hypervisor.build_dir(), "xen/ostler"))
    kind = a.hv if a.hv != "auto" else ("ours" if built else "stock")
    if a.hv == "auto" and not built:
        say("# xen/ostler is not built here: this is Debian's hypervisor")
    dom0 = a.dom0 or ("pv" if kind == "stock" else "pvh")
    return hypervisor.Hypervisor(kind, dom0)


def progress(steps):
    """An echo function that reports the milestones on dom0's way up."""
    waiting = list(MILESTONES)

    def see(line):
        for i, (pattern, text) in enumerate(waiting):
            if re.search(pattern, line):
                steps.done(text)
                del waiting[:i + 1]
                return
    return see


# kind: (type=, kernel, its words, more lines, where it speaks, seconds)
KINDS = {
    "pvh": ("pvh", "guest-kernel", "console=hvc0", "", "console", 90),
    "pv": ("pv", "guest-kernel", "console=hvc0", "", "console", 90),
    "pvhvm": ("hvm", "guest-vmlinuz", "console=hvc0",
              "'vga=\"none\"' 'vnc=0' 'usb=0'", "console", 200),
    "hvm": ("hvm", "guest-vmlinuz", "console=ttyS0 xen_nopv nopv",
            "'vga=\"none\"' 'vnc=0' 'usb=0' 'xen_platform_pci=0' "
            "'serial=\"file:/run/hvm.serial\"'", "serial", 240),
}


def make_guest(dom0, steps, kind):
    """Creates one and waits until it speaks; False when it does not."""
    xl_type, kernel, words, lines, where, limit = KINDS[kind]
    config = ". /lab/lib.sh\nconfig %s %s /lab/%s " \
        "'ramdisk=\"/lab/guest.cpio\"' 'memory=128' " \
        "'extra=\"%s loglevel=3 do=idle\"' %s\n" % (
            kind, xl_type, kernel, words, lines)
    r = dom0.run(config + "xl create -q /run/%s.cfg" % kind, 60)
    if r.status:
        say("xl create %s failed: %s" % (kind, r.output.strip()))
        return False
    steps.done("xl create: a %s guest" % kind.upper())
    log = "/run/hvm.serial" if where == "serial" else \
        "/var/log/xen/console/guest-%s.log" % kind
    r = dom0.run("for i in $(seq %d); do grep -a -m1 GUEST-UP %s && exit; "
                 "sleep 0.2; done; exit 1" % (limit * 5, log), limit + 10)
    if r.status:
        say("the %s guest does not speak" % kind)
        return False
    steps.done("its first words")
    say("          " + r.output.strip())
    return True


def session_files(kernel):
    return {"guest-kernel": kernel.unpacked(), "guest.cpio":
            image.guest(kernel), "guest-vmlinuz": kernel.vmlinuz}


def kinds_of(a):
    kinds = [k for k in a.guests.split(",") if k]
    for k in kinds:
        if k not in KINDS:
            raise debian.Missing("--guests %s: there are %s" %
                                 (k, ", ".join(KINDS)))
    return kinds


def run(a, logs):
    steps = Steps()
    hv = choose_hypervisor(a)
    kernel = debian.Kernel(a.kernel)
    files, kinds = session_files(kernel), kinds_of(a)
    device_model = any(KINDS[k][0] == "hvm" for k in kinds)
    d = session.Dom0(logs, "try", hv, a.kernel, not a.packed, a.tools, files,
                     memory=a.memory, cpus=a.cpus, echo=progress(steps),
                     device_model=device_model,
                     dom0_memory=1000 if device_model else 768)
    steps.done("dom0's image (%d MiB)" %
               (os.path.getsize(d.initrd) >> 20))
    good = True
    with d:
        # Other emulators may have made us wait for their end.
        steps.last = max(steps.last, d.machine.start)
        d.ready()
        steps.last = time.monotonic()
        for kind in kinds:
            good = make_guest(d, steps, kind) and good
        r = d.run("xl list")
        say(r.output.rstrip())
        steps.done("xl list")
        if sys.stdin.isatty() and sys.stdout.isatty() and not a.no_prompt:
            say(HINT)
            d.run("setsid prompt hvc0 </dev/null >/dev/null 2>&1 &")
            session.attach(d.machine)
        else:
            d.power_off()
            steps.done("powered off")
    return 0 if good and r.status == 0 else 1


def main():
    a = arguments()
    logs = a.keep or os.path.join(hypervisor.build_dir(), "try-logs")
    signal.signal(signal.SIGTERM, lambda *x: sys.exit(143))
    try:
        status = run(a, logs)
    except (debian.Missing, session.Failed, slots.Busy) as e:
        say("try: %s" % e)
        return 1
    except KeyboardInterrupt:
        say("try: stopped; nothing is left running")
        return 130
    if not a.keep and status == 0:
        shutil.rmtree(logs, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
