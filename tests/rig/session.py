# SPDX-License-Identifier: MIT
"""A booted Debian dom0 that takes commands."""
import base64
import os
import re
import sys
import threading
import time


from . import debian, hypervisor, image
from .console import say


class Result:
    """A command's exit status and what it printed."""

    def __init__(self, status, output, seconds):
        self.status, self.output, self.seconds = status, output, seconds


class Failed(Exception):
    """dom0 did not get where it should; the text explains."""


class Dom0:
    """with Dom0(...) as d: d.run("xl list").

    kernel is "6.1", "6.12" or a file, packed as its package has it unless
    unpacked is set; files are put into /lab. With device_model HVM guests
    can be made; it wants dom0_memory of 1000. disk is one that disk.py made:
    dom0 runs from there, and nothing is added to it.
    """

    def __init__(self, logs, name, hv, kernel="6.1", unpacked=False,
                 tools="stock", files=None, memory=2048, dom0_memory=768,
                 agent="ttyS1", append="", kappend="", shell=None, boot=None,
                 device_model=False, disk=None, **options):
        self.hv, self.agent = hv, agent
        is_file = os.path.sep in kernel
        self.kernel = debian.Kernel("6.1" if is_file else kernel)
        image_path = kernel if is_file else (
            self.kernel.unpacked() if unpacked else self.kernel.vmlinuz)
        self.boot_limit = boot or 240
        self.ids = 0
        self.initrd = os.path.join(logs, name + ".initrd")
        os.makedirs(logs, exist_ok=True)
        with open(self.initrd, "wb") as out:
            parts = ([image.disk_start(self.kernel)] if disk else
                     [image.dom0(self.kernel, tools)])
            if device_model and not disk:
                parts.append(image.device_model(tools))
            for part in parts:
                with open(part, "rb") as f:
                    out.write(f.read())
            if not disk:
                out.write(image.overlay(files or {}))
        words = ["console=hvc0", "panic=5", "loglevel=4"]
        if hv.stock:
            words.append("earlyprintk=xen")
        words.append("agent=" + agent)
        if tools == "none":
            words.append("tools=none")
        if shell:
            words.append("shell=" + shell)
        if disk:
            words.append("root=/dev/vda")
            options["extra"] = list(options.get("extra") or []) + [
                "-drive", "file=%s,format=raw,if=virtio" %
                disk.replace(",", ",,")]
        modules = [(image_path, " ".join(words + [kappend]).strip()),
                   (self.initrd, "")]
        start = hypervisor.EMULATORS[options.pop("emulator", "qemu")]
        self.machine = start(
            hv, logs, name, modules, dom0_memory=dom0_memory, append=append,
            memory=memory, channel=agent == "ttyS1", **options)

    def __enter__(self):
        self.machine.__enter__()
        return self

    def __exit__(self, *exc):
        self.machine.__exit__(*exc)
        os.unlink(self.initrd)

    @property
    def channel(self):
        return self.machine.channel or self.machine.console

    def ready(self):
        """Waits for the agent. Raises Failed with the console's end."""
        if not self.channel.wait(r"^@ready", self.boot_limit):
            raise Failed(self.machine.explain("dom0 did not come up"))
        return self.machine.seconds()

    def _send(self, line):
        if self.machine.channel:
            self.machine.channel_socket.sendall(line.encode())
        else:
            self.machine.type(line)

    def run(self, command, timeout=60):
        """A bash command in dom0, with its output and status. A command that
        runs over its time is killed there and has status 124 or 137."""
        self.ids += 1
        begun = time.monotonic()
        text = base64.b64encode(command.encode()).decode()
        since = len(self.channel.text)
        self._send("%d %d %s\n" % (self.ids, timeout, text))
        found = self.channel.wait(
            r"^@begin %d (\d+)\s*$((?:.|\n)*?)^@end %d" % (self.ids, self.ids),
            timeout + 30, since)
        if not found:
            raise Failed(self.machine.explain(
                "no answer to: " + command.strip().split("\n")[0]))
        lines = [l.strip() for l in found.group(2).split("\n")]
        packed = "".join(l for l in lines
                         if re.fullmatch(r"[A-Za-z0-9+/=]+", l))
        output = base64.b64decode(packed).decode("utf-8", "replace")
        return Result(int(found.group(1)), output, time.monotonic() - begun)

    def end(self, command="poweroff", timeout=20):
        """True when the machine ended by dom0's poweroff or reboot."""
        self.machine.qmp("query-status")  # from now on it tells of its end
        line = "sync; %s -f" % command
        self._send("%d 10 %s\n" % (
            self.ids + 1, base64.b64encode(line.encode()).decode()))
        return self.machine.wait_end(timeout)

    def power_off(self):
        return self.end()


def attach(machine):
    """The terminal to the machine's first serial port, until it ends."""
    import termios
    import tty
    fd = sys.stdin.fileno()
    saved = termios.tcgetattr(fd)

    def keys():
        while machine.running():
            data = os.read(fd, 1024)
            if not data:
                break
            machine.process.stdin.write(data)
            machine.process.stdin.flush()

    machine.console.echo = None
    tty.setraw(fd)
    try:
        threading.Thread(target=keys, daemon=True).start()
        shown = len(machine.console.text)
        machine.type("\n")
        while machine.running():
            with machine.console.changed:
                machine.console.changed.wait(0.2)
                text = machine.console.text[shown:]
                shown = len(machine.console.text)
            os.write(1, text.replace("\n", "\r\n").replace("\r\r", "\r")
                     .encode())
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)


def converse(d):
    """Commands from the terminal, one after the other, until its end or exit:
    for a machine whose console takes no keys."""
    while d.machine.running():
        try:
            line = input("dom0# ").strip()
        except EOFError:
            return
        if line in ("exit", "logout"):
            return
        if line:
            try:
                sys.stdout.write(d.run(line, 600).output)
            except Failed as e:
                say(str(e))


def boot(a, options):
    """tests/rig/boot --dom0 debian."""
    hv = hypervisor.Hypervisor(a.hv, "pv" if a.pv else "pvh")
    files = {os.path.basename(f): f for f in a.file}
    commands = list(a.run)
    if a.script:
        files["script"] = a.script
        commands.append("cd /lab; . /lab/script")
    options["memory"] = options.get("memory") or 2048
    d = Dom0(a.logs, "dom0-" + hv.name, hv, a.kernel, a.unpacked, a.tools,
             files, agent=a.agent, device_model=a.device_model,
             dom0_memory=a.dom0_memory or (1000 if a.device_model else 768),
             kappend=a.kappend, shell="hvc0" if a.shell else None,
             boot=a.timeout, **options)
    status = 0
    with d:
        try:
            say("# dom0 is ready after %.1f s" % d.ready())
            for command in commands:
                r = d.run(command, int(a.timeout or 120))
                say("# %s (status %d, %.2f s)" % (command, r.status,
                                                  r.seconds))
                sys.stdout.write(r.output)
                status = status or r.status
            if a.shell and sys.stdin.isatty():
                attach(d.machine)
            elif not d.power_off():
                say("# dom0 did not power the machine off")
                status = status or 1
        except Failed as e:
            say(str(e))
            status = 1
    return status


