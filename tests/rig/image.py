# SPDX-License-Identifier: MIT
"""The images: dom0's initramfs and a Linux guest's, from Debian's packages and
our build. Same input, same bytes; kept by content in the cache."""
import fcntl
import glob
import gzip
import hashlib
import os
import subprocess
import tempfile

from . import debian, iso
from .cpio import Tree
from .hypervisor import SOURCE, build_dir

RIG = os.path.dirname(os.path.abspath(__file__))
XEN_BIN = "/usr/lib/xen-%s/bin" % debian.XEN

# Modules by when they are wanted: loading one costs 0.1 s under emulation.
DOM0_MODULES = {
    "base": ["xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev",
             "xen-gntalloc"],
    "blk": ["xen-blkback", "loop"],
    "net": ["xen-netback", "bridge", "tun"],
    "disks": ["virtio_pci", "virtio_blk", "ahci", "nvme", "sd_mod",
              "crc32c_generic", "ext4"],
    "nics": ["virtio_pci", "virtio_net", "e1000"],
}
GUEST_MODULES = {
    "blk": ["xen-blkfront"], "net": ["xen-netfront"],
    # An HVM guest's emulated disk and cards.
    "ide": ["ata_piix", "ata_generic", "ahci", "sd_mod", "sr_mod"],
    "nic": ["e1000", "8139cp"],
    "button": ["button"],
}
USB_INPUT = {"input": ["uhci_hcd", "usbhid", "hid_generic"]}
INSTALLER_MODULES = {
    "disk": ["xen-blkfront", "crc32c_generic", "ext4"],
    "cd": ["ata_piix", "ata_generic", "sr_mod", "isofs"],
}
DRIVER_MODULES = ["xen-blkback", "loop", "xen-netback", "bridge",
                  "xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc"]

STOCK_DAEMONS = ["xenstored", "xenconsoled"]
STOCK_TOOLS = ["xl", "xenconsole", "xen-init-dom0", "libxl-save-helper",
               "lsevtchn", "xen-hptool", "xenpm", "xentop", "xenperf",
               "xen-hvmctx", "xen-diag", "test-xenstore", "test-resource"]
XENSTORE_TOOLS = ["ls", "read", "write", "list", "rm", "exists", "chmod",
                  "watch"]


def need(*programs):
    """Fails with what to install when a program of this host is missing."""
    missing = [p for p in programs if not os.path.exists(p)]
    if missing:
        raise debian.Missing("%s: not here; tests/run --packages tells what "
                             "to install" % ", ".join(missing))


def store(tree, name):
    """Writes a tree into the cache unless it is there; its path."""
    data = tree.dump()
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = debian.cache("images", "%s-%s.cpio" % (name, digest))
    if not os.path.exists(path):
        debian.keep(path, data)
        _forget_old(name)
    return path


def _forget_old(name, keep=6):
    paths = glob.glob(debian.cache("images", name + "-*.cpio"))
    for path in sorted(paths, key=os.path.getmtime)[:-keep]:
        for made in glob.glob(path + "*"):
            os.unlink(made)


