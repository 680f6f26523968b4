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

from . import bochs, debian, disk, hypervisor, image, machine
from . import session, slots
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
  xl destroy pvh     end a guest            xl create /etc/xen/pvh.cfg
  exit               power off: the machine ends, and nothing stays but --disk's
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
    p.add_argument("--hv", default="ours", choices=["ours", "stock"])
    p.add_argument("--tools", default="ours", choices=["ours", "stock"])
    p.add_argument("--dom0", default="", choices=["pvh", "pv", ""],
                   help="unless said, what the processor can do")
    p.add_argument("--guests", default="", metavar="KINDS",
                   help="with commas: pvh, pv, pvhvm, hvm, or none "
                   "(pvh,pv where they can be)")
    p.add_argument("--kernel", default="6.1", choices=["6.1", "6.12"])
    p.add_argument("--cpus", type=int, default=1)
    p.add_argument("--memory", type=int, help="MiB (2048; in Bochs 1024)")
    p.add_argument("--cpu", metavar="MODEL", help="the emulator's name for "
                   "it; EPYC,-svm has no hardware virtualisation")
    p.add_argument("--bochs", action="store_true",
                   help="VT-x in Bochs, not AMD-V in QEMU; slower")
    p.add_argument("--disk", metavar="FILE", help="dom0 runs from this disk, "
                   "made if it is not there, and keeps what it writes")
    p.add_argument("--packed", action="store_true",
                   help="boot vmlinuz as it is; slower under emulation")
    p.add_argument("--no-prompt", action="store_true")
    p.add_argument("--keep", metavar="DIR", help="keep the logs there")
    a = p.parse_args()
    if a.bochs and a.disk:
        p.error("--disk: only in QEMU")
    if a.bochs and a.hv == "stock" and a.dom0 == "pvh":
        p.error("Debian's Xen wants an IOMMU for a PVH dom0; Bochs has none")
    a.memory = a.memory or (1024 if a.bochs else 2048)
    return a


def choose_hypervisor(a):
    """Ours chooses dom0's kind itself, by what the processor can do."""
    return hypervisor.Hypervisor(
        a.hv, a.dom0 or ("pv" if a.hv == "stock" else ""))


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
    "pvhvm": ("hvm", "", "console=hvc0",
              "'vga=\"none\"' 'vnc=0' 'usb=0'", "console", 200),
    "hvm": ("hvm", "", "console=ttyS0 xen_nopv nopv",
            "'vga=\"none\"' 'vnc=0' 'usb=0' 'xen_platform_pci=0' "
            "'serial=\"file:/run/hvm.serial\"'", "serial", 240),
}


def make_guest(dom0, steps, kind, slow):
    """Creates one and waits until it speaks; False when it does not."""
    xl_type, kernel, words, lines, where, limit = KINDS[kind]
    limit *= slow
    words += " loglevel=3 do=idle"
    config = ". /lab/lib.sh\n"
    if kernel:
        kernel = "/lab/" + kernel
        lines += " 'ramdisk=\"/lab/guest.cpio\"' 'extra=\"%s\"'" % words
    else:  # firmware, GRUB and Linux from its disk
        disk_file = "/var/lib/%s.img" % kind
        config += "mods blk\ngrub_disk %s '%s'\n" % (disk_file, words)
        lines += " 'hdtype=\"ahci\"' 'disk=[\"%s,raw,hda,w\"]'" % disk_file
    config += "config %s %s '%s' 'memory=%d' %s\n" % (
        kind, xl_type, kernel, 128 if slow == 1 else 96, lines)
    r = dom0.run(config + "cp /run/%s.cfg /etc/xen/\n"
                 "rm -f /var/log/xen/console/guest-%s.log\n"
                 "xl create -q /etc/xen/%s.cfg" % (kind, kind, kind),
                 60 * slow)
    if r.status:
        say("xl create %s failed: %s" % (kind, r.output.strip()))
        return False
    steps.done("xl create: a %s guest" % kind.upper())
    log = "/run/hvm.serial" if where == "serial" else \
        "/var/log/xen/console/guest-%s.log" % kind
    r = dom0.run("for i in $(seq %d); do grep -a -m1 'GUEST-UP .* stepping=' "
                 "%s && exit; sleep 0.2; done; exit 1" % (limit * 5, log),
                 limit + 10)
    if r.status:
        say("the %s guest does not speak" % kind)
        return False
    steps.done("its first words")
    # What follows is for tests.
    say("          " + r.output.strip().split(" stepping=")[0])
    return True


