"""The keyboard of the workspace: the one table (direction §9).

It is the sheet behind `?`, and what the browser is given (static/desk/keys.js). A key acts on what stands on the page:
a control says `data-key="R"`. A key of a request means the row that one is at: its request is opened first; where it
cannot be done, that is said. Letters are those of the Latin layout; the
browser takes the letter as typed, else the physical key, so that they work on ЙЦУКЕН, AZERTY and Dvorak.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User

ANYWHERE, LIST, TICKET, GO = "anywhere", "list", "ticket", "go"
PLACES: dict[str, str | Promise] = {
    LIST: gettext_lazy("In the list"),
    TICKET: gettext_lazy("In a request, or at its row"),
    GO: gettext_lazy("Go to"),
    ANYWHERE: gettext_lazy("Everywhere"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table.

    `key` is what is pressed ("J", "Shift+J", "L 1": one after the other); `also` another way. `act` is what keys.js
    does; "" presses the control that says data-key. `to` is the address of a page, by its name, with its arguments.
    `single`: a character alone, which the person's switch turns off (WCAG 2.1.4).
    """

    key: str
    does: str | Promise
    where: str
    act: str = ""
    also: str = ""
    to: tuple[Any, ...] = ()
    single: bool = True

    @property
    def shown(self) -> list[list[str]]:
        """The ways to press it, each as the caps to be drawn, in their order."""
        return [
            [cap for part in way.split(" ") for cap in ([part] if part == "+" else part.split("+"))]
            for way in (self.key, self.also)
            if way
        ]


TABLE = (
    Key("J", gettext_lazy("next row"), LIST, "next", also="↓"),
    Key("K", gettext_lazy("previous row"), LIST, "previous", also="↑"),
    Key("Enter", pgettext_lazy("key", "open"), LIST, "native", single=False),
    Key("Esc", gettext_lazy("back to the list, at the same row"), LIST, "back", single=False),
    Key("X", gettext_lazy("select the row; A, L, P and N are then for all that are selected"), LIST, "select"),
    Key("Shift+J", gettext_lazy("select on downwards"), LIST, "extend-next"),
    Key("Shift+K", gettext_lazy("select on upwards"), LIST, "extend-previous"),
    Key("R", pgettext_lazy("key", "reply"), TICKET),
    Key("N", gettext_lazy("internal note"), TICKET),
    Key("Ctrl+Enter", pgettext_lazy("key", "send"), TICKET, "send", single=False),
    Key("Ctrl+Shift+Enter", gettext_lazy("send and wait for the customer"), TICKET, "send-wait", single=False),
    Key("T", gettext_lazy("take into work"), TICKET),
    Key("A", pgettext_lazy("key", "assign"), TICKET),
    Key("S", pgettext_lazy("key", "status"), TICKET),
    Key("P", pgettext_lazy("key", "priority and kind"), TICKET),
    Key("L", gettext_lazy("hand over; then 1 to 4 is the line"), TICKET, "line"),
    Key("E", gettext_lazy("escalate: call in the CSM or management"), TICKET),
    Key("M", pgettext_lazy("key", "macro"), TICKET),
    Key("B", gettext_lazy("insert an article"), TICKET),
    Key("I", gettext_lazy("the customer’s context"), TICKET, "context"),
    Key("U", gettext_lazy("mark as unread"), TICKET),
    Key("G 1", gettext_lazy("queue of the first line"), GO, to=("desk:line", 1)),
    Key("G 2", gettext_lazy("queue of the second line"), GO, to=("desk:line", 2)),
    Key("G 3", gettext_lazy("queue of the third line"), GO, to=("desk:line", 3)),
    Key("G 4", gettext_lazy("queue of the fourth line"), GO, to=("desk:line", 4)),
    Key("G M", gettext_lazy("my queue"), GO, to=("desk:my",)),
    Key("G E", gettext_lazy("escalations"), GO, to=("manage:escalations",)),
    Key("/", pgettext_lazy("key", "search"), ANYWHERE, "search"),
    Key("Ctrl+K", gettext_lazy("palette: find what to do or where to go"), ANYWHERE, "palette", single=False),
    Key("C", gettext_lazy("new request"), ANYWHERE),
    Key("Z", gettext_lazy("undo the last change (10 seconds)"), ANYWHERE),
    Key("?", gettext_lazy("this sheet"), ANYWHERE, "sheet"),
)


class Reader(NamedTuple):
    """What the table depends on of a person: all that may be kept of it between requests."""

    single_keys: bool
    works_at_desk: bool
    sees_board: bool


def of(user: User | Reader) -> list[Key]:
    """The lines of the table that lead somewhere for this person."""
    return [key for key in TABLE if not key.to or _may_go(user, key)]


def _may_go(user: User | Reader, key: Key) -> bool:
    return user.sees_board if key.to[0].startswith("manage:") else user.works_at_desk


def by_place(keys: Iterable[Key]) -> list[tuple[str, list[Key]]]:
    """The sheet: the table under its headings."""
    return [(str(PLACES[place]), list(found)) for place, found in groupby(keys, key=lambda key: key.where)]


def for_browser(user: User | Reader) -> dict[str, Any]:
    """What keys.js reads: what each key does, where `G` leads, and the words of its hints."""
    known = of(user)
    go = {key.key.split(" ")[1]: reverse(key.to[0], args=key.to[1:]) for key in known if key.to}
    return {
        "on": user.single_keys,
        "acts": {key.key: key.act for key in known if not key.to},
        "request": [key.key for key in known if key.where == TICKET and key.single],
        "does": {key.key: str(key.does) for key in known if key.where == TICKET and key.single},
        "go": go,
        "sheet": reverse("desk:keys"),
        "palette": reverse("desk:palette"),
        "hints": {
            "G": _("Go to: 1–4 a line, M mine") + (_(", E escalations") if "E" in go else ""),
            "L": _("To which line? 1–4"),
        },
        "words": {
            "first": _("Choose a request first: J and K walk through the rows."),
            "cannot": _("№ {number}: “{act}” cannot be done now ({state})."),
        },
    }
