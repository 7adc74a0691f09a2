"""Run as a program: `python tests/runtime/wrong_clock.py SECONDS MODULE ARGUMENTS…`, a machine whose clock is wrong.

Python's clock in this process is off by so many seconds from its first moment on; then the module runs as by `-m`.
"""

import runpy
import sys
import time
from datetime import UTC, datetime, timedelta

import time_machine

if __name__ == "__main__":
    off, module = timedelta(seconds=float(sys.argv[1])), sys.argv[2]
    sys.argv = sys.argv[2:]
    with time_machine.travel(datetime.fromtimestamp(time.time(), UTC) + off, tick=True):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