def session_files(kernel, with_hvm):
    initrd = image.guest(kernel)
    files = {"guest-kernel": kernel.unpacked(), "guest.cpio": initrd}
    if with_hvm:
        files["guest-disk.img"] = image.grub_disk(kernel, initrd)
    return files


def kinds_of(a):
    kinds = [k for k in a.guests.split(",") if k and k != "none"]
    for k in kinds:
        if k not in KINDS:
            raise debian.Missing("--guests %s: there are %s" %
                                 (k, ", ".join(KINDS)))
    return kinds


def possible(dom0, a, kinds):
    """The kinds to make on this machine; says what dom0 is."""
    r = dom0.run("cat /sys/hypervisor/guest_type; xl info xen_caps")
    dom0_kind, _, capabilities = r.output.strip().partition("\n")
    say("          dom0 is a %s domain; guests can be %s" % (
        dom0_kind, "PV, PVH and HVM" if "hvm" in capabilities else
        "PV only: the processor has neither AMD-V nor VT-x"))
    if a.guests:
        return kinds
    return ["pvh", "pv"] if "hvm" in capabilities else ["pv"]


def dom0_of(a, kinds, logs, steps):
    """The session, with dom0's image or disk made."""
    kernel = debian.Kernel(a.kernel)
    device_model = any(KINDS[k][0] == "hvm" for k in kinds)
    files = session_files(kernel, device_model)
    options = {"memory": a.memory, "cpus": a.cpus, "echo": progress(steps),
               "cpu": a.cpu if a.bochs else machine.cpu_words(a.cpu)}
    if a.bochs:
        options.update(emulator="bochs", boot=600, append="",
                       kappend=bochs.LINUX)
    elif a.disk:
        if not os.path.exists(a.disk):
            disk.make(a.disk, kernel, a.tools, files, device_model)
            steps.done("dom0's disk %s is made" % a.disk)
        else:
            say("# %s is used as it is; without it a new one is made" %
                a.disk)
    # The image is unpacked into it, and may take half of it.
    memory = 1000 if device_model else 512 if a.bochs else 768
    d = session.Dom0(logs, "try", choose_hypervisor(a), a.kernel,
                     not a.packed, a.tools, files, disk=a.disk,
                     device_model=device_model, dom0_memory=memory, **options)
    steps.done("dom0's image (%d MiB)" %
               (os.path.getsize(d.initrd) >> 20))
    return d


def run(a, logs):
    steps = Steps()
    kinds = kinds_of(a)
    d = dom0_of(a, kinds, logs, steps)
    good = True
    with d:
        # Other emulators may have made us wait for their end.
        steps.last = max(steps.last, d.machine.start)
        d.ready()
        steps.last = time.monotonic()
        for kind in possible(d, a, kinds):
            good = make_guest(d, steps, kind, 4 if a.bochs else 1) and good
        r = d.run("xl list")
        say(r.output.rstrip())
        steps.done("xl list")
        if sys.stdin.isatty() and sys.stdout.isatty() and not a.no_prompt:
            prompt(d, a)
        else:
            d.power_off()
            steps.done("powered off")
    return 0 if good and r.status == 0 else 1


def prompt(d, a):
    if a.bochs:
        # Its first serial line only speaks: commands go one by one.
        say(HINT.replace("Ctrl-] leaves xl console.", "In Bochs commands "
                         "run one by one: no xl console."))
        session.converse(d)
        d.power_off()
        return
    say(HINT)
    d.run("setsid prompt hvc0 </dev/null >/dev/null 2>&1 &")
    session.attach(d.machine)


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
