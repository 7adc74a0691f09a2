"""The digest: one letter a day, at 9:00 where its reader is, of what happened in the company's requests (§17).

For observers, and for whoever chose it (`mail/choices.py`). A row of `Digest` is written with the letter in one
transaction and is unique for a person and day: any number of jobs at once, or one after an outage, tell nothing twice
and lose nothing. A day on which nothing happened has its row and no letter.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Role, User
from contracts.models import Customer, ReleaseNotice
from mail import choices, outbound
from mail.letters import Draft, Letter, Link, Reader, link, reader_of
from mail.models import Digest, LetterKind, OutgoingLetter
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Commitment
from tickets import promise_words
from tickets.models import Event, Ticket

log = logging.getLogger(__name__)

AT = time(9)  # of the reader's own day
DAY, LONGEST = timedelta(days=1), timedelta(days=7)  # what one digest looks back on, and at most after an outage
MOST = 30  # requests in one letter; the page has all of them
BATCH = 100

Words = Callable[[Event], str]

# What a colleague of the customer reads of an event; the desk's own work is none of them (direction §17).
WORDS: dict[str, Words] = {
    "opened": lambda event: pgettext("digest", "received"),
    "replied": lambda event: pgettext("digest", "we answered"),
    "told": lambda event: pgettext("digest", "we answered"),
    "asked_customer": lambda event: pgettext("digest", "we asked your company something"),
    "customer_replied": lambda event: pgettext("digest", "your company wrote"),
    "restored": lambda event: pgettext("digest", "service is back"),
    "resolved": lambda event: pgettext("digest", "solved"),
    "confirmed": lambda event: pgettext("digest", "your company confirmed the solution"),
    "closed_silent": lambda event: pgettext("digest", "closed after five working days of silence"),
    "withdrawn": lambda event: pgettext("digest", "withdrawn by your company"),
    "reopened": lambda event: pgettext("digest", "open again"),
    "declined": lambda event: pgettext("digest", "outside support"),
    "contested": lambda event: pgettext("digest", "your company contests our decision"),
    "restore_contested": lambda event: pgettext("digest", "your company says that service is not back"),
    "merged": lambda event: pgettext("digest", "merged with another request"),
    "reclassified": lambda event: pgettext("digest", "the promised times were counted anew"),
    "terms_applied": lambda event: pgettext("digest", "the promised times were counted anew"),
    "calendar_applied": lambda event: pgettext("digest", "the promised times were counted anew"),
    "priority_set": lambda event: pgettext("digest", "your company set another priority"),
    "deadline_proposed": lambda event: pgettext("digest", "another deadline is proposed"),
    "deadline_agreed": lambda event: pgettext("digest", "another deadline is agreed"),
    "deadline_refused": lambda event: pgettext("digest", "the proposed deadline is refused"),
    "defect_released": lambda event: pgettext("digest", "a release fixes the defect"),
    "escalated": lambda event: (
        pgettext("digest", "your company called in the management") if event.by and not event.by.is_vendor else ""
    ),
    "escalation_answered": lambda event: pgettext("digest", "the management answered") if event.message_id else "",
}


def send_digests(now: datetime) -> int:
    """Writes the digests that are due and not written; returns how many letters. `now` is aware.

    A person whose digest cannot be put into words is logged and looked at again in the next round.
    """
    written = 0
    people = User.objects.filter(role=Role.CUSTOMER, is_active=True, membership__isnull=False)
    for name in list(people.order_by("timezone").values_list("timezone", flat=True).distinct()):
        here = now.astimezone(ZoneInfo(name))
        if here.time() < AT:
            continue
        last = 0
        while found := list(_due(people.filter(timezone=name), here.date(), now).filter(pk__gt=last)[:BATCH]):
            for person in found:
                try:
                    written += _write(person, here.date(), now)
                except Exception:  # one person's digest never stops the others
                    log.exception("the digest of person %s could not be written", person.pk)
            last = found[-1].pk
    return written


def _due(people: QuerySet[User], day: date, now: datetime) -> QuerySet[User]:
    """Who gets a digest and has none of this day; in order of keys."""
    return (
        choices.with_digest(people, now=now)
        .exclude(Exists(Digest.objects.filter(person=OuterRef("pk"), day=day)))
        .select_related("membership__customer", "mail_choices")
        .order_by("pk")
    )


@transaction.atomic
def _write(person: User, day: date, now: datetime) -> int:
    """One person's digest of one day of theirs: 1 if a letter was written."""
    until = datetime.combine(day, AT, ZoneInfo(person.timezone))
    row = getattr(person, "mail_choices", None)
    before = Digest.objects.filter(person=person, day__lt=day).order_by("-day").first()
    if before is None and max(person.joined_at, row.changed_at if row else person.joined_at) > until:
        return 0  # chosen, or joined, after today's nine o'clock: the first one comes tomorrow
    since = until - DAY
    if before is not None and before.until_at >= until - LONGEST:
        since = before.until_at
    if since >= until:
        return 0  # the zone was changed westwards: this hour was told already
    digest, is_new = Digest.objects.get_or_create(
        person=person, day=day, defaults={"since_at": since, "until_at": until}
    )
    if not is_new:
        return 0  # another job has it
    reader = reader_of(person, now)
    with translation.override(reader.language):
        letter = _letter(person.membership.customer, reader, since, until)
    if letter is None:
        return 0
    occasion = f"{outbound.DIGEST}{digest.pk}"
    outbound.write([Draft(occasion, reader, letter, kind=LetterKind.DIGEST)], now)
    digest.letter = OutgoingLetter.objects.filter(occasion=occasion).first()
    digest.save(update_fields=["letter"])
    return 1


