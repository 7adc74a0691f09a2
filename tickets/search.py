"""Search in tickets and their conversations, within what a person may see (domain §6, §7).

An address of the search is a query and filters; together they are a `Search`, which reads, writes and fetches a page.
What is found is counted up to `MANY`: few are all fetched and put in order here; of many, only the newest are read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlencode

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Left
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import at_once
from accounts.at_once import AtOnce
from accounts.models import BOARD_ROLES, Role, User
from contracts import text_search
from contracts.models import Customer
from contracts.text_search import Asked, Piece
from tickets import spelling
from tickets.models import OPEN_STATES, Attachment, Message, SearchDocument, State, Ticket

PAGE = 20
MANY = 200  # up to which is counted: nobody reads so many, and to learn that there are more costs by each of them
READ_OF_A_MESSAGE = 4000  # characters in which a snippet is looked for
READ_MESSAGES = 400  # of a page
SUGGESTED = 6
NUMBER = re.compile(r"(?:№|#|SR-)?\s*(\d{1,15})", re.IGNORECASE)

STATES = {
    "open": (pgettext_lazy("requests", "Open"), OPEN_STATES),
    "solved": (pgettext_lazy("requests", "Solved"), (State.RESOLVED, State.CLOSED)),
    "declined": (pgettext_lazy("requests", "Declined"), (State.DECLINED,)),
}
WHERE = {
    "subject": (gettext_lazy("Subjects only"), "A"),
    "files": (gettext_lazy("Files' names"), "D"),
}
PERIODS = {
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "365": gettext_lazy("Last year"),
}


def documents_of(user: User) -> QuerySet[SearchDocument]:
    """The documents of `Ticket.objects.visible_to(user)`; who sees every ticket needs no look at the tickets for it."""
    if user.role in BOARD_ROLES or user.role == Role.ENGINEER:
        return SearchDocument.objects.all()
    return SearchDocument.objects.filter(ticket__in=Ticket.objects.visible_to(user))


@dataclass(frozen=True)
class Found:
    """One page of what was found: keys in their order, how many in all (`many`: more than that), the next page's key.

    `query` is the prepared query, `shown_for` another spelling than the one typed where only that one found something.
    """

    keys: list[int] = field(default_factory=list)
    count: int = 0
    many: bool = False
    after: str = ""
    query: str = ""
    shown_for: str = ""


@dataclass(frozen=True)
class Search:
    """What the person looks for."""

    q: str = ""
    state: str = ""
    line: str = ""
    package: str = ""
    product: str = ""
    customer: str = ""
    period: str = ""
    where: str = ""
    after: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Search":
        """From an address. What makes no sense there is left out."""

        def code(name: str, known: Iterable[str] | None = None) -> str:
            value = text_search.CONTROL.sub("", query.get(name, ""))[:40]
            return value if known is None or value in known else ""

        return cls(
            q=text_search.cleaned(query.get("q", "")),
            state=code("state", STATES),
            line=code("line", {"1", "2", "3", "4"}),
            package=code("package"),
            product=code("product"),
            customer=code("customer") if re.fullmatch(r"[0-9]{1,9}", code("customer")) else "",
            period=code("period", PERIODS),
            where=code("where", WHERE),
            after=code("after"),
        )

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are on, as they stand in the address."""
        names = ("state", "line", "package", "product", "customer", "period", "where")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def tail(self) -> str:
        """The query of its address."""
        asked = {"q": self.q} | self.filters | ({"after": self.after} if self.after else {})
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    def but(self, **changes: str) -> "Search":
        """The same with something else, from its first page."""
        return replace(self, **{"after": "", **changes})

    @property
    def bare(self) -> "Search":
        """The same words without any filter."""
        return Search(self.q)

    @property
    def number(self) -> int | None:
        """The ticket's number, where nothing but one was typed."""
        found = NUMBER.fullmatch(self.q)
        return int(found[1]) if found else None

    # What it finds

    def narrowed(self, user: User, now: datetime) -> QuerySet[SearchDocument]:
        """The documents that the filters let through, in no order."""
        found = documents_of(user)
        if self.state:
            found = found.filter(ticket__state__in=STATES[self.state][1])
        if self.line:
            found = found.filter(ticket__line=int(self.line))
        if self.package:
            found = found.filter(ticket__terms__package__code=self.package)
        if self.product:
            found = found.filter(ticket__product__code=self.product)
        if self.customer:
            found = found.filter(ticket__customer=int(self.customer))
        if self.period:
            found = found.filter(ticket__opened_at__gte=now - timedelta(days=int(self.period)))
        return found

    def find(self, user: User, now: datetime) -> Found:
        """One page of it. Words that find nothing are tried on the other keyboard, then as the nearest words known.

        A correction is offered only where it finds something that this person may see: nobody learns others' words.
        """
        asked = text_search.read(self.q)
        if not asked.terms:
            return self.fetch(user, now, "") if self.customer and not self.q else Found()
        found = self.fetch(user, now, prepared(asked, user))
        if found.count or self.after:
            return found
        for other in (self._typed_on_the_other_keyboard, self._mistyped):
            meant = other(asked)
            if meant is not None:
                instead = self.fetch(user, now, prepared(meant, user))
                if instead.count:
                    return replace(instead, shown_for=meant.text)
        return found

    def _typed_on_the_other_keyboard(self, asked: Asked) -> Asked | None:
        other = text_search.in_other_layout(asked.text)
        return text_search.read(other) if other else None

    def _mistyped(self, asked: Asked) -> Asked | None:
        meant = spelling.corrections(asked.terms)
        for typed, word in meant.items():
            asked = asked.with_term(typed, word)
        return asked if meant else None

    def fetch(self, user: User, now: datetime, query: str) -> Found:
        """One page of what a prepared query finds: two statements, one where nothing is found; never all counted."""
        found = self.narrowed(user, now)
        if query:
            found = found.filter(
                document__finds=text_search.weighted(query, WHERE[self.where][1]) if self.where else query
            )
        elif not self.customer:
            return Found()
        # How many first, by the index alone: where a word stands is read of few documents, never of many.
        keys = list(found.values_list("pk", flat=True)[: MANY + 1])
        before, __, last = self.after.partition(".")
        place = (before == "1", int(last)) if before in {"0", "1"} and last.isdecimal() and len(last) < 18 else None
        if len(keys) <= MANY:
            some = self._placed(keys, query)
            ordered = sorted((pair for pair in some if place is None or pair < place), reverse=True)[: PAGE + 1]
        else:
            newest = found.order_by("-pk")
            if place is not None:
                newest = newest.filter(pk__lt=place[1])
            ordered = [(False, pk) for pk in newest.values_list("pk", flat=True)[: PAGE + 1]]
        more = len(ordered) > PAGE
        return Found(
            keys=[pk for _first, pk in ordered[:PAGE]],
            count=min(len(keys), MANY),
            many=len(keys) > MANY,
            after=f"{int(ordered[PAGE - 1][0])}.{ordered[PAGE - 1][1]}" if more else "",
            query=query,
        )

    def _placed(self, keys: list[int], query: str) -> list[tuple[bool, int]]:
        """Each of these documents with whether its subject or number has the words."""
        if not keys or not query:
            return [(False, pk) for pk in keys]
        in_subject = ExpressionWrapper(Q(document__finds=text_search.weighted(query, "A")), BooleanField())
        rows = SearchDocument.objects.filter(pk__in=keys).annotate(first=in_subject)
        return list(rows.values_list("first", "pk"))


