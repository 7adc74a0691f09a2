"""Where the browser of the journeys is."""

import os
import shutil

HOW_TO_GET_IT = "install Chromium (Debian: apt-get install chromium), or set CHROMIUM=/path/to/its/program"
USUAL = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/usr/lib/chromium/chromium",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium() -> str | None:
    """The program: CHROMIUM, or the first of the usual places; None where there is none.

    Raises FileNotFoundError if CHROMIUM names something that is not there: skipping quietly would hide a typing error.
    """
    named = os.environ.get("CHROMIUM", "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(f"CHROMIUM is {named!r}, and no such program is there")
        return found
    return next((found for place in USUAL if (found := shutil.which(place))), None)
