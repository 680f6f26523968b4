# SPDX-License-Identifier: MIT
"""A machine full of devices for dom0: disks on virtio-blk, AHCI and NVMe with
known contents, a virtio-net and an e1000 card on one wire. For q35.
tests/system/devices.sh runs in it."""
import hashlib
import os
import random

DISKS = {
    "virtio": ["virtio-blk-pci,drive=virtio"],
    "ahci": ["ide-hd,drive=ahci,bus=ide.0"],
    "nvme": ["nvme,drive=nvme,serial=1"],
}
CARDS = ["virtio-net-pci", "e1000"]
SIZE = 8 << 20


def make(folder):
    """Writes the disks and their sums there; (QEMU's options, files for
    dom0)."""
    words, files = [], {}
    for name, device in DISKS.items():
        data = random.Random(name).randbytes(SIZE)
        disk = os.path.join(folder, "disk-%s.raw" % name)
        total = os.path.join(folder, "disk-%s.md5" % name)
        with open(disk, "wb") as f:
            f.write(data)
        with open(total, "w") as f:
            f.write(hashlib.md5(data).hexdigest() + "\n")
        words += ["-drive", "if=none,format=raw,id=%s,file=%s" % (name, disk)]
        for d in device:
            words += ["-device", d]
        files["disk-%s.md5" % name] = total
    for card in CARDS:
        words += ["-netdev", "hubport,id=wire-%s,hubid=0" % card,
                  "-device", "%s,netdev=wire-%s,romfile=" % (card, card)]
    return words + ["-vga", "std"], files