def prepared(asked: Asked, user: User, *, begins: bool = False) -> str:
    """The query for this person: words of notes for the vendor's people; for a customer own company's texts alone."""
    query = text_search.prepare(asked, begins=begins, inner_too=user.is_vendor)
    if not query or user.role != Role.CUSTOMER:
        return query
    companies = sorted(Customer.objects.filter(members__user=user).values_list("pk", flat=True))
    own = " | ".join(f"'@c{pk}'" for pk in companies)
    return f"({own}) & ({query})" if own else ""


@dataclass(frozen=True)
class Hit:
    """A found ticket: its key, its subject and a piece of what was said, with what was looked for marked."""

    key: int
    subject: list[Piece]
    snippet: list[Piece]
    from_note: bool
    files: list[list[Piece]]


def hits(user: User, found: Found, subjects: Mapping[int, str]) -> list[Hit]:
    """What is found of these tickets, in the order of `found`, with pieces of texts that this person may read.

    `subjects` by key: of the tickets that this person may see. One statement.
    """
    read = _said(user.role).read(keys=found.keys)
    said: dict[int, tuple[str, bool]] = {}
    for message in read["messages"]:
        if message.ticket_id not in said and text_search.finds(message.start, found.query):
            said[message.ticket_id] = message.start, message.kind == Message.Kind.NOTE
    files: dict[int, list[list[Piece]]] = {}
    for file in read["files"]:
        if text_search.finds(file.name, found.query):
            files.setdefault(file.of_ticket, []).append(text_search.marked(file.name, found.query))
    return [
        Hit(
            key,
            text_search.marked(subjects[key], found.query),
            text_search.marked(said[key][0], found.query, around=90) if key in said else [],
            key in said and said[key][1],
            files.get(key, [])[:3],
        )
        for key in found.keys
        if key in subjects
    ]


