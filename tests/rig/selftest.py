# SPDX-License-Identifier: MIT
"""The rig's parts that need no machine, checked on this host."""
import contextlib
import io
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import time

from rig import bench, bochs, disk, guests, iso, levels, machine, matrix
from rig import matrix_page, matrix_readme, schema, tap
from rig.console import Console
from rig.cpio import Tree
from rig.report import Report


def exits():
    """What a guest says of its exits, and the comparison of two."""
    text = ("# xAPIC: 201 exits for 100 to oneself, 306 for 100 of the timer\n"
            "ok 1 - xAPIC: 100 of the timer\n# x2APIC: 5 exits for 100 to "
            "another\n")
    counts = bochs.exit_counts(text)
    assert counts == {"xAPIC, 100 to oneself": 201,
                      "xAPIC, 100 of the timer": 306,
                      "x2APIC, 100 to another": 5}, counts
    assert bochs.not_fewer(counts, {k: n + 1 for k, n in counts.items()}) is None
    assert "to another: 5, without 5" in bochs.not_fewer(counts, counts)
    assert bochs.not_fewer(counts, {}) and bochs.not_fewer({}, {})


def archives():
    t = Tree()
    t.text("b/c/file", "text\n", 0o640)
    t.link("a", "b/c/file")
    t.node("dev/null", 1, 3)
    again = Tree()
    again.node("dev/null", 1, 3)
    again.link("a", "b/c/file")
    again.text("b/c/file", "text\n", 0o640)
    assert t.dump() == again.dump(), "order changes the archive"
    data = t.dump()
    assert data.startswith(b"070701") and b"TRAILER!!!" in data
    assert len(data) % 512 == 0
    if os.path.exists("/usr/bin/cpio"):
        out = subprocess.run(["cpio", "-t", "--quiet"], input=data,
                             stdout=subprocess.PIPE, check=True).stdout
        assert out.split() == [b"a", b"b", b"b/c", b"b/c/file", b"dev",
                               b"dev/null"], out


def grub_disks():
    """What GRUB's script names lies where it says."""
    if not os.path.exists("/usr/lib/grub/i386-pc/boot.img"):
        return  # check-fast wants no GRUB
    with tempfile.TemporaryDirectory() as d:
        for name, text in ("kernel", "k" * 1000), ("initrd", "i" * 513):
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        path = os.path.join(d, "disk")
        iso.make_disk(path, d + "/kernel", d + "/initrd")
        with open(path, "rb") as f:
            data = f.read()
    assert data[510:512] == b"\x55\xaa" and len(data) == 2052 * 512
    script = data[2040 * 512:2048 * 512].decode().strip().split("\n")
    assert script == ["linux (hd0)2048+2 WORDS", "initrd (hd0)2050+2",
                      "boot"], script
    assert data[2048 * 512:].strip(b"\0").replace(b"\0", b"") == \
        b"k" * 1000 + b"i" * 513


