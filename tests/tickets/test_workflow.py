"""The verbs (`tickets/workflow/`): receipt, conversation, solving, rating, calling in (domain §3, §4.4, §6).

Which move is legal in which state is in `test_moves.py`; due times are in `tests/sla/test_clocks.py`.
"""

import io
import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts.refusals import Forbidden
from contracts.entitlement import NotCovered
from sla.sweep import sweep
from tests.factories import (
    UserFactory,
    a_clause,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    contract_of,
    observer_of,
    open_ticket,
    top,
)
from tests.moments import november, tuesday
from tickets import workflow
from tickets.models import Event, HeldRequest, Message, Ticket
from tickets.tasks import close_silent
from tickets.verification import verify
from tickets.workflow import NotAllowed, Upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def story(ticket):
    return list(ticket.events.values_list("verb", flat=True))


def in_work(customer=None, **fields):
    ticket = open_ticket(customer, **fields)
    return workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 5))


def solved(customer=None, at=None, **fields):
    ticket = in_work(customer, **fields)
    return workflow.resolve(ticket, by=ticket.assignee, body="Restarted the service", at=at or tuesday(11))


# Receipt


def test_opening_pins_contract_terms_and_contact_and_writes_what_was_said():
    customer = a_customer()
    contract = contract_of(customer)

    ticket = open_ticket(customer, priority=1, subject="  Nothing   works \n", body="White page.", channel="email")

    ticket.refresh_from_db()
    assert (ticket.contract, ticket.terms, ticket.contact) == (contract, contract.terms, contact_of(customer))
    assert (ticket.state, ticket.kind, ticket.priority, ticket.line_id) == ("new", "incident", 1, 1)
    assert (ticket.subject, ticket.channel.name, ticket.opened_at) == ("Nothing works", "E-mail", tuesday(10))
    assert (ticket.owner, ticket.assignee) == (None, None)
    message = ticket.messages.get()
    assert (message.body, message.kind, message.by_vendor, message.author) == (
        "White page.",
        "public",
        False,
        contact_of(customer),
    )
    event = ticket.events.get()
    assert (event.verb, event.by, event.at, event.message) == ("opened", contact_of(customer), tuesday(10), message)
    assert event.details == {"line": 1, "priority": 1, "kind": "incident", "channel": "email"}


def test_opening_returns_a_ticket_that_knows_its_channel():
    assert open_ticket(channel="email").channel.name == "E-mail"


@pytest.mark.parametrize(
    ("topic", "line", "kind"),
    [
        ("how_to", 1, "consultation"),
        ("remote_connection", 1, "service_request"),
        ("database", 2, "incident"),
        ("integration", 3, "consultation"),
        ("defect", 4, "incident"),
    ],
)
def test_opening_enters_the_line_that_the_topic_names(topic, line, kind):
    ticket = open_ticket(topic=topic)

    assert (ticket.line_id, ticket.kind) == (line, kind)


def test_opening_needs_a_line_of_words():
    with pytest.raises(NotAllowed, match="Say in one line what happened"):
        open_ticket(subject=" \n ")

    assert not Ticket.objects.exists()


def test_opening_keeps_files_under_names_of_our_own():
    customer = a_customer()
    upload = Upload("отчёт.txt", "text/plain", io.BytesIO(b"log"), 3)

    ticket = open_ticket(customer, files=[upload])

    attachment = ticket.messages.get().attachments.get()
    assert (attachment.name, attachment.size, attachment.content_type) == ("отчёт.txt", 3, "text/plain")
    assert "отчёт" not in attachment.file.name
    assert attachment.file.read() == b"log"


def test_observer_reads_and_does_not_file():
    customer = a_customer()

    with pytest.raises(Forbidden) as refusal:
        open_ticket(customer, by=observer_of(customer))

    assert refusal.value.section == "1.7.1"
    assert refusal.value.message == (
        f"Requests are filed by the responsible contact of your company ({contact_of(customer).full_name}); "
        "you can read."
    )
    assert not Ticket.objects.exists()


def test_contact_of_another_company_does_not_file():
    with pytest.raises(Forbidden):
        open_ticket(a_customer(), by=contact_of(a_customer()))


