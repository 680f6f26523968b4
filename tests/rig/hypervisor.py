# SPDX-License-Identifier: MIT
"""Which hypervisor is booted, and what it needs around it."""
import os

from . import debian, machine

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def build_dir():
    """Where make put things: RIG_BUILD, or the tree's build/."""
    return os.environ.get("RIG_BUILD") or os.path.join(SOURCE, "build")


class Hypervisor:
    """kind is "ours", "stock" or a file; dom0 is "pvh", "pv" or, if the
    hypervisor itself shall choose, "" (the stock one only knows PV then)."""

    def __init__(self, kind="ours", dom0="pvh"):
        self.dom0 = dom0
        self.stock = kind == "stock"
        if self.stock:
            self.path = debian.stock_hypervisor()
        else:
            self.path = (os.path.join(build_dir(), "xen", "ostler")
                         if kind == "ours" else kind)
            if not os.path.exists(self.path):
                raise debian.Missing(
                    "there is no hypervisor %s: build it (make), or name "
                    "another with --hv" % self.path)
        self.name = "stock" if self.stock else "ours"

    def words(self, dom0_memory, extra=""):
        words = ["console=com1", "com1=115200,8n1", "loglvl=all",
                 "guest_loglvl=all",
                 "dom0_mem=%dM,max:%dM" % (dom0_memory, dom0_memory)]
        if self.dom0:
            words.append("dom0=" + self.dom0)
        if self.stock:
            words.append("spec-ctrl=eager-fpu")
        return " ".join(words + ([extra] if extra else []))

    def machine_options(self):
        """The stock hypervisor refuses a PVH dom0 without an IOMMU."""
        if self.stock and self.dom0 == "pvh":
            return {"machine": "q35", "extra": ["-device", "amd-iommu"]}
        return {}


def qemu(hv, logs, name, modules, dom0_memory=256, append="", **options):
    """A QEMU machine for hv; options override what hv would choose.
    loader(kernel, words, modules), if given, makes a boot medium and answers
    with QEMU's options for it; else QEMU loads them itself."""
    for key, value in hv.machine_options().items():
        if key == "extra":
            options["extra"] = list(options.get("extra") or []) + value
        elif not options.get(key):
            options[key] = value
    options = {k: v for k, v in options.items() if v is not None}
    kernel, words = options.pop("kernel", hv.path), hv.words(dom0_memory, append)
    loader = options.pop("loader", None)
    if loader:
        options["extra"] = list(options.get("extra") or []) + loader(
            kernel, words, modules)
        kernel, words, modules = None, "", []
    return machine.Qemu(logs, name, kernel=kernel, modules=modules,
                        append=words, **options)


def bochs(hv, logs, name, modules, dom0_memory=256, append="", **options):
    """The same in Bochs, from a GRUB image; there are few options. A machine
    that resets would start all over again: it stays halted instead."""
    return machine.Bochs(logs, name, kernel=hv.path, modules=modules,
                         append=hv.words(dom0_memory, "noreboot " + append),
                         **{k: v for k, v in options.items() if v is not None})


EMULATORS = {"qemu": qemu, "bochs": bochs}
