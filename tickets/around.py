"""A ticket with everything that stands around it, for the page of the desk: two statements, whatever there is.

The first finds the ticket, the second reads all the small lists at once (accounts/at_once.py). People are read once,
whoever wrote, called or accepted; lines, terms, calendars come from what the process keeps of the catalogue. Every row
comes with its neighbours set, so that a page asks for nothing more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, F, Func, Model, Prefetch, Q, QuerySet

from accounts.at_once import AtOnce, day, key, moment
from accounts.models import Absence, Line, User
from contracts.entitlement import CONTRACT_ZONE
from contracts.kept import catalogue
from contracts.models import ContractClause, Licence, ResponsibleContact, Service
from sla.kept import rules
from sla.models import CalendarVersion, Commitment, DeadlineProposal, Escalation
from tickets.drafts import Composing
from tickets.forms.desk import SUGGESTED
from tickets.models import (
    Attachment,
    Defect,
    Draft,
    Event,
    HandOver,
    LastRead,
    MajorChild,
    Message,
    PendingFile,
    Ticket,
    TicketLink,
    TimeEntry,
)

LICENCES, HISTORY = 8, 20  # so many of the customer's are told of


@dataclass(slots=True)
class Around:
    """What a ticket's page shows besides the ticket, each list in its order.

    `events` and `escalations` are also those of tickets that were merged into it. `included` are the codes of the
    services that its contract had at the receipt, `clauses` those in force then. `away` are whom the reader stands in
    for. `merged` and `follow_ups` are other tickets; `history` are the newest others of the customer.
    """

    lines: list[Line]
    services: tuple[Service, ...]
    included: set[str]
    clauses: list[ContractClause]
    licences: list[Licence]
    history: list[Ticket]
    contact: User | None
    promises: list[Commitment]
    proposals: list[DeadlineProposal]
    messages: list[Message]
    hand_overs: list[HandOver]
    events: list[Event]
    escalations: list[Escalation]
    major: MajorChild | None
    links: list[TicketLink]
    merged: list[Ticket]
    follow_ups: list[Ticket]
    time: list[TimeEntry]
    defects: list[Defect]
    composing: Composing
    away: list[User]


def found(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The tickets as `around` wants one: with what no other row is shared with."""
    return tickets.select_related("customer", "contract", "release", "product", "defect")


def _each(*columns: str) -> Func:
    """The values of several columns, one below the other."""
    return Func(*(F(column) for column in columns), function="unnest", template="unnest(ARRAY[%(expressions)s])",
                output_field=BigIntegerField())  # fmt: skip


def _ids(rows: QuerySet[Any], *columns: str) -> Any:
    return rows.order_by().annotate(one=_each(*columns)).values("one")


