# SPDX-License-Identifier: MIT
"""One emulated machine: QEMU (AMD-V) or Bochs (VT-x).

A machine is started with a hypervisor and its modules, has its serial ports
captured (console.py), and always ends: by itself, by stop(), or when the
block that started it is left. Only its own processes are ended.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import tty

from . import iso, slots
from .console import Console

# Why each flag is off: see docs/testing.md, "The emulators".
CPU_STOCK = "EPYC,-smap,-monitor,-rdtscp,-xsave,-avx,-avx2,-f16c"


def cpu_words(model):
    """A person's MODEL,+this,-that with the flags above, unless it says other;
    None for None."""
    if not model:
        return None
    said = {w.strip("+-").split("=")[0] for w in model.split(",")[1:]}
    return ",".join([model] + [w for w in CPU_STOCK.split(",")[1:]
                               if w[1:] not in said])


def _descendants(pid):
    """pid and every process below it, parents first."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry) as f:
                ppid = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(ppid, []).append(int(entry))
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        todo += children.get(p, [])
    return out


def _die_with_parent():
    """In the child: if the rig is killed, the emulator is too (prctl(2),
    PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


_live = set()


def stop_all():
    """Ends every machine that runs, whichever thread started it."""
    for m in list(_live):
        m.stop()


class Machine:
    """What both emulators share: the process, its console, its end."""

    def __init__(self, logs, name, echo=None):
        os.makedirs(logs, exist_ok=True)
        self.logs, self.name, self.echo = logs, name, echo
        self.process = self.console = None
        self.slot = slots.Slot()
        self.start = time.monotonic()
        self.seconds_run = 0.0

    def path(self, suffix):
        return os.path.join(self.logs, self.name + suffix)

    def __enter__(self):
        self.slot.__enter__()
        self.scratch = tempfile.mkdtemp(prefix="ostler-rig.")
        _live.add(self)
        try:
            self.launch()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc):
        self.seconds_run = self.seconds()
        try:
            self.stop()
        finally:
            _live.discard(self)
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.slot.__exit__(None, None, None)

    def spawn(self, command, **kw):
        with open(self.path(".cmd"), "w") as f:
            f.write(" ".join(map(_quote, command)) + "\n")
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            command, stderr=open(self.path(".stderr"), "wb"),
            start_new_session=True, preexec_fn=_die_with_parent, **kw)

    def seconds(self):
        return time.monotonic() - self.start

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, pattern, timeout):
        return self.console.wait(pattern, timeout)

    def wait_end(self, timeout):
        """True when the emulator ended by itself within timeout."""
        try:
            self.process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        if self.running():
            for pid in reversed(_descendants(self.process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(10)
        if self.console:
            self.console.join()

    def errors(self):
        """What the emulator itself complained of, without the known noise."""
        try:
            with open(self.path(".stderr"), errors="replace") as f:
                return [l.rstrip() for l in f
                        if "TCG doesn't support requested feature" not in l]
        except OSError:
            return []

    def explain(self, what):
        """Why a run failed: the reason, the emulator's words, the console's
        last lines, and where the rest is."""
        out = ["%s: %s (after %.1f s)" % (
            self.name, what, self.seconds_run or self.seconds())]
        out += ["emulator: " + l for l in self.errors()[-5:]]
        if self.console:
            out.append(self.console.tail())
        out.append("whole console: " + self.path(".console"))
        return "\n".join(out)


class Qemu(Machine):
    """QEMU with TCG. kernel is the hypervisor (or a Linux), modules a list of
    (file, words) as multiboot takes them, initrd a file for a plain Linux."""

    def __init__(self, logs, name, kernel=None, append="", modules=(),
                 initrd=None, memory=1024, cpus=1, machine="pc", cpu=None,
                 accel="tcg,thread=multi", channel=False, extra=(), echo=None,
                 interactive=False):
        super().__init__(logs, name, echo)
        self.kernel, self.append, self.modules = kernel, append, modules
        self.initrd, self.memory, self.cpus = initrd, memory, cpus
        self.machine, self.cpu = machine, cpu or CPU_STOCK
        self.accel, self.extra = accel, list(extra)
        self.use_channel, self.channel = channel, None
        self.interactive = interactive
        self.monitor = None

    def command(self):
        c = ["qemu-system-x86_64", "-M", self.machine, "-accel", self.accel,
             "-cpu", self.cpu, "-m", str(self.memory), "-smp", str(self.cpus),
             "-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-serial", "stdio",
             "-qmp", "unix:%s/qmp,server=on,wait=off" % self.scratch]
        if self.use_channel:
            c += ["-chardev", "socket,id=channel,path=%s/channel,"
                  "server=on,wait=off" % self.scratch,
                  "-serial", "chardev:channel"]
        if self.kernel:
            c += ["-kernel", self.kernel, "-append", self.append]
        if self.modules:
            c += ["-initrd", ",".join(
                (f + " " + words.replace(",", ",,")).rstrip()
                for f, words in self.modules)]
        elif self.initrd:
            c += ["-initrd", self.initrd]
        return c + self.extra

    def launch(self):
        self.spawn(self.command(), stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE)
        self.console = Console(self.process.stdout.fileno(),
                               self.path(".console"), self.start, self.echo)
        if self.use_channel:
            self.channel_socket = self._connect("channel")
            self.channel = Console(self.channel_socket.fileno(), None,
                                   self.start)

    def _connect(self, name):
        deadline = time.monotonic() + 20
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(os.path.join(self.scratch, name))
                return s
            except OSError:
                s.close()
                if not self.running() or time.monotonic() > deadline:
                    raise RuntimeError(self.explain("did not start"))
                time.sleep(0.05)

    def type(self, text):
        """Keys for the first serial port."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def qmp(self, command, **arguments):
        """One command to QEMU itself; its answer."""
        if self.monitor is None:
            self.monitor = self._connect("qmp").makefile("rw")
            self.monitor.readline()
            self.qmp("qmp_capabilities")
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.monitor.write(json.dumps(request) + "\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "return" in answer or "error" in answer:
                return answer

    def why_ended(self):
        """QEMU's reason, when qmp() was used before the end: guest-shutdown,
        guest-reset, ...; None if it gave none."""
        why = None
        for line in self.monitor or ():
            event = json.loads(line)
            if event.get("event") == "SHUTDOWN":
                why = event["data"]["reason"]
        return why


BOCHSRC = """plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=none, update_freq=1
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
log: {log}
panic: action=fatal
com1: enabled=1, mode=file, dev={com1}
com2: {com2}
port_e9_hack: enabled=1
clock: sync=none, time0=utc
cpu: model={cpu}, count={cpus}, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
"""


CPU_BOCHS = "corei7_haswell_4770"


class Terminal:
    """A pseudo-terminal: Bochs' serial line that goes both ways."""

    def __init__(self):
        self.fd, self.other = os.openpty()
        tty.setraw(self.other)
        self.name = os.ttyname(self.other)

    def sendall(self, data):
        while data:
            data = data[os.write(self.fd, data):]


class Bochs(Machine):
    """Bochs from a GRUB image. Its debugger is only told to go on."""

    def __init__(self, logs, name, kernel, append="", modules=(), memory=512,
                 cpus=1, cpu=None, channel=False, echo=None):
        super().__init__(logs, name, echo)
        self.use_channel, self.channel = channel, None
        self.kernel, self.append, self.modules = kernel, append, modules
        self.memory, self.cpus, self.cpu = memory, cpus, cpu or CPU_BOCHS

    def configure(self, com1):
        """The image and the configuration file, which is returned."""
        image = os.path.join(self.scratch, "iso")
        config = os.path.join(self.scratch, "bochsrc")
        iso.make_bios(image, self.kernel, self.append, self.modules)
        com2 = "enabled=0"
        if self.use_channel:
            self.channel_socket = Terminal()
            com2 = "enabled=1, mode=term, dev=" + self.channel_socket.name
        with open(config, "w") as f:
            f.write(BOCHSRC.format(memory=self.memory, iso=image,
                                   log=self.path(".bochs"), com1=com1,
                                   com2=com2, cpu=self.cpu, cpus=self.cpus))
        return config

    def launch(self):
        com1 = os.path.join(self.scratch, "com1")
        rc = os.path.join(self.scratch, "go")
        config = self.configure(com1)
        os.mkfifo(com1)
        with open(rc, "w") as f:
            f.write("c\n")
        # Each gets a network of its own: they fight over one port otherwise.
        apart = ["unshare", "-n"] if os.geteuid() == 0 else []
        # Opened for both, so that neither side waits for the other.
        self.fifo = os.open(com1, os.O_RDWR | os.O_NONBLOCK)
        self.spawn(apart + ["bochs-bin", "-q", "-f", config, "-rc", rc],
                   stdin=subprocess.DEVNULL,
                   stdout=open(self.path(".bochs-out"), "wb"))
        self.console = Console(self.fifo, self.path(".console"), self.start,
                               self.echo)
        if self.use_channel:
            self.channel = Console(self.channel_socket.fd, None, self.start)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        """The console ends with the emulator: we hold its pipe open."""
        self.process.wait()
        self.console.closing = True
        if self.channel:
            os.close(self.channel_socket.other)

    def qmp(self, *command):
        """There is no such thing; a power-off ends the process."""

    def why_ended(self):
        """As QEMU would say it: a power-off is a panic in Bochs' log."""
        try:
            with open(self.path(".bochs"), "rb") as f:
                f.seek(0, os.SEEK_END)
                f.seek(max(0, f.tell() - 4096))
                off = b"soft power off" in f.read()
        except OSError:
            off = False
        return "guest-shutdown" if off else None

    def stop(self):
        # We hold the pipe open ourselves, so it has no end of file.
        if self.console:
            self.console.closing = True
        super().stop()


def _quote(word):
    if word and all(c.isalnum() or c in "-_=./:+" for c in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
