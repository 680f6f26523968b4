# SPDX-License-Identifier: MIT
"""The ways to start our hypervisor: boot loaders and machines, each with a
test guest as dom0 (tests/guest/machines)."""
import functools
import os
import re

from . import debian, guests, hypervisor, iso

OVMF = "/usr/share/ovmf/OVMF.fd"
MULTIBOOT1 = (0x1badb002).to_bytes(4, "little")


class Start:
    """A line of tests/guest/machines."""

    def __init__(self, line):
        fields = line.split()
        self.name, self.guest = fields[:2]
        options = dict(f.split("=", 1) for f in fields[2:])
        self.by = options.pop("by")
        self.says = options.pop("says", "").replace("+", " ").split(";")
        self.append = options.pop("words", "").replace("+", " ")
        self.refused = options.pop("ends", "plan") == "refused"
        self.damage = options.pop("damage", None)
        self.extra = ["-vga", "std"] if options.pop("screen", None) else []
        self.timeout = int(options.pop("timeout", 30))
        self.machine = {k: options.pop(k) for k in ("machine", "cpu")
                        if k in options}
        self.machine.update({k: int(options.pop(k)) for k in
                             ("cpus", "memory") if k in options})
        if options:
            raise ValueError("tests/guest/machines: %s: unknown %s" %
                             (self.name, ", ".join(options)))


def all_starts():
    path = os.path.join(hypervisor.SOURCE, "tests/guest/machines")
    with open(path) as f:
        return [Start(l) for l in f if l.strip() and l[0] != "#"]


def _without_multiboot1(path, to):
    """QEMU takes the PVH entry only when there is no multiboot 1 header."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    at = data.index(MULTIBOOT1, 0, 32768)
    data[at:at + 4] = bytes(4)
    with open(to, "wb") as f:
        f.write(data)


def _medium(file, uefi):
    """A loader for hypervisor.qemu(): GRUB's image in the CD drive."""
    def loader(kernel, words, modules):
        iso.make(file, kernel, words, modules)
        return (["-drive", "if=ide,index=2,media=cdrom,file=" + file] +
                (["-bios", OVMF] if uefi else []))
    return loader


def way(by, hv, file):
    """What this way of starting adds to the machine's options; it may write
    the file."""
    if by == "multiboot":
        return {}
    if by == "pvh":
        _without_multiboot1(hv.path, file)
        return {"kernel": file}
    if by == "uefi" and not os.path.exists(OVMF):
        raise debian.Missing("%s: not here (package ovmf)" % OVMF)
    return {"loader": _medium(file, by == "uefi")}


def _damaged(how, path, to):
    """A kernel that is none: how it was spoilt says the name."""
    if how == "packed":
        path = debian.Kernel("6.1").vmlinuz
    with open(path, "rb") as f:
        data = bytearray(f.read())
    if how == "half":
        del data[len(data) // 2:]
    elif how == "text":
        data = b"This is no kernel.\n" * 1000
    elif how == "noteless":  # no entry that anybody could start it at
        data = data.replace(b"Xen\0", b"Nex\0")
    elif how == "headers":  # segments beyond everything
        at = int.from_bytes(data[0x20:0x28], "little")
        data[at + 0x18:at + 0x30] = b"\xff" * 0x18
    elif how == "packed":
        data[len(data) // 2:len(data) // 2 + 4096] = bytes(4096)
    with open(to, "wb") as f:
        f.write(data)


def run(start, logs):
    """One start; (checks, machine that has ended, why it failed or None)."""
    hv = hypervisor.Hypervisor("ours")
    file = os.path.join(logs, "start-%s.%s" % (start.name, start.by))
    test = guests.find(start.guest)
    if start.damage:
        _damaged(start.damage, test.path, file)
        test.path = file
    try:
        results, m, problem = guests.run_as_dom0(
            test, hv, logs, name="start-" + start.name,
            append=start.append, timeout=start.timeout, extra=start.extra,
            **way(start.by, hv, file), **start.machine)
    finally:
        if os.path.exists(file):
            os.unlink(file)
    if start.refused:
        problem = None if "Panic on CPU" in m.console.text else "it started"
    for pattern in start.says:
        if not problem and not re.search(pattern, m.console.text):
            problem = "the hypervisor did not say: " + pattern
    return results, m, problem


def level(report, pairs):
    """Starts all of them; the function that judges them."""
    starts = all_starts()
    return functools.partial(judge, report, starts, pairs.start(
        [functools.partial(run, s, report.logs) for s in starts]))


def judge(report, starts, futures):
    for start, job in zip(starts, futures):
        name = "start %s, guest %s" % (start.name, start.guest)
        try:
            results, m, problem = job.result()
        except debian.Missing as e:
            report.skip(name, str(e))
            continue
        report.result(m.explain(problem) if problem else None,
                      "%s, %d checks" % (name, len(results.cases)),
                      m.seconds_run)
