# SPDX-License-Identifier: MIT
"""The matrix as one HTML page that needs nothing else: plots are SVG, colours
follow the reader's light or dark setting. "PV or HVM, and what does it cost?"
is answered first, then every cell is shown, the missing ones with why."""
import html

KINDS = ["pv", "pvh", "pvhvm", "hvm"]
KIND_NAMES = {"pv": "PV", "pvh": "PVH", "pvhvm": "PV-on-HVM", "hvm": "HVM"}
HYPERVISORS = ["ours", "stock"]
MACHINES = {"qemu": "QEMU, AMD-V", "bochs": "Bochs, VT-x"}
HV_NAMES = {"ours": "Ostler", "stock": "Debian's Xen"}
# name: (what a person calls it, True if more is better)
FIGURES = {
    "create": ("xl create", False),
    "first_process": ("create to first process", False),
    "destroy": ("xl destroy", False),
    "syscall": ("system call", False),
    "page_fault": ("page fault", False),
    "fork_exec": ("fork + exec", False),
    "context_switch": ("context switch", False),
    "disk_read": ("disk read, 1 MiB", True),
    "disk_write": ("disk write, 1 MiB", True),
    "disk_read_4k": ("disk read, 4 KiB", True),
    "disk_write_4k": ("disk write, 4 KiB", True),
    "net_out": ("TCP out", True),
    "net_in": ("TCP in", True),
    "net_round_trip": ("TCP round trip", False),
    "memory_kept": ("memory kept by the hypervisor", False),
}

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf7; --card: #ffffff;
  --ink: #1c1b19; --soft: #5f5c56; --line: #dedad2; --ours: #2a63c4;
  --stock: #b4873a; --good: #d9ead7; --bad: #f6d9cf; --none: #efece5; }