def test_contract_administrator_does_not_write_down_calls():
    with pytest.raises(Forbidden, match="Only the support desk does this"):
        open_ticket(a_customer(), by=a_contract_admin())


def test_desk_writes_down_a_call_for_the_contact():
    customer, engineer = a_customer("business"), an_engineer()

    ticket = open_ticket(customer, by=engineer, channel="phone")

    assert (ticket.contact, ticket.events.get().by) == (contact_of(customer), engineer)


@pytest.mark.parametrize("channel", ["phone", "chat", "remote"])
def test_logged_call_ends_the_reaction_and_nothing_else(channel):
    engineer = an_engineer()

    ticket = open_ticket(priority=1, by=engineer, channel=channel)

    assert (ticket.state, ticket.assignee, ticket.owner) == ("new", None, engineer)
    assert list(ticket.commitments.order_by("kind").values_list("kind", "ending", "stopped_at", "why")) == [
        ("reaction", "met", tuesday(10), "call logged"),
        ("resolution", "", None, ""),
    ]
    assert ticket.events.get().details["call"] is True
    assert ticket.due_at == tuesday(12)


@pytest.mark.parametrize(("by_desk", "channel"), [(True, "email"), (True, "portal"), (False, "chat"), (False, "phone")])
def test_what_nobody_spoke_about_is_no_logged_call(by_desk, channel):
    customer = a_customer()

    ticket = open_ticket(customer, by=an_engineer() if by_desk else contact_of(customer), channel=channel)

    assert ticket.commitments.get(kind="reaction").ending == ""
    assert "call" not in ticket.events.get().details
    assert ticket.owner is None


@pytest.mark.parametrize(
    ("package", "topic", "priority", "proposed"),
    [("premium", "how_to", 1, None), ("basic", "how_to", 4, 1), ("business", "access", 4, 1), ("basic", None, 1, None)],
)
def test_contact_sets_the_priority_of_a_question_with_priority_management_only(package, topic, priority, proposed):
    ticket = open_ticket(a_customer(package), topic=topic, priority=1)

    assert (ticket.priority, ticket.proposed_priority) == (priority, proposed)


def test_same_key_twice_is_one_ticket():
    customer = a_customer()

    first = open_ticket(customer, key="a-form", subject="Once")
    again = open_ticket(customer, key="a-form", subject="Twice", at=tuesday(10, 1))
    of_another = open_ticket(a_customer(), key="a-form")

    assert (again, again.subject) == (first, "Once")
    assert of_another != first
    assert (first.messages.count(), first.commitments.count(), first.events.count()) == (1, 2, 1)


def test_same_key_twice_is_one_ticket_also_when_the_desk_writes_it_down():
    customer, engineer = a_customer(), an_engineer()

    first = open_ticket(customer, by=engineer, key="a-call", channel="phone")

    assert open_ticket(customer, by=engineer, key="a-call", channel="phone") == first


