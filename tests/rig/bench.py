# SPDX-License-Identifier: MIT
"""The benchmark guest on our hypervisor and on Debian's, in one run: exact
instruction counts, or wall time, as a table and as JSON (docs/bench.md)."""
import functools
import json
import os
import re

from . import debian, guests, hypervisor, machine
from .console import say

LINE = re.compile(r"bench (\S+) ticks=(\d+) ns=(\d+)")
KEPT = os.path.join(hypervisor.SOURCE, "tests/bench/counts.json")
COUNTING = ["-icount", "shift=0,sleep=off"]

# Instructions an operation may take on ours, as a domain (issue: speed).
TARGETS = {"xen_version": 350, "cpuid": 350, "in_unclaimed": 350,
           "event_send_masked": 600, "event_send_upcall": 1000,
           "grant_map_unmap": 2000, "grant_copy_4k": 1600, "timer_set": 600}
PV_TARGETS = {"xen_version": 150, "cpuid": 250, "event_send_masked": 250,
              "event_send_upcall": 550, "grant_map_unmap": 1500,
              "grant_copy_4k": 1400, "update_va_mapping": 400}


def parse(text):
    """{operation: (ticks, nanoseconds)} out of a console."""
    return {m.group(1): (int(m.group(2)) / 10, int(m.group(3)) / 10)
            for m in LINE.finditer(text)}


def as_dom0(kind, logs, counting, n=100, dom0="pvh"):
    """The guest as dom0 itself, PVH or PV: no toolstack, one second."""
    test = guests.find(os.path.join(hypervisor.build_dir(), "guests", dom0,
                                    "bench"))
    options = {"accel": "tcg,thread=single", "extra": list(COUNTING)} \
        if counting else {}
    test.name = "bench-%s-%s" % (dom0, "count" if counting else "time")
    results, m, problem = guests.run_as_dom0(
        test, hypervisor.Hypervisor(kind, dom0), logs, "n=%d" % n, timeout=240,
        **options)
    return parse(m.console.text), problem and m.explain(problem)


def floor(logs):
    """Nanoseconds of the bare round trip out of a guest, with no hypervisor
    (guests/pvh/floor.c): what no operation that exits can take less than."""
    m = machine.Qemu(logs, "bench-floor", kernel=os.path.join(
        hypervisor.build_dir(), "guests/pvh/floor"))
    with m:
        found = m.wait(LINE.pattern, 60)
        m.wait_end(2)
    if not found:
        raise debian.Missing(m.explain("it measured nothing"))
    return parse(m.console.text)["vmrun_floor"][1]


def as_domain(dom0, n=100):
    """The guest as a domain of a booted dom0 that has it in /lab/guest."""
    r = dom0.run(""". /lab/lib.sh
config peer pvh /lab/guest/peer 'memory=32'
xl create -q /run/peer.cfg && heard peer 'peer ready' 30
LIMIT=90 freestanding bench /lab/guest/bench 'memory=64' \\
    "extra=\\"peer=$(xl domid peer) n=%d\\""
xl destroy peer""" % n, 150)
    return parse(r.output)


def compare(ours, stock, unit=0):
    """Rows (operation, ours, stock, ratio); None where there is none."""
    rows = []
    for name in list(stock) + [o for o in ours if o not in stock]:
        a = ours[name][unit] if name in ours else None
        b = stock[name][unit] if name in stock else None
        rows.append((name, a, b, a / b if a is not None and b else None))
    return rows


def table(rows, unit, targets=None):
    def cell(v, form="%.0f"):
        return form % v if v is not None else "-"
    out = ["%-20s %10s %10s %7s %8s" % (unit, "ours", "stock", "ratio",
                                        "target")]
    for name, a, b, ratio in rows:
        target = (targets or {}).get(name)
        out.append("%-20s %10s %10s %7s %8s" % (
            name, cell(a), cell(b), cell(ratio, "%.2f"),
            cell(target) if target else ""))
    return "\n".join(out)


def save(path, counts, times):
    """JSON: {"counts"|"times": [{operation, ours, stock, ratio}]}."""
    def rows(r):
        return [dict(zip(("operation", "ours", "stock", "ratio"), row))
                for row in r]
    with open(path, "w") as f:
        json.dump({"counts": rows(counts), "times": rows(times)}, f, indent=1)
        f.write("\n")


def keep(ours, path, kind):
    """Our counts of that kind of domain become the kept ones; others stay."""
    kept = {}
    if os.path.exists(path):
        with open(path) as f:
            kept = json.load(f)
    kept[kind] = {n: v[0] for n, v in ours.items()}
    with open(path, "w") as f:
        json.dump(kept, f, indent=1)
        f.write("\n")


def changed(ours, path, kind, slack):
    """(operation, kept, now or None) where they differ by more than slack per
    cent; path has what tests/bench/run --save wrote."""
    with open(path) as f:
        kept = json.load(f).get(kind, {})
    now = {n: ours[n][0] if n in ours else None for n in kept}
    return [(n, kept[n], now[n]) for n in kept if now[n] is None or
            abs(now[n] - kept[n]) > kept[n] * slack / 100]


def told(name, was, now):
    return "%s: %.0f instructions were kept, now %s" % (
        name, was, "there is none" if now is None else "%.0f" % now)


def judge_counts(report, ours, kind):
    """Against the committed counts: what changed is named; it is a failure
    where it grew by more than a tenth."""
    for change in changed(ours, KEPT, kind, 2):
        report.note(told(*change))
    worse = [told(*c) for c in changed(ours, KEPT, kind, 10)
             if c[2] is None or c[2] > c[1]]
    report.result("\n".join(worse) or None, "no operation of a %s domain takes "
                  "a tenth more than the kept counts" % kind.upper())


def counts_of(report, found, kind):
    """The guest as dom0 of that kind, counted on both hypervisors: rows."""
    judge_counts(report, found["ours", kind, True], kind)
    return compare(found["ours", kind, True], found["stock", kind, True], 0)


def level(report, pairs):
    """Starts both hypervisors with the guest as dom0, PVH and PV, counted; PVH
    timed too. The function that judges what they say."""
    runs = [(hv, kind, counting) for hv in ("stock", "ours") for kind, counting
            in (("pvh", False), ("pvh", True), ("pv", True))]
    return functools.partial(judge, report, runs, pairs.start(
        [functools.partial(as_dom0, hv, report.logs, counting,
                           100 if counting else 1000, kind)
         for hv, kind, counting in runs]))


def judge(report, runs, futures):
    found = {}
    for run, future in zip(runs, futures):
        found[run], problem = future.result()
        report.result(problem, "bench on %s, %s, %s" % (
            run[0], run[1].upper(), "counted" if run[2] else "timed"))
    counts, pv = (counts_of(report, found, k) for k in ("pvh", "pv"))
    times = compare(found["ours", "pvh", False],
                    found["stock", "pvh", False], 1)
    for line in "\n".join((table(counts, "instructions", TARGETS),
                           table(pv, "instructions, PV", PV_TARGETS),
                           table(times, "nanoseconds"))).split("\n"):
        say("# " + line)
    save(os.path.join(report.logs, "bench.json"), counts, times)
