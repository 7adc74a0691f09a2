"""Addresses of static files, worked out once: while a process runs they never change."""

from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Remembering:
    """A page of the desk asks eighty times for the address of a file, mostly of the icons: 10 to 20 µs each."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses: dict[tuple[str, bool], str] = {}

    def url(self, name: Any, force: bool = False) -> str:
        """Raises `ValueError` for a file that the manifest does not know."""
        found = self._addresses.get((name, force))
        if found is None:
            found = self._addresses[name, force] = self.found(name, force)
        return found

    def found(self, name: str, force: bool) -> str:
        raise NotImplementedError


class Files(Remembering, StaticFilesStorage):
    """For development and measurements: the files as they lie there."""

    def found(self, name: str, force: bool) -> str:
        return StaticFilesStorage.url(self, name)


class Manifest(Remembering, CompressedManifestStaticFilesStorage):
    """For production: named after their contents, compressed (WhiteNoise)."""

    def found(self, name: str, force: bool) -> str:
        return CompressedManifestStaticFilesStorage.url(self, name, force)
