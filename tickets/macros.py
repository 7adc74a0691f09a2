"""The variables of macros: a tiny substitution that knows a handful of names and nothing else (direction §6.6).

`{{ customer }}` is replaced by plain text. An unknown name is told to who writes the macro; a name without a value
for this ticket stays in the text, where the person who sends sees it, and is never sent. Nothing is ever left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from sla import words
from sla.clocks import CUSTOMER_PROMISES
from tickets.models import Macro, Ticket

VARIABLES = {
    "customer": gettext_lazy("the company of the customer"),
    "contact": gettext_lazy("the responsible contact, by name"),
    "number": gettext_lazy("the number of the request"),
    "subject": gettext_lazy("the subject of the request"),
    "product": gettext_lazy("the product"),
    "due": gettext_lazy("the nearest deadline, in the time of the customer"),
    "engineer": gettext_lazy("who sends it, by name"),
}
FOUND = re.compile(r"\{\{\s*([^{}\n]{0,60}?)\s*\}\}")


@dataclass(frozen=True)
class Variable:
    """A variable as it stands in a text: `whole` with its braces, `name` within."""

    whole: str
    name: str


def variables(text: str) -> list[Variable]:
    """The variables of a text, known and unknown, in their order, each once. Pure."""
    return list(dict.fromkeys(Variable(found[0], found[1]) for found in FOUND.finditer(text)))


def unknown(text: str) -> list[Variable]:
    """Those that no ticket has a value for, so that who writes a macro is told. Pure."""
    return [variable for variable in variables(text) if variable.name not in VARIABLES]


def substitute(text: str, values: Mapping[str, str]) -> str:
    """The text with values in place of their names; what has none stays as it is written. Pure, one pass."""
    return FOUND.sub(lambda found: values.get(found[1]) or found[0], text)


def values_of(ticket: Ticket, *, by: User, now: datetime) -> dict[str, str]:
    """What each variable stands for in this ticket, "" for what it has not, in the ticket's language."""
    zone = ZoneInfo(ticket.customer.timezone)
    with translation.override(ticket.language):
        due = ticket.due_at if ticket.due_kind in CUSTOMER_PROMISES and not ticket.clock_paused else None
        return {
            "customer": ticket.customer.name,
            "contact": ticket.contact.full_name,
            "number": str(ticket.number),
            "subject": ticket.subject,
            "product": ticket.product.name if ticket.product else "",
            "due": words.both_zones(due, zone, now) if due else "",
            "engineer": by.full_name,
        }


def rendered(macro: Macro, ticket: Ticket, *, by: User, now: datetime) -> str:
    """The macro's text for this ticket, in its language."""
    return substitute(macro.body(ticket.language), values_of(ticket, by=by, now=now))


LACKING = {
    "product": gettext_lazy("the request names no product: write something in place of {{ product }}"),
    "due": gettext_lazy("no deadline runs for the request: write something in place of {{ due }}"),
}


def lacks(text: str) -> list[str]:
    """What this ticket has no value for, of a text as `substitute` left it, in words for the engineer. Pure."""
    return [
        str(LACKING.get(one.name, _("write something in place of %(name)s") % {"name": one.whole}))
        for one in variables(text)
        if one.name in VARIABLES
    ]


def does(macro: Macro) -> list[str]:
    """What sending it changes, in words for the engineer; empty for words alone."""
    done = []
    if macro.priority:
        done.append(_("sets priority %(number)d") % {"number": macro.priority})
    if macro.kind == Macro.Kind.QUESTION:
        done.append(_("waits for the customer"))
    if macro.resolves:
        done.append(_("marks as solved"))
    if macro.to_line_id:
        done.append(_("hands over to line %(line)d") % {"line": macro.to_line_id})
    return done
