# SPDX-License-Identifier: MIT
"""A Debian system on a disk that starts Ostler from GRUB: made from Debian's
packages and make install, without mounting anything. Two uses: a disk to keep
(tests/install --keep FILE) and the proof that what is installed boots.

mmdebstrap makes the system's files; make install adds ours; mke2fs -d writes
them into a partition. GRUB is installed by the system itself: it starts once
without a hypervisor, runs grub-install and update-grub, and powers off."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from . import debian, machine, slots
from .console import say
from .hypervisor import build_dir

PACKAGES = """linux-image-amd64 initramfs-tools systemd-sysv udev kmod iproute2
grub-pc libxencall1 libxenforeignmemory1 libxenevtchn1 libxengnttab1
libxendevicemodel1 libxentoollog1 libxentoolcore1 zlib1g liblzma5 libzstd1
liblz4-1 zstd""".split()
LEFT_OUT = ("doc", "locale", "man", "info")
START = 1 << 20  # where the partition begins: GRUB's image lies before it

SETUP = """set -e
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\\nCOMPRESS=zstd\\n' >"$1/etc/initramfs-tools/conf.d/rig"
printf 'ext4\\nvirtio_pci\\nvirtio_blk\\n' >"$1/etc/initramfs-tools/modules"
"""

# The first start: what a person would type on the new system, once.
FIRST = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -o remount,rw /
grub-install /dev/vda && update-grub && echo INSTALL-DONE || echo INSTALL-FAIL
sync; mount -o remount,ro /; echo o >/proc/sysrq-trigger; sleep 9
"""

# What the rig wants to see on each later start.
EACH = """#!/bin/sh
systemctl status ostler-xenstored.service | sed 's/^/RIG-UNIT /' >/dev/console
exec >/dev/console 2>&1
[ -e /proc/xen/capabilities ] || { echo RIG-NO-XEN; exit; }
i=0
while ! xl list >/run/xl.out 2>&1 && [ $i -lt 60 ]; do sleep 1; i=$((i+1)); done
sed 's/^/RIG-LIST /' /run/xl.out
xl info | sed -n 's/^xen_\\(version\\|caps\\)/RIG-INFO &/p'
echo RIG-DONE
"""

UNIT = """[Unit]
Description=%s
After=%s

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/%s

[Install]
WantedBy=multi-user.target
"""

GRUB = """GRUB_DEFAULT='Ostler, with Linux %s'
GRUB_TIMEOUT=1
GRUB_TERMINAL=serial
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_CMDLINE_LINUX=""
GRUB_CMDLINE_OSTLER="console=com1 com1=115200,8n1 dom0_mem=600M,max:600M"
GRUB_CMDLINE_OSTLER_DOM0="console=hvc0 loglevel=4"
GRUB_DISABLE_OS_PROBER=true
"""


def run(*command, **kw):
    p = subprocess.run(command, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                       text=True, **kw)
    if p.returncode:
        raise debian.Missing("%s failed:\n%s" % (" ".join(command),
                                                 p.stdout[-2000:]))
    return p.stdout


def system_files(root):
    """Debian's files, kept as one archive for the next time."""
    archive = debian.cache("images", "debian-system.tar")
    if not os.path.exists(archive):
        for program in ("mmdebstrap", "sfdisk", "mke2fs"):
            if not shutil.which(program):
                raise debian.Missing("%s is missing: apt-get install "
                                     "mmdebstrap fdisk e2fsprogs" % program)
        say("# Debian's packages are being installed into a folder")
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as hook:
            hook.write(SETUP)
            hook.flush()
            run("mmdebstrap", "--variant=minbase", "--include=" +
                ",".join(PACKAGES), "--setup-hook=sh %s \"$1\"" % hook.name,
                "--dpkgopt=force-unsafe-io",
                *["--dpkgopt=path-exclude=/usr/share/%s/*" % d
                  for d in LEFT_OUT], "bookworm", archive + ".new")
        os.rename(archive + ".new", archive)
    run("tar", "-C", root, "-xf", archive)


def write(root, name, text, mode=0o644):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def enable(root, unit):
    wants = os.path.join(root, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants, exist_ok=True)
    link = os.path.join(wants, unit)
    if not os.path.islink(link):
        os.symlink("/etc/systemd/system/" + unit
                   if unit.startswith("rig-") else
                   "/usr/lib/systemd/system/" + unit, link)


