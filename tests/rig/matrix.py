# SPDX-License-Identifier: MIT
"""The matrix of docs/matrix.md: {our, stock} hypervisor x {our, stock}
toolstack x {PV, PVH} dom0 x {PV, PVH, HVM, PV-on-HVM} guest x {QEMU, Bochs}.

Each combination up to dom0 is one boot; its guests are measured one after
the other. What does not work is a cell that says why. tests/matrix is the
command; matrix_page.py makes the page.
"""
import argparse
import datetime
import itertools
import json
import os
import signal
import sys

from . import bochs, debian, hypervisor, image, matrix_page
from . import matrix_readme, session, slots
from .console import say

AXES = {"hypervisor": ["ours", "stock"], "toolstack": ["ours", "stock"],
        "dom0": ["pvh", "pv"], "guest": ["pv", "pvh", "pvhvm", "hvm"],
        "machine": ["qemu", "bochs"]}
SCRIPT = os.path.join(hypervisor.SOURCE, "tests/bench/linux/matrix.sh")
FORMAT = "ostler-matrix-1"
UNMEASURED = "not measured in this run"
NO_IOMMU = "Debian's Xen wants an IOMMU for a PVH dom0; Bochs has none"
# Seconds a guest may take to its first process, by kind.
# Firmware and kernel of the last two come through a device model.
LIMITS = {"pv": 120, "pvh": 120, "pvhvm": 400, "hvm": 400}


def bench_program():
    path = os.path.join(hypervisor.build_dir(),
                        "tests/bench/linux/guestbench")
    if not os.path.exists(path):
        raise debian.Missing("there is no %s: build it (make)" % path)
    return path


def cell(run, kind, **rest):
    out = dict(run, guest=kind, works=False, why=None, figures={}, counts={})
    out.update(rest)
    return out


def parse(text):
    """(figures, counts, what is to be said, whether it works) of what matrix.sh
    printed. A guest that came up works, even if it was not measured whole."""
    figures, counts, memory, why = {}, {}, {}, None
    for line in text.split("\n"):
        w = line.split()
        if len(w) == 7 and w[0] in ("CELL", "BENCH"):
            figures[w[1]] = {"unit": w[2], "median": float(w[3]),
                             "min": float(w[4]), "max": float(w[5]),
                             "samples": int(w[6])}
        elif len(w) == 3 and w[0] == "COUNT":
            counts[w[1]] = int(w[2])
        elif len(w) == 3 and w[0] == "MEM":
            memory[w[1]] = float(w[2])
        elif w and w[0] in ("CELL-FAIL", "BENCH-FAIL", "CELL-NOTE"):
            why = why or line.split(" ", 1)[1].strip()
    if len(memory) == 3:
        kept = (memory["total_memory"] - memory["free_memory"] -
                memory["domains"])
        figures["memory_kept"] = {"unit": "MiB", "median": kept, "min": kept,
                                  "max": kept, "samples": 1}
    done = "CELL-DONE" in text
    if why is None and not done:
        why = "ended early: " + (text.strip().split("\n") or [""])[-1][:120]
    return figures, counts, why, done and "first_process" in figures


def options_of(run, with_hvm, a):
    """How the session of a run is made: (its options, what guests get)."""
    if run["machine"] == "qemu":
        return {"memory": a.memory, "cpus": a.cpus, "dom0_memory": 1000,
                "device_model": True}, "BRIEF=1 " if a.brief else ""
    options = {"emulator": "bochs", "memory": 1024, "dom0_memory": 512,
               "kappend": bochs.LINUX, "boot": 900}
    if with_hvm:  # the device model is in dom0's image
        options.update(memory=1536, dom0_memory=1000, device_model=True)
    return options, "BRIEF=1 "


def files_of(run, with_hvm, kernel):
    """What lies in /lab."""
    files = {"guest-kernel": kernel.unpacked(), "matrix.sh": SCRIPT}
    if run["machine"] == "bochs":
        initrd = image.guest(kernel)
    else:
        files["guestbench"] = bench_program()
        initrd = image.guest(kernel, [files["guestbench"]])
    files["guest.cpio"] = initrd
    if with_hvm:
        files["guest-disk.img"] = image.grub_disk(kernel, initrd)
    return files


def never(run, kind):
    """Why a cell is not even tried, or None."""
    if run["machine"] == "bochs" and run["hypervisor"] == "stock" and \
            run["dom0"] == "pvh":
        return NO_IOMMU
    return None


