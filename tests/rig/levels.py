# SPDX-License-Identifier: MIT
"""The levels of docs/testing.md above the host's own tests, as TAP: guest
tests, system boots, benchmarks. tests/run calls this after it has built."""
import argparse
import functools
import os
import shlex
import signal
import sys
import tempfile

from . import bench, bochs, debian, devices, guests, hypervisor, image, iso
from . import session
from . import schema, slots, starts, trylevel
from .pairs import Pairs
from .report import Report
from .tap import Results

SYSTEM = os.path.join(hypervisor.SOURCE, "tests", "system")


def guest_level(report, pairs, kind):
    """Each guest test as dom0 itself; False if the first does not end."""
    hv = hypervisor.Hypervisor(kind)
    tests = [t for t in guests.all_tests()
             if "dom0" in t.where or "pv" in t.where]

    def one(test):
        if report.left() < 0:
            return None
        return guests.run_as_dom0(test, hv, report.logs)

    # Everything stands on the first: if it does not end, the rest would repeat
    # it, slowly.
    first = judge_guest(report, hv, tests[0], one(tests[0]))
    if not first:
        report.skip("the other guests on " + hv.name,
                    "%s failed" % tests[0].name)
        return False
    futures = pairs.start([functools.partial(one, t) for t in tests[1:]])
    for test, done in zip(tests[1:], futures):
        judge_guest(report, hv, test, done.result())
    return True


def judge_guest(report, hv, test, done):
    name = "guest %s on %s" % (test.name, hv.name)
    if done is None:
        report.skip(name, "no time is left")
        return False
    results, m, problem = done
    report.result(m.explain(problem) if problem else None, "%s, %d checks" %
                  (name, len(results.cases)), m.seconds_run)
    return results.plan is not None


class Boot:
    """A line of tests/system/boots."""

    def __init__(self, line):
        fields = line.split()
        self.name = fields[0]
        options = dict(f.split("=", 1) for f in fields[1:] if "=" in f)
        self.scripts = [f for f in fields[1:] if "=" not in f]
        self.level = options.pop("level", "system")
        self.hv = options.pop("hv", "ours")
        self.tools = options.pop("tools", "stock")
        self.dom0 = options.pop("dom0", "pvh")
        self.kernel = options.pop("kernel", "6.1")
        self.packed = options.pop("packed", None) is not None
        self.cpus = int(options.pop("cpus", 1))
        self.memory = int(options.pop("memory", 2048))
        self.limit = int(options.pop("limit", 120))
        self.takes = int(options.pop("takes", 120))
        self.machine = options.pop("machine", None)
        self.cpu = options.pop("cpu", None)
        self.by = options.pop("by", "multiboot")
        self.reboots = options.pop("ends", "poweroff") == "reboot"
        self.device_model = options.pop("dm", None) is not None
        self.kinds = options.pop("kinds", "")
        if options:
            raise ValueError("tests/system/boots: %s: unknown %s" %
                             (self.name, ", ".join(options)))

    def session(self, hv, scratch):
        """More of session.Dom0()'s options: how it is started, and where."""
        if self.by == "bochs":
            return {"emulator": "bochs", "cpu": self.cpu,
                    "dom0_memory": 1000 if self.device_model else
                    448 if self.kinds else 256,
                    "device_model": self.device_model,
                    "kappend": bochs.LINUX}
        return dict(starts.way(self.by, hv, os.path.join(scratch, "start")),
                    machine=self.machine, cpu=self.cpu,
                    device_model=self.device_model,
                    dom0_memory=1000 if self.device_model else 768)

    def files(self):
        """What dom0 gets in /lab."""
        files = {n: os.path.join(SYSTEM, n)
                 for n in os.listdir(SYSTEM) if n.endswith(".sh")}
        files["list"] = os.path.join(hypervisor.SOURCE, "tests/guest/list")
        for test in guests.all_tests():
            files["guest/" + test.name] = test.path
        for name in ("bench", "peer", "asker"):
            files["guest/" + name] = os.path.join(
                hypervisor.build_dir(), "guests/pvh", name)
        for name in ("pages", "dmops", "model", "sector"):
            files[name] = os.path.join(hypervisor.build_dir(),
                                       "tests/system", name)
        if "driver.sh" in self.scripts:
            files["driver.cpio"] = image.driver(debian.Kernel("6.1"),
                                                 "qdisk" in self.kinds)
        if {"linux.sh", "badkernels.sh", "kinds.sh", "driver.sh",
                "daemons.sh", "hvm.sh"} & set(self.scripts):
            kernel = debian.Kernel("6.1")
            files["guest-kernel"] = kernel.unpacked()
            files["guest-vmlinuz"] = kernel.vmlinuz
            files["guest.cpio"] = image.guest(kernel)
            files["guest-hvm.cpio"] = image.packed(files["guest.cpio"])
        if "firmware.sh" in self.scripts:
            files["menu.iso"] = debian.cache("images", "menu.iso")
            if not os.path.exists(files["menu.iso"]):
                iso.make_menu(files["menu.iso"])
        if {"pc.sh", "firmware.sh", "restart.sh"} & set(self.scripts):
            # Its kernel's compression is the one that takes no time to undo.
            kernel = debian.Kernel("cloud")
            files["guest-disk.img"] = image.grub_disk(kernel,
                                                      image.guest(kernel))
        if "fourcpus.sh" in self.scripts:
            kernel = debian.Kernel("6.12")
            files["disk-6.12.img"] = image.grub_disk(kernel,
                                                     image.guest(kernel))
        if "orders.sh" in self.scripts:
            files["sector.iso"] = debian.cache("images", "sector.iso")
            iso.make_sector(files["sector.iso"], files["sector"])
            kernel = debian.Kernel("6.12")
            files["vmlinuz-6.12"] = kernel.vmlinuz
            files["guest-6.12.cpio.gz"] = image.packed(
                image.guest(kernel, modules=image.USB_INPUT))
        if "uefi.sh" in self.scripts:
            kernel = debian.Kernel("cloud")
            files["OvmfXen.fd"] = image.ovmf()
            files["uefi.img"] = image.uefi_disk(kernel, image.guest(kernel))
        if "ios.sh" in self.scripts:
            kernel = debian.Kernel("6.1")  # the cloud's has no emulated disk
            files["disk-6.1.img"] = image.grub_disk(kernel,
                                                    image.guest(kernel))
        if "install.sh" in self.scripts:
            files["install.iso"] = image.installer_disc(debian.Kernel("cloud"))
        if "kernels.sh" in self.scripts:
            for which in "6.12", "cloud":
                kernel = debian.Kernel(which)
                files["kernel-" + which] = (kernel.vmlinuz if which == "cloud"
                                            else kernel.unpacked())
                files["guest-%s.cpio" % which] = image.guest(kernel)
        return files


