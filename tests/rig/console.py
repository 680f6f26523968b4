# SPDX-License-Identifier: MIT
"""A console: every byte kept, every line stamped and written to a file."""
import os
import re
import select
import sys
import threading
import time


class Console:
    """Reads a descriptor in a thread until it ends.

    path gets one line per console line, with seconds since start; echo, if
    set, is called with each such line as it arrives.
    """

    def __init__(self, fd, path, start, echo=None):
        self.fd, self.start, self.echo = fd, start, echo
        self.raw = path is None  # a channel for a protocol, not for people
        self.log = open(path, "w", buffering=1) if path else None
        self.text = ""
        self.lines = []  # (seconds, line)
        self.closing = self.ended = False
        self.changed = threading.Condition()
        self._partial = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _line(self, line):
        now = time.monotonic() - self.start
        line = line.replace("\r", "")
        self.lines.append((now, line))
        stamped = "%8.2f %s" % (now, line)
        if self.log:
            self.log.write(stamped + "\n")
        if self.echo:
            self.echo(stamped)

    def _read(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except (BlockingIOError, InterruptedError):
                if self.closing:
                    break
                select.select([self.fd], [], [], 0.2)
                continue
            except OSError:
                data = b""
            if not data:
                break
            text = data.decode("utf-8", "replace")
            with self.changed:
                self.text += text
                if not self.raw:
                    *whole, self._partial = (self._partial + text).split("\n")
                    for line in whole:
                        self._line(line)
                self.changed.notify_all()
        with self.changed:
            if self._partial:
                self._line(self._partial)
            self.ended = True
            self.changed.notify_all()

    def wait(self, pattern, timeout, since=0):
        """The match of pattern in the text from offset since, or None when
        the deadline passes or the console ends without it."""
        regex = re.compile(pattern, re.M)
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = regex.search(self.text, since)
                left = deadline - time.monotonic()
                if found or self.ended or left <= 0:
                    return found
                self.changed.wait(min(left, 1.0))

    def when(self, pattern):
        """The seconds at which a line first matched, or None."""
        for seconds, line in list(self.lines):
            if re.search(pattern, line):
                return seconds
        return None

    def tail(self, n=25):
        with self.changed:
            last = ["%8.2f %s" % x for x in self.lines[-n:]]
            if self._partial and not self.ended:
                last.append("         " + self._partial.replace("\r", ""))
        return "\n".join(last)

    def join(self, timeout=5):
        self._thread.join(timeout)


def say(text):
    """A line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
