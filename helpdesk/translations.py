"""Texts to their compiled form without GNU gettext on the user's machine."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib


def compile_translations(roots: Iterable[Path]) -> list[Path]:
    """Write a .mo beside every .po below the roots that is newer than its .mo; the .po files that were compiled.

    Two processes may do this at once: a file appears whole. Raises OSError (polib's) for a .po that is not valid.
    """
    compiled = list(stale(roots))
    for source in compiled:
        texts = polib.pofile(str(source))
        draft = source.with_suffix(f".mo.{os.getpid()}")
        texts.save_as_mofile(str(draft))
        draft.replace(source.with_suffix(".mo"))
    return compiled


def stale(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                yield source
