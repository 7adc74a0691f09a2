"""A company's requests as its people filter them: read from an address, narrowed, said in words (domain §6, §7).

Filters add up and live in the query string (direction §4); what makes no sense there is left out. Whose requests these
are is `Ticket.objects.visible_to` alone: a filter never widens it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from accounts.models import User
from contracts import text_search
from contracts.models import Customer, Product
from tickets.models import Message, Priority, SearchDocument, State, TicketQuerySet
from tickets.portal_page import day_words
from tickets.search import NUMBER, prepared

STATES = {
    "open": [State.NEW, State.IN_PROGRESS, State.AWAITING_CUSTOMER],
    "ours": [State.NEW, State.IN_PROGRESS],
    "waiting": [State.AWAITING_CUSTOMER],
    "check": [State.RESOLVED],
    "solved": [State.RESOLVED, State.CLOSED],
    "declined": [State.DECLINED],
}
STATE_WORDS = {
    "": pgettext_lazy("own requests", "All"),
    "open": pgettext_lazy("own requests", "Open"),
    "ours": pgettext_lazy("own requests", "Waiting for us"),
    "waiting": pgettext_lazy("own requests", "Waiting for you"),
    "check": pgettext_lazy("own requests", "To be checked"),
    "solved": pgettext_lazy("own requests", "Solved and closed"),
    "declined": pgettext_lazy("own requests", "Outside support"),
}
NAMES = ("state", "q", "product", "priority", "by", "since", "until")


@dataclass(frozen=True)
class Filters:
    """What is asked for. `since` and `until` are days in the reader's zone, both inclusive; `by` is a person's key."""

    state: str = ""
    q: str = ""
    product: str = ""
    priority: str = ""
    by: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: QueryDict) -> "Filters":
        """From an address; what makes no sense there is left out."""
        state, priority, by = (query.get(name, "") for name in ("state", "priority", "by"))
        return cls(
            state=state if state in STATES else "",
            q=text_search.cleaned(query.get("q", "")),
            product=text_search.CONTROL.sub("", query.get("product", ""))[:40],
            priority=priority if priority in {"1", "2", "3", "4"} else "",
            by=by if by.isascii() and by.isdigit() and len(by) < 10 else "",
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )

    @property
    def on(self) -> dict[str, str]:
        """The filters that are on, as they stand in the address."""
        said = {name: getattr(self, name) for name in NAMES}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in said.items() if value}

    def query(self, **more: object) -> str:
        """The query string with all of them, "" or from its question mark on."""
        return f"?{asked}" if (asked := urlencode({**self.on, **more})) else ""

    def without(self, name: str) -> "Filters":
        return replace(self, **{name: getattr(Filters(), name)})

    def narrow(self, tickets: TicketQuerySet, user: User, zone: tzinfo) -> TicketQuerySet:
        """These requests, as far as every filter lets them through, in no order. Words cost two statements."""
        if self.state:
            tickets = tickets.filter(state__in=STATES[self.state])
        if self.product:
            tickets = tickets.filter(product__code=self.product)
        if self.priority:
            tickets = tickets.filter(priority=int(self.priority))
        if self.by:
            tickets = with_asker(tickets).filter(asker=int(self.by))  # type: ignore[misc]
        if self.since:
            tickets = tickets.filter(opened_at__gte=datetime.combine(self.since, time.min, zone))
        if self.until:
            tickets = tickets.filter(opened_at__lt=datetime.combine(self.until + timedelta(days=1), time.min, zone))
        if self.q:
            tickets = self._with_words(tickets, user)
        return tickets

    def _with_words(self, tickets: TicketQuerySet, user: User) -> TicketQuerySet:
        """Those of the typed number, else those whose conversation has the words; no words at all find nothing."""
        number = NUMBER.fullmatch(self.q)
        if number:
            return tickets.filter(number=int(number[1]))
        query = prepared(text_search.read(self.q), user)
        if not query:
            return tickets.none()
        return tickets.filter(pk__in=SearchDocument.objects.filter(document__finds=query).values("pk"))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def with_asker(tickets: TicketQuerySet) -> TicketQuerySet:
    """Each with `asker`, the key of who asked: the author of its first words, or the contact whom we wrote it for."""
    first = Message.objects.filter(ticket=OuterRef("pk"), kind=Message.Kind.PUBLIC).order_by("created_at", "pk")
    asked = first.filter(by_vendor=False).values("author")[:1]
    return tickets.annotate(asker=Coalesce(Subquery(asked), F("contact"), output_field=BigIntegerField()))


@dataclass(frozen=True)
class Choices:
    """What may be chosen: the company's products and people, each as (value, words)."""

    products: Sequence[tuple[str, str]]
    people: Sequence[tuple[str, str]]


def choices_of(customer: Customer) -> Choices:
    """Products that the company has or had licences of, and its people: two statements, whatever it asked."""
    products = Product.objects.filter(pk__in=customer.licences.values("product")).order_by("name")
    people = User.objects.filter(pk__in=customer.members.values("user")) | User.objects.filter(
        pk__in=customer.contacts.values("user")
    )
    return Choices(
        [(product.code, str(product)) for product in products],
        [(str(person.pk), person.full_name) for person in people.order_by("full_name", "pk")],
    )


def in_words(filters: Filters, choices: Choices, now: datetime) -> list[tuple[str, str]]:
    """Every filter that is on but the state, which has its tabs: what it says, and the query without it."""
    said: list[tuple[str, str]] = []
    if filters.q:
        said.append(("q", _("Words: %(words)s") % {"words": filters.q}))
    if filters.product:
        said.append(("product", _("Product: %(name)s") % {"name": _named(choices.products, filters.product)}))
    if filters.priority:
        said.append(("priority", str(Priority(int(filters.priority)).label)))
    if filters.by:
        said.append(("by", _("Asked by: %(name)s") % {"name": _named(choices.people, filters.by)}))
    for name, day, label in (
        ("since", filters.since, _("Received from: %(day)s")),
        ("until", filters.until, _("Received until: %(day)s")),
    ):
        if day:
            said.append((name, label % {"day": day_words(day, now)}))
    return [(text, filters.without(name).query()) for name, text in said]


def _named(known: Iterable[tuple[str, str]], value: str) -> str:
    return next((words for key, words in known if key == value), pgettext("filter", "unknown"))