@pytest.mark.django_db(transaction=True)
def test_same_key_at_the_same_moment_is_one_ticket(catalogue_again):
    customer = a_customer()
    barrier = threading.Barrier(3)
    found = []

    def click():
        barrier.wait(timeout=30)
        try:
            found.append(open_ticket(customer, key="double-click").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert found == [Ticket.objects.get().pk] * 3
    assert Message.objects.count() == 1


# Not covered (domain §2, §3.5)


def test_opening_without_a_contract_in_force_is_refused_and_can_be_held():
    customer = a_customer(starts_on=date(2025, 1, 1))  # ended with 2025
    contact = contact_of(customer)

    with pytest.raises(NotCovered) as refusal:
        open_ticket(customer, subject="Nothing works", body="White page.")
    assert (refusal.value.reason, refusal.value.section, refusal.value.status) == ("no_contract", "2", 409)
    assert refusal.value.message == (
        "Your company has no support contract in force today. The request is recorded and put before our contract "
        "administrator, who will write to you."
    )

    held = workflow.hold(
        reason=refusal.value.reason,
        words=refusal.value.message,
        subject="Nothing\n works",
        body="White page.",
        at=tuesday(10),
        channel="portal",
        customer=customer,
        sender=contact,
    )
    assert not Ticket.objects.exists()
    held = HeldRequest.objects.get(pk=held.pk)
    assert (held.reason, held.subject, held.body) == ("no_contract", "Nothing works", "White page.")
    assert (held.customer, held.sender_address, held.received_at, held.settled_at) == (
        customer,
        contact.email,
        tuesday(10),
        None,
    )


@pytest.mark.parametrize(
    ("last_day_at", "covered"),
    [
        (tuesday(10).replace(month=12, day=31, hour=23, minute=59), True),
        (tuesday(10).replace(year=2027, month=1, day=1, hour=0), False),
    ],
)
def test_contract_covers_its_last_day_by_the_moscow_calendar(last_day_at, covered):
    customer = a_customer("basic")

    if covered:
        assert open_ticket(customer, at=last_day_at).contract == contract_of(customer)
    else:
        with pytest.raises(NotCovered):
            open_ticket(customer, at=last_day_at)


@pytest.mark.parametrize(
    ("package", "fields", "reason", "words"),
    [
        (
            "basic",
            {"topic": "development"},
            "not_in_package",
            "“Consulting on configuration and development on the platform” is not in your package (Basic). "
            "It is in: Business, Premium.",
        ),
        (
            "basic",
            {"channel": "phone"},
            "not_in_package",
            "“Online support: phone, chat, remote connection” is not in your package (Basic). "
            "It is in: Business, Premium.",
        ),
        (
            "premium",
            {"topic": "network_os"},
            "outside_support",
            "“Network and operating system” is outside support, unless the contract says otherwise: yours does not.",
        ),
        (
            "business",
            {"channel": "chat", "at": tuesday(20)},
            "closed_now",
            "The Chat channel is closed now; it opens on 18.11.2026 at 09:00 Moscow time.",
        ),
    ],
)
def test_opening_what_is_not_covered_says_why(package, fields, reason, words):
    with pytest.raises(NotCovered) as refusal:
        open_ticket(a_customer(package), **fields)

    assert (refusal.value.reason, refusal.value.message) == (reason, words)
    assert not Ticket.objects.exists()


def test_clause_lets_in_what_lies_outside_support():
    customer = a_customer("basic")
    a_clause(contract_of(customer), text_ru="Сеть", text_en="Networks included", topic_id="network_os")

    assert open_ticket(customer, topic="network_os").topic_id == "network_os"


def test_clause_lets_in_a_service_of_another_package():
    customer = a_customer("basic")
    a_clause(contract_of(customer), text_ru="Телефон", text_en="Phone included", service_id="online")

    assert open_ticket(customer, channel="phone").channel_id == "phone"


# Conversation


def test_accepting_makes_the_engineer_assignee_and_owner():
    engineer = an_engineer()

    ticket = workflow.accept(open_ticket(), by=engineer, at=tuesday(10, 5))

    assert (ticket.state, ticket.assignee, ticket.owner) == ("in_progress", engineer, engineer)
    with pytest.raises(NotAllowed, match="You work on this request already"):
        workflow.accept(ticket, by=engineer, at=tuesday(10, 6))


def test_colleague_takes_over_and_the_owner_stays():
    ticket, colleague = in_work(), an_engineer()
    owner = ticket.owner

    ticket = workflow.accept(ticket, by=colleague, at=tuesday(10, 30))

    assert (ticket.assignee, ticket.owner) == (colleague, owner)
    assert ticket.events.latest("pk").details == {"line": 1, "from": owner.full_name}


def test_replying_to_a_new_ticket_takes_it():
    engineer = an_engineer()

    message = workflow.reply(open_ticket(), by=engineer, body=" Looking at it \n", at=tuesday(10, 5))

    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.assignee, ticket.owner) == ("in_progress", engineer, engineer)
    assert (message.body, message.kind, message.by_vendor) == ("Looking at it", "public", True)


@pytest.mark.parametrize("verb", ["reply", "note", "ask_customer", "resolve"])
def test_empty_words_say_nothing(verb):
    ticket = in_work()

    with pytest.raises(NotAllowed):
        getattr(workflow, verb)(ticket, by=ticket.assignee, body=" \n ", at=tuesday(11))

    assert story(ticket) == ["opened", "accepted"]