def all_boots():
    with open(os.path.join(SYSTEM, "boots")) as f:
        return [Boot(l) for l in f if l.strip() and l[0] != "#"]


def judge_json(report, name, output):
    """What a script had xl print with --json is as the schema says."""
    definitions = schema.load()
    for line in output.split("\n"):
        if line.startswith("JSON "):
            bad = schema.judge(line, definitions)
            report.result("\n".join(bad[:5]) if bad else None,
                          "%s: xl %s --json" % (name, line.split(" ")[1]))


def run_script(report, boot, dom0, script):
    name = "%s %s" % (boot.name, script[:-len(".sh")])
    limit = min(boot.limit, int(report.left()))
    if limit < 30:
        report.skip(name, "no time is left")
        return
    r = dom0.run("KINDS=%s; cd /lab && . /lab/%s" %
                 (shlex.quote(boot.kinds.replace(",", " ")), script), limit)
    path = os.path.join(report.logs, name.replace(" ", "-") + ".tap")
    with open(path, "w") as f:
        f.write(r.output)
    judge_json(report, name, r.output)
    results = Results(r.output.split("\n"))
    comments = []
    for line in r.output.split("\n"):
        if line.startswith("# "):
            comments.append(line[2:])
        elif line.startswith("ok "):
            comments = []
        elif line.startswith("not ok "):
            report.result("\n".join(
                [line.split(" - ", 1)[-1]] + comments[-10:]), name)
            comments = []
    good = sum(1 for ok, _ in results.cases if ok)
    if results.plan is None and limit < boot.limit and \
            r.seconds >= limit - 1:
        # The command's time ended it, not the test's own bound.
        report.result(None, "the beginning of %s, %d checks" % (name, good),
                      checks=good)
        report.skip("the rest of " + name,
                    "no time is left after %d checks" % len(results.cases))
    elif results.plan is None:
        last = "\n".join(r.output.strip().split("\n")[-5:])
        report.result("ended after %d checks with status %d in %.0f s\n%s" %
                      (len(results.cases), r.status, r.seconds, last), name)
    elif good:
        report.result(None, "%s, %d checks" % (name, good), r.seconds, good)


def typed_line(report, boot, dom0):
    """The console's other direction: keys for dom0's first terminal."""
    dom0.run("(read -r line </dev/hvc0; echo $line >/run/typed) & sleep 0.5")
    dom0.machine.type("these are keys\n")
    r = dom0.run("for i in {1..50}; do [ -s /run/typed ] && break; "
                 "sleep 0.1; done; cat /run/typed", 20)
    report.result(None if r.output.strip() == "these are keys" else
                  "dom0 read %r" % r.output,
                  "%s: keys reach dom0's console" % boot.name)