def measure_boot(run, kinds, a, keep):
    """Hands each cell of one boot to keep(), as soon as there is one."""
    for k in kinds:
        if never(run, k):
            keep(cell(run, k, why=never(run, k)))
    kinds = [k for k in kinds if not never(run, k)]
    if kinds:
        measured(run, kinds, a, keep)


def measured(run, kinds, a, keep):
    name = "-".join([run["machine"], run["hypervisor"], run["toolstack"],
                     run["dom0"]])
    kernel = debian.Kernel(a.kernel)
    with_hvm = run["machine"] == "qemu" or bool({"pvhvm", "hvm"} & set(kinds))
    options, words = options_of(run, with_hvm, a)
    d = session.Dom0(a.logs, "matrix-" + name,
                     hypervisor.Hypervisor(run["hypervisor"], run["dom0"]),
                     a.kernel, True, run["toolstack"], files_of(run, with_hvm, kernel),
                     **options)
    left = list(kinds)
    try:
        with d:
            say("# %s: dom0 after %.1f s" % (name, d.ready()))
            for kind in kinds:
                limit = LIMITS[kind] * (4 if run["machine"] == "bochs" else 1)
                r = d.run("%sREPEAT=%d SAMPLES=%d LIMIT=%d KIND=%s; "
                          ". /lab/matrix.sh" % (words, a.repeat, a.samples,
                                                limit, kind),
                          limit * (a.repeat + 3))
                figures, counts, why, works = parse(r.output)
                with open(os.path.join(a.logs, "matrix-%s-%s.txt" %
                                       (name, kind)), "w") as f:
                    f.write(r.output)
                keep(cell(run, kind, works=works, why=why, figures=figures,
                          counts=counts))
                left.remove(kind)
                say("# %s, %s: %s (%.0f s)" % (name, kind, why or "works",
                                               r.seconds))
                d.run("xl destroy cell 2>/dev/null; true")
            d.power_off()
    except session.Failed as e:
        why = str(e).split("\n")[0]
        say("# %s: %s" % (name, why))
        for k in left:
            keep(cell(run, k, why=why))


def chosen(a, axis):
    picked = getattr(a, axis)
    wanted = picked.split(",") if picked else AXES[axis]
    for w in wanted:
        if w not in AXES[axis]:
            raise debian.Missing("%s: there is no %s; there are %s" % (
                axis, w, ", ".join(AXES[axis])))
    return wanted


def wanting(cells, run, kinds):
    """Those of the kinds that were not measured in this run or in the one
    that it is compared with: both are done then, beside each other."""
    have = [c["guest"] for c in cells if c["why"] != UNMEASURED and
            all(c[x] == run[x] for x in ("machine", "toolstack", "dom0"))]
    return [k for k in kinds if have.count(k) < len(AXES["hypervisor"])]


def measure(a):
    cells = []
    kinds = chosen(a, "guest")
    earlier = (read(a.into)["cells"]
               if a.missing and os.path.exists(a.into) else [])

    def keep(c):
        cells.append(c)
        save(list(cells), a)  # what there is, should a later cell hang

    # What is compared is measured one after the other.
    runs = itertools.product(*(chosen(a, x) for x in (
        "machine", "toolstack", "dom0", "hypervisor")))
    for machine, tools, dom0, hv in runs:
        run = {"hypervisor": hv, "toolstack": tools, "dom0": dom0,
               "machine": machine}
        measure_boot(run, wanting(earlier, run, kinds) if a.missing else
                     kinds, a, keep)
    return cells


def key(c):
    return tuple(c[x] for x in AXES)


def read(path):
    with open(path) as f:
        result = json.load(f)
    if result.get("format") != FORMAT:
        raise debian.Missing("%s is not of format %s" % (path, FORMAT))
    return result


def unmeasured(cells):
    """The cells that are not there, each with a reason: nothing is left out."""
    have = {key(c) for c in cells}
    for values in itertools.product(*AXES.values()):
        run = dict(zip(AXES, values))
        kind = run.pop("guest")
        empty = cell(run, kind,
                     why=never(run, kind) or UNMEASURED)
        if key(empty) not in have:
            yield empty


