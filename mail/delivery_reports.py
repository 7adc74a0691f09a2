"""What a mail server says of a letter that did not arrive, or not yet (RFC 3464). Pure: bytes in, words out.

The report's own fields where it has them, else nothing: the reader falls back on the letter's text. Reports are written
by strangers, so nothing here raises and the reading is bounded.
"""

import re
from typing import NamedTuple

from mail.charsets import clean, one_line

MAX_REPORT = 256 * 1024  # bytes; the fields come before the returned letter
MAX_WORDS = 300

_FIELD = r"(?im)^{name}:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)"
_ACTION = re.compile(_FIELD.format(name="action").encode())
_DIAGNOSTIC = re.compile(_FIELD.format(name="diagnostic-code").encode())
_STATUS = re.compile(_FIELD.format(name="status").encode())
_TYPE = re.compile(r"^[A-Za-z][A-Za-z0-9.-]*\s*;\s*")  # «smtp;», «x-postfix;»


class Report(NamedTuple):
    """`is_final`: the server gave up; otherwise it still tries. `said`: its diagnosis in one line, "" for none."""

    is_final: bool
    said: str


def read_report(raw: bytes) -> Report:
    """The delivery fields of a bounce. Without an `Action` field a report is taken as final: nobody still tries.

    A report about several recipients is final when one of them is: ours go to one person each.
    """
    head = raw[:MAX_REPORT]
    actions = [action for found in _ACTION.findall(head) if (action := _words(found).lower())]
    said = next(filter(None, map(_words, _DIAGNOSTIC.findall(head))), "")
    if not said:
        said = next(filter(None, map(_words, _STATUS.findall(head))), "")
    still_tries = bool(actions) and not any(action.startswith("fail") for action in actions)
    return Report(not still_tries, _TYPE.sub("", said)[:MAX_WORDS])


def _words(found: bytes) -> str:
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", found)[: MAX_WORDS * 4]
    return one_line(clean(unfolded.decode("utf-8", "replace")), MAX_WORDS).strip()