def end_of(report, boot, dom0):
    """Power-off or restart, as the machine itself saw it."""
    what, reason = (("reboot", "guest-reset") if boot.reboots
                    else ("poweroff", "guest-shutdown"))
    ended = dom0.end(what)
    why = dom0.machine.why_ended() if ended else None
    report.result(None if why == reason else dom0.machine.explain(
        "after %s the machine's end was: %s" % (what, why)),
        "%s: %s" % (boot.name, what))


def run_scripts(report, boot, dom0):
    with dom0:
        report.result(None, "%s: dom0 comes up" % boot.name, dom0.ready())
        if boot.by != "bochs":  # its COM1 is a file: nobody can type
            typed_line(report, boot, dom0)
        for script in boot.scripts:
            run_script(report, boot, dom0, script)
        end_of(report, boot, dom0)


def system_boot(report, boot):
    """From its start to its end; whatever goes wrong is a verdict."""
    try:
        boot_and_run(report, boot)
    except debian.Missing as e:
        report.skip("boot " + boot.name, str(e))
    except (session.Failed, slots.Busy) as e:
        report.result(str(e), boot.name)


def boot_and_run(report, boot):
    if not report.room_for("boot " + boot.name, boot.takes):
        return
    hv = hypervisor.Hypervisor(boot.hv, boot.dom0)
    with tempfile.TemporaryDirectory(dir=report.logs) as scratch:
        files, options = boot.files(), boot.session(hv, scratch)
        if "devices.sh" in boot.scripts:
            options["extra"], more = devices.make(scratch)
            files.update(more)
        d = session.Dom0(report.logs, boot.name, hv, boot.kernel,
                         not boot.packed, boot.tools, files,
                         memory=boot.memory, cpus=boot.cpus,
                         boot=min(240, report.left()), **options)
        run_scripts(report, boot, d)


def boot_level(report, pairs, wanted, not_ours):
    """Starts the boots of these levels or names, the longest first; the
    function that waits for them. not_ours: why ours cannot be booted."""
    boots = []
    for boot in all_boots():
        if boot.level not in wanted and boot.name not in wanted:
            continue
        if boot.hv == "ours" and not_ours:
            report.part(boot.level).skip("boot " + boot.name, not_ours)
        else:
            boots.append(boot)
    boots.sort(key=lambda b: -b.takes)
    futures = pairs.start([functools.partial(
        system_boot, report.part(b.level), b) for b in boots])
    return lambda: [f.result() for f in futures]


def levels(report, pairs, wanted):
    """Everything of these names: levels, or single boots. Once the first guest
    has run all is started, and then judged in the same order."""
    not_ours = None
    if not os.path.exists(os.path.join(hypervisor.build_dir(), "xen/ostler")):
        not_ours = "make built no xen/ostler"
    judges = []

    def level(name, start, seconds):
        if name not in wanted:
            return
        part = report.part(name)
        if not_ours:
            part.skip("level " + name, not_ours)
        elif part.room_for("level " + name, seconds):
            judges.append((start(part, pairs), part))

    if "guest" in wanted and not not_ours and \
            not guest_level(report.part("guest"), pairs, "ours"):
        not_ours = "our hypervisor did not run the first guest"
    elif "guest" in wanted and not_ours:
        report.part("guest").skip("level guest", not_ours)
    if "guest-stock" in wanted:
        guest_level(report.part("guest-stock"), pairs, "stock")
    level("start", starts.level, 60)
    level("bench", bench.level, 150)
    judges.append((boot_level(report, pairs, wanted, not_ours),
                   report.part("system")))
    # Short ones last: both lanes end together.
    level("vmx", functools.partial(bochs.level, "vmx"), 120)
    level("models", functools.partial(bochs.level, "models"), 120)
    for judge, part in judges:
        try:
            judge()
        except (debian.Missing, slots.Busy) as e:
            part.result(str(e), "what the tests need")
    if "try" in wanted and not not_ours:
        trylevel.level(report.part("try"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--logs", required=True)
    p.add_argument("--budget", type=float, required=True)
    p.add_argument("--lines", type=int, default=0,
                   help="of TAP that were printed before")
    p.add_argument("levels", nargs="+")
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *x: sys.exit(143))
    os.makedirs(a.logs, exist_ok=True)
    report = Report(a.logs, a.budget, a.lines)
    with Pairs(report) as pairs:
        try:
            levels(report, pairs, a.levels)
        except (debian.Missing, slots.Busy) as e:
            report.part("system").result(str(e), "what the tests need")
    counts = report.counts()
    with open(os.path.join(a.logs, "counts"), "w") as f:
        f.write("%d %d %d %d\n" % (*counts, report.lines))
    report.summary()
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