def _reads() -> dict[str, QuerySet[Any]]:
    ticket, reader = key("ticket"), key("reader")
    now: Any = moment("now")
    today: Any = day("today")
    one = Ticket.objects.filter(pk=ticket)
    whole = Ticket.objects.filter(Q(pk=ticket) | Q(merged_into=ticket)).values("pk")
    messages: Any = Message.objects.filter(ticket=ticket)
    events = Event.objects.filter(ticket__in=whole)
    calls = Escalation.objects.filter(ticket__in=whole)
    hand_overs = HandOver.objects.filter(ticket=ticket)
    proposals = DeadlineProposal.objects.filter(ticket=ticket)
    time = TimeEntry.objects.filter(ticket=ticket)
    links = TicketLink.objects.filter(Q(source=ticket) | Q(target=ticket))
    people = _ids(one, "contact_id", "owner_id", "assignee_id", "customer__csm_id").union(
        messages.order_by().values("author"),
        events.order_by().values("by"),
        _ids(calls, "person_id", "instead_of_id", "raised_by_id", "acknowledged_by_id", "closed_by_id"),
        _ids(hand_overs, "by_id", "accepted_by_id"),
        _ids(proposals, "proposed_by_id", "answered_by_id"),
        time.order_by().values("person"),
    )
    others = _ids(one, "follows_id", "merged_into_id").union(
        _ids(links, "source_id", "target_id"),
        Ticket.objects.filter(Q(merged_into=ticket) | Q(follows=ticket)).order_by().values("pk"),
    )
    contacts = ResponsibleContact.objects.holding(now)
    licences = Licence.objects.in_force(today)
    absences = Absence.objects.at(now)
    mine: Any = {"ticket": ticket, "person": reader}
    return {
        "people": User.objects.filter(pk__in=people).defer("password", "last_login").order_by(),
        "others": Ticket.objects.filter(pk__in=others)
        .select_related("customer")
        .only("number", "subject", "language", "state", "merged_into", "follows", "customer__name")
        .order_by("number"),
        "clauses": ContractClause.objects.filter(contract=key("contract")).order_by("pk"),
        "licences": licences.filter(customer=key("customer"))
        .select_related("product", "release")
        .order_by("product", "pk")[:LICENCES],
        "history": Ticket.objects.filter(customer=key("customer"))
        .exclude(pk=ticket)
        .only("number", "state")
        .order_by("-number")[:HISTORY],
        "contacts": contacts.filter(customer=key("customer")).select_related("user").defer("user__password"),
        "promises": Commitment.objects.filter(ticket=ticket).order_by("started_at", "pk"),
        "proposals": proposals.order_by("-proposed_at", "-pk"),
        "messages": messages.order_by("created_at"),
        "attachments": Attachment.objects.filter(message__ticket=ticket).order_by("pk"),
        "hand_overs": hand_overs.order_by("at", "pk"),
        "events": events.order_by("at", "pk"),
        "escalations": calls.order_by("reached_at", "pk"),
        "majors": MajorChild.objects.filter(ticket=ticket)
        .select_related("incident__coordinator")
        .defer("incident__coordinator__password")
        .order_by("-is_open", "-pk")[:1],
        "links": links.order_by("at", "pk"),
        "time": time.order_by("on_day", "pk"),
        "defects": Defect.objects.exclude(state=Defect.State.REJECTED)
        .filter(product=key("product"))
        .only("title")
        .order_by("-pk")[:SUGGESTED],
        "drafts": Draft.objects.filter(**mine),
        "pending": PendingFile.objects.filter(**mine).order_by("pk"),
        "readings": LastRead.objects.filter(**mine),
        "absences": absences.filter(substitute=reader).select_related("user").defer("user__password"),
    }


_all = AtOnce(_reads)


def around(ticket: Ticket, user: User, *, now: datetime, edition: int | None) -> Around:
    """What stands around a ticket that came through `found`, for one of the desk; the ticket's own neighbours are set.

    `edition` is that of the catalogue. One statement; one or two more for a new edition.
    """
    read = _all.read(
        ticket=ticket.pk, reader=user.pk, now=now, today=now.astimezone(CONTRACT_ZONE).date(),
        customer=ticket.customer_id, contract=ticket.contract_id, product=ticket.product_id,
    )  # fmt: skip
    kept = catalogue(edition)
    others = {one.pk: one for one in read["others"]} | {ticket.pk: ticket}
    _set_neighbours(ticket, read, others, edition)

    at = ticket.opened_at
    clauses = [one for one in read["clauses"] if _holds(one, at)]
    contact = _first(read["contacts"])
    return Around(
        lines=list(kept.lines.values()),
        services=kept.services,
        included={*kept.included.get(ticket.contract.terms_id, ()), *(one.service_id for one in clauses)},
        clauses=clauses,
        licences=read["licences"],
        history=read["history"],
        contact=contact.user if contact else None,
        promises=read["promises"],
        proposals=read["proposals"],
        messages=read["messages"],
        hand_overs=read["hand_overs"],
        events=read["events"],
        escalations=read["escalations"],
        major=_first(read["majors"]),
        links=read["links"],
        merged=[one for one in others.values() if one.merged_into_id == ticket.pk],
        follow_ups=[one for one in others.values() if one.follows_id == ticket.pk],
        time=read["time"],
        defects=read["defects"],
        composing=_composing(read),
        away=[absence.user for absence in read["absences"]],
    )


def _set_neighbours(
    ticket: Ticket, read: Mapping[str, list[Any]], others: Mapping[int, Ticket], edition: int | None
) -> None:
    """Ties every row that was read to the people, tickets and rows of the catalogue that are at hand."""
    kept = catalogue(edition)
    people = {one.pk: one for one in read["people"]}

    _tie([ticket], kept.lines, "line")
    _tie([ticket], kept.channels, "channel")
    _tie([ticket], kept.topics, "topic")
    _tie([ticket], kept.terms, "terms")
    _tie([ticket], people, "contact", "owner", "assignee")
    _tie([ticket], others, "follows", "merged_into")
    _tie([ticket.customer], people, "csm")
    _tie(read["messages"], {ticket.pk: ticket}, "ticket")
    _tie(read["messages"], people, "author")
    _tie(read["messages"], kept.channels, "channel")
    _tie(read["events"], people, "by")
    _tie(read["events"], others, "ticket")
    _tie(read["escalations"], people, "person", "instead_of", "raised_by", "acknowledged_by", "closed_by")
    _tie(read["escalations"], others, "ticket")
    _tie(read["hand_overs"], people, "by", "accepted_by")
    _tie(read["hand_overs"], kept.lines, "from_line", "to_line")
    _tie(read["proposals"], people, "proposed_by", "answered_by")
    _tie(read["proposals"], {ticket.pk: ticket}, "ticket")
    _tie(read["links"], others, "source", "target")
    _tie(read["time"], people, "person")
    _with_files(read["messages"], read["attachments"])
    _with_terms(ticket, read["promises"], read["proposals"], read["clauses"], edition)


