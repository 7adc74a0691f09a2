"""The demo year, played: each story with the verbs of the workflow at past moments, and the sweep between them.

Who writes when, and what, is cast before (`casting`). What a story leaves open is when things happen: engineers take
and answer within their targets mostly, customers in their own office hours. A story whose next turn would lie in the
future stops there: that ticket is open today. Deterministic by the seed and the day.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time, timedelta
from random import Random

from django.db import transaction

from accounts.models import Role, User
from contracts import entitlement
from contracts.models import Customer, PromiseKind, Topic
from helpdesk.demo.agreements import agreement
from helpdesk.demo.casting import Part
from helpdesk.demo.company import Company, moment
from helpdesk.demo.people import CUSTOMERS, ENGINEERS, CustomerPlan
from helpdesk.demo.stories_en import STORIES as STORIES_EN
from helpdesk.demo.stories_ru import STORIES as STORIES_RU
from helpdesk.demo.story import Deck, Story, Turn
from mail import outbound
from sla.business_time import WorkingCalendar
from sla.models import Commitment, Escalation, Whom
from sla.sweep import sweep
from tickets import workflow
from tickets.models import Defect, HeldRequest, State, Ticket

OFFICE = {day: [(time(9, 0), time(18, 0))] for day in range(5)}
ROUND_THE_CLOCK = {day: [(time(0, 0), time(0, 0))] for day in range(7)}
ANY_TIME = WorkingCalendar("UTC", ROUND_THE_CLOCK)
VENDOR_OFFICE = WorkingCalendar("Europe/Moscow", OFFICE)
SWEEP_LAG = timedelta(seconds=1)  # beat looks every second: a rung is written just after its moment
LETTERS_SINCE = timedelta(days=2)

# How long engineers work between two turns, in minutes of working time, by priority.
WORK = {1: (4, 16), 2: (25, 140), 3: (60, 420), 4: (90, 700)}
ALL_DAY_PRIORITIES = {1, 2}  # worked round the clock where the package is (domain §1.3)


# What the CSM writes after a low rating (domain §4.4).
AFTER_LOW_RATING = {
    "ru": (
        "Созвонились и разобрали, что было не так. Ответ по таким обращениям теперь смотрит лидер линии до отправки.",
        "Спасибо за прямой ответ. Показали переписку линии, следующее такое обращение возьму под контроль.",
        "Вы правы: о ходе работы мы должны были писать сами. Договорились, что сообщаем о нём каждые четыре часа.",
    ),
    "en": (
        "We spoke and went through what went wrong. A line lead now reads such answers before they leave.",
        "Thank you for being frank. The line has read this conversation, and I watch the next request of this kind.",
        "You are right: we should have told you how it goes. From now on you hear from us every four hours.",
    ),
}


def play(parts: Iterable[Part], made: Company, *, now: datetime, seed: int, go_on: bool = False) -> Iterator[Part]:
    """Plays parts of the year, each in one transaction; yields each when it is done.

    `go_on`: a year that was broken off is taken up again; what was played already is left as it is.
    """
    for part in parts:
        with transaction.atomic():
            if not (go_on and _is_played(part, made)):
                _Play(made, part, now, Random(f"{seed}:{part.number}")).run()
        yield part


def _is_played(part: Part, made: Company) -> bool:
    return made.customers[part.plan.code].tickets.filter(subject=part.story.subject[:200]).exists()


def is_finished() -> bool:
    """Whether a demo was played to its end: held requests come last, and every demo has one (a contract ran out)."""
    return HeldRequest.objects.exists()


def play_held(made: Company, *, now: datetime, seed: int) -> None:
    """The requests that did not become tickets."""
    with transaction.atomic():
        _held(made, now, Random(f"{seed}:held"))


# One ticket


class _Play:
    """One story on its way through the house."""

    def __init__(self, made: Company, part: Part, now: datetime, rng: Random) -> None:
        self.made, self.now, self.rng = made, now, rng
        self.plan, self.story, self.licence = part.plan, part.story, part.licence
        self.customer: Customer = made.customers[part.plan.code]
        self.customer_office = WorkingCalendar(part.plan.timezone, OFFICE)
        self.opened_at = self.at = part.at
        self.has_agreed = False
        # Dice of its own: what else happens in the ticket is the same with a proposal and without.
        self.proposed = agreement(Random(f"{part.number}:{part.story.subject}"), part.story.language)

    def run(self) -> None:
        day = (self.opened_at.date() - self.made.today).days
        topic: Topic | None = Topic.objects.select_related("line").get(pk=self.story.topic)
        if topic is not None and topic.line_id != self.story.path[0]:
            topic = None  # told as it came to the first line, before anybody knew what it was
        self.ticket: Ticket = workflow.open_ticket(
            customer=self.customer,
            by=self._contact(self.opened_at),
            subject=self.story.subject,
            body=self.story.opening,
            at=self.opened_at,
            channel=self._channel(),
            kind=self.story.kind,
            topic=topic,
            priority=self.story.priority,
            product=self.made.products[self.licence.product],
            release=self.made.releases[self.licence.product, self.licence.version_on(day)],
            language=self.story.language,
        )
        self.terms = self.ticket.terms.calendar.version_at(self.opened_at)
        self.round_the_clock = self.terms.is_round_the_clock
        for number, turn in enumerate(self.story.turns):
            at = self._when(turn, number)
            if at > self.now:
                break
            self._sweep(at)
            self.at = at
            self._keep(self._turn(turn))
            self._post()
            if not self.has_agreed and turn.kind in {"accept", "answer", "restore"}:
                self._agree()
        self._sweep(self.now)
        self._post()
        if self.ticket.state == State.RESOLVED and self.ticket.closes_at and self.ticket.closes_at <= self.now:
            workflow.close_silent(self.ticket, at=self.ticket.closes_at)

    def _post(self) -> None:
        """Letters are written as the post round would have written them then; a year of old ones nobody wants."""
        if self.at >= self.now - LETTERS_SINCE:
            outbound.mark_history_notified(self.now - LETTERS_SINCE)
            outbound.write_letters(self.at)

    # When

    def _when(self, turn: Turn, number: int) -> datetime:
        if turn.kind == "accept":
            return self._acceptance()
        if turn.side == "customer":
            return self._customer_moment(turn)
        if turn.kind == "answer_escalation":
            return self._in(self.terms.working_calendar(), 10, 50)
        if turn.kind == "resolve" and (late := self._late_resolution()) is not None:
            return late
        calendar = ANY_TIME if self._all_day else VENDOR_OFFICE
        least, most = (float(minutes) for minutes in WORK[self.ticket.priority])
        if turn.kind in {"note", "defect", "hand_over"}:
            least, most = least / 2, most / 3
        return self._in(calendar, least, most)

    def _late_resolution(self) -> datetime | None:
        """One resolution in twenty comes after its time."""
        if self.rng.random() > 0.05:
            return None
        clock = Commitment.objects.running().filter(ticket=self.ticket, kind=PromiseKind.RESOLUTION).first()
        if clock is None:
            return None
        return clock.calendar.add(max(clock.due_at, self.at), clock.target * self.rng.uniform(0.02, 0.3))

    @property
    def _all_day(self) -> bool:
        return self.round_the_clock and self.ticket.priority in ALL_DAY_PRIORITIES

    def _in(self, calendar: WorkingCalendar, least: float, most: float) -> datetime:
        minutes = self.rng.triangular(least, most, least + (most - least) / 4)
        return calendar.add(self.at, timedelta(seconds=int(minutes * 60)))

    def _acceptance(self) -> datetime:
        """Within the reaction (or the line's own) target mostly; about one in twenty-five late."""
        clock = (
            Commitment.objects.running()
            .filter(ticket=self.ticket, kind__in=[PromiseKind.REACTION, PromiseKind.LINE_ACCEPTANCE])
            .select_related("calendar_version")
            .order_by("-started_at")
            .first()
        )
        if clock is None:
            return self._in(VENDOR_OFFICE, 5, 60)
        part = self.rng.triangular(0.04, 0.85, 0.2)
        if self.story.pace == "late" and clock.kind == PromiseKind.REACTION:
            part = self.rng.uniform(1.1, 1.8)
        elif self.rng.random() < 0.025:
            part = self.rng.uniform(1.02, 2.2)
        return clock.calendar.add(max(self.at, clock.started_at), clock.target * part)

    def _customer_moment(self, turn: Turn) -> datetime:
        urgent = self.ticket.priority == 1 and turn.kind in {"answer", "says", "escalate", "reopen"}
        if urgent:
            return self._in(ANY_TIME if self.round_the_clock else self.terms.working_calendar(), 3, 15)
        spans = {
            "answer": (20, 900),
            "says": (30, 500),
            "escalate": (30, 240),
            "confirm": (30, 1300),
            "reopen": (60, 900),
            "rate": (2, 600),
        }
        least, most = spans.get(turn.kind, (30, 600))
        return self._in(self.customer_office, least, most)

    # Who

    def _channel(self) -> str:
        wanted = self.rng.choices(["portal", "email", "phone", "chat"], weights=[58, 30, 8, 4])[0]
        if wanted in {"phone", "chat"}:
            contract = entitlement.contract_of(self.customer, at=self.opened_at)
            if not entitlement.check(contract, channel=wanted, topic=None, at=self.opened_at).allowed:
                return "portal"
        return wanted

    def _contact(self, at: datetime) -> User:
        for tenure in self.plan.contacts:
            since = moment(self.made.today + timedelta(days=tenure.since))
            until = None if tenure.until is None else moment(self.made.today + timedelta(days=tenure.until))
            if since <= at and (until is None or at < until):
                return self.made.people[tenure.person.email]
        raise LookupError(f"{self.customer} has no responsible contact at {at}")

    def _engineer(self) -> User:
        """Who works on it now; else somebody of the line who speaks the language."""
        if self.ticket.assignee_id is not None and self.ticket.assignee is not None:
            return self.ticket.assignee
        from_line = [
            self.made.people[person.email]
            for person in ENGINEERS
            if self.ticket.line_id in person.lines and self.story.language in person.speaks
        ]
        return self.rng.choice(from_line)

    # What

    def _keep(self, done: object) -> None:
        """Verbs answer with the ticket as it is then, or with something that knows it."""
        now = done if isinstance(done, Ticket) else getattr(done, "ticket", None)
        if isinstance(now, Ticket) and now.pk == self.ticket.pk:
            self.ticket = now
        else:
            self.ticket.refresh_from_db()

    def _turn(self, turn: Turn) -> object:
        play: dict[str, Callable[[Turn], object]] = {
            "accept": lambda turn: workflow.accept(self.ticket, by=self._engineer(), at=self.at),
            "reply": lambda turn: workflow.reply(self.ticket, by=self._engineer(), body=turn.text, at=self.at),
            "note": lambda turn: workflow.note(self.ticket, by=self._engineer(), body=turn.text, at=self.at),
            "ask": lambda turn: workflow.ask_customer(self.ticket, by=self._engineer(), body=turn.text, at=self.at),
            "hand_over": self._hand_over,
            "send_back": lambda turn: workflow.return_hand_over(
                self.ticket, by=self._engineer(), reason=turn.text, at=self.at
            ),
            "restore": lambda turn: workflow.restore(
                self.ticket, by=self._engineer(), workaround=turn.text, at=self.at, to_priority=turn.priority or 3
            ),
            "reclassify": lambda turn: workflow.reclassify(
                self.ticket, by=self._engineer(), reason=turn.text, at=self.at, priority=turn.priority
            ),
            "defect": self._defect,
            "resolve": lambda turn: workflow.resolve(self.ticket, by=self._engineer(), body=turn.text, at=self.at),
            "decline": lambda turn: workflow.decline(self.ticket, by=self._engineer(), reason=turn.text, at=self.at),
            "answer": self._says,
            "says": self._says,
            "confirm": lambda turn: workflow.confirm(
                self.ticket, by=self._contact(self.at), at=self.at, body=turn.text
            ),
            "reopen": lambda turn: workflow.reopen(
                self.ticket, by=self._contact(self.at), reason=turn.text, at=self.at
            ),
            "escalate": lambda turn: workflow.escalate(
                self.ticket, by=self._contact(self.at), whom=turn.whom, reason=turn.text, at=self.at
            ),
            "contest": lambda turn: workflow.contest(
                self.ticket, by=self._contact(self.at), reason=turn.text, at=self.at
            ),
            "withdraw": lambda turn: workflow.withdraw(
                self.ticket, by=self._contact(self.at), reason=turn.text, at=self.at
            ),
            "rate": self._rate,
            "answer_escalation": self._answer_escalation,
        }
        return play[turn.kind](turn)

    def _says(self, turn: Turn) -> object:
        return workflow.customer_reply(self.ticket, by=self._contact(self.at), body=turn.text, at=self.at)

    def _hand_over(self, turn: Turn) -> object:
        return workflow.hand_over(
            self.ticket,
            by=self._engineer(),
            to_line=turn.line or 1,
            known=turn.known,
            tried=turn.tried,
            asked=turn.asked,
            at=self.at,
        )

    def _defect(self, turn: Turn) -> None:
        known = Defect.objects.filter(title=turn.title, reported_at__lte=self.at).first()
        workflow.attach_defect(
            self.ticket,
            by=self._engineer(),
            at=self.at,
            defect=known,
            title=turn.title,
            steps=turn.steps,
            expected=turn.expected,
            actual=turn.actual,
        )

    def _answer_escalation(self, turn: Turn) -> None:
        called = self.ticket.escalations.open().filter(raised_by__role=Role.CUSTOMER).latest("pk")
        by = called.person or User.objects.filter(role=Role.SUPPORT_MANAGER).earliest("pk")
        workflow.answer_escalation(called, by=by, answer=turn.text, at=self.at)

    def _rate(self, turn: Turn) -> None:
        workflow.rate(self.ticket, by=self._contact(self.at), score=turn.score or 5, comment=turn.text, at=self.at)
        self.ticket.refresh_from_db()
        call = self.ticket.escalations.open().filter(cause=Escalation.Cause.LOW_RATING).first()
        at = self._in(VENDOR_OFFICE, 40, 700)
        if call is not None and call.person is not None and at < self.now:
            answer = AFTER_LOW_RATING[self.story.language]
            workflow.answer_escalation(call, by=call.person, answer=self.rng.choice(answer), at=at)

    def _agree(self) -> None:
        """Another deadline is proposed for the solution, and mostly answered (domain §4.2)."""
        clock = Commitment.objects.running().filter(ticket=self.ticket, kind=PromiseKind.RESOLUTION).first()
        if self.proposed is None or not workflow.offers_deadline(self.ticket, clock):
            return
        assert clock is not None
        at = VENDOR_OFFICE.add(self.at, timedelta(minutes=self.proposed.after))
        answered = VENDOR_OFFICE.add(at, timedelta(minutes=self.proposed.answered_after))
        due_at = clock.calendar.add(max(clock.due_at, at), timedelta(hours=9) * self.proposed.days)
        if at > self.now or due_at <= answered:
            return
        self.has_agreed = True
        self._to(at)
        proposal = workflow.propose_deadline(
            self.ticket, due_at=due_at, reason=self.proposed.reason, by=self._signatory(self.proposed.side), at=at
        )
        if answered > self.now or self.proposed.outcome == "unanswered":
            self.ticket.refresh_from_db()
            return
        self._to(answered)
        other = self._signatory("customer" if self.proposed.side == "vendor" else "vendor")
        if self.proposed.outcome == "accepted":
            workflow.accept_deadline(proposal, by=other, at=answered)
        elif self.proposed.outcome == "refused":
            workflow.refuse_deadline(proposal, words=self.proposed.refusal, by=other, at=answered)
        else:
            workflow.withdraw_deadline(proposal, by=self._signatory(self.proposed.side), at=answered)
        self.ticket.refresh_from_db()

    def _to(self, at: datetime) -> None:
        """It is later now: the house has done until then what it does by itself."""
        self._sweep(at)
        self.at = at

    def _signatory(self, side: str) -> User:
        """Who signs a deadline for a side: the contact, or the lead of the line, else the support manager."""
        if side == "customer":
            return self._contact(self.at)
        leads = User.objects.filter(role=Role.LINE_LEAD, lines=self.ticket.line_id, is_active=True)
        return leads.order_by("pk").first() or User.objects.filter(role=Role.SUPPORT_MANAGER).earliest("pk")

    # What the house does by itself meanwhile

    def _sweep(self, until: datetime) -> None:
        """The job as beat would have run it until this moment; the people whom it called in say that they came."""
        while True:
            due = (
                Commitment.objects.due_for_check(until)
                .filter(ticket=self.ticket)
                .values_list("next_check_at", flat=True)
                .first()
            )
            if due is None or due + SWEEP_LAG > until:
                break
            sweep(due + SWEEP_LAG)
            self._acknowledge(until)
        for proposal in self.ticket.deadline_proposals.open().filter(due_at__lte=until):
            workflow.lapse_deadline(proposal, at=proposal.due_at)  # its job would have done so then

    def _acknowledge(self, until: datetime) -> None:
        called = self.ticket.escalations.filter(
            state=Escalation.State.OPEN, whom__in=[Whom.LINE_LEAD, Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT]
        ).select_related("person")
        for escalation in called:
            at = escalation.reached_at + timedelta(seconds=self.rng.randint(90, 2400))
            if escalation.person is not None and at < until and self.rng.random() < 0.8:
                escalation.refresh_from_db(fields=["state"])  # a higher rung takes the lower ones with it
                if escalation.state == Escalation.State.OPEN:
                    workflow.acknowledge(escalation, by=escalation.person, at=at)


def _held(made: Company, now: datetime, rng: Random) -> None:
    """Requests that did not become tickets: after the contract ended, and outside support."""
    if HeldRequest.objects.exists():
        return
    for plan in CUSTOMERS:
        customer = made.customers[plan.code]
        for story in (*STORIES_RU, *STORIES_EN):
            if not story.is_held or story.language != plan.language or plan.clauses or rng.random() > 0.3:
                continue
            told = story.render(rng)
            at = VENDOR_OFFICE.next_opening(now - timedelta(days=rng.randint(2, 60)))
            _try(plan, customer, told, min(at, now - timedelta(hours=5)))  # a week-end's opening may be to come
        if plan.ends_in < 0:
            told = Deck(rng, STORIES_RU).deal(lambda story: story.topic == "how_to")
            _try(plan, customer, told, now - timedelta(days=3, hours=2))


def _try(plan: CustomerPlan, customer: Customer, told: Story, at: datetime) -> None:
    contact = customer.contact_at(at)
    if contact is None:
        return
    topic = Topic.objects.get(pk=told.topic)
    try:
        contract = entitlement.contract_of(customer, at=at)
        entitlement.check(contract, channel="portal", topic=topic, at=at).or_refuse()
    except entitlement.NotCovered as refusal:
        reason = (
            HeldRequest.Reason.NO_CONTRACT if refusal.reason == "no_contract" else HeldRequest.Reason.NOT_IN_PACKAGE
        )
        workflow.hold(
            reason=reason,
            words=str(refusal),
            subject=told.subject,
            body=told.opening,
            at=at,
            channel="portal",
            customer=customer,
            sender=contact,
        )