@media (prefers-color-scheme: dark) { :root { --page: #161614;
  --card: #1f1f1c; --ink: #eceae4; --soft: #a5a199; --line: #3a3934;
  --ours: #7aa7f5; --stock: #d8ae62; --good: #24402a; --bad: #51301f;
  --none: #2a2a26; } }
body { background: var(--page); color: var(--ink); margin: 0 auto;
  max-width: 78rem; padding: 2rem 1.2rem;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p, .soft { color: var(--soft); max-width: 46rem; }
.wide { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: .88rem; background: var(--card); }
th, td { border: 1px solid var(--line); padding: .3rem .55rem;
  text-align: right; white-space: nowrap; }
th { text-align: left; font-weight: 600; }
td.good { background: var(--good); } td.bad { background: var(--bad); }
td.none { background: var(--none); color: var(--soft); text-align: left;
  white-space: normal; }
ol { color: var(--soft); font-size: .88rem; margin: .5rem 0 0;
  padding-left: 1.6rem; }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: .4rem; padding: .7rem .8rem; }
figcaption { font-weight: 600; font-size: .92rem; }
figcaption span { color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .soft { fill: var(--soft); }
.ours { fill: var(--ours); } .stock { fill: var(--stock); }
.whisker { stroke: var(--ink); stroke-width: 1; opacity: .6; }
.key i { display: inline-block; width: .8em; height: .8em;
  border-radius: 2px; margin: 0 .35em 0 1em; vertical-align: baseline; }
"""


def grid(cells, machine):
    """What works at all: guests down, combinations up to dom0 across. A reason
    is told once, below, by number."""
    runs, reasons = [], []
    for c in cells:
        run = (c["hypervisor"], c["toolstack"], c["dom0"])
        if c["machine"] == machine and run not in runs:
            runs.append(run)
    runs.sort(key=lambda r: [HYPERVISORS.index(r[0]),
                             HYPERVISORS.index(r[1]), r[2] != "pvh"])
    if not runs:
        return ""
    out = ['<div class="wide"><table><tr><th>%s</th>%s</tr>' % (
        MACHINES[machine], "".join(
            "<th>%s<br>%s<br>%s dom0</th>" % (
                HV_NAMES[h], {"ours": "our tools", "stock": "Debian's tools"}[
                    t], d.upper()) for h, t, d in runs))]
    for kind in KINDS:
        row = []
        for run in runs:
            c = [c for c in cells if c["machine"] == machine and c["guest"] ==
                 kind and (c["hypervisor"], c["toolstack"], c["dom0"]) == run]
            if c and c[0]["works"]:
                f = c[0]["figures"].get("first_process")
                row.append('<td class="good">works%s</td>' % (
                    ", %.1f s" % (f["median"] / 1000) if f else ""))
            else:
                why = c[0]["why"] if c else "not measured"
                if why not in reasons:
                    reasons.append(why)
                row.append('<td class="none">– <sup>%d</sup></td>' %
                           (reasons.index(why) + 1))
        out.append("<tr><th>%s</th>%s</tr>" % (KIND_NAMES[kind],
                                               "".join(row)))
    out.append("</table>")
    if reasons:
        out.append("<ol>%s</ol>" % "".join(
            "<li>%s</li>" % html.escape(w or "") for w in reasons))
    return "".join(out) + "</div>"


def number(v):
    if v >= 1000:
        return "{:,.0f}".format(v)
    return "%.3g" % v


def best_run(cells):
    """The (toolstack, dom0) under which most was measured."""
    runs = {}
    for c in cells:
        key = (c["toolstack"], c["dom0"])
        runs[key] = runs.get(key, 0) + len(c["figures"])
    return max(sorted(runs), key=lambda k: runs[k]) if runs else ("", "")


def pick(cells, hv, kind, run):
    for c in cells:
        if (c["hypervisor"], c["guest"]) == (hv, kind) and \
                (c["toolstack"], c["dom0"]) == run:
            return c
    return None


def figure_of(c, name):
    return c["figures"].get(name) if c and c["works"] else None


def plot(cells, run, name):
    """Bars by guest kind, a pair each, with the spread as a whisker."""
    label, more = FIGURES[name]
    rows = [(k, hv, figure_of(pick(cells, hv, k, run), name))
            for k in KINDS for hv in HYPERVISORS]
    known = [f for _, _, f in rows if f]
    if not known:
        return ""
    top = max(f["max"] for f in known) or 1
    width, left, bar = 330, 74, 11
    out, y = [], 4
    for kind in KINDS:
        out.append('<text x="0" y="%d">%s</text>' % (y + 14,
                                                     KIND_NAMES[kind]))
        for hv in HYPERVISORS:
            f = [r[2] for r in rows if r[:2] == (kind, hv)][0]
            if f is None:
                out.append('<text class="soft" x="%d" y="%d">missing</text>'
                           % (left, y + 9))
            else:
                scale = (width - left - 62) / top
                w = max(f["median"] * scale, 1)
                out.append('<rect class="%s" x="%d" y="%d" width="%.1f" '
                           'height="%d" rx="1.5"/>' % (hv, left, y, w,
                                                       bar - 1))
                out.append('<path class="whisker" d="M%.1f %.1fH%.1f"/>' % (
                    left + f["min"] * scale, y + bar / 2 - .5,
                    left + f["max"] * scale))
                out.append('<text x="%.1f" y="%d">%s</text>' % (
                    left + f["max"] * scale + 4, y + 9,
                    number(f["median"])))
            y += bar
        y += 7
    return ('<figure><figcaption>%s <span>%s, %s is better</span>'
            '</figcaption><svg viewBox="0 0 %d %d" role="img" '
            'aria-label="%s by kind of guest">%s</svg></figure>' % (
                html.escape(label), html.escape(known[0]["unit"]),
                "more" if more else "less", width, y, html.escape(label),
                "".join(out)))


def cost(f, base, more):
    """How many times the cost of base: above 1 is worse."""
    if not f or not base or not f["median"] or not base["median"]:
        return None
    r = f["median"] / base["median"]
    return 1 / r if more else r


def shade(r):
    if r is None:
        return '<td class="none">missing</td>'
    side = "good" if r <= 0.95 else "bad" if r >= 1.05 else ""
    return '<td class="%s">%.2f</td>' % (side, r)


def ratios(cells, run):
    """Each kind against PV on our hypervisor, then ours against Debian's."""
    heads = ["<th>%s</th>" % KIND_NAMES[k] for k in KINDS]
    out = ['<div class="wide"><table><tr><th rowspan="2">cost, times</th>'
           '<th colspan="4">Ostler: each kind against its PV guest</th>'
           '<th colspan="4">Ostler against Debian\'s Xen, same kind</th></tr>'
           '<tr>%s%s</tr>' % ("".join(heads), "".join(heads))]
    for name, (label, more) in FIGURES.items():
        base = figure_of(pick(cells, "ours", "pv", run), name)
        row = []
        for k in KINDS:
            row.append(shade(cost(figure_of(pick(cells, "ours", k, run),
                                            name), base, more)))
        for k in KINDS:
            row.append(shade(cost(
                figure_of(pick(cells, "ours", k, run), name),
                figure_of(pick(cells, "stock", k, run), name), more)))
        out.append("<tr><th>%s</th>%s</tr>" % (html.escape(label),
                                               "".join(row)))
    return "".join(out) + "</table></div>"


def whole(cells):
    names = [n for n in FIGURES if any(n in c["figures"] for c in cells)]
    units = {n: f["unit"] for c in cells for n, f in c["figures"].items()}
    out = ['<div class="wide"><table><tr><th>machine</th><th>hypervisor</th>'
           '<th>toolstack</th><th>dom0</th><th>guest</th>%s</tr>' % "".join(
               "<th>%s<br>%s</th>" % (html.escape(FIGURES[n][0]), units[n])
               for n in names)]
    for c in cells:
        head = "".join("<th>%s</th>" % html.escape(t) for t in (
            c["machine"], HV_NAMES[c["hypervisor"]], c["toolstack"],
            c["dom0"].upper(), KIND_NAMES[c["guest"]]))
        if not c["works"]:
            out.append('<tr>%s<td class="none" colspan="%d">missing: %s</td>'
                       '</tr>' % (head, max(len(names), 1),
                                  html.escape(c["why"] or "")))
            continue
        out.append("<tr>%s%s</tr>" % (head, "".join(
            "<td>%s</td>" % (number(c["figures"][n]["median"])
                             if n in c["figures"] else "-")
            for n in names)))
    return "".join(out) + "</table></div>"


def counts(cells, run):
    """What our hypervisor counted while guestbench ran, by kind of guest."""
    picked = {k: pick(cells, "ours", k, run) for k in KINDS}
    names = {}
    for c in picked.values():
        for n, v in (c["counts"] if c else {}).items():
            names[n] = max(names.get(n, 0), v)
    if not names:
        return ""
    order = sorted(names, key=names.get, reverse=True)[:24]
    out = ["<h2>Exits and hypercalls for the same work</h2><p>Counted by "
           "Ostler over one guestbench run, the guest's and dom0's together."
           "</p><div class=\"wide\"><table><tr><th>counter</th>%s</tr>" %
           "".join("<th>%s</th>" % KIND_NAMES[k] for k in KINDS)]
    for n in order:
        out.append("<tr><th>%s</th>%s</tr>" % (html.escape(n), "".join(
            "<td>%s</td>" % ("{:,}".format(picked[k]["counts"].get(n, 0))
                             if picked[k] and picked[k]["works"] else "-")
            for k in KINDS)))
    return "".join(out) + "</table></div>"


PARTS = ("Put together from several runs while other work came and went: a "
         "ratio says little unless it is large. ")


def page(result):
    cells = [c for c in result["cells"]]
    measured = [c for c in cells if c["machine"] == "qemu"]
    run = best_run(measured)
    works = sum(1 for c in cells if c["works"])
    plots = "".join(plot(measured, run, n) for n in FIGURES)
    intro = ("Guests of four kinds on Ostler and on Debian's Xen 4.17, "
             "measured one after the other on one busy machine without "
             "hardware virtualisation, under emulation: Linux %s, %d CPU, %s. "
             "%sSeen working: %d of %d combinations; the others say why "
             "not, or that they were not measured. Plots and ratios: dom0 %s, "
             "%s toolstack; bars are medians, whiskers the spread." % (
                 result["kernel"], result["cpus"], result["date"],
                 PARTS if result.get("parts") else "", works,
                 len(cells), run[1].upper() if run[1] else "-",
                 {"ours": "our", "stock": "Debian's"}.get(run[0], "-")))
    return ('<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<title>PV or HVM: the matrix</title><style>%s</style>'
            '<h1>PV or HVM, and what does it cost?</h1><p>%s</p>'
            '<h2>What works</h2><p>Seconds from xl create to the guest\'s '
            'first process, where it does.</p>%s%s'
            '<h2>At a glance</h2><p>Cost in times: below 1 is cheaper. For '
            'rates (MiB/s, operations) the inverse is taken, so that it '
            'reads the same way.</p>%s'
            '<h2>Figures <span class="key soft"><i style="background:'
            'var(--ours)"></i>Ostler<i style="background:var(--stock)"></i>'
            'Debian\'s Xen</span></h2><div class="plots">%s</div>%s'
            '<h2>The whole matrix</h2>%s</html>\n' % (
                STYLE, html.escape(intro), grid(cells, "qemu"),
                grid(cells, "bochs"), ratios(measured, run), plots,
                counts(measured, run), whole(cells)))
