"""The command palette (direction §9): what can be done with the open ticket, and where one can go, by a few letters.

Everything in it is a link that the person may follow; an action leads to its form on the ticket's page, where the rules
are asked again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Line, User
from contracts.models import Customer
from tickets import moves
from tickets.models import Ticket

AT_MOST = 12
OF_A_CUSTOMER = 4
LONGEST = 80  # characters of a question


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the palette. `opens` is the id of a menu on the ticket's page, `presses` its key, "" for none."""

    label: str
    hint: str
    url: str
    icon: str
    opens: str = ""
    presses: str = ""


def results(user: User, question: str, ticket: Ticket | None = None) -> list[Found]:
    """At most twelve, best first: a ticket by its number, then what begins with the words, then what holds them."""
    asked = question.replace("\0", "").strip()[:LONGEST]
    offered = [*actions(user, ticket), *pages(user)]
    if not asked:
        return offered[:AT_MOST]
    ranked = sorted(
        ((rank(asked, found.label), place, found) for place, found in enumerate(offered)), key=lambda row: row[:2]
    )
    fitting = [found for how_well, _place, found in ranked if how_well < MISSES]
    return [*by_number(user, asked), *fitting, *by_customer(user, asked)][:AT_MOST]


MISSES = 9


def rank(asked: str, label: str) -> int:
    """How well a label answers: 0 begins with it, 1 a word does, 2 holds it, MISSES not at all; ё is е."""
    wanted, text = folded(asked), folded(label)
    if text.startswith(wanted):
        return 0
    if any(word.startswith(wanted) for word in text.split()) or f" {wanted}" in text:
        return 1
    return 2 if wanted in text else MISSES


def folded(text: str) -> str:
    return text.casefold().replace("ё", "е")


def actions(user: User, ticket: Ticket | None) -> Iterable[Found]:
    """What is legal with the ticket that is open, in the words of its buttons."""
    if ticket is None:
        return
    waiting = ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).last()
    may = moves.offered(ticket, user, waiting=waiting)
    page, hint = reverse("desk:ticket", args=[ticket.number]), f"№ {ticket.number}"
    kinds = moves.says(ticket) if "messages" in may else []
    for kind, label, icon, key in (
        ("reply", _("Reply to the customer"), "send", "R"),
        ("note", _("Internal note"), "lock", "N"),
    ):
        if kind in kinds:
            yield Found(label, hint, f"{page}#composer", icon, presses=key)
    for name in ("acceptance", *moves.BUTTONS, *moves.OF_STATUS, *moves.REST):
        if name in may:
            move = moves.MOVES[name]
            opens, key = ("", "T") if name == "acceptance" else (f"act-{name}", move.key)
            yield Found(str(move.label), hint, f"{page}#{opens or 'pane'}", move.icon, opens, key)


def pages(user: User) -> Iterable[Found]:
    """The queues and the sections that this person may enter."""
    if user.works_at_desk:
        yield Found(_("Queue"), _("all my lines"), reverse("desk:queue"), "inbox")
        yield Found(_("My queue"), "", reverse("desk:my"), "inbox")
        for line in Line.objects.order_by("number"):
            label = _("Line %(number)d: %(name)s") % {"number": line.pk, "name": line.name}
            yield Found(label, _("queue of the line"), reverse("desk:line", args=[line.pk]), "inbox")
    if user.sees_board:
        yield Found(_("Board"), "", reverse("manage:board"), "gauge")
        yield Found(_("Escalations"), "", reverse("manage:escalations"), "siren")
    if user.reads_contracts:
        yield Found(_("Contracts"), "", reverse("contracts:home"), "handshake")
    yield Found(_("Letters"), "", reverse("outbox"), "mail")
    yield Found(_("Keyboard"), "?", reverse("desk:keys"), "keyboard")


def by_number(user: User, asked: str) -> list[Found]:
    """The ticket of exactly this number, with or without its sign."""
    digits = asked.lstrip("№# ").strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18 or not user.works_at_desk:
        return []
    found = Ticket.objects.visible_to(user).select_related("customer").filter(number=int(digits))
    return [of_ticket(ticket) for ticket in found]


def by_customer(user: User, asked: str) -> list[Found]:
    """Customers of this name whose pages the person may read, and the customer's open tickets by deadline."""
    if len(asked) < 2:
        return []
    customers = Customer.objects.visible_to(user).filter(name__icontains=asked).order_by("name")[:OF_A_CUSTOMER]
    found = [
        Found(customer.name, _("customer"), reverse("contracts:customer", args=[customer.pk]), "building-2")
        for customer in customers
    ]
    if user.works_at_desk:
        tickets = Ticket.objects.visible_to(user).open().filter(customer__name__icontains=asked)
        found += [of_ticket(ticket) for ticket in tickets.select_related("customer").by_deadline()[:OF_A_CUSTOMER]]
    return found


def of_ticket(ticket: Ticket) -> Found:
    page = reverse("desk:ticket", args=[ticket.number])
    return Found(f"№ {ticket.number} {ticket.subject}", ticket.customer.name, page, "message-square")
