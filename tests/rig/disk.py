# SPDX-License-Identifier: MIT
"""dom0 on a disk: the same files as in the initramfs, as an ext4 file system
that keeps what is written to it (/etc/xen, /var, everything).

No privilege and no mounting: mke2fs makes an empty file system, and debugfs
writes the files into it, as root's. Times, identifiers and order are fixed:
the same input gives the same bytes. The file has holes where nothing is.
"""
import os
import shutil
import stat
import subprocess
import tempfile

from . import debian, image

UUID = "6f73746c-6572-4d61-8469-736b20666d30"  # any will do, always the same
# Fixed times: mke2fs and debugfs both look there.
ENVIRONMENT = {"E2FSPROGS_FAKE_TIME": "1700000000", "PATH":
               "/usr/sbin:/usr/bin:/sbin:/bin", "MKE2FS_CONFIG": "/dev/null"}


def tool(*command, **kw):
    if not shutil.which(command[0], path=ENVIRONMENT["PATH"]):
        raise debian.Missing("%s is not here: apt-get install e2fsprogs" %
                             command[0])
    p = subprocess.run(command, stdout=subprocess.PIPE, env=ENVIRONMENT,
                       stderr=subprocess.STDOUT, text=True, **kw)
    if p.returncode:
        raise debian.Missing("%s failed: %s" % (command[0],
                                                p.stdout.strip()[-500:]))
    return p.stdout


def _commands(tree, scratch):
    """What debugfs is to do, in order; files' contents lie in scratch."""
    for n, name in enumerate(sorted(tree.entries)):
        mode, data, rdev = tree.entries[name]
        above, leaf = os.path.split(name)
        yield 'cd "/%s"' % above
        if stat.S_ISDIR(mode):
            yield 'mkdir "%s"' % leaf
        elif stat.S_ISLNK(mode):
            yield 'symlink "%s" "%s"' % (leaf, data.decode())
            continue
        elif stat.S_ISREG(mode):
            path = os.path.join(scratch, str(n))
            with open(path, "wb") as f:
                f.write(data)
            yield 'write "%s" "%s"' % (path, leaf)
        else:
            yield 'mknod "%s" c %d %d' % (leaf, *rdev)
        yield 'sif "%s" mode 0%o' % (leaf, mode)


def write(tree, path, mib):
    """tree as an ext4 file system of so many MiB; whole or not at all."""
    new = path + ".new"
    try:
        with open(new, "wb") as f:
            f.truncate(mib << 20)
        tool("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256",
              "-O", "has_journal,extent,64bit,metadata_csum,dir_index,"
              "filetype,sparse_super,large_file,huge_file,flex_bg,dir_nlink,"
              "extra_isize", "-m", "0", "-U", UUID, "-L", "ostler-dom0", "-E",
              "hash_seed=%s,lazy_itable_init=0,lazy_journal_init=1" % UUID, new)
        with tempfile.TemporaryDirectory() as scratch:
            script = os.path.join(scratch, "script")
            with open(script, "w") as f:
                f.write("\n".join(_commands(tree, scratch)) + "\n")
            said = tool("debugfs", "-w", "-f", script, new)
        for line in said.split("\n"):
            if line and not line.startswith(("debugfs", "Allocated inode")):
                raise debian.Missing("debugfs: " + line)
        os.rename(new, path)
    finally:
        if os.path.exists(new):
            os.unlink(new)


def make(path, kernel, tools, files, device_model=False, mib=1024):
    """dom0's disk; files go to /lab."""
    tree = image.dom0_tree(kernel, tools)
    parts = [image.overlay_tree(files)]
    if device_model:
        parts.append(image.device_model_tree(tools))
    for part in parts:
        tree.entries.update(part.entries)
    write(tree, path, mib)
