# SPDX-License-Identifier: MIT
"""GRUB images (multiboot 2): one that starts under BIOS and UEFI alike, and a
small one for BIOS only, whose loader has its configuration built in."""
import os
import shutil
import subprocess
import tempfile

from . import debian

MODULES = "multiboot2 normal iso9660 configfile all_video"


def _quoted(words):
    """As one word for GRUB's script."""
    return " ".join("'%s'" % w.replace("'", "'\\''") for w in words.split())


def _config(append, modules):
    lines = ["set timeout=0", "insmod all_video", "menuentry x {",
             "multiboot2 /hypervisor " + _quoted(append)]
    lines += ["module2 /module%d %s" % (i, _quoted(words))
              for i, (_, words) in enumerate(modules)]
    return "\n".join(lines + ["boot", "}", ""])


def _platforms(*wanted):
    for platform in wanted or ("i386-pc", "x86_64-efi"):
        if not os.path.isdir("/usr/lib/grub/" + platform) or \
                not shutil.which("grub-mkrescue"):
            raise debian.Missing("GRUB for %s is not here; tests/run "
                                 "--packages tells what to install" % platform)


def make(path, kernel, append, modules):
    """Writes the image; modules as machine.Qemu takes them."""
    _platforms()
    with tempfile.TemporaryDirectory(prefix="ostler-iso.") as tree:
        os.makedirs(tree + "/boot/grub")
        with open(tree + "/boot/grub/grub.cfg", "w") as f:
            f.write(_config(append, modules))
        shutil.copy(kernel, tree + "/hypervisor")
        for i, (file, _) in enumerate(modules):
            shutil.copy(file, "%s/module%d" % (tree, i))
        p = subprocess.run(
            ["grub-mkrescue", "-o", path, "--install-modules=" + MODULES,
             "--locales=", "--themes=", "--fonts=", tree],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True)
    if p.returncode:
        raise debian.Missing("grub-mkrescue failed:\n" + p.stdout[-1000:])


SECTOR = 512
# Where a guest's disk has its GRUB script, and its kernel.
SCRIPT_AT, KERNEL_AT = 2040, 2048


def make_disk(path, kernel, initrd):
    """A disk that starts Linux by GRUB under BIOS, with no partition and no
    file system: files are runs of sectors. What starts it is a script in
    the sectors before the kernel, completed by grub_disk (dom0/lib.sh)."""
    _platforms("i386-pc")
    with tempfile.TemporaryDirectory(prefix="ostler-disk.") as work:
        with open(work + "/cfg", "w") as f:
            f.write("source (hd0)%d+%d\n" % (SCRIPT_AT,
                                             KERNEL_AT - SCRIPT_AT))
        _run("grub-mkimage", "-O", "i386-pc", "-p", "(hd0)", "-c",
             work + "/cfg", "-o", work + "/core", "biosdisk", "configfile",
             "linux")
        parts = [(0, "/usr/lib/grub/i386-pc/boot.img"), (1, work + "/core"),
                 (KERNEL_AT, kernel),
                 (KERNEL_AT + sectors(kernel), initrd)]
        with open(path, "wb") as out:
            for at, part in parts:
                out.seek(at * SECTOR)
                with open(part, "rb") as f:
                    out.write(f.read())
            out.truncate((parts[3][0] + sectors(initrd)) * SECTOR)
            script = "linux (hd0)%d+%d WORDS\ninitrd (hd0)%d+%d\nboot\n" % (
                KERNEL_AT, sectors(kernel), parts[3][0], sectors(initrd))
            out.seek(SCRIPT_AT * SECTOR)
            out.write(script.encode().ljust(
                (KERNEL_AT - SCRIPT_AT) * SECTOR, b"\n"))


