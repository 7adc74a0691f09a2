"""Names of attached files, made safe to show and to save. Pure."""

import re

from mail.charsets import one_line

MAX_FILENAME = 120
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


def clean_filename(name: str) -> str:
    """`name` as a label that is safe to show and to save: no path, no control or direction marks, NFC, at most
    MAX_FILENAME characters with the extension kept; "" where nothing is left."""
    name = re.split(r"[/\\]", one_line(name, 2000))[-1]
    name = re.sub("[\u200b-\u200d\u2060\u00ad]", "", name)  # seen by nobody: two names would look the same
    name = re.sub(r"^[A-Za-z]:", "", name)
    name = re.sub(r'[<>:"|?*\u2028\u2029]', "_", name).strip(" .")
    if _RESERVED.match(name):
        name = "_" + name
    if len(name) > MAX_FILENAME:
        stem, dot, extension = name.rpartition(".")
        keep = dot + extension if stem and len(extension) <= 10 else ""
        name = name[: MAX_FILENAME - len(keep)].rstrip(" .") + keep
    return name
