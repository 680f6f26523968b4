# SPDX-License-Identifier: MIT
"""Two at a time: as many emulators as slots.py lets run."""
import concurrent.futures

from . import machine


class Pairs:
    """with Pairs(report) as pairs: two of the jobs (functions) run at a time,
    and start in the order in which they were given. Whoever is told to stop
    within it stops the machines that run first: no thread is waited for long
    then."""

    def __init__(self, report):
        self.report, self.futures = report, []
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def start(self, jobs):
        """The jobs' futures, in their order."""
        new = [self.pool.submit(j) for j in jobs]
        self.futures += new
        return new

    def __enter__(self):
        return self

    def __exit__(self, kind, *what):
        if kind:
            self.report.halt()
            for f in self.futures:
                f.cancel()
            machine.stop_all()
        self.pool.shutdown()
