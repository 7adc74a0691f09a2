"""Where a page of a list begins, as its address has it: a moment and a key (keyset paging)."""

from datetime import datetime


def place_of(text: str) -> tuple[datetime, int] | None:
    """Where a page begins, from "moment_key"; None for what no list of ours wrote."""
    moment, _between, key = text.partition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    # A moment without a zone would be compared as one of the server's; a longer key is none of PostgreSQL's.
    if at.tzinfo is None or not (key.isascii() and key.isdecimal() and len(key) <= 18):
        return None
    return at, int(key)
