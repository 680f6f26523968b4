# SPDX-License-Identifier: MIT
"""At most two emulators at a time on this machine, whoever starts them.

A slot is a lock on /tmp/emu-slot.N (RIG_SLOTS names another prefix and
RIG_SLOT_COUNT another number), so that several runs of the rig share the
processors instead of timing each other out. A parent that already holds a
slot's descriptor has it for us too. Nobody waits longer than RIG_SLOT_WAIT.
"""
import fcntl
import os
import sys
import time

PREFIX = os.environ.get("RIG_SLOTS", "/tmp/emu-slot")
PATIENCE = float(os.environ.get("RIG_SLOT_WAIT", "600"))
COUNT = int(os.environ.get("RIG_SLOT_COUNT", "2"))


def _open(path):
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _inherited():
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + fd).startswith(PREFIX + "."):
                return True
        except OSError:
            pass
    return False


_HAVE_PARENTS = _inherited()


class Busy(Exception):
    """Other emulators kept their slots for longer than we wait."""


class Slot:
    """with Slot(): one emulator may run."""

    def __enter__(self):
        self.fd = None
        global _HAVE_PARENTS
        if _HAVE_PARENTS:
            _HAVE_PARENTS = False  # good for one emulator, not for two
            self.parents = True
            return self
        self.parents = False
        begun = time.monotonic()
        deadline = begun + PATIENCE
        told = False
        while time.monotonic() < deadline:
            if not told and time.monotonic() > begun + 2:
                told = True
                print("# waiting for one of the %d emulators that run to end"
                      % COUNT, file=sys.stderr, flush=True)
            for n in range(1, COUNT + 1):
                fd = _open("%s.%d" % (PREFIX, n))
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.fd = fd
                    return self
                except OSError:
                    os.close(fd)
            time.sleep(0.1)
        raise Busy("%d other emulators have been running for %d s; see the "
                   "locks %s.*" % (COUNT, PATIENCE, PREFIX))

    def __exit__(self, *exc):
        global _HAVE_PARENTS
        if self.parents:
            _HAVE_PARENTS = True
        if self.fd is not None:
            os.close(self.fd)