def _composing(read: Mapping[str, list[Any]]) -> Composing:
    """What the reader was writing, and how far they have read."""
    draft, reading = _first(read["drafts"]), _first(read["readings"])
    return Composing(
        draft.kind if draft else "",
        draft.body if draft else "",
        draft.updated_at if draft else None,
        [{"pk": one.pk, "name": one.name, "size": one.size} for one in read["pending"]],
        reading.upto if reading else None,
        draft.macro_id if draft else None,
    )


def listed(tickets: QuerySet[Ticket], edition: int | None) -> list[Ticket]:
    """Tickets as a list shows them (`with_clocks`), but for their topic and product: two statements.

    Three names are joined instead of nine: what the process keeps of the catalogue is not read with every row.
    """
    clocks = Prefetch("commitments", queryset=clocks_of_a_list(), to_attr="clocks")
    rows = list(of_a_list(tickets).prefetch_related(clocks))  # type: ignore[no-redef]
    return with_catalogue(rows, edition)


def of_a_list(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return tickets.select_related("customer", "assignee")


def clocks_of_a_list() -> QuerySet[Commitment]:
    return Commitment.objects.exclude(ending__in=["superseded", "cancelled"]).order_by("started_at", "pk")


def with_catalogue(rows: list[Ticket], edition: int | None) -> list[Ticket]:
    """Ties tickets and their `clocks` to what the process keeps of the catalogue."""
    kept, versions = catalogue(edition), _versions(edition)
    _tie(rows, kept.lines, "line")
    _tie(rows, kept.terms, "terms")
    for row in rows:
        _tie(row.clocks, versions, "calendar_version")
    return rows


def _versions(edition: int | None) -> dict[int, CalendarVersion]:
    return {one.pk: one for versions in rules(edition).versions.values() for one in versions}


def _first(rows: list[Any]) -> Any:
    return rows[0] if rows else None


def _holds(clause: ContractClause, at: datetime) -> bool:
    """As `ContractClauseQuerySet.in_force` has it."""
    return (clause.starts_at is None or clause.starts_at <= at) and (clause.ends_at is None or clause.ends_at > at)


def _tie(rows: Iterable[Model], known: Any, *names: str) -> None:
    """Sets the neighbours that are known; None stays None, and one that is not known is read when it is asked for."""
    for row in rows:
        for name in names:
            field: Any = row._meta.get_field(name)
            wanted = getattr(row, field.attname)
            if wanted in known:
                field.set_cached_value(row, known[wanted])


def _with_files(messages: Iterable[Message], files: Iterable[Attachment]) -> None:
    by_message: dict[int, list[Attachment]] = {}
    for one in files:
        by_message.setdefault(one.message_id, []).append(one)
    for message in messages:
        rows: Any = message.attachments.all()
        rows._result_cache = by_message.get(message.pk, [])
        rows._prefetch_done = True
        message.__dict__["_prefetched_objects_cache"] = {"attachments": rows}


def _with_terms(
    ticket: Ticket,
    promises: Iterable[Commitment],
    proposals: Iterable[DeadlineProposal],
    clauses: Iterable[ContractClause],
    edition: int | None,
) -> None:
    """The promises with their terms, hours and signatures; those that count become `ticket.clocks` (`with_clocks`)."""
    terms, versions = catalogue(edition).terms, _versions(edition)
    signed = {one.made_id: one for one in proposals}
    signature: Any = Commitment._meta.get_field("signed_as")
    _tie(promises, {ticket.pk: ticket}, "ticket")
    _tie(promises, terms, "terms")
    _tie(promises, versions, "calendar_version")
    _tie(promises, {one.pk: one for one in clauses}, "clause")
    for row in promises:
        signature.set_cached_value(row, signed.get(row.pk))
    gone = {Commitment.Ending.SUPERSEDED, Commitment.Ending.CANCELLED}
    ticket.clocks = [row for row in promises if row.ending not in gone]
