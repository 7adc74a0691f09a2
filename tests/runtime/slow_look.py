"""A child whose look takes long, so that a signal can come into the middle of it; it says when that is."""

import subprocess
import time
from typing import Any


class Slow(subprocess.Popen[bytes]):
    """Holds the lock of its look for half a second, as `Popen.poll` does for a moment."""

    def poll(self) -> Any:
        if self._waitpid_lock.acquire(False):
            print("looking", flush=True)
            time.sleep(0.5)
            self._waitpid_lock.release()
        return super().poll()