@pytest.mark.parametrize("verb", ["reply", "note", "ask_customer", "resolve"])
def test_same_key_twice_says_it_once(verb):
    ticket = in_work()
    for minute in (0, 1):
        getattr(workflow, verb)(ticket, by=ticket.assignee, body="Once", at=tuesday(11, minute), key="click")

    assert ticket.messages.filter(body="Once").count() == 1
    assert len(story(ticket)) == 3


def test_customer_says_it_once_for_one_key():
    ticket = in_work()
    for minute in (0, 1):
        workflow.customer_reply(
            ticket, by=contact_of(ticket.customer), body="Still nothing", at=tuesday(11, minute), key="click"
        )

    assert ticket.messages.filter(body="Still nothing").count() == 1


def test_note_is_for_the_vendor_only():
    ticket = in_work()
    workflow.note(ticket, by=ticket.assignee, body="It is their proxy", at=tuesday(11))

    assert list(ticket.messages.visible_to(contact_of(ticket.customer)).filter(kind="note")) == []
    assert ticket.messages.visible_to(an_engineer(2)).filter(kind="note").count() == 1


@pytest.mark.parametrize(
    "verb", ["customer_reply", "confirm", "withdraw", "reopen", "escalate", "rate", "set_priority"]
)
def test_observer_reads_and_does_nothing_else(verb):
    ticket = solved()
    observer = observer_of(ticket.customer)
    words = {
        "customer_reply": {"body": "Me too"},
        "reopen": {"reason": "It is back"},
        "escalate": {"whom": "csm", "reason": "Slow"},
        "rate": {"score": 5},
        "set_priority": {"priority": 1, "reason": "Worse"},
    }.get(verb, {})

    with pytest.raises(Forbidden) as refusal:
        getattr(workflow, verb)(ticket, by=observer, at=tuesday(12), **words)

    assert refusal.value.message == (
        f"Only the responsible contact of your company ({contact_of(ticket.customer).full_name}) does this; "
        "you can read."
    )


@pytest.mark.parametrize(
    "person",
    [
        lambda ticket: contact_of(ticket.customer),
        lambda ticket: a_contract_admin(),
        lambda ticket: top(),
        lambda ticket: UserFactory(partner=True),
    ],
    ids=["contact", "contract administrator", "top management", "partner"],
)
def test_only_the_desk_works_tickets(person):
    ticket = open_ticket(priority=1)

    with pytest.raises(Forbidden, match="Only the support desk does this"):
        workflow.accept(ticket, by=person(ticket), at=tuesday(10, 5))


# Solved, confirmed, silent, reopened, closed


def test_solved_ticket_closes_after_five_working_days_of_silence():
    ticket = solved(at=tuesday(11))
    assert ticket.closes_at == november(24, 11)

    assert workflow.close_silent(ticket, at=november(24, 10, 59, 59)) is False
    assert workflow.close_silent(ticket, at=november(24, 11)) is True
    assert workflow.close_silent(ticket, at=november(24, 11)) is False

    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at, ticket.closes_at) == ("closed", november(24, 11), None)
    assert story(ticket) == ["opened", "accepted", "resolved", "closed_silent"]


def test_job_closes_what_has_been_silent_and_nothing_else():
    customer = a_customer()
    silent = solved(customer, at=tuesday(11))
    reopened = solved(customer, at=tuesday(11))
    workflow.reopen(reopened, by=contact_of(customer), reason="It is back", at=tuesday(12))
    fresh = solved(customer, at=tuesday(11))
    Ticket.objects.filter(pk=fresh.pk).update(closes_at=tuesday(11).replace(year=2100))
    Ticket.objects.filter(pk=silent.pk).update(closes_at=tuesday(11).replace(month=1))

    assert close_silent() == 1

    assert list(Ticket.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "in_progress", "resolved"]


def test_confirming_closes_with_a_word_or_without():
    ticket = workflow.confirm(solved(), by=contact_of(Ticket.objects.get().customer), at=tuesday(12), body="Thank you")

    assert (ticket.state, ticket.closed_at) == ("closed", tuesday(12))
    assert ticket.messages.latest("pk").body == "Thank you"


def test_answer_to_a_solved_ticket_reopens_it():
    ticket = solved()

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="It is back", at=tuesday(12))

    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_at, ticket.closes_at) == ("in_progress", None, None)
    assert story(ticket)[-1] == "reopened"