def service(root, name, what, after, script):
    write(root, "usr/local/sbin/" + name, script, 0o755)
    write(root, "etc/systemd/system/%s.service" % name,
          UNIT % (what, after, name))
    enable(root, name + ".service")


def furnish(root):
    """Ours by make install, where Debian has its own things."""
    run("make", "-s", "-C", build_dir(), "install", "bootdir=/boot",
        "DESTDIR=" + root)
    kernels = [n[len("vmlinuz-"):] for n in os.listdir(root + "/boot")
               if n.startswith("vmlinuz-")]
    write(root, "etc/default/grub", GRUB % sorted(kernels)[-1])
    write(root, "etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n")
    write(root, "etc/hostname", "ostler\n")
    run("chroot", root, "passwd", "-d", "root")
    run("chroot", root, "ldconfig")
    # A service of e2fsprogs that takes a minute under emulation.
    run("chroot", root, "systemctl", "mask", "e2scrub_reap.service")
    for unit in ("proc-xen.mount", "ostler-xenstored.service",
                 "ostler-xenconsoled.service"):
        enable(root, unit)
    service(root, "rig-each", "what the rig wants to see",
            "ostler-xenconsoled.service", EACH)


def make_disk(root, disk, mib):
    with open(disk, "wb") as f:
        f.truncate(mib << 20)  # blocks that nobody wrote take no room
    subprocess.run(["sfdisk", "-q", disk], check=True, text=True,
                   input="label: dos\nstart=%d, type=83, bootable\n" %
                   (START // 512), stdout=subprocess.DEVNULL)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", root, "-E",
        "offset=%d" % START, disk, "%dk" % ((mib << 10) - START // 1024))


def drive(disk):
    return ["-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % disk]


def install_grub(root, disk, logs):
    """The first start, on plain Linux with the system's own kernel."""
    kernel = [os.path.join(root, "boot", n) for n in os.listdir(root + "/boot")
              if n.startswith("vmlinuz-")][0]
    initrd = kernel.replace("vmlinuz-", "initrd.img-")
    words = ("root=/dev/vda1 rw console=ttyS0 "
             "init=/usr/local/sbin/rig-first loglevel=3")
    with machine.Qemu(logs, "install-first", kernel=kernel, append=words,
                      initrd=initrd, memory=1024, extra=drive(disk)) as m:
        if not m.wait("INSTALL-DONE", 240):
            raise debian.Missing(m.explain("GRUB was not installed"))
        m.wait_end(60)


def boot(disk, logs):
    """From the disk, through GRUB; the lines that xl printed."""
    with machine.Qemu(logs, "install-boot", memory=2048,
                      extra=drive(disk)) as m:
        done = m.wait("RIG-DONE|RIG-NO-XEN", 420)
        lines = [l.split("RIG-", 1)[1] for _, l in m.console.lines
                 if "RIG-LIST" in l or "RIG-INFO" in l]
        if not done or not any("Domain-0" in l for l in lines):
            raise debian.Missing(m.explain("no xl list in the new dom0"))
    return lines


def main():
    p = argparse.ArgumentParser(prog="tests/install", description=__doc__)
    p.add_argument("--keep", metavar="FILE", help="keep the disk there")
    p.add_argument("--size", type=int, default=2048, help="MiB")
    p.add_argument("--logs", default="logs")
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *x: sys.exit(143))
    os.makedirs(a.logs, exist_ok=True)
    if os.geteuid():
        say("install: only root can unpack a system's files")
        return 2
    with tempfile.TemporaryDirectory(prefix="ostler-install.") as work:
        root, disk = os.path.join(work, "root"), os.path.join(work, "disk")
        os.mkdir(root)
        try:
            system_files(root)
            furnish(root)
            write(root, "usr/local/sbin/rig-first", FIRST, 0o755)
            make_disk(root, disk, a.size)
            say("# the disk is made; GRUB is being installed")
            install_grub(root, disk, a.logs)
            for line in boot(disk, a.logs):
                say(line)
            if a.keep:
                shutil.move(disk, a.keep)
        except (debian.Missing, slots.Busy) as e:
            say("install: %s" % e)
            return 1
    say("ok - a Debian disk with make install boots through GRUB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
