# SPDX-License-Identifier: MIT
"""Two at a time: as many emulators as slots.py lets run."""
import concurrent.futures

from . import machine


def in_pairs(report, jobs):
    """The jobs' futures, each when it is done, in the order of the jobs
    (functions), of which two run. If whoever asked is told to stop, machines
    that run are stopped first: no thread is waited for long then."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(j) for j in jobs]
        try:
            for f in futures:
                concurrent.futures.wait([f])
                yield f
        except (Exception, KeyboardInterrupt, SystemExit):
            report.halt()
            for f in futures:
                f.cancel()
            machine.stop_all()
            raise