def test_answer_to_a_closed_ticket_makes_a_linked_follow_up():
    ticket = solved(priority=2, topic="database")
    contact = contact_of(ticket.customer)
    workflow.confirm(ticket, by=contact, at=tuesday(12))

    message = workflow.customer_reply(ticket, by=contact, body="It is back", at=tuesday(13), key="click")
    again = workflow.customer_reply(ticket, by=contact, body="It is back", at=tuesday(13), key="click")

    follow_up = message.ticket
    assert again == message
    assert (follow_up.follows, follow_up.state, follow_up.subject) == (ticket, "new", ticket.subject)
    assert (follow_up.priority, follow_up.topic, follow_up.opened_at) == (2, ticket.topic, tuesday(13))
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_answer_to_a_declined_ticket_contests_the_decline():
    ticket = in_work()
    workflow.decline(ticket, by=ticket.assignee, reason="Networks are outside support", at=tuesday(11))

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="It is your service", at=tuesday(12))

    ticket.refresh_from_db()
    assert ticket.state == "in_progress"
    assert story(ticket)[-2:] == ["declined", "contested"]


def test_contesting_twice_with_one_key_says_it_once():
    ticket = in_work()
    workflow.decline(ticket, by=ticket.assignee, reason="Networks are outside support", at=tuesday(11))

    for at in (tuesday(12), tuesday(12, 0, 1)):
        workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="It is your service", at=at, key="k")

    assert story(ticket)[-2:] == ["declined", "contested"]


def test_decline_names_its_condition():
    ticket = in_work()
    with pytest.raises(NotAllowed, match="Name the condition"):
        workflow.decline(ticket, by=ticket.assignee, reason=" ", at=tuesday(11))

    ticket = workflow.decline(ticket, by=ticket.assignee, reason="Networks are outside support", at=tuesday(11))

    assert ticket.events.latest("pk").details == {"reason": "Networks are outside support", "clause": "1.7.2"}
    assert ticket.messages.latest("pk").body == "Networks are outside support"


# Rating


def test_rating_is_one_to_five_after_the_solution():
    ticket = in_work()
    contact = contact_of(ticket.customer)
    with pytest.raises(NotAllowed, match="rated once it is solved"):
        workflow.rate(ticket, by=contact, score=5, at=tuesday(10, 30))
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(11))
    for score in (0, 6, -1):
        with pytest.raises(NotAllowed, match="a number from 1 to 5"):
            workflow.rate(ticket, by=contact, score=score, at=tuesday(12))

    rating = workflow.rate(ticket, by=contact, score=5, comment=" Quick ", at=tuesday(12))

    assert (rating.score, rating.comment, rating.by, rating.at) == (5, "Quick", contact, tuesday(12))
    assert not ticket.escalations.exists()


def test_rating_changes_for_seven_days():
    ticket = solved()
    contact = contact_of(ticket.customer)
    workflow.rate(ticket, by=contact, score=4, at=tuesday(12))

    assert workflow.rate(ticket, by=contact, score=5, at=november(24, 12)).score == 5
    with pytest.raises(NotAllowed, match="changed for seven days"):
        workflow.rate(ticket, by=contact, score=1, at=november(24, 12, 0, 1))

    assert ticket.events.filter(verb="rated").latest("pk").details == {"score": 5, "was": 4, "comment": ""}


@pytest.mark.parametrize(("scores", "follow_ups"), [([3], 0), ([2], 1), ([1], 1), ([2, 1], 1), ([5, 2], 1)])
def test_low_rating_opens_one_follow_up_of_the_csm(scores, follow_ups):
    csm = a_csm()
    ticket = solved(a_customer(csm=csm))
    for score in scores:
        workflow.rate(ticket, by=contact_of(ticket.customer), score=score, comment="Slow", at=tuesday(12))

    assert list(ticket.escalations.values_list("whom", "person", "state")) == [("csm", csm.pk, "open")] * follow_ups


def test_low_rating_falls_to_the_support_manager_where_there_is_no_csm():
    manager = a_manager()
    ticket = solved(a_customer("basic"))

    workflow.rate(ticket, by=contact_of(ticket.customer), score=1, comment="Slow", at=tuesday(12))

    follow_up = ticket.escalations.get()
    assert (follow_up.person, follow_up.cause, follow_up.reason) == (manager, "low_rating", "Slow")