def sectors(path):
    return -(-os.path.getsize(path) // SECTOR)


BIOS_MODULES = ["biosdisk", "iso9660", "multiboot2"]


def _run(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise debian.Missing("%s failed:\n%s" % (command[0],
                                                 p.stdout[-1000:]))


def make_bios(path, kernel, append, modules):
    """The same for BIOS, in a tenth of a second: no menu, no files of GRUB's."""
    _platforms("i386-pc")
    with tempfile.TemporaryDirectory(prefix="ostler-iso.") as work:
        tree = work + "/tree"
        os.mkdir(tree)
        shutil.copy(kernel, tree + "/hypervisor")
        lines = ["multiboot2 (cd)/hypervisor " + _quoted(append)]
        for i, (file, words) in enumerate(modules):
            shutil.copy(file, "%s/module%d" % (tree, i))
            lines.append("module2 (cd)/module%d %s" % (i, _quoted(words)))
        with open(work + "/cfg", "w") as f:
            f.write("\n".join(lines + ["boot", ""]))
        _run("grub-mkimage", "-O", "i386-pc-eltorito", "-p", "(cd)",
             "-c", work + "/cfg", "-o", tree + "/loader", *BIOS_MODULES)
        _run("xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-b", "loader",
             "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", tree)


def _isolinux(tree, config):
    """ISOLINUX with that configuration, in the folder of a disc to be."""
    for package, file in (
            ("isolinux", "/usr/lib/ISOLINUX/isolinux.bin"),
            ("syslinux-common", "/usr/lib/syslinux/modules/bios/ldlinux.c32")):
        shutil.copy(debian.unpacked(package) + file, tree)
    with open(tree + "/isolinux.cfg", "w") as f:
        f.write(config)


def _disc(path, tree, loader, *words):
    """The folder as a disc that starts loader."""
    _run("xorriso", "-as", "mkisofs", "-quiet", "-o", path + ".new", "-b",
         loader, "-no-emul-boot", "-c", "boot.cat", *words, tree)
    os.rename(path + ".new", path)


MENU = """SAY The disc's own words
DEFAULT memtest
PROMPT 1
TIMEOUT %d
LABEL memtest
  LINUX memtest
  APPEND console=ttyS0,115200
LABEL ipxe
  LINUX ipxe
"""


def make_menu(path):
    """A disc as an installer's: ISOLINUX asks, and starts memtest86+, or
    iPXE. All of it from Debian's packages."""
    parts = [("memtest86+", "/boot/memtest86+x64.bin", "memtest"),
             ("ipxe", "/boot/ipxe.lkrn", "ipxe")]
    with tempfile.TemporaryDirectory(prefix="ostler-iso.") as tree:
        _isolinux(tree, MENU % 100)  # tenths of a second
        for package, file, name in parts:
            shutil.copy(debian.unpacked(package) + file, tree + "/" + name)
        _disc(path, tree, "isolinux.bin", "-boot-load-size", "4",
              "-boot-info-table")


def make_sector(path, sector):
    """A disc with nothing but a boot sector."""
    with tempfile.TemporaryDirectory(prefix="ostler-iso.") as tree:
        shutil.copy(sector, tree + "/sector")
        _disc(path, tree, "sector", "-boot-load-size", "4")


INSTALLER = """DEFAULT linux
LABEL linux
  LINUX linux
  INITRD initrd.gz
  APPEND console=hvc0 loglevel=4 panic=5
"""


def make_installer(path, kernel, initrd):
    """A disc that installs itself (guest/installer): ISOLINUX, Linux, and
    what makes a disk with one partition start by GRUB."""
    _platforms("i386-pc")
    with tempfile.TemporaryDirectory(prefix="ostler-iso.") as tree:
        _isolinux(tree, INSTALLER)
        shutil.copy(kernel, tree + "/linux")
        shutil.copy(initrd, tree + "/initrd.gz")
        shutil.copy("/usr/lib/grub/i386-pc/boot.img", tree)
        _run("grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)/boot/grub",
             "-o", tree + "/core.img", "biosdisk", "part_msdos", "ext2",
             "configfile", "normal", "linux")
        _disc(path, tree, "isolinux.bin", "-boot-load-size", "4",
              "-boot-info-table")


def make_uefi_disk(path, kernel, initrd):
    """A disk that starts Linux by GRUB under UEFI: a FAT file system with the
    loader where firmware looks for it."""
    _platforms("x86_64-efi")
    if not shutil.which("mformat"):
        raise debian.Missing("mtools is not here: install it")
    with tempfile.TemporaryDirectory(prefix="ostler-disk.") as work:
        with open(work + "/cfg", "w") as f:
            f.write("linux ($root)/linux console=hvc0 console=ttyS0 "
                    "loglevel=4 panic=5 do=blk\n"
                    "initrd ($root)/initrd.gz\nboot\n")
        _run("grub-mkimage", "-O", "x86_64-efi", "-p", "/EFI/BOOT", "-c",
             work + "/cfg", "-o", work + "/loader", "fat", "linux",
             "configfile")
        with open(path + ".new", "wb") as f:
            f.truncate(48 << 20)
        at = ["-i", path + ".new"]
        _run("mformat", *at, "-F", "::")
        _run("mmd", *at, "::/EFI", "::/EFI/BOOT")
        _run("mcopy", *at, work + "/loader", "::/EFI/BOOT/BOOTX64.EFI")
        _run("mcopy", *at, kernel, "::/linux")
        _run("mcopy", *at, initrd, "::/initrd.gz")
    os.rename(path + ".new", path)
