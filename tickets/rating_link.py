"""The signed address in the letter that asks for a rating: it says which ticket and who (domain §6)."""

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from accounts.models import User
from tickets.models import Ticket

SALT = "tickets.rating"
HOLDS_FOR = timedelta(days=60)


class Expired(Exception):
    """The address was right once."""


class Altered(Exception):
    """The address is not one of ours."""


def address(ticket: Ticket, person: User) -> str:
    """The path of the page that rates this ticket for this person, without a sign-in."""
    token = signing.dumps([ticket.pk, person.pk], salt=SALT)
    return reverse("portal:rate_by_link", args=[token])


def read(token: str) -> tuple[Ticket, User]:
    """Whom and what an address means. Raises `Expired` or `Altered`."""
    try:
        ticket, person = signing.loads(token, salt=SALT, max_age=HOLDS_FOR)
    except signing.SignatureExpired as error:
        raise Expired from error
    except signing.BadSignature as error:
        raise Altered from error
    try:
        return Ticket.objects.select_related("customer").get(pk=ticket), User.objects.get(pk=person, is_active=True)
    except (Ticket.DoesNotExist, User.DoesNotExist) as error:
        raise Altered from error