def save(cells, a):
    """Writes what is measured; with --into, in place of the same cells."""
    if a.into and os.path.exists(a.into):
        new = {key(c) for c in cells}
        cells = [c for c in read(a.into)["cells"]
                 if key(c) not in new] + cells
    cells += list(unmeasured(cells))
    cells = sorted(cells, key=lambda c: [AXES[x].index(c[x]) for x in (
        "machine", "toolstack", "dom0", "guest", "hypervisor")])
    result = {"format": FORMAT, "kernel": a.kernel, "cpus": a.cpus,
              "memory": a.memory, "repeat": a.repeat,
              "samples": a.samples, "parts": bool(a.into),
              "date": datetime.date.today().isoformat(), "cells": cells}
    with open(a.json + ".new", "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    os.replace(a.json + ".new", a.json)
    return result


def ratio(cells, mine, name):
    """Our hypervisor's median over stock's in the same other things."""
    other = [c for c in cells if c["hypervisor"] == "stock" and
             all(c[x] == mine[x] for x in ("toolstack", "dom0", "guest",
                                           "machine"))]
    if mine["hypervisor"] != "ours" or not other:
        return None
    a = mine["figures"].get(name)
    b = other[0]["figures"].get(name)
    return a["median"] / b["median"] if a and b and b["median"] else None


COLUMNS = ["create", "first_process", "syscall", "page_fault", "fork_exec",
           "context_switch", "disk_read", "disk_read_4k", "net_out",
           "net_in", "net_round_trip"]


def table(result):
    """The terminal's table: a line a cell."""
    cells = [c for c in result["cells"] if c["machine"] == "qemu"]
    units = {}
    for c in cells:
        for n, f in c["figures"].items():
            units[n] = f["unit"]
    heads = ["%s %s" % (n.replace("_", " "), units.get(n, ""))
             for n in COLUMNS]
    out = [" ".join(["%-6s %-6s %-5s %-6s" % ("hv", "tools", "dom0",
                                              "guest")] +
                    ["%16s" % h[:16] for h in heads])]
    for c in cells:
        line = "%-6s %-6s %-5s %-6s" % (c["hypervisor"], c["toolstack"],
                                        c["dom0"], c["guest"])
        if not c["works"]:
            out.append("%s  missing: %s" % (line, c["why"]))
            continue
        for n in COLUMNS:
            f = c["figures"].get(n)
            r = ratio(cells, c, n)
            text = "-" if f is None else "%.4g" % f["median"]
            if r is not None:
                text += " (%.2f)" % r
            line += " %16s" % text
        out.append(line)
    out.append("In brackets: our hypervisor over Debian's, all else equal.")
    return "\n".join(out)


def arguments():
    p = argparse.ArgumentParser(prog="tests/matrix", description=__doc__)
    for axis, values in AXES.items():
        p.add_argument("--" + axis, metavar="LIST",
                       help="of " + ", ".join(values) + " (all)")
    p.add_argument("--kernel", default="6.1", choices=["6.1", "6.12"])
    p.add_argument("--cpus", type=int, default=1)
    p.add_argument("--memory", type=int, default=3072, help="MiB")
    p.add_argument("--repeat", type=int, default=3,
                   help="creates of each guest; the median counts (3)")
    p.add_argument("--samples", type=int, default=7, metavar="N",
                   help="of each figure in the guest, 1 to 7 (7)")
    p.add_argument("--brief", action="store_true",
                   help="no measurements in the guests, only whether they "
                   "work and how soon they do")
    p.add_argument("--json", default="matrix.json", help="(matrix.json)")
    p.add_argument("--into", metavar="JSON",
                   help="keep an earlier run's other cells: ratios between "
                   "runs are then only as good as the machine was even")
    p.add_argument("--missing", action="store_true",
                   help="only what was not measured in the run of --into: "
                   "so a run that was stopped goes on")
    p.add_argument("--html", default="matrix.html", help="(matrix.html)")
    p.add_argument("--readme", metavar="FILE",
                   help="put the table of what works into FILE")
    p.add_argument("--render", metavar="JSON",
                   help="measure nothing: table and page of an earlier run")
    p.add_argument("--logs", default="logs")
    a = p.parse_args()
    if a.missing and not a.into:
        p.error("--missing wants --into FILE")
    return a


def main():
    a = arguments()
    signal.signal(signal.SIGTERM, lambda *x: sys.exit(143))
    try:
        if a.render:
            result = read(a.render)
        else:
            os.makedirs(a.logs, exist_ok=True)
            result = save(measure(a), a)
    except (debian.Missing, slots.Busy, OSError, ValueError) as e:
        say("matrix: %s" % e)
        return 2
    except KeyboardInterrupt:
        say("matrix: stopped; nothing is left running")
        return 130
    print(table(result))
    with open(a.html, "w") as f:
        f.write(matrix_page.page(result))
    if a.readme:
        matrix_readme.put(a.readme, result)
    return 0 if any(c["works"] for c in result["cells"]) else 1


if __name__ == "__main__":
    sys.exit(main())