# Calling in (domain §4.4)


def escalated(whom="csm", **fields):
    ticket = in_work(**fields)
    return workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom=whom, reason="Nobody answers", at=tuesday(10, 30)
    )


def test_contact_calls_in_the_csm_with_a_reason_and_a_clock():
    csm = a_csm()

    escalation = escalated(customer=a_customer(csm=csm), priority=1)

    assert (escalation.whom, escalation.person, escalation.reason) == ("csm", csm, "Nobody answers")
    assert escalation.cause == "customer"
    assert (escalation.state, escalation.answer_clock.due_at) == ("open", tuesday(11, 30))
    event = escalation.ticket.events.latest("pk")
    assert (event.verb, event.details["whom"], event.details["escalation"]) == ("escalated", "csm", escalation.pk)


def test_contact_calls_in_once_until_it_is_answered():
    escalation = escalated(priority=1)
    ticket, contact = escalation.ticket, escalation.raised_by

    with pytest.raises(NotAllowed, match="called in already"):
        workflow.escalate(ticket, by=contact, whom="csm", reason="Well?", at=tuesday(10, 40))
    workflow.escalate(ticket, by=contact, whom="top_management", reason="Well?", at=tuesday(10, 40))
    workflow.answer_escalation(escalation, by=a_manager(), answer="On it", at=tuesday(10, 50))
    workflow.escalate(ticket, by=contact, whom="csm", reason="And now?", at=tuesday(12))

    assert ticket.escalations.count() == 3


@pytest.mark.parametrize(
    ("whom", "reason", "words"),
    [("line_lead", "Slow", "to the Customer Success Manager or to top management"), ("csm", " ", "Write why")],
)
def test_calling_in_somebody_else_or_without_a_reason_is_refused(whom, reason, words):
    ticket = open_ticket()

    with pytest.raises(NotAllowed, match=words):
        workflow.escalate(ticket, by=contact_of(ticket.customer), whom=whom, reason=reason, at=tuesday(11))


def test_acknowledging_counts_once():
    csm = a_csm()
    escalation = escalated(customer=a_customer(csm=csm))

    escalation = workflow.acknowledge(escalation, by=csm, at=tuesday(10, 40))
    with pytest.raises(NotAllowed, match="acknowledged this escalation already"):
        workflow.acknowledge(escalation, by=a_manager(), at=tuesday(10, 41))

    assert (escalation.state, escalation.acknowledged_by, escalation.acknowledged_at) == (
        "acknowledged",
        csm,
        tuesday(10, 40),
    )
    escalation.answer_clock.refresh_from_db()
    assert escalation.answer_clock.ending == ""  # the answer is what was promised


@pytest.mark.parametrize(
    ("moment", "ending"), [(tuesday(11, 30), "met"), (tuesday(11, 30, 1), "missed")], ids=["in time", "late"]
)
def test_answer_closes_the_escalation_meets_its_clock_and_reaches_the_customer(moment, ending):
    csm = a_csm()
    escalation = escalated(customer=a_customer(csm=csm), priority=1)

    escalation = workflow.answer_escalation(escalation, by=csm, answer="On it", at=moment)

    assert (escalation.state, escalation.answer, escalation.closed_by) == ("closed", "On it", csm)
    assert (escalation.acknowledged_by, escalation.acknowledged_at) == (csm, moment)
    escalation.answer_clock.refresh_from_db()
    assert escalation.answer_clock.ending == ending
    message = escalation.ticket.messages.latest("pk")
    assert (message.body, message.kind, message.by_vendor) == ("On it", "public", True)
    with pytest.raises(NotAllowed, match="answered already"):
        workflow.answer_escalation(escalation, by=csm, answer="Again", at=moment)
    with pytest.raises(NotAllowed):
        workflow.acknowledge(escalation, by=csm, at=moment)