def _letter(customer: Customer, reader: Reader, since: datetime, until: datetime) -> Letter | None:
    """What happened in [since, until) in words; None if nothing did."""
    assert reader.person is not None
    said = _said(reader.person, since, until)
    released = list(
        ReleaseNotice.objects.filter(customer=customer, told_at__gte=since, told_at__lt=until)
        .select_related("publication__release__product")
        .order_by("pk")
    )
    if not said and not released:
        return None
    shown = list(said)[:MOST]
    tickets = Ticket.objects.visible_to(reader.person).filter(pk__in=shown).with_clocks()
    facts = [
        (f"№ {ticket.number} {ticket.subject}", _line(ticket, said[ticket.pk], reader))
        for ticket in sorted(tickets, key=lambda ticket: shown.index(ticket.pk))
    ]
    lead = []
    if len(said) > MOST:
        more = len(said) - MOST
        lead.append(ngettext("%(n)d more is on the page.", "%(n)d more are on the page.", more) % {"n": more})
    facts += [(_("New release"), str(notice.publication.release)) for notice in released]
    count = ngettext("news of %(n)d request", "news of %(n)d requests", len(said)) % {"n": len(said)}
    return Letter(
        title=pgettext("letter", "The day in your requests"),
        heading=f"{customer.name}: {count}" if said else customer.name,
        lead=[
            _("From %(since)s to %(until)s.")
            % {"since": reader.moment(since, "date"), "until": reader.moment(until, "date")},
            *lead,
        ],
        facts=facts,
        button=Link(_("All requests of the company"), link("portal:company")),
        why=_("You get this letter once a day, when something happened, as one of the people of %(company)s.")
        % {"company": customer.name},
    )


def _line(ticket: Ticket, words: Iterable[str], reader: Reader) -> str:
    told = promise_words.tell(ticket, now=reader.now, zone=reader.zone)
    happened = "; ".join(words)
    return _("%(happened)s. Now: %(state)s. %(promise)s") % {
        "happened": happened[0].upper() + happened[1:],
        "state": promise_words.status(ticket),
        "promise": told.sentence,
    }


def _said(person: User, since: datetime, until: datetime) -> dict[int, list[str]]:
    """By ticket, the latest first: what happened, each thing once, in its order. Two statements."""
    own = Ticket.objects.visible_to(person)
    moved = own.filter(changed_at__gte=since).values("pk")
    events = Event.objects.filter(ticket__in=moved, at__gte=since, at__lt=until, verb__in=WORDS)
    found: dict[int, dict[str, None]] = {}
    for event in events.select_related("by").order_by("at", "pk"):
        if words := WORDS[event.verb](event):
            found[event.ticket_id] = {**found.pop(event.ticket_id, {}), words: None}
    missed = Commitment.objects.filter(
        ticket__in=own,
        kind__in=CUSTOMER_PROMISES,
        ending=Commitment.Ending.MISSED,
        due_at__gte=since,
        due_at__lt=until,
    )
    for key in missed.order_by("due_at", "pk").values_list("ticket_id", flat=True):
        found.setdefault(key, {})[pgettext("digest", "a promised time was missed")] = None
    return {key: list(said) for key, said in reversed(found.items())}
