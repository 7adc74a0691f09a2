"""What an operator sets from outside."""

import os
import subprocess
import sys

from helpdesk.embedded import BASE_DIR


def test_earlier_keys_are_read_from_the_environment():
    done = subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=BASE_DIR,
        env={**os.environ, "SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": "old,older,"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "SECRET_KEY_FALLBACKS = ['old', 'older']" in done.stdout