def _userland(tree, busybox="/bin/busybox"):
    tree.dir("proc", "sys", "dev", "run", "tmp", "mnt", "root", "lab")
    tree.node("dev/console", 5, 1)
    tree.node("dev/null", 1, 3, 0o666)
    tree.file("bin/busybox", busybox, 0o755)
    applets = subprocess.run([busybox, "--list"], stdout=subprocess.PIPE,
                             text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            tree.link("bin/" + applet, "busybox")


def _modules(tree, kernel, groups):
    for group, names in groups.items():
        order = []
        for name, content in kernel.module_files(names):
            tree.put("lib/modules/%s.ko" % name, 0o100644, content)
            order.append(name + "\n")
        tree.text("lib/modules/%s.order" % group, "".join(order))


def _stock_tools(tree):
    need(XEN_BIN + "/xl", "/usr/bin/xenstore-ls")
    tree.program(*[os.path.join(XEN_BIN, t)
                   for t in STOCK_DAEMONS + STOCK_TOOLS])
    tree.program(*["/usr/bin/xenstore-" + t for t in XENSTORE_TOOLS])
    for name in ("xl", "xenstored", "xentop"):
        tree.link("usr/sbin/" + name, os.path.join(XEN_BIN, name))


def _own_tools(tree, parts):
    """What make install would install, below /usr/local."""
    stage = os.path.join(build_dir(), "stage")
    # Two boots may want it at once, and install over each other.
    with open(os.path.join(build_dir(), "Makefile")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        p = subprocess.run(["make", "-s", "-C", build_dir(), "install",
                            "prefix=/usr/local", "DESTDIR=" + stage],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)
    if p.returncode:
        raise debian.Missing("make install failed:\n" + p.stdout[-2000:])
    for part in parts:
        path = os.path.join(stage, "usr/local", part)
        if os.path.isdir(path):
            tree.copy(path, "usr/local/" + part)
        elif os.path.exists(path):
            tree.file("usr/local/" + part, path, 0o755)
    for here, _, files in os.walk(os.path.join(stage, "usr/local")):
        for name in files:
            tree.libraries_of(os.path.join(here, name), leave_out=stage)


def _own_library(tree):
    """Our libxenctrl wherever the stock one is."""
    name = "libxenctrl.so.4.17"
    library = os.path.join(build_dir(), "tools/libxc", name)
    if not os.path.exists(library):
        raise debian.Missing("there is no %s: build it (make)" % library)
    for entry in list(tree.entries):
        if os.path.basename(entry) == name:
            tree.file(entry, library, 0o755)
    tree.file("lab/" + name, library, 0o755)


# What a boot's tools= names: which programs of ours
# (below /usr/local, found first) are beside the stock ones; and which of them
# have our library under the stock programs, too.
OURS = {
    "stock": (), "none": (), "libxc": (),
    "ours": ("bin", "sbin", "lib", "libexec", "etc"),
    "xl": ("sbin/xl", "bin", "lib", "etc"),  # our xl, the stock daemons
    "daemons": ("sbin/xenstored", "sbin/xenconsoled", "lib"),
}
OUR_LIBRARY = ("libxc", "daemons", "ours")


def own_library(tools):
    """Whether stock programs are to use our libxenctrl."""
    return tools in OUR_LIBRARY


def dom0(kernel, tools="stock"):
    """dom0's initramfs without what a single run adds (overlay)."""
    return store(dom0_tree(kernel, tools),
                 "dom0-%s-%s" % (kernel.version, tools))


def dom0_tree(kernel, tools):
    tree = Tree()
    need("/bin/busybox", "/sbin/ip", "/usr/bin/flock")
    _userland(tree)
    for name in ("bash", "ip", "losetup", "flock", "stat", "blkid"):
        tree.entries.pop("bin/" + name, None)
    tree.program("/bin/bash")
    tree.link("usr/bin/bash", "/bin/bash")
    # Loaded by name when a thread ends: ldd does not show it.
    tree.file("lib/x86_64-linux-gnu/libgcc_s.so.1",
              "/lib/x86_64-linux-gnu/libgcc_s.so.1", 0o755)
    tree.program("/sbin/ip", at="usr/sbin/ip")
    tree.program("/sbin/bridge", at="usr/sbin/bridge")
    tree.program("/sbin/losetup", at="usr/sbin/losetup")
    tree.program("/usr/bin/flock", "/usr/bin/stat")
    _modules(tree, kernel, DOM0_MODULES)
    tree.dir("var/log/xen/console", "var/lib/xen/dump", "var/lib/xenstored",
             "var/run", "etc/xen")
    tree.entries.pop("var/run")
    tree.link("var/run", "/run")
    tree.link("var/lock", "/run/lock")
    tree.copy("/etc/xen", "etc/xen")
    if tools != "none":
        _stock_tools(tree)
    if OURS[tools]:
        _own_tools(tree, OURS[tools])
    if own_library(tools):
        _own_library(tree)
    if tools == "libxc":
        tree.program(os.path.join(build_dir(), "tools/libxc/mkdomain"),
                     at="usr/bin/mkdomain")
    tree.text("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    tree.text("etc/group", "root:x:0:\n")
    tree.text("etc/bashrc", "PS1='dom0# '\n")
    tree.file("init", RIG + "/dom0/init", 0o755)
    tree.file("bin/agent", RIG + "/dom0/agent", 0o755)
    tree.file("bin/mods", RIG + "/dom0/mods", 0o755)
    tree.file("bin/prompt", RIG + "/dom0/prompt", 0o755)
    return tree


def device_model(tools="stock"):
    """What HVM guests need in dom0, as an archive to append: the firmware,
    Debian's QEMU and what it loads. Some 50 MiB: only where it is used."""
    return store(device_model_tree(tools), "device-model")


def device_model_tree(tools):
    tree = Tree()
    qemu = "/usr/libexec/xen-qemu-system-i386"
    firmware = "/usr/lib/xen-%s/boot/hvmloader" % debian.XEN
    need(qemu, firmware, "/usr/share/ovmf/OVMF.fd")
    tree.program(qemu)
    tree.file(firmware, firmware)
    for path in ("/usr/share/qemu/kvmvapic.bin",
                 "/usr/share/qemu/linuxboot.bin",
                 "/usr/share/qemu/linuxboot_dma.bin",
                 "/usr/share/qemu/multiboot.bin", "/usr/share/ovmf/OVMF.fd",
                 "/usr/share/seabios/bios.bin",
                 "/usr/share/seabios/bios-256k.bin",
                 "/usr/share/seabios/vgabios-stdvga.bin",
                 "/usr/share/seabios/vgabios-cirrus.bin"):
        tree.file(path, path)
    for name in ("pxe-rtl8139", "efi-rtl8139", "pxe-e1000", "efi-e1000"):
        path = "/usr/lib/ipxe/qemu/%s.rom" % name
        tree.file(path, path)
    tree.copy("/usr/share/qemu/keymaps", "usr/share/qemu/keymaps")
    if own_library(tools):
        _own_library(tree)
    return tree


def overlay(files):
    """{name below /lab: path here} as a second archive, with lib.sh."""
    return overlay_tree(files).dump()


def overlay_tree(files):
    tree = Tree()
    tree.file("lab/lib.sh", RIG + "/dom0/lib.sh")
    for name, path in files.items():
        tree.file("lab/" + name, path)
    return tree


def packed(path):
    """The same compressed, for HVM guests: a device model's firmware gets what
    it loads byte by byte."""
    out = path + ".gz"
    if not os.path.exists(out):
        with open(path, "rb") as f:
            debian.keep(out, gzip.compress(f.read(), mtime=0))
    return out


def grub_disk(kernel, initrd):
    """The disk of an HVM guest that boots by GRUB: rig/iso.py, and grub_disk
    of rig/dom0/lib.sh, which completes it."""
    initrd = packed(initrd)
    path = initrd[:-len(".gz")] + ".disk"
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as d:
            iso.make_disk(d + "/disk", kernel.vmlinuz, initrd)
            os.rename(d + "/disk", path)
    return path


def uefi_disk(kernel, initrd):
    """The disk of one that boots by UEFI."""
    initrd = packed(initrd)
    path = initrd[:-len(".gz")] + ".uefi"
    if not os.path.exists(path):
        iso.make_uefi_disk(path, kernel.vmlinuz, initrd)
    return path


def ovmf():
    """UEFI firmware for HVM guests, built once by make-ovmf."""
    path = debian.cache("ovmf", "OvmfXen.fd")
    if not os.path.exists(path):
        raise debian.Missing("no package has OVMF for Xen: build it by "
                             "tests/rig/make-ovmf %s (minutes)" % path)
    return path


def disk_start(kernel):
    """What finds dom0's disk (disk.py) and goes on there: kernel word root=."""
    tree = Tree()
    need("/bin/busybox")
    _userland(tree)
    _modules(tree, kernel, {"disks": DOM0_MODULES["disks"]})
    tree.file("init", RIG + "/dom0/disk-init", 0o755)
    return store(tree, "disk-start-" + kernel.version)


def guest(kernel, programs=(), modules=()):
    """A Linux guest's initramfs, with static programs of ours, and more
    modules."""
    return store(guest_tree(kernel, programs, modules),
                 "guest-" + kernel.version)


def driver(kernel, qemu=False):
    """A driver domain's: our xl, and a script of its own beside the bridge
    that xl does without one; with QEMU, for disks that are its."""
    tree = guest_tree(kernel, [os.path.join(build_dir(), "xl")])
    _modules(tree, kernel, {"driver": DRIVER_MODULES})
    need("/usr/bin/xenstore-write")
    tree.program("/usr/bin/xenstore-write", at="bin/xenstore-write")
    tree.file("etc/xen/scripts/vif-own", RIG + "/guest/vif-own", 0o755)
    if qemu:
        need("/usr/libexec/xen-qemu-system-i386")
        tree.program("/usr/libexec/xen-qemu-system-i386")
    return store(tree, "driver%s-%s" % ("-qemu" if qemu else "",
                                        kernel.version))


def guest_tree(kernel, programs=(), modules=()):
    tree = Tree()
    need("/bin/busybox")
    _userland(tree)
    _modules(tree, kernel, dict(GUEST_MODULES, **dict(modules)))
    tree.file("init", RIG + "/guest/init", 0o755)
    # What the kernel runs when it is asked to power off.
    tree.text("sbin/poweroff", "#!/bin/sh\nexec /bin/poweroff -f\n", 0o755)
    for path in programs:
        tree.file("bin/" + os.path.basename(path), path, 0o755)
    return tree


def installer(kernel):
    """An installer's initramfs, which is its system's, too."""
    tree = Tree()
    need("/bin/busybox")
    _userland(tree)
    tree.dir("cd")
    _modules(tree, kernel, INSTALLER_MODULES)
    tree.file("init", RIG + "/guest/installer", 0o755)
    tree.file("etc/installed", RIG + "/guest/installed", 0o755)
    return store(tree, "installer-" + kernel.version)


def installer_disc(kernel):
    initrd = packed(installer(kernel))
    path = initrd[:-len(".gz")] + ".iso"
    if not os.path.exists(path):
        iso.make_installer(path, kernel.vmlinuz, initrd)
    return path
