# SPDX-License-Identifier: MIT
"""README's "what works", out of a matrix run's JSON: a table for each machine,
with the seconds from xl create to the guest's first process, and the reasons
below it. tests/matrix --readme FILE puts it between two marks."""
import itertools

BEGIN = "<!-- made by tests/matrix --readme: begin -->"
END = "<!-- made by tests/matrix --readme: end -->"
MACHINES = {"qemu": "QEMU, AMD-V", "bochs": "Bochs, VT-x"}
KINDS = {"pv": "PV", "pvh": "PVH", "pvhvm": "PV-on-HVM", "hvm": "HVM"}
WHOSE = {"ours": "our", "stock": "Debian's"}


def _columns():
    return itertools.product(("ours", "stock"), ("ours", "stock"),
                             ("pvh", "pv"))


def _text(c, reasons):
    """What stands for one cell; a reason is told once, by number."""
    if c and c["works"]:
        first = c["figures"].get("first_process")
        return "%.1f s" % (first["median"] / 1000) if first else "works"
    why = c["why"] if c else "not measured"
    if why not in reasons:
        reasons.append(why)
    return "– (%d)" % (reasons.index(why) + 1)


def _table(cells, machine):
    reasons = []
    out = ["| %s: guest | %s |" % (MACHINES[machine], " | ".join(
        "%s hypervisor, %s tools, %s dom0" % (WHOSE[h], WHOSE[t], d.upper())
        for h, t, d in _columns())), "|---" * 9 + "|"]
    for kind, name in KINDS.items():
        row = []
        for h, t, d in _columns():
            found = [c for c in cells if (
                c["machine"], c["hypervisor"], c["toolstack"], c["dom0"],
                c["guest"]) == (machine, h, t, d, kind)]
            row.append(_text(found[0] if found else None, reasons))
        out.append("| %s | %s |" % (name, " | ".join(row)))
    out.append("")
    out += ["(%d) %s  " % (n + 1, why) for n, why in enumerate(reasons)]
    return out + ([""] if reasons else [])


def markdown(result):
    cells = result["cells"]
    out = ["Seconds from `xl create` to the guest's first process, Linux %s, "
           "emulated, on a busy machine, %s: whether it works, not how fast "
           "it is. `docs/matrix.html` has all figures." % (
               result["kernel"], result["date"]), ""]
    for machine in MACHINES:
        if any(c["machine"] == machine for c in cells):
            out += _table(cells, machine)
    return "\n".join(out).rstrip() + "\n"


def between(text):
    """(before, what stands there now, after) of a file's text."""
    before, rest = text.split(BEGIN + "\n", 1)
    now, after = rest.split(END, 1)
    return before + BEGIN + "\n", now, END + after


def put(path, result):
    with open(path) as f:
        before, _, after = between(f.read())
    with open(path, "w") as f:
        f.write(before + markdown(result) + after)
