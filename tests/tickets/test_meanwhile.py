"""Nobody overwrites a colleague unknowingly: an act made from an older look says who did what since (UX §11)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories import UserFactory, a_manager, an_engineer, contact_of, open_ticket
from tickets import workflow
from tickets.models import Event, Macro, Ticket
from tickets.workflow import ABOUT, ChangedMeanwhile

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def colleague() -> User:
    return UserFactory(engineer=True, lines=[1, 2, 3], full_name="Pavel Klimov")


@pytest.fixture
def me() -> User:
    return UserFactory(lead=True, lines=[1, 2, 3], full_name="Ivan Gordeev", language="en")


@pytest.fixture
def ticket(me: User) -> Ticket:
    now = timezone.now()
    opened = open_ticket(priority=1, kind="incident", at=now - timedelta(minutes=5))
    return workflow.accept(opened, by=me, at=now - timedelta(minutes=4))


def last_event(ticket: Ticket) -> int:
    return Event.objects.filter(ticket=ticket).latest("pk").pk


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_stale_reclassification_is_asked_about_and_done_by_a_second_press(
    ticket: Ticket, me: User, colleague: User, client: Client
) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    assert f'name="as_of" value="{as_of}"' in client.get(reverse("desk:ticket", args=[ticket.number])).content.decode()
    workflow.reclassify(ticket, by=colleague, priority=2, reason="Half of it works", at=timezone.now())
    words = {"priority": 3, "kind": "incident", "reason": "A report only"}

    refused = client.post(reverse("desk:classification", args=[ticket.number]), {**words, "as_of": as_of})

    page = refused.content.decode()
    assert (refused.status_code, again(ticket).priority) == (409, 2)
    assert "Pavel Klimov</b>: priority 1 → 2 <q>Half of it works</q>" in page
    assert "Do it anyway" in page
    assert "A report only</textarea>" in page
    assert f'name="as_of" value="{last_event(ticket)}"' in page

    done = client.post(reverse("desk:classification", args=[ticket.number]), {**words, "as_of": last_event(ticket)})

    assert (done.status_code, again(ticket).priority) == (303, 3)


def test_stale_hand_over_does_not_move_it_from_where_it_went(ticket: Ticket, me: User, colleague: User) -> None:
    as_of = last_event(ticket)
    workflow.hand_over(ticket, by=colleague, to_line=3, known="A", asked="B", at=timezone.now())

    with pytest.raises(ChangedMeanwhile) as refusal:
        workflow.hand_over(ticket, by=me, to_line=2, known="C", asked="D", at=timezone.now(), as_of=as_of)

    assert [(step.by, step.what) for step in refusal.value.steps] == [(colleague, "line 1 → 3")]
    assert "Pavel Klimov" in refusal.value.message
    assert again(ticket).line_id == 3


ACTS: dict[str, Any] = {
    "classification": lambda ticket, **by: workflow.reclassify(ticket, priority=4, reason="Small", **by),
    "handover": lambda ticket, **by: workflow.hand_over(ticket, to_line=3, known="K", asked="A", **by),
    "assignment": lambda ticket, **by: workflow.assign(ticket, to=an_engineer(1), **by),
    "restoration": lambda ticket, **by: workflow.restore(ticket, workaround="Print from the server", **by),
    "decline": lambda ticket, **by: workflow.decline(ticket, reason="Networks", **by),
    "resolution": lambda ticket, **by: workflow.resolve(ticket, body="Restarted", **by),
    "defect": lambda ticket, **by: workflow.attach_defect(ticket, title="T", steps="S", expected="E", actual="A", **by),
}

CHANGES: dict[str, Any] = {
    "priority": lambda ticket, **by: workflow.reclassify(ticket, priority=2, reason="Half works", **by),
    "line": lambda ticket, **by: workflow.hand_over(ticket, to_line=2, known="K", asked="A", **by),
    "person": lambda ticket, **by: workflow.accept(ticket, **by),
    "defect": lambda ticket, **by: workflow.attach_defect(
        ticket, title="Other", steps="S", expected="E", actual="A", **by
    ),
    "words": lambda ticket, **by: workflow.reply(ticket, body="We are looking", **by),
    "note": lambda ticket, **by: workflow.note(ticket, body="Seen before", **by),
}

MATTERS = {
    "classification": {"priority"},
    "handover": {"line", "person"},
    "assignment": {"line", "person"},
    "restoration": {"priority"},
    "decline": {"line", "person", "words"},
    "resolution": {"line"},
    "defect": {"defect"},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("act", ACTS)
def test_only_what_matters_to_the_act_is_asked_about(
    act: str, change: str, ticket: Ticket, me: User, colleague: User
) -> None:
    as_of, now = last_event(ticket), timezone.now()
    CHANGES[change](ticket, by=colleague, at=now)

    if change in MATTERS[act]:
        with pytest.raises(ChangedMeanwhile):
            ACTS[act](ticket, by=me, at=now, as_of=as_of)
    else:
        ACTS[act](ticket, by=me, at=now, as_of=as_of)


@pytest.mark.parametrize("act", ACTS)
def test_own_changes_and_an_unknown_look_are_not_asked_about(act: str, ticket: Ticket, me: User) -> None:
    as_of, now = last_event(ticket), timezone.now()
    workflow.reclassify(ticket, by=me, priority=2, reason="Half works", at=now)
    workflow.note(ticket, by=me, body="Mine", at=now)

    ACTS[act](ticket, by=me, at=now, as_of=as_of)


def test_who_took_a_new_request_by_answering_is_not_relieved_of_it_unknowingly(me: User, colleague: User) -> None:
    ticket = open_ticket(at=timezone.now())
    as_of = last_event(ticket)
    workflow.reply(ticket, by=colleague, body="We are looking", at=timezone.now())

    with pytest.raises(ChangedMeanwhile, match="answered the customer, and took it"):
        workflow.assign(ticket, by=me, to=an_engineer(), at=timezone.now(), as_of=as_of)


def test_stale_acceptance_of_what_went_to_another_line_is_asked_about(
    ticket: Ticket, me: User, colleague: User
) -> None:
    workflow.hand_over(ticket, by=an_engineer(), to_line=2, known="K", asked="A", at=timezone.now())
    as_of = last_event(ticket)
    workflow.hand_over(ticket, by=colleague, to_line=3, known="K", asked="A", at=timezone.now())

    for verb, words in ((workflow.accept, {}), (workflow.return_hand_over, {"reason": "Not ours"})):
        with pytest.raises(ChangedMeanwhile):
            verb(ticket, by=me, at=timezone.now(), as_of=as_of, **words)


def test_going_on_without_an_answer_is_asked_about_when_a_new_question_was_put(
    ticket: Ticket, me: User, colleague: User
) -> None:
    workflow.ask_customer(ticket, by=me, body="Which version?", at=timezone.now())
    as_of = last_event(ticket)
    workflow.stop_waiting(ticket, by=colleague, at=timezone.now())
    workflow.ask_customer(ticket, by=colleague, body="Which server?", at=timezone.now())

    with pytest.raises(ChangedMeanwhile):
        workflow.stop_waiting(ticket, by=me, at=timezone.now(), as_of=as_of)


def test_reopening_is_asked_about_when_it_was_solved_again(ticket: Ticket, me: User, colleague: User) -> None:
    workflow.resolve(ticket, by=me, body="Restarted", at=timezone.now())
    as_of = last_event(ticket)
    workflow.reopen(ticket, by=colleague, reason="No", at=timezone.now())
    workflow.resolve(ticket, by=colleague, body="Reinstalled", at=timezone.now())

    with pytest.raises(ChangedMeanwhile):
        workflow.reopen(ticket, by=me, reason="It stands again", at=timezone.now(), as_of=as_of)


def test_the_customers_own_priority_is_not_overwritten_unknowingly(ticket: Ticket, me: User) -> None:
    as_of = last_event(ticket)
    workflow.set_priority(ticket, by=contact_of(ticket.customer), priority=2, reason="We can wait", at=timezone.now())

    with pytest.raises(ChangedMeanwhile):
        workflow.reclassify(ticket, by=me, priority=3, reason="Small", at=timezone.now(), as_of=as_of)


def test_deadline_is_not_proposed_on_a_priority_that_was_changed(ticket: Ticket, me: User, colleague: User) -> None:
    workflow.reclassify(ticket, by=me, priority=3, reason="Small", at=timezone.now())
    as_of = last_event(ticket)
    workflow.reclassify(ticket, by=colleague, priority=4, reason="Smaller", at=timezone.now())

    with pytest.raises(ChangedMeanwhile):
        workflow.propose_deadline(
            ticket, by=me, due_at=timezone.now() + timedelta(days=60), reason="R", at=timezone.now(), as_of=as_of
        )


def test_each_form_that_can_overwrite_says_what_it_was_made_from(ticket: Ticket, client: Client) -> None:
    client.force_login(a_manager())

    page = client.get(reverse("desk:ticket", args=[ticket.number])).content.decode()

    as_of = f'name="as_of" value="{last_event(ticket)}"'
    for name in ("acceptance", "handover", "resolution", "decline", "classification", "restoration", "assignment"):
        form = page.split(f'action="{reverse(f"desk:{name}", args=[ticket.number])}"')[1].split("</form>")[0]
        assert as_of in form, name
    assert set(ABOUT) >= {"handover", "return", "classification", "assignment", "decline", "waiting", "deadline"}


@pytest.mark.parametrize("as_of", ["", "x", "-1", "9" * 30])
def test_nonsense_of_what_was_seen_is_passed_over(as_of: str, ticket: Ticket, me: User, client: Client) -> None:
    client.force_login(me)

    answer = client.post(
        reverse("desk:classification", args=[ticket.number]),
        {"priority": 3, "kind": "incident", "reason": "Small", "as_of": as_of},
    )

    assert answer.status_code == 303


def test_missing_words_keep_what_the_person_had_seen(ticket: Ticket, me: User, colleague: User, client: Client) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    workflow.reclassify(ticket, by=colleague, priority=2, reason="Half of it works", at=timezone.now())

    answer = client.post(
        reverse("desk:classification", args=[ticket.number]), {"priority": 3, "kind": "incident", "as_of": as_of}
    )

    form = answer.content.decode().split('aria-labelledby="sent-heading"')[1].split("</form>")[0]
    assert (answer.status_code, f'name="as_of" value="{as_of}"' in form) == (422, True)


def test_stale_solution_quotes_the_colleague_and_is_sent_all_the_same(
    ticket: Ticket, me: User, colleague: User, client: Client
) -> None:
    client.force_login(me)
    seen = ticket.messages.latest("pk").pk
    theirs = workflow.reply(ticket, by=colleague, body="The cause is the licence server", at=timezone.now())
    words = {"body": "Restarted", "key": "k"}

    refused = client.post(reverse("desk:resolution", args=[ticket.number]), {**words, "seen": seen})

    form = refused.content.decode().split('aria-labelledby="sent-heading"')[1].split("</form>")[0]
    assert refused.status_code == 409
    assert "The cause is the licence server" in form
    assert "Do it anyway" in form
    assert f'name="seen" value="{theirs.pk}"' in form
    assert "Restarted</textarea>" in form

    done = client.post(reverse("desk:resolution", args=[ticket.number]), {**words, "seen": theirs.pk})

    assert (done.status_code, again(ticket).state) == (303, "resolved")


# What is done along with words


def said_with(client: Client, ticket: Ticket, **more: Any) -> Any:
    words = {"kind": "reply", "body": "A report only: it goes on tomorrow.", "key": "k"}
    return client.post(reverse("desk:messages", args=[ticket.number]), {**words, **more})


MACROS: dict[str, dict[str, Any]] = {
    "priority": {"priority": 3},
    "line": {"to_line_id": 3, "known": "Known", "asked": "Asked"},
    "resolution": {"resolves": True},
}


@pytest.mark.parametrize(("does", "change"), [("priority", "priority"), ("line", "line"), ("resolution", "line")])
def test_macro_asks_about_what_a_colleague_changed_and_nothing_of_it_happens(
    does: str, change: str, ticket: Ticket, me: User, colleague: User, client: Client
) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    macro = Macro.objects.create(title="Small", kind="reply", body_ru="Завтра", body_en="Tomorrow", **MACROS[does])
    CHANGES[change](ticket, by=colleague, at=timezone.now())
    before, said = again(ticket), ticket.messages.count()

    refused = said_with(client, ticket, macro=macro.pk, as_of=as_of)

    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Not sent yet: others changed this in the meantime" in page
    assert "Pavel Klimov</b>: " in page
    assert "A report only: it goes on tomorrow.</textarea>" in page
    now = again(ticket)
    assert (now.priority, now.line_id, now.state) == (before.priority, before.line_id, before.state)
    assert ticket.messages.count() == said

    done = said_with(client, ticket, macro=macro.pk, as_of=last_event(ticket))

    assert (done.status_code, ticket.messages.count()) == (303, said + 1)


def test_question_about_a_note_speaks_of_a_note(ticket: Ticket, me: User, colleague: User, client: Client) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    macro = Macro.objects.create(title="Pass on", kind="note", body_ru="Дальше", **MACROS["line"])
    workflow.hand_over(ticket, by=colleague, to_line=2, known="K", asked="A", at=timezone.now())

    page = said_with(client, ticket, kind="note", macro=macro.pk, as_of=as_of).content.decode()

    assert '<span class="when-note">Not kept yet: others changed this in the meantime</span>' in page
    assert '<span class="when-note">Keep the note anyway</span>' in page


def test_words_alone_do_not_ask_about_what_they_do_not_change(
    ticket: Ticket, me: User, colleague: User, client: Client
) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    workflow.reclassify(ticket, by=colleague, priority=2, reason="Half works", at=timezone.now())

    assert said_with(client, ticket, as_of=as_of).status_code == 303


def test_send_and_mark_as_solved_stays_that_after_the_question(
    ticket: Ticket, me: User, colleague: User, client: Client
) -> None:
    client.force_login(me)
    as_of = last_event(ticket)
    workflow.hand_over(ticket, by=colleague, to_line=3, known="K", asked="A", at=timezone.now())

    refused = said_with(client, ticket, then="resolve", as_of=as_of)

    assert refused.status_code == 409
    assert '<button class="btn btn--s" name="then" value="resolve">Send and mark as solved anyway' in (
        refused.content.decode()
    )
    assert said_with(client, ticket, then="resolve", as_of=last_event(ticket)).status_code == 303
    assert again(ticket).state == "resolved"


def test_api_says_what_it_saw_and_is_asked(ticket: Ticket, me: User, colleague: User) -> None:
    api = APIClient(headers={"accept-language": "en"})
    api.force_login(me)
    as_of = api.get(f"/api/tickets/{ticket.number}/").json()["as_of"]
    workflow.reclassify(ticket, by=colleague, priority=2, reason="Half works", at=timezone.now())
    words = {"priority": 3, "reason": "A report only"}

    refused = api.post(f"/api/tickets/{ticket.number}/classification/", {**words, "as_of": as_of}, format="json")

    assert (refused.status_code, again(ticket).priority) == (409, 2)
    assert "Pavel Klimov" in refused.json()["detail"]
    done = api.post(f"/api/tickets/{ticket.number}/classification/", words, format="json")
    assert (done.status_code, done.json()["priority"]) == (200, 3)


@pytest.mark.parametrize("path", ["replies", "questions", "resolution"])
def test_words_of_the_api_sent_twice_with_one_key_are_said_once(path: str, ticket: Ticket, me: User) -> None:
    api = APIClient()
    api.force_login(me)

    answers = [
        api.post(f"/api/tickets/{ticket.number}/{path}/", {"body": "Restarted.", "key": "one"}, format="json")
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert ticket.messages.filter(body="Restarted.").count() == 1
