"""Signed addresses in letters: they say what is meant and who is asked, so that no sign-in is needed (domain §4.2, §6).

One kind of link is never good for another. An address changes nothing by being opened: machines open every link of a
letter; what it leads to is done by a button, through the verb that looks again at who may.
"""

from datetime import timedelta
from typing import NamedTuple

from django.core import signing
from django.urls import reverse

from accounts.models import User
from sla.models import DeadlineProposal
from tickets.models import Ticket


class Kind(NamedTuple):
    """What a link is for: the name of its page, and for how long it opens that page."""

    salt: str
    page: str
    holds_for: timedelta


RATING = Kind("tickets.rating", "portal:rate_by_link", timedelta(days=60))
# A proposal waits until its own moment, three years ahead at most; the page says when it is over (domain §4.2).
DEADLINE = Kind("tickets.deadline", "portal:deadline_by_link", timedelta(days=3 * 366))


class Expired(Exception):
    """The address was right once."""


class Altered(Exception):
    """The address is not one of ours."""


def rating_address(ticket: Ticket, person: User) -> str:
    """The path of the page that rates this ticket for this person."""
    return _address(RATING, ticket.pk, person)


def deadline_address(proposal: int, person: User) -> str:
    """The path of the page on which this person answers the proposal with this key."""
    return _address(DEADLINE, proposal, person)


def read_rating(token: str) -> tuple[Ticket, User]:
    """Which ticket, and who is asked. Raises `Expired` or `Altered`."""
    key, person = _read(RATING, token)
    ticket = Ticket.objects.select_related("customer").filter(pk=key).first()
    if ticket is None:
        raise Altered
    return ticket, person


def read_deadline(token: str) -> tuple[DeadlineProposal, User]:
    """Which proposal, with its ticket and people, and who is asked. Raises `Expired` or `Altered`."""
    key, person = _read(DEADLINE, token)
    found = DeadlineProposal.objects.select_related("ticket__customer", "proposed_by", "answered_by")
    proposal = found.filter(pk=key).first()
    if proposal is None:
        raise Altered
    return proposal, person


def _address(kind: Kind, key: int, person: User) -> str:
    return reverse(kind.page, args=[signing.dumps([key, person.pk], salt=kind.salt)])


def _read(kind: Kind, token: str) -> tuple[int, User]:
    try:
        key, pk = signing.loads(token, salt=kind.salt, max_age=kind.holds_for)
    except signing.SignatureExpired as error:
        raise Expired from error
    except signing.BadSignature as error:
        raise Altered from error
    person = User.objects.filter(pk=pk, is_active=True).first()
    if person is None:
        raise Altered
    return key, person