@cache
def _said(role: str) -> AtOnce:
    """What was said in tickets and which files are there, as far as somebody of this role reads it."""
    messages = Message.objects.visible_to(User(role=role)).filter(at_once.OneOf(F("ticket"), at_once.keys("keys")))
    files = Attachment.objects.filter(message__in=messages.values("pk")).annotate(of_ticket=F("message__ticket_id"))
    starts = messages.order_by("ticket_id", "created_at").annotate(start=Left("body", READ_OF_A_MESSAGE))
    return AtOnce(
        lambda: {
            "messages": starts.only("ticket", "kind")[:READ_MESSAGES],
            "files": files.order_by("pk").only("name")[:READ_MESSAGES],
        }
    )


def count_words(found: Found) -> str:
    """«Больше 200», or how many."""
    return _("more than %(count)s") % {"count": MANY} if found.many else str(found.count)


@dataclass(frozen=True)
class Suggestions:
    """What may be meant by what is typed so far."""

    tickets: list[Ticket] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tickets or self.customers)


def suggest(user: User, text: str) -> Suggestions:
    """The ticket of the typed number, the newest tickets with the typed words, for the desk customers by name."""
    typed = Search(q=text_search.cleaned(text))
    asked = text_search.read(typed.q)
    longest = max((len(term) for term in asked.terms), default=0)
    if longest < 2:
        return Suggestions()
    tickets = Ticket.objects.visible_to(user).only("number", "subject", "language", "state", "customer__name")
    shown = list(tickets.filter(number=typed.number).select_related("customer")) if typed.number is not None else []
    if longest >= 3 and (query := prepared(asked, user, begins=len(asked.terms[-1]) >= 3)):
        some = documents_of(user).filter(document__finds=query)
        keys = list(some.values_list("pk", flat=True)[: MANY + 1])
        if len(keys) > MANY:
            keys = list(some.order_by("-pk").values_list("pk", flat=True)[:SUGGESTED])
        newest = sorted(keys, reverse=True)[:SUGGESTED]
        newest = [key for key in newest if key not in {ticket.pk for ticket in shown}]
        shown += tickets.filter(pk__in=newest).select_related("customer").order_by("-pk")
    customers = []
    if user.works_at_desk and typed.number is None:
        customers = list(Customer.objects.filter(name__icontains=typed.q).order_by("name")[:4])
    return Suggestions(shown[:SUGGESTED], customers)
