# SPDX-License-Identifier: MIT
"""A file tree in memory, written as an initramfs that is the same each time.

Names are sorted, owners are root, times are zero and inode numbers are
counted, so equal content gives equal bytes. No privilege is needed, not even
for device nodes.
"""
import os
import re
import stat
import subprocess

LOADER = "/lib64/ld-linux-x86-64.so.2"
_libraries = {}


def libraries(program):
    """The shared libraries that program loads, as paths on this host."""
    if program not in _libraries:
        # What ldd does, without its shell script around it.
        out = subprocess.run([LOADER, "--list", program],
                             stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True).stdout
        _libraries[program] = re.findall(
            r"^\s+(?:\S+ => )?(/\S+) \(0x", out, re.M)
    return _libraries[program]


class Tree:
    def __init__(self):
        self.entries = {}  # name without leading slash: (mode, bytes, rdev)

    def _parents(self, name):
        while "/" in name:
            name = name.rsplit("/", 1)[0]
            self.entries.setdefault(name, (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def put(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        self._parents(name)
        self.entries[name] = (mode, data, rdev)

    def dir(self, *names):
        for name in names:
            self.put(name, stat.S_IFDIR | 0o755)

    def link(self, name, target):
        self.put(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor, mode=0o600):
        self.put(name, stat.S_IFCHR | mode, rdev=(major, minor))

    def text(self, name, text, mode=0o644):
        self.put(name, stat.S_IFREG | mode, text.encode())

    def file(self, name, source, mode=None):
        if mode is None:
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, "rb") as f:
            self.put(name, stat.S_IFREG | mode, f.read())

    def program(self, *sources, at=None):
        """Programs of this host with the libraries they need."""
        for source in sources:
            self.file(at or source, source, 0o755)
            self.libraries_of(source)

    def libraries_of(self, source, leave_out=None):
        for library in libraries(source):
            if leave_out and library.startswith(leave_out):
                continue
            if library.strip("/") not in self.entries:
                self.file(library, library, 0o755)

    def copy(self, directory, to):
        """A directory's files and links, below the name to."""
        for here, dirs, files in os.walk(directory):
            dirs.sort()
            below = os.path.relpath(here, directory)
            for name in sorted(files):
                source = os.path.join(here, name)
                target = os.path.normpath(os.path.join(to, below, name))
                if os.path.islink(source):
                    self.link(target, os.readlink(source))
                else:
                    self.file(target, source)

    def dump(self):
        out = []
        inode = 0
        for name in sorted(self.entries):
            mode, data, rdev = self.entries[name]
            inode += 1
            out.append(_header(name, mode, data, rdev, inode))
        out.append(_header("TRAILER!!!", 0, b"", (0, 0), 0))
        image = b"".join(out)
        return image + b"\0" * (-len(image) % 512)


def _header(name, mode, data, rdev, inode):
    raw = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0,
              len(data), 0, 0, rdev[0], rdev[1], len(raw), 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)