def test_answer_to_the_customer_is_a_reply_in_public_and_ends_the_reaction():
    csm = a_csm()
    ticket = open_ticket(a_customer(csm=csm), priority=2)
    escalation = workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom="csm", reason="Nobody answers", at=tuesday(10, 30)
    )

    workflow.answer_escalation(escalation, by=csm, answer="I am looking into it myself", at=tuesday(10, 40))

    reaction = ticket.commitments.get(kind="reaction")
    ticket.refresh_from_db()
    assert (reaction.ending, reaction.stopped_at, reaction.why) == ("met", tuesday(10, 40), "replied")
    assert (ticket.state, ticket.assignee) == ("new", None)  # said, not taken: the queue shows that nobody works on it
    assert list(verify(Ticket.objects.all(), clock=lambda: tuesday(12))) == []


def test_answer_needs_words():
    csm = a_csm()
    with pytest.raises(NotAllowed, match="Write the answer"):
        workflow.answer_escalation(escalated(customer=a_customer(csm=csm)), by=csm, answer=" ", at=tuesday(11))


def test_a_colleague_calls_in_somebody_above_once_and_no_clock_hears_it():
    csm, engineer = a_csm(), an_engineer()
    ticket = in_work(customer=a_customer(csm=csm), priority=1)
    before = list(ticket.commitments.values_list("kind", "due_at", "ending"))

    call = workflow.call_in(ticket, by=engineer, whom="csm", reason="They want a date", at=tuesday(10, 30))

    assert (call.whom, call.person, call.cause, call.raised_by) == ("csm", csm, "colleague", engineer)
    assert (call.state, call.answer_clock, call.reason) == ("open", None, "They want a date")
    assert list(ticket.commitments.values_list("kind", "due_at", "ending")) == before
    with pytest.raises(NotAllowed, match="was called in already"):
        workflow.call_in(ticket, by=an_engineer(), whom="csm", reason="Well?", at=tuesday(10, 31))
    workflow.call_in(ticket, by=engineer, whom="top_management", reason="Well?", at=tuesday(10, 31))
    workflow.answer_escalation(call, by=csm, answer="I call them", at=tuesday(10, 40))

    assert ticket.messages.count() == 1  # the answer is for the colleague, not for the customer
    event = ticket.events.latest("pk")
    assert (event.verb, event.details["answer"], event.details["asked_by"]) == (
        "escalation_answered",
        "I call them",
        engineer.pk,
    )
    assert list(verify(Ticket.objects.all(), clock=lambda: tuesday(11))) == []


@pytest.mark.parametrize(
    ("whom", "reason", "words"),
    [("assignee", "Slow", "Choose who"), ("csm", " ", "Write why"), ("", "x", "Choose who")],
)
def test_a_call_of_a_colleague_names_somebody_above_and_a_reason(whom, reason, words):
    with pytest.raises(NotAllowed, match=words):
        workflow.call_in(open_ticket(), by=an_engineer(), whom=whom, reason=reason, at=tuesday(11))


def test_who_calls_in_is_of_the_desk_and_not_who_is_called():
    lead = a_lead(line=1)
    ticket = open_ticket()
    ended = solved(ticket.customer)

    with pytest.raises(NotAllowed, match="That is you"):
        workflow.call_in(ticket, by=lead, whom="line_lead", reason="Help", at=tuesday(11))
    with pytest.raises(Forbidden):
        workflow.call_in(ticket, by=contact_of(ticket.customer), whom="csm", reason="Help", at=tuesday(11))
    with pytest.raises(NotAllowed, match="has ended"):
        workflow.call_in(ended, by=lead, whom="csm", reason="Help", at=tuesday(12))


def test_answer_to_an_alarm_of_the_ladder_stays_inside():
    lead = a_lead(line=1)
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 25))

    alarm = ticket.escalations.get(whom="line_lead")

    with pytest.raises(NotAllowed, match="Write what was done"):
        workflow.answer_escalation(alarm, by=lead, answer=" ", at=tuesday(10, 26))
    workflow.answer_escalation(alarm, by=lead, answer="Taken", at=tuesday(10, 26))

    assert ticket.messages.count() == 1
    assert ticket.commitments.get(kind="reaction").ending == ""  # the ladder goes on: nobody has reacted


