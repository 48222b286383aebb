"""Runs one command and prints its time, processor time and peak memory as JSON.

`measure.py SECONDS LOG COMMAND...`. A process of its own and a small one: what a program takes after the fork counts
what its parent had before it, so a parent that holds a corpus would be measured too.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time


def main():
    timeout, log, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    # So that nobody waits for what another has written.
    os.sync()
    with open(log, "wb") as out:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        timer = threading.Timer(timeout, lambda: os.killpg(child.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        timer.cancel()
    figures = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
    }
    print(json.dumps(figures))
    # The child has been waited for, which `Popen` does not know.
    sys.stdout.flush()
    os._exit(0)


main()
