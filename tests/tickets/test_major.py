"""A major incident: declared, linked, its customers told with one note, solved, ended, reviewed."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Absence
from accounts.refusals import Forbidden, Refused
from mail import outbound
from mail.models import OutgoingLetter
from tests.factories import (
    ReleaseFactory,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import tuesday
from tickets import broadcasts, workflow
from tickets.models import MajorChild, MajorIncident, MajorNote, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def a_head(**fields):
    return open_ticket(priority=1, **{"product": ReleaseFactory().product, **fields})


def declared(head=None, by=None, **fields):
    words = {"title": "Nobody can sign in", "reason": "Five customers", **fields}
    return workflow.declare_major(head or a_head(), by=by or an_engineer(), at=tuesday(10, 10), **words)


def a_child(incident, **fields):
    ticket = open_ticket(**{"product": incident.head.product, "priority": 1, **fields})
    workflow.link_children(incident, [ticket], by=a_lead(), at=tuesday(10, 12))
    return ticket


def solved(ticket, at=None):
    workflow.resolve(ticket, by=a_lead(), body="Заменили сертификат", at=at or tuesday(10, 50))


def ended(incident, **fields):
    """Over, as it can be once its head is solved."""
    solved(incident.head)
    return workflow.end_major(incident, **{"by": a_lead(), "what_happened": "It ran out", "at": tuesday(11), **fields})


def page_of(client, incident):
    return client.get(reverse("desk:major_page", args=[incident.pk])).content.decode()


def title_of(answer):
    return answer.content.decode().split("<title>")[1].split("</title>")[0]


def test_declared_incident_has_its_head_a_coordinator_and_a_timeline():
    engineer, head = an_engineer(), a_head()

    incident = declared(head, by=engineer)

    assert (incident.state, incident.coordinator, incident.head) == ("open", engineer, head)
    assert [(child.ticket, child.is_head) for child in incident.children.all()] == [(head, True)]
    assert list(incident.notes.values_list("kind", "verb")) == [("fact", "declared")]
    assert head.events.filter(verb="major_declared").count() == 1


@pytest.mark.parametrize("fields", [{"priority": 2}, {"kind": "consultation", "priority": 4}])
def test_only_an_incident_of_priority_1_is_declared(fields):
    with pytest.raises(Refused, match="priority 1"):
        declared(open_ticket(**fields))


def test_closed_incident_is_not_declared():
    head = a_head()
    workflow.withdraw(head, by=contact_of(head.customer), at=tuesday(10, 5))

    with pytest.raises(Refused, match="priority 1"):
        declared(head)


@pytest.mark.parametrize(("make", "may"), [(an_engineer, True), (a_lead, True), (a_manager, True), (a_csm, False)])
def test_who_leads_a_major_incident(make, may):
    head = a_head()

    if may:
        assert declared(head, by=make()).head == head
    else:
        with pytest.raises(Forbidden):
            declared(head, by=make())


def test_request_belongs_to_one_open_incident_at_most():
    first, second = declared(), declared()
    child = a_child(first)

    with pytest.raises(Refused, match="belongs to an open major incident already"):
        workflow.link_children(second, [child], by=a_lead(), at=tuesday(10, 13))
    with pytest.raises(IntegrityError), transaction.atomic():
        MajorChild.objects.create(incident=second, ticket=child, linked_at=tuesday(11), linked_by=a_lead())
    with pytest.raises(Refused, match="belongs to an open major incident already"):
        declared(child)


def test_requests_of_an_ended_incident_are_free_for_another():
    first = declared()
    child = a_child(first)
    ended(first)

    workflow.link_children(declared(), [child], by=a_lead(), at=tuesday(12))

    assert list(MajorChild.objects.filter(ticket=child).values_list("is_open", flat=True)) == [False, True]


def test_link_is_all_or_nothing():
    first, second = declared(), declared()
    taken, free = a_child(first), open_ticket()

    with pytest.raises(Refused):
        workflow.link_children(second, [free, taken], by=a_lead(), at=tuesday(10, 13))

    assert list(second.children.values_list("is_head", flat=True)) == [True]


def test_head_stays_and_another_is_taken_out():
    incident = declared()
    child = a_child(incident)

    with pytest.raises(Refused, match="head"):
        workflow.unlink_child(incident, incident.head, by=a_lead(), at=tuesday(11))
    workflow.unlink_child(incident, child, by=a_lead(), at=tuesday(11))

    assert [row.ticket for row in incident.children.all()] == [incident.head]
    assert child.events.filter(verb="major_left").count() == 1


def test_suggested_are_open_requests_of_the_product_since_shortly_before():
    incident = declared(a_head(at=tuesday(10)))
    near = open_ticket(product=incident.head.product, at=tuesday(9, 30))
    open_ticket(product=incident.head.product, at=tuesday(3))
    open_ticket(product=None)
    open_ticket(product=incident.head.product, kind="consultation", priority=4)
    a_child(incident)
    closed = open_ticket(product=incident.head.product)
    workflow.withdraw(closed, by=contact_of(closed.customer), at=tuesday(10, 5))

    assert list(workflow.major_candidates(incident)) == [near]


def test_head_without_a_product_has_no_other_requests_of_its_product():
    incident = declared(a_head(product=None, at=tuesday(10)))
    open_ticket(product=None, at=tuesday(10, 5))

    assert list(workflow.major_candidates(incident)) == []


# One note to all


def test_note_is_a_public_message_in_head_and_children_each_in_its_language_and_ends_the_reaction():
    incident = declared(a_head(language="ru"))
    child = a_child(incident, language="en")
    stranger = open_ticket(product=incident.head.product)

    sent = workflow.tell_affected(incident, by=a_lead(), text_ru="Чиним", text_en="We repair it", at=tuesday(10, 20))
    broadcasts.advance(sent, at=tuesday(10, 20), seconds=None)

    said = [list(one.messages.filter(by_vendor=True).values_list("kind", "body")) for one in (incident.head, child)]
    assert said == [[("public", "Чиним")], [("public", "We repair it")]]
    assert stranger.messages.filter(by_vendor=True).count() == 0
    assert child.commitments.get(kind="reaction").ending == "met"
    assert Ticket.objects.get(pk=child.pk).assignee is None


def test_each_customer_gets_one_letter_that_names_no_other_customer():
    incident = declared()
    child = a_child(incident)
    outbound.mark_history_notified(tuesday(10, 15))

    sent = workflow.tell_affected(incident, by=a_lead(), text_ru="Чиним", at=tuesday(10, 20))
    broadcasts.advance(sent, at=tuesday(10, 20), seconds=None)
    outbound.write_letters(tuesday(10, 21))

    letters = OutgoingLetter.objects.filter(occasion__startswith="event:")
    assert {letter.person for letter in letters} == {contact_of(one.customer) for one in (incident.head, child)}
    for letter, other in ((letters.get(ticket=child), incident.head), (letters.get(ticket=incident.head), child)):
        assert other.customer.name not in letter.text
        assert str(other.number) not in letter.text


def test_customer_sees_the_note_and_nothing_of_the_incident(client):
    incident = declared(title="Secret name of the disturbance")
    child = a_child(incident)
    sent = workflow.tell_affected(incident, by=a_lead(), text_ru="Чиним вход", at=tuesday(10, 20))
    broadcasts.advance(sent, at=tuesday(10, 20), seconds=None)
    workflow.write_major_note(incident, by=a_lead(), text="Secret among us", at=tuesday(10, 21))
    client.force_login(contact_of(child.customer))

    page = client.get(reverse("portal:ticket", args=[child.number])).content.decode()

    assert "Чиним вход" in page
    assert "Secret" not in page
    assert incident.head.customer.name not in page
    assert client.get(reverse("desk:major_page", args=[incident.pk])).status_code == 403


def test_killed_note_goes_on_and_is_said_once():
    incident = declared()
    children = [a_child(incident) for _number in range(2)]
    sent = workflow.tell_affected(incident, by=a_lead(), text_ru="Чиним", at=tuesday(10, 20))

    broadcasts.carry_out_one(sent, at=tuesday(10, 20))  # and the worker is killed here
    broadcasts.advance(sent, at=tuesday(10, 30), seconds=None)
    broadcasts.advance(sent, at=tuesday(10, 40), seconds=None)

    counts = [one.messages.filter(by_vendor=True).count() for one in (incident.head, *children)]
    assert counts == [1, 1, 1]


def test_second_click_tells_nobody_twice():
    incident, by = declared(), a_lead()

    first, second = (
        workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(10, 20), key="one") for _click in (0, 1)
    )

    assert first == second
    assert incident.notes.filter(kind="customers").count() == 1


def test_same_note_from_another_copy_of_the_page_goes_only_to_who_does_not_have_it():
    incident, by = declared(a_head(language="ru")), a_lead()
    workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(10, 20), key="one")

    with pytest.raises(Refused, match="All of them got these words"):
        workflow.tell_affected(incident, by=a_manager(), text_ru="Чиним", at=tuesday(10, 21), key="two")
    child = a_child(incident)
    again = workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(10, 22), key="three")
    later = workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(12), key="four")

    assert [item.ticket for item in again.items.all()] == [child]
    assert later.items.count() == 2


def test_text_in_the_other_language_that_is_added_goes_only_to_who_reads_it():
    incident, by = declared(a_head(language="ru")), a_lead()
    child = a_child(incident, language="en")
    workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(10, 20))

    both = workflow.tell_affected(incident, by=by, text_ru="Чиним", text_en="We repair it", at=tuesday(10, 25))

    assert [item.ticket for item in both.items.all()] == [child]


def test_page_says_how_many_read_which_language_and_after_it_who_had_no_text(client):
    incident = declared(a_head(language="ru"))
    a_child(incident, language="en")
    client.force_login(a_lead(language="en"))
    sent = reverse("desk:major_messages", args=[incident.pk])

    page = page_of(client, incident)
    answer = client.post(sent, {"text_ru": "Чиним", "text_en": "", "key": "k"}, follow=True).content.decode()

    form = page.split(f'action="{sent}"')[1].split("</form>")[0]
    assert form.count("1 customer reads it") == 2
    assert "(optional)" not in form
    assert "At least one of the two texts is needed" in page
    assert 'data-confirm="Send these words to 2 customers? They cannot be taken back."' in form
    assert "1 customer reads English, and there was no English text: they got the Russian one" in answer


def test_note_without_words_is_refused():
    with pytest.raises(Refused, match="Write what the customers are to know"):
        workflow.tell_affected(declared(), by=a_lead(), text_ru=" ", at=tuesday(10, 20))


def test_all_are_solved_with_the_same_words_and_what_is_refused_is_named():
    incident = declared()
    child, withdrawn = a_child(incident), a_child(incident)
    sent = workflow.solve_affected(incident, by=a_lead(), text_ru="Заменили сертификат", at=tuesday(11))
    workflow.withdraw(withdrawn, by=contact_of(withdrawn.customer), at=tuesday(11))

    broadcasts.advance(sent, at=tuesday(11, 1), seconds=None)

    assert list(sent.items.values_list("ticket", "outcome")) == [
        (incident.head.pk, "solved"),
        (child.pk, "solved"),
        (withdrawn.pk, "skipped"),
    ]
    assert Ticket.objects.get(pk=child.pk).state == "resolved"


def test_page_lists_what_a_solution_solves_and_asks_with_the_number(client):
    incident = declared()
    child = a_child(incident)
    client.force_login(a_lead(language="en"))

    block = page_of(client, incident).split('id="solution"')[1].split("</section>")[0]

    assert "It solves 2 requests:" in block
    assert f"№ {child.number}</a>" in block
    assert block.count("nobody works on it") == 2
    assert 'data-confirm="Solve 2 open requests with these words? Nobody has taken 2 of them yet."' in block
    assert "Solve 2 open requests</button>" in block


def test_solution_is_offered_while_something_is_open(client):
    incident = declared()
    child = a_child(incident)
    client.force_login(a_lead(language="en"))
    solved(incident.head)
    before = page_of(client, incident)
    solved(child)

    after = page_of(client, incident)

    assert "The head is solved." in before
    assert "The head is solved." not in after
    assert reverse("desk:major_solution", args=[incident.pk]) not in after


@pytest.mark.parametrize(
    ("language", "facts"),
    [("ru", ["обращение", "ещё открыто", "клиент"]), ("en", ["request", "is still open", "customer"])],
)
def test_one_is_counted_in_the_singular(client, language, facts):
    incident = declared()
    client.force_login(a_lead(language=language))

    shown = page_of(client, incident).split('class="facts"')[1].split("</ul>")[0]

    assert [one.split("</li>")[0] for one in shown.split("<b>1</b>")[1:]] == facts


# The end


def test_review_that_a_colleague_changed_meanwhile_is_asked_about(client):
    lead, colleague = a_lead(language="en"), a_lead(full_name="Anna First")
    incident = declared()
    solved(incident.head)
    incident = workflow.end_major(incident, by=lead, what_happened="It ran out", at=tuesday(11))
    client.force_login(lead)
    address = reverse("desk:major_review", args=[incident.pk])
    form = client.get(reverse("desk:major_page", args=[incident.pk])).context["forms"]["review"]
    workflow.review_major(incident, by=colleague, cause="A certificate", at=tuesday(12))

    mine = {"cause": "The database", "was": form["was"].value()}
    refused = client.post(address, mine)
    kept = MajorIncident.objects.get().cause
    again = refused.context["forms"]["review"]
    client.post(address, {name: again[name].value() for name in again.fields})

    assert (refused.status_code, kept) == (409, "A certificate")
    assert "Anna First changed the same texts in the meantime" in refused.content.decode()
    assert MajorIncident.objects.get().cause == "The database"


def test_end_needs_what_happened_and_the_review_comes_after_it():
    incident, lead = declared(), a_lead()

    with pytest.raises(Refused, match="end the incident first"):
        workflow.review_major(incident, by=lead, cause="A certificate", at=tuesday(11))
    solved(incident.head)
    with pytest.raises(Refused, match="Write what happened"):
        workflow.end_major(incident, by=lead, what_happened=" ", at=tuesday(11))
    workflow.end_major(incident, by=lead, what_happened="It ran out", at=tuesday(11))
    workflow.review_major(incident, by=lead, cause="A certificate", went_badly="Slow", at=tuesday(12))
    action = workflow.add_major_action(
        incident, by=lead, text="Watch it", owner=lead, due_on=date(2026, 12, 1), at=tuesday(12)
    )
    workflow.finish_major_action(action, by=lead, at=tuesday(13))

    kept = MajorIncident.objects.get()
    assert (kept.state, kept.cause, kept.went_badly, kept.reviewed_by) == ("ended", "A certificate", "Slow", lead)
    assert list(kept.notes.values_list("verb", flat=True)) == [
        "declared",
        "ended",
        "reviewed",
        "action",
        "action_done",
    ]


def test_it_is_not_over_while_the_head_is_open(client):
    incident = declared()
    client.force_login(a_lead(language="en"))

    with pytest.raises(Refused, match=f"№ {incident.head.number}, is still open: solve it"):
        workflow.end_major(incident, by=a_lead(), what_happened="It ran out", at=tuesday(11))

    assert MajorIncident.objects.get().is_open
    page = page_of(client, incident)
    assert "is still open: solve it" in page
    assert reverse("desk:major_end", args=[incident.pk]) not in page


def test_open_children_are_named_where_it_is_ended_and_in_the_timeline(client):
    incident = declared()
    child = a_child(incident)
    solved(incident.head)
    client.force_login(a_lead(language="en"))

    page = page_of(client, incident)
    client.post(reverse("desk:major_end", args=[incident.pk]), {"what_happened": "It ran out"})

    end = page.split("End the major incident</summary>")[1].split("</details>")[0]
    assert f"№ {child.number}</a>" in end
    assert 'data-confirm="End the major incident while 1 request of it is open? It cannot be undone."' in end
    assert "It is over, 1 request stays open</button>" in end
    assert MajorIncident.objects.get().state == "ended"
    assert f"Over; still open: № {child.number}" in page_of(client, incident)


def test_moment_of_a_short_incident_is_said_once(client):
    incident = ended(declared(), at=tuesday(10, 10))
    client.force_login(a_lead(language="en"))

    head = page_of(client, incident).split('class="mgh"')[1].split("</div>")[0]

    assert head.count("<time") == 1


@pytest.mark.parametrize(
    "verb",
    [
        lambda incident, by: workflow.tell_affected(incident, by=by, text_ru="Чиним", at=tuesday(12)),
        lambda incident, by: workflow.link_children(incident, [open_ticket()], by=by, at=tuesday(12)),
        lambda incident, by: workflow.change_coordinator(incident, by=by, to=a_lead(), at=tuesday(12)),
        lambda incident, by: workflow.end_major(incident, by=by, what_happened="Again", at=tuesday(12)),
    ],
)
def test_what_is_over_is_not_led_any_more(verb):
    incident, by = declared(), a_lead()
    ended(incident)

    with pytest.raises(Refused, match="over"):
        verb(incident, by)


def test_coordinator_is_one_who_may_lead():
    incident = declared()

    with pytest.raises(Refused, match="cannot coordinate"):
        workflow.change_coordinator(incident, by=a_lead(), to=a_csm(), at=tuesday(11))
    manager = a_manager(language="en")
    workflow.change_coordinator(incident, by=a_lead(), to=manager, at=tuesday(11))

    assert MajorIncident.objects.get().coordinator == manager


def test_who_becomes_coordinator_gets_a_letter_unless_they_took_it_over_themselves():
    incident, manager, lead = declared(), a_manager(language="en"), a_lead()
    outbound.mark_history_notified(tuesday(10, 15))

    workflow.change_coordinator(incident, by=lead, to=manager, at=tuesday(11))
    workflow.change_coordinator(incident, by=lead, to=lead, at=tuesday(11, 30))
    outbound.write_letters(tuesday(11, 31))

    letter = OutgoingLetter.objects.get()
    assert letter.person == manager
    assert "You coordinate a major incident" in letter.subject
    assert reverse("desk:major_page", args=[incident.pk]) in letter.text
    assert incident.reason in letter.text


def test_who_is_named_where_it_is_declared_gets_the_letter_too():
    outbound.mark_history_notified(tuesday(10, 5))
    manager = a_manager(language="en")

    declared(coordinator=manager)
    outbound.write_letters(tuesday(10, 11))

    assert OutgoingLetter.objects.filter(person=manager, subject__contains="You coordinate").count() == 1


def test_who_is_away_is_marked_among_who_may_coordinate(client):
    incident, away, other = declared(), an_engineer(), a_lead(language="en")
    now = timezone.now()
    Absence.objects.create(user=away, starts_at=now, ends_at=now + timedelta(days=3), substitute=other)
    client.force_login(other)

    page = page_of(client, incident)

    assert f'<option value="{away.pk}">{away.full_name}, away until ' in page
    assert f", {other.full_name} stands in</option>" in page


def test_action_is_due_on_a_day_to_come(client):
    incident, lead = ended(declared()), a_lead(language="en")
    client.force_login(lead)
    said = {"text": "Watch the date", "owner": lead.pk, "due_on": "2020-01-01"}

    answer = client.post(reverse("desk:major_actions", args=[incident.pk]), said)

    assert answer.status_code == 409
    assert "This day is over already" in answer.content.decode()
    assert 'value="Watch the date"' in answer.content.decode()
    assert not incident.actions.exists()
    workflow.add_major_action(incident, by=lead, text="Today", owner=lead, due_on=date(2026, 11, 17), at=tuesday(12))


def test_timeline_is_never_changed():
    incident = declared()

    with pytest.raises(IntegrityError), transaction.atomic():
        MajorNote.objects.filter(incident=incident).update(verb="else")


# Pages


@pytest.mark.parametrize("name", ["desk:majors", "desk:major_page", "manage:board"])
def test_pages_cost_the_same_for_one_and_three(client, django_assert_num_queries, name):
    incident = declared()
    a_child(incident)
    open_ticket(product=incident.head.product)
    client.force_login(a_manager())
    address = reverse(name, args=[incident.pk] if name.endswith("page") else [])
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for _number in range(2):
        a_child(incident)
        open_ticket(product=incident.head.product)
        declared()

    with django_assert_num_queries(len(one)):
        assert client.get(address).status_code == 200


def test_incident_is_declared_beside_the_ticket_and_led_on_its_page(client):
    head, other = a_head(), open_ticket(product=ReleaseFactory().product)
    lead = a_lead()
    client.force_login(lead)

    answer = client.post(reverse("desk:major", args=[head.number]), {"title": "Sign-in", "reason": "Many"})
    incident = MajorIncident.objects.get()
    page = reverse("desk:major_page", args=[incident.pk])
    client.post(reverse("desk:major_children", args=[incident.pk]), {"tickets": [other.number], "numbers": ""})
    client.post(reverse("desk:major_messages", args=[incident.pk]), {"text_ru": "Чиним", "text_en": "", "key": "k"})

    assert answer.status_code == 303
    assert incident.title in client.get(reverse("desk:ticket", args=[other.number])).content.decode()
    assert client.get(page).status_code == 200
    assert other.messages.get(by_vendor=True).body == "Чиним"
    assert incident.title in client.get(reverse("manage:board")).content.decode()


def test_number_that_is_not_there_is_an_error_of_the_form_which_keeps_what_was_chosen(client):
    incident = declared(a_head(at=tuesday(10)))
    near = open_ticket(product=incident.head.product, at=tuesday(10, 5))
    client.force_login(a_lead(language="en"))

    answer = client.post(
        reverse("desk:major_children", args=[incident.pk]), {"numbers": "99999999", "tickets": [near.number]}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is no request № 99999999." in page
    assert 'value="99999999"' in page
    assert f'name="tickets" value="{near.number}" checked' in page
    assert title_of(answer).startswith("Error: ")
    assert incident.children.count() == 1


def test_what_a_rule_refuses_is_said_on_the_page_with_what_was_typed(client):
    incident, taken = declared(), declared()
    client.force_login(a_lead(language="en"))

    answer = client.post(
        reverse("desk:major_children", args=[incident.pk]), {"numbers": str(taken.head.number), "tickets": []}
    )

    assert answer.status_code == 409
    assert "belongs to an open major incident already" in answer.content.decode()
    assert f'value="{taken.head.number}"' in answer.content.decode()
    assert title_of(answer).startswith("Error: ")


@pytest.mark.parametrize(("make", "forms"), [(a_lead, True), (a_csm, False), (top, False)])
def test_others_read(client, make, forms):
    incident = declared()
    client.force_login(make())

    page = client.get(reverse("desk:major_page", args=[incident.pk])).content.decode()

    assert ('action="/w/major/' in page) is forms


def test_missing_words_keep_what_was_typed(client):
    incident = declared()
    client.force_login(a_lead(language="en"))

    answer = client.post(reverse("desk:major_messages", args=[incident.pk]), {"text_ru": " ", "text_en": ""})

    assert answer.status_code == 422


def test_customer_of_the_head_has_no_page_of_the_incident(client):
    incident = declared()
    client.force_login(contact_of(a_customer()))

    assert client.get(reverse("desk:majors")).status_code == 403
    assert client.post(reverse("desk:major_end", args=[incident.pk]), {"what_happened": "x"}).status_code == 403