def disks():
    """Twice the same bytes, a sound file system, the owner root's."""
    if not os.path.exists("/sbin/debugfs"):
        return  # check-fast wants no e2fsprogs
    t = Tree()
    t.text("etc/xen/file", "text\n", 0o640)
    t.link("init", "etc/xen/file")
    t.node("dev/null", 1, 3, 0o666)
    with tempfile.TemporaryDirectory() as d:
        one, two = os.path.join(d, "one"), os.path.join(d, "two")
        disk.write(t, one, 16)
        disk.write(t, two, 16)
        with open(one, "rb") as f, open(two, "rb") as g:
            assert f.read() == g.read(), "two disks differ"
        subprocess.run(["/sbin/e2fsck", "-fn", one], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        out = subprocess.run(["/sbin/debugfs", "-R", "stat /etc/xen/file",
                              one], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL).stdout
        for said in ("Mode:  0640", "User:     0", "Size: 5"):
            assert said in out, out


def schemas():
    d = schema.load()
    line = 'JSON uptime [{"name": null, "domid": "x", "more": 1}]'
    bad = "\n".join(schema.judge(line, d))
    assert "domid: 'x' is no integer" in bad, bad
    assert "more is not in the schema" in bad, bad
    assert "there is no" in bad, bad
    assert schema.judge("JSON nothing {}", d)
    assert schema.judge("JSON list {", d)
    assert not schema.complaints([], d["list"])
    assert schema.complaints([{"state": "rx----"}], d["list"])


def matrix_cells():
    text = """CELL create ms 30 20 40 3
BENCH syscall ns 100.5 90.0 120.0 7
COUNT exit_cpuid 12
MEM total_memory 1000
MEM free_memory 700
MEM domains 280
CELL-DONE
"""
    figures, counts, why, works = matrix.parse(text)
    assert why is None and not works and counts == {"exit_cpuid": 12}
    assert figures["create"]["median"] == 30 and \
        figures["syscall"]["max"] == 120
    assert figures["memory_kept"]["median"] == 20
    assert matrix.parse("CELL-FAIL no bridge\n")[2] == "no bridge"
    assert matrix.parse("half")[2] == "ended early: half"
    run = {"hypervisor": "ours", "toolstack": "ours", "dom0": "pvh",
           "machine": "qemu"}
    cells = [matrix.cell(run, "pv", works=True, figures=figures,
                         counts=counts),
             matrix.cell(run, "hvm", why="<refused>"),
             matrix.cell(dict(run, hypervisor="stock"), "pv", works=True,
                         figures={"syscall": dict(figures["syscall"],
                                                  median=201.0)})]
    assert matrix.ratio(cells, cells[0], "syscall") == 0.5
    assert matrix.ratio(cells, cells[0], "create") is None
    have = cells + list(matrix.unmeasured(cells))
    assert len(have) == 64
    assert matrix.wanting(have, run, ["pv", "hvm"]) == ["hvm"]
    assert matrix.wanting(have, dict(run, machine="bochs"),
                          ["pv", "hvm"]) == ["pv", "hvm"]
    assert {c["why"] for c in have if c["machine"] == "bochs"} == {
        matrix.UNMEASURED, matrix.NO_IOMMU}
    text = matrix_readme.markdown({"cells": cells, "kernel": "6.1",
                                   "date": "-"})
    assert "| PV | – (1) | " not in text and "(1) not measured" in text
    assert "| HVM | – (2) |" in text and "(2) <refused>" in text, text
    page = matrix_page.page({"kernel": "6.1", "cpus": 1, "date": "-",
                             "cells": cells})
    assert "missing: &lt;refused&gt;" in page and ">0.50</td>" in page
    assert "<refused>" not in page


def readme():
    """README's table is the one of the committed run."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    if not os.path.exists(os.path.join(top, "docs/matrix.json")):
        return
    with open(os.path.join(top, "README.md")) as f:
        now = matrix_readme.between(f.read())[1]
    result = matrix.read(os.path.join(top, "docs/matrix.json"))
    assert now == matrix_readme.markdown(result), (
        "README.md: tests/matrix --render docs/matrix.json --readme README.md")


def verdicts():
    good = tap.Results(["ok 1 - a", "(d1) ok 2 - b", "1..2"])
    assert good.problem() is None
    assert "2 checks planned, 1 seen" in tap.Results(["ok 1 - a",
                                                      "1..2"]).problem()
    assert tap.Results(["ok 1 - a"]).problem().startswith("the guest did not")
    assert tap.Results(["not ok 1 - a: why", "1..1"]).problem() == "a: why"
    assert tap.Results(["1..0"]).problem() is not None


def tables():
    text = "bench cpuid ticks=57299 ns=57300\r\nbench x ticks=5 ns=6\n"
    found = bench.parse(text)
    assert found == {"cpuid": (5729.9, 5730.0), "x": (0.5, 0.6)}, found
    rows = bench.compare({"cpuid": (573.0, 1.0)}, found)
    assert rows[0][:3] == ("cpuid", 573.0, 5729.9) and rows[1][1] is None
    assert "-" in bench.table(rows, "instructions")


def consoles():
    r, w = os.pipe()
    with tempfile.TemporaryDirectory() as d:
        c = Console(r, os.path.join(d, "log"), time.monotonic())
        threading.Timer(0.05, os.write, (w, b"one\r\ntwo\nrest")).start()
        assert c.wait("^two$", 5), "a line is seen"
        begun = time.monotonic()
        assert c.wait("three", 0.2) is None
        assert time.monotonic() - begun < 2, "a wait ends at its deadline"
        os.close(w)
        c.join()
        assert c.wait("three", 10) is None, "the end ends a wait"
        with open(os.path.join(d, "log")) as f:
            lines = [l.split(" ")[-1] for l in f.read().split("\n")]
        assert lines == ["one", "two", "rest", ""], lines
    os.close(r)


def interrupts():
    """Ctrl-C while the try command builds: it ends, and so does the build."""
    assert machine.cpu_words("EPYC,-svm,+avx").startswith(
        "EPYC,-svm,+avx,-smap"), machine.cpu_words("EPYC,-svm,+avx")
    assert ",-avx," not in machine.cpu_words("EPYC,+avx")
    with tempfile.TemporaryDirectory() as d:
        command = (". tests/setup.sh; trap 'exit 7' INT; cd %s; shown work "
                   "log timeout --foreground 50 bash -c 'echo $$ >pid; "
                   "echo at it; exec sleep 50'" % d)
        pid, terminal = pty.fork()
        if pid == 0:
            # A shell's background job is started deaf to it.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp("bash", ["bash", "-c", command])
        c = Console(terminal, None, time.monotonic())
        assert c.wait(r"work: \d+ s: at it", 45), c.text
        os.write(terminal, b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        with open(os.path.join(d, "pid")) as f:
            assert not os.path.exists("/proc/" + f.read().strip())
        c.join()


def reports():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        r = Report("logs", 100, lines=6)
        guest, bench_ = r.part("guest"), r.part("bench")
        guest.result(None, "hello", 1.25, checks=3)
        guest.result("it hangs\nits last line", "odd", 2)
        bench_.skip("all of it", "no time")
        assert guest.room_for("more", 50) and not guest.room_for("all", 101)
        r.halt()
        guest.result("killed", "later")
        bench_.skip("later", "killed")
        r.summary()
    assert r.counts() == (3, 1, 2) and r.lines == 8
    out = said.getvalue().split("\n")
    assert out[:4] == ["ok 7 - hello (1.2 s)", "not ok 8 - odd: it hangs",
                       "# its last line", "# SKIP all of it: no time"], out
    assert "# bench          0 passed, 0 failed, 1 skipped" in out, out


def lists():
    names = [t.name for t in guests.all_tests()]
    assert len(names) == len(set(names)) and "hello" in names
    for boot in levels.all_boots():
        for script in boot.scripts:
            assert os.path.exists(os.path.join(levels.SYSTEM, script)), script


for part in (archives, disks, grub_disks, verdicts, tables, schemas,
             matrix_cells, readme, exits, consoles, interrupts, reports, lists):
    try:
        part()
    except Exception as e:
        print("%s: %r" % (part.__name__, e))
        sys.exit(1)
