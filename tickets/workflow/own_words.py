"""Texts that several people write: nobody writes over what a colleague changed since they looked (UX §11).

A form says by a mark of each text what it was made from (`was`). What only the colleague changed stays as it is now;
what both changed is asked about.
"""

from collections.abc import Mapping
from hashlib import sha256

from django.utils.translation import gettext as _

from accounts.models import User
from tickets.workflow.gates import NotAllowed


class TextsChanged(NotAllowed):
    """A colleague changed what the person changed, too; nothing was written."""

    def __init__(self, by: User | None) -> None:
        super().__init__(
            _(
                "%(name)s changed the same texts in the meantime: the page shows them as they are now. "
                "Yours are kept in the form; kept once more they take their place."
            )
            % {"name": by.full_name if by else _("the system")}
        )


def mark(text: str) -> str:
    """What a form keeps of a text; line ends and spaces do not count."""
    return sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def marks(texts: Mapping[str, str]) -> dict[str, str]:
    """The mark of each text, by its name."""
    return {name: mark(text) for name, text in texts.items()}


def only_mine(
    mine: Mapping[str, str], was: Mapping[str, str], now: Mapping[str, str], *, changed_by: User | None
) -> dict[str, str]:
    """Of my texts those that a colleague has not changed since `was`. Both changed one: `TextsChanged`."""
    theirs = {name for name in mine if name in was and was[name] != mark(now[name])}
    if any(mark(mine[name]) not in {was[name], mark(now[name])} for name in theirs):
        raise TextsChanged(changed_by)
    return {name: text for name, text in mine.items() if name not in theirs}