@pytest.mark.parametrize("end", ["withdraw", "decline", "resolve"])
def test_called_in_people_owe_their_answer_also_when_the_ticket_has_ended(end):
    escalation = escalated(priority=1)
    ticket = escalation.ticket
    by = ticket.contact if end == "withdraw" else ticket.assignee
    words = {"withdraw": {}, "decline": {"reason": "Networks"}, "resolve": {"body": "Restarted"}}[end]

    getattr(workflow, end)(ticket, by=by, at=tuesday(10, 40), **words)

    escalation.refresh_from_db()
    assert (escalation.state, escalation.answer_clock.ending) == ("open", "")


PEOPLE = {
    "engineer": an_engineer,
    "line lead": a_lead,
    "another csm": a_csm,
    "support manager": a_manager,
    "top management": top,
    "contract administrator": a_contract_admin,
}


@pytest.mark.parametrize("whom", ["csm", "top_management"])
@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_answer_a_customer(who, whom):
    may = {
        "csm": {"another csm", "support manager", "top management"},
        "top_management": {"support manager", "top management"},
    }[whom]
    escalation, person = escalated(whom=whom), PEOPLE[who]()

    if who in may:
        workflow.acknowledge(escalation, by=person, at=tuesday(10, 40))
        assert workflow.answer_escalation(escalation, by=person, answer="On it", at=tuesday(11)).state == "closed"
    else:
        for verb, words in (("acknowledge", {}), ("answer_escalation", {"answer": "On it"})):
            with pytest.raises(Forbidden, match="waits for somebody else"):
                getattr(workflow, verb)(escalation, by=person, at=tuesday(10, 40), **words)


@pytest.mark.parametrize(
    ("whom", "may"),
    [
        ("line_queue", {"engineer", "line lead", "another csm", "support manager", "top management"}),
        ("line_lead", {"line lead", "another csm", "support manager", "top management"}),
    ],
)
def test_who_may_acknowledge_an_alarm_of_the_line(whom, may):
    a_lead()  # so that the alarm has a person of its own
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 25))
    alarm = ticket.escalations.get(whom=whom)

    def able(person):
        try:
            with transaction.atomic():
                workflow.acknowledge(alarm, by=person, at=tuesday(10, 26))
                transaction.set_rollback(True)
        except Forbidden:
            return False
        return True

    assert {who for who, make in PEOPLE.items() if able(make())} == may


# Assigning


def test_lead_assigns_and_the_reaction_waits_for_that_person():
    ticket, engineer, lead = open_ticket(priority=1), an_engineer(), a_lead()

    ticket = workflow.assign(ticket, by=lead, to=engineer, at=tuesday(10, 5))

    assert (ticket.state, ticket.assignee, ticket.owner) == ("new", engineer, engineer)
    assert ticket.commitments.get(kind="reaction").ending == ""
    with pytest.raises(Forbidden, match="A line lead or the support manager assigns"):
        workflow.assign(ticket, by=engineer, to=an_engineer(), at=tuesday(10, 6))
    with pytest.raises(NotAllowed, match="does not work at the desk"):
        workflow.assign(ticket, by=lead, to=top(), at=tuesday(10, 6))
    contact = contact_of(ticket.customer)
    with pytest.raises(Forbidden):
        workflow.assign(ticket, by=contact, to=contact, at=tuesday(10, 6))


# What happened, for ever


@pytest.mark.parametrize(
    "changes", [{"verb": "closed"}, {"by": None}, {"at": tuesday(9)}, {"details": {"from": 9}}, {"ticket": None}]
)
def test_database_refuses_to_change_what_happened(changes):
    event = open_ticket().events.get()
    if "ticket" in changes:
        changes = {"ticket": open_ticket()}

    with pytest.raises(IntegrityError, match="an event is never changed"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(**changes)

    Event.objects.filter(pk=event.pk).update(notified_at=tuesday(10, 1))


def test_database_refuses_a_note_of_the_customer():
    ticket = solved()
    with pytest.raises(IntegrityError, match="message_note_by_vendor"), transaction.atomic():
        Message.objects.create(
            ticket=ticket,
            author=ticket.contact,
            kind="note",
            by_vendor=False,
            body="?",
            channel_id="portal",
            created_at=tuesday(12),
        )


def test_last_change_never_goes_back():
    ticket = in_work()
    workflow.note(ticket, by=ticket.assignee, body="Late entry", at=ticket.opened_at - timedelta(hours=1))

    ticket.refresh_from_db()
    assert ticket.changed_at == tuesday(10, 5)
