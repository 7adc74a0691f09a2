"""Scripts and style sheets that belong together travel as one file without comments: the page budget of direction §14.

The sources stay apart under static/, named for what they know. A bundle is joined in the state folder the first time
it is asked for and again whenever a source is newer, so there is nothing to build; `collectstatic` takes it from here
like any other file. rjsmin and rcssmin take comments and blanks away and change nothing else.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rcssmin
import rjsmin
from django.contrib.staticfiles.finders import AppDirectoriesFinder, BaseFinder, FileSystemFinder
from django.core.files.storage import FileSystemStorage

from helpdesk.embedded import state_directory

HTMX = "django_htmx/htmx-2.min.js"
DESK = [f"desk/{name}.js" for name in ("queue", "composer", "articles", "keys", "live")]
BUNDLES = {
    "workspace.css": ["app.css", "engine.css", "search.css"],
    "contract.css": ["app.css", "contracts.css"],
    "workspace.js": [HTMX, "app.js", "writing.js", *DESK],
    "customer.js": ["app.js", "menu.js"],
    "asking.js": ["app.js", "menu.js", "writing.js", "portal.js"],
    "looking.js": ["app.js", "menu.js", "suggest.js"],
}


def joined(name: str) -> str:
    """The text of a bundle. Raises `FileNotFoundError` with the name of a source that is not there."""
    return "\n".join(shortened(source) for source in sources(name))


def sources(name: str) -> list[Path]:
    finders = (FileSystemFinder(), AppDirectoriesFinder())
    found = []
    for part in BUNDLES[name]:
        places = [place for finder in finders if (place := finder.find(part))]
        if not places:
            raise FileNotFoundError(f"{name} is made of {part}, which is not among the static files.")
        found.append(Path(str(places[0])))
    return found


def shortened(source: Path) -> str:
    text = source.read_text(encoding="utf-8")
    if source.name.endswith(".min.js"):
        return text + ";"
    minify: Callable[[str], str] = rcssmin.cssmin if source.suffix == ".css" else rjsmin.jsmin
    return minify(text)


class BundleFinder(BaseFinder):
    """Finds the bundles, for `runserver`, WhiteNoise and `collectstatic`."""

    @property
    def place(self) -> Path:
        return state_directory() / "bundles"

    def check(self, **kwargs: Any) -> list:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        wanted = kwargs.get("all", find_all)
        if path not in BUNDLES:
            return []
        made = self._made(path)
        return [made] if wanted else made

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        storage = FileSystemStorage(location=self.place)
        for name in BUNDLES:
            self._made(name)
            yield name, storage

    def _made(self, name: str) -> str:
        target = self.place / name
        newest = max(source.stat().st_mtime_ns for source in [*sources(name), Path(__file__)])
        if not target.exists() or target.stat().st_mtime_ns < newest:
            self.place.mkdir(parents=True, exist_ok=True)
            # Under another name first: two processes that join at once leave a whole file either way.
            handle, draft = tempfile.mkstemp(dir=self.place, prefix=name)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(joined(name))
            os.chmod(draft, 0o644)
            os.replace(draft, target)
        return str(target)
