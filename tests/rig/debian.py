# SPDX-License-Identifier: MIT
"""What comes from Debian: packages, fetched by apt and unpacked, never installed.

Kernels and the stock hypervisor are only read from their packages, so that
trying Ostler changes nothing of how this machine boots. They are kept in
OSTLER_CACHE (by default /var/cache/ostler for root, ~/.cache/ostler else).
"""
import glob
import gzip
import hashlib
import lzma
import os
import re
import struct
import subprocess
import tempfile

from .console import say

XEN = "4.17"
META = {"6.1": "linux-image-amd64", "6.12": "linux-image-6.12-amd64",
        "cloud": "linux-image-cloud-amd64"}


class Missing(Exception):
    """Something this machine cannot give; the text says what and what to do."""


def cache(*parts):
    root = os.environ.get("OSTLER_CACHE") or (
        "/var/cache/ostler" if os.geteuid() == 0
        else os.path.expanduser("~/.cache/ostler"))
    path = os.path.join(root, *parts)
    os.makedirs(os.path.dirname(path) if parts else path, exist_ok=True)
    return path


def _output(*command, **kw):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, text=True, **kw)
    if p.returncode:
        raise Missing("%s failed: %s" % (" ".join(command), p.stderr.strip()))
    return p.stdout


def _apt(*command):
    """What apt says about its lists of packages, asked once for each state of
    them: it takes a second to read them."""
    try:
        state = os.stat("/var/lib/apt/lists").st_mtime_ns
    except OSError:
        state = 0
    key = hashlib.sha256(repr((command, state)).encode()).hexdigest()[:16]
    path = cache("apt", key)
    if os.path.exists(path):
        with open(path) as f:
            return f.read()
    said = _output(*command)
    keep(path, said.encode())
    return said


def unpacked(package):
    """The directory with package's files; fetched once per version."""
    uris = _apt("apt-get", "download", "--print-uris", package)
    found = re.search(r"^'[^']+' (\S+\.deb) \d+", uris, re.M)
    if not found:
        raise Missing("apt knows no package %s: is the list of packages "
                      "there (apt-get update)?" % package)
    name = found.group(1)
    tree = cache("packages", name[:-len(".deb")].replace("%3a", "_"))
    if os.path.isdir(tree):
        return tree
    say("# fetching %s" % name)
    with tempfile.TemporaryDirectory(dir=cache()) as work:
        os.chmod(work, 0o755)
        _output("apt-get", "-qq", "-o", "APT::Sandbox::User=root",
                "download", package, cwd=work)
        deb = glob.glob(os.path.join(work, "*.deb"))[0]
        _output("dpkg", "-x", deb, os.path.join(work, "tree"))
        try:
            os.rename(os.path.join(work, "tree"), tree)
        except OSError:
            pass  # another run was quicker
    return tree


def _image_package(meta):
    """linux-image-amd64 depends on the package that has the kernel."""
    found = re.search(r"Depends: (linux-image-\S+)",
                      _apt("apt-cache", "depends", meta))
    if not found:
        raise Missing("apt does not know what %s depends on" % meta)
    return found.group(1)


def keep(path, data):
    """Writes a file of the cache whole or not at all, whoever else does."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path),
                                     delete=False) as f:
        f.write(data)
    os.chmod(f.name, 0o644)
    os.rename(f.name, path)


class Kernel:
    """A distribution's kernel as its package has it."""

    def __init__(self, which="6.1"):
        if which not in META:
            raise Missing("no kernel %s; there are %s" %
                          (which, ", ".join(sorted(META))))
        tree = unpacked(_image_package(META[which]))
        self.which = which
        self.vmlinuz = glob.glob(tree + "/boot/vmlinuz-*")[0]
        self.version = os.path.basename(self.vmlinuz)[len("vmlinuz-"):]
        self.modules = (glob.glob(tree + "/lib/modules/*") +
                        glob.glob(tree + "/usr/lib/modules/*"))[0]
        self._files = None

    def unpacked(self):
        """The ELF file inside vmlinuz: for tests that do not want to wait
        for a hypervisor to unpack it under emulation."""
        path = cache("kernels", "vmlinux-" + self.version)
        if not os.path.exists(path):
            with open(self.vmlinuz, "rb") as f:
                keep(path, _payload(f.read()))
        return path

    def module_files(self, names):
        """(name, content) of the modules and all they depend on, in the order
        to load them. Names that are built in or unknown are left out."""
        if self._files is None:
            self._files = {}
            for here, _, files in os.walk(self.modules):
                for name in files:
                    if ".ko" in name:
                        key = name.split(".ko")[0].replace("-", "_")
                        self._files[key] = os.path.join(here, name)
        seen, out = set(), []

        def visit(name):
            name = name.replace("-", "_")
            if name in seen or name not in self._files:
                return
            seen.add(name)
            content = _read_module(self._files[name])
            depends = re.search(rb"\0depends=([^\0]*)\0", content)
            for needed in (depends.group(1) if depends else b"").split(b","):
                visit(needed.decode())
            out.append((name, content))

        for name in names:
            visit(name)
        return out


def _read_module(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".gz"):
        return gzip.decompress(data)
    return data


def _payload(bzimage):
    """The kernel inside a bzImage: Linux's Documentation/x86/boot.rst,
    fields setup_sects, payload_offset and payload_length."""
    sectors = bzimage[0x1f1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (sectors + 1) * 512 + offset
    data = bzimage[start:start + length]
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data[:-4])
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return _through("zstd", "-dc", data[:-4])
    if data[:4] == b"\x02\x21\x4c\x18":
        return _through("lz4", "-dc", data[:-4])
    raise Missing("the kernel's payload starts with %r: what packed it?" %
                  data[:6])


def _through(program, option, data):
    return subprocess.run([program, option], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def stock_hypervisor():
    """Debian's Xen as a plain ELF file, from its package."""
    tree = unpacked("xen-hypervisor-%s-amd64" % XEN)
    packed = glob.glob(tree + "/boot/xen-%s-amd64.gz" % XEN)[0]
    path = cache("kernels", os.path.basename(tree) + ".elf")
    if not os.path.exists(path):
        with gzip.open(packed) as f:
            keep(path, f.read())
    return path
