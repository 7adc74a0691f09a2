"""What goes over the wire, the fragments that are fetched for it, and who is there (direction §10)."""

import gzip
import re
import signal
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contracts.models import PromiseKind
from helpdesk import bundles
from sla import wire
from sla.sweep import sweep
from tests.factories import a_contract_admin, a_customer, a_lead, an_engineer, contact_of, open_ticket
from tests.helpdesk.test_cache import a_server
from tests.moments import tuesday
from tests.tickets.test_desk import a_ticket, signed_in
from tickets import hub, live, presence, workflow
from tickets.forecasting import known_lines
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer() -> Any:
    return an_engineer(1, language="en", full_name="Pavel Klimov")


@pytest.fixture
def desk(engineer: Any) -> Client:
    return signed_in(engineer)


@pytest.fixture
def wired(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A Valkey of the test's own, empty; its process."""
    place = tmp_path_factory.mktemp("v") / "s"
    settings.REDIS_URL = f"unix://{place}?db=0"
    wire.outage.lasts_until = float("-inf")
    with a_server(place) as process:
        yield process
    wire.outage.lasts_until = float("-inf")


def heard() -> list[wire.Fields]:
    return [fields for _id, fields in wire.client().xrange(wire.EVENTS)]


# What is told


def test_every_verb_tells_after_its_transaction(wired: Any, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ticket = open_ticket(at=tuesday(10))
        by = an_engineer()
        workflow.accept(ticket, by=by, at=tuesday(10, 5))
        workflow.note(ticket, by=by, at=tuesday(10, 6), body="Among ourselves")
        assert heard() == []

    assert [(row["what"], row["n"], row["line"]) for row in heard()] == [
        (what, str(ticket.number), str(ticket.line_id)) for what in ("opened", "accepted", "noted")
    ]


def test_transaction_that_fails_tells_nothing(wired: Any, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        open_ticket()
        raise RuntimeError

    assert heard() == []


def test_customer_is_named_only_in_what_the_customer_may_know() -> None:
    ticket, by = open_ticket(at=tuesday(10)), an_engineer()
    workflow.note(ticket, by=by, at=tuesday(10, 1), body="Among ourselves")
    workflow.assign(ticket, by=a_lead(), at=tuesday(10, 2), to=by)
    workflow.reply(ticket, by=by, at=tuesday(10, 3), body="To the customer")

    told = {event.verb: live.fields_of(ticket, event) for event in ticket.events.select_related("message")}

    named = {verb: told[verb].get("customer") for verb in ("noted", "assigned", "replied")}
    assert named == {"noted": None, "assigned": None, "replied": ticket.customer_id}


def test_watcher_of_a_customer_hears_their_company_and_no_names() -> None:
    watcher = hub.Watcher(person=1, customer=7)
    ours = {"n": "10", "line": "2", "what": "replied", "by": "5", "message": "3", "customer": "7"}

    said = watcher.says((wire.EVENTS, "5-0", ours))

    assert said == b'id: 5-0\nevent: ticket\ndata: {"n": 10, "message": 3, "what": "changed"}\n\n'
    assert watcher.says((wire.EVENTS, "6-0", {**ours, "customer": "8"})) == b""
    assert watcher.says((wire.PRESENCE, "7-0", {"n": "10"})) == b""


def test_many_changes_at_once_are_one_word_to_look_again(wired: Any) -> None:
    entries: list[wire.Fields] = [{"n": number, "line": 1, "what": "clock"} for number in range(wire.MANY + 1)]

    wire.tell(entries[:-1])
    wire.tell(entries)

    on_the_wire = heard()
    assert len(on_the_wire) == wire.MANY + 1
    for customer in (None, 7):
        assert b"event: reload" in hub.Watcher(1, customer).says((wire.EVENTS, "7-0", on_the_wire[-1]))


@pytest.mark.parametrize("sent", ["", "5", "5-", "-5", "x-1", "9" * 5000 + "-0", "٣-0", "5-0\n"])
def test_what_is_no_id_of_the_wire_is_taken_for_none(sent: str) -> None:
    assert hub.place(sent) == (0, 0)


def test_watcher_that_does_not_keep_up_is_ended() -> None:
    watcher = hub.Watcher(person=1, customer=None)

    for number in range(hub.BEHIND + 1):
        watcher.put((wire.EVENTS, f"{number}-0", {}))

    assert watcher.queue.get_nowait() is None


def test_sweep_tells_of_a_missed_promise(wired: Any, django_capture_on_commit_callbacks: Any) -> None:
    ticket = open_ticket(at=tuesday(10))
    due = ticket.commitments.filter(kind=PromiseKind.REACTION).get().due_at

    with django_capture_on_commit_callbacks(execute=True):
        sweep(due + timedelta(seconds=1))

    assert {"n": str(ticket.number), "line": str(ticket.line_id), "what": "clock"} in heard()


def test_hand_over_names_the_line_that_was_left() -> None:
    ticket, by = open_ticket(at=tuesday(10)), an_engineer()
    workflow.accept(ticket, by=by, at=tuesday(10, 1))
    workflow.hand_over(ticket, by=by, at=tuesday(10, 2), to_line=3, known="This", tried="That", asked="Look")

    fields = live.fields_of(Ticket.objects.get(pk=ticket.pk), ticket.events.get(verb="handed_over"))

    assert (fields["line"], fields["left"]) == (3, ticket.line_id)


# Without Valkey


def test_without_valkey_nothing_fails_and_one_line_says_so(
    wired: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any, desk: Client
) -> None:
    wire.outage.said_until = float("-inf")
    wired.send_signal(signal.SIGKILL)
    wired.wait()

    with django_capture_on_commit_callbacks(execute=True):
        ticket = a_ticket()
        workflow.note(ticket, by=an_engineer(), at=timezone.now(), body="Among ourselves")
    beat = desk.post(reverse("desk:presence", args=[ticket.number]), {"state": "looking"})

    assert [row.message.split(";")[0] for row in caplog.records if row.name == "sla.wire"] == ["Valkey does not answer"]
    assert (beat.status_code, beat.json()) == (200, {"here": []})
    assert wire.answers() is False


def test_page_server_without_streams_says_that_there_is_none(desk: Client) -> None:
    assert desk.get("/live/").status_code == 204
    assert Client().get("/live/").status_code == 403


# Fragments


def test_row_is_that_of_the_list(desk: Client) -> None:
    ticket = a_ticket()
    page = desk.get(f"/w/l/{ticket.line_id}/").content.decode()

    row = desk.get(reverse("desk:row", args=[ticket.number]), {"from": f"l/{ticket.line_id}/"}).content.decode()

    start = page.index(f'id="row-{ticket.number}"')
    shown, fetched = page[start : page.index("</li>", start) + 5], row.strip()[row.strip().index("id=") :]
    seconds = re.compile(r'data-(left|at|open)="-?\d+"')  # a second may pass between the two
    assert seconds.sub("", fetched) == seconds.sub("", shown)


def test_row_of_another_queue_is_empty_and_of_no_ticket_is_404(desk: Client) -> None:
    ticket = a_ticket()
    other = next(line for line in (1, 2, 3, 4) if line != ticket.line_id)

    assert desk.get(reverse("desk:row", args=[ticket.number]), {"from": f"l/{other}/"}).status_code == 204
    assert desk.get(reverse("desk:row", args=[999_999])).status_code == 404


def test_thread_gives_what_was_said_after_a_message(desk: Client, engineer: Any) -> None:
    ticket = a_ticket()
    first = workflow.note(ticket, by=engineer, at=timezone.now(), body="The first note")
    seen = ticket.messages.latest("pk")
    workflow.note(ticket, by=engineer, at=timezone.now(), body="The second note")
    assert first is not None

    answer = desk.get(reverse("desk:thread", args=[ticket.number]), {"after": seen.pk}).content.decode()

    assert "The second note" in answer
    assert "The first note" not in answer
    assert 'id="composer"' not in answer and "tk__h" not in answer


def test_head_is_the_head_alone(desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.get(reverse("desk:head", args=[ticket.number])).content.decode()

    assert answer.count("<header") == answer.count("</header>") == 1
    assert "lanes" in answer and 'id="composer"' not in answer and "msgs" not in answer


def test_counters_are_the_tabs_and_the_rail_alone(desk: Client) -> None:
    a_ticket()

    answer = desk.get(reverse("desk:live_counters"), {"from": "l/1/"}).content.decode()

    assert answer.count('class="lines"') == answer.count('class="rail"') == 1
    assert "filters" not in answer and "row-" not in answer


def test_what_to_take_next_is_told_again_only_when_it_is_another(desk: Client) -> None:
    asked, ticket = {"from": "l/1/"}, a_ticket()

    first = desk.get(reverse("desk:live_nearest"), asked | {"shown": ""})
    same = desk.get(reverse("desk:live_nearest"), asked | {"shown": str(ticket.number)})
    workflow.accept(ticket, by=an_engineer(1), at=timezone.now())
    taken = desk.get(reverse("desk:live_nearest"), asked | {"shown": str(ticket.number)})

    assert (first.status_code, same.status_code, taken.status_code) == (200, 204, 200)
    assert f"№ {ticket.number}" in first.content.decode()
    assert "Somebody works on every request here" in taken.content.decode()


@pytest.mark.parametrize("name", ["desk:live_counters", "desk:live_list", "desk:live_nearest"])
def test_fragment_of_the_queue_costs_the_same_for_one_and_three(name: str, desk: Client) -> None:
    costs = []
    a_ticket()
    desk.get(reverse(name))  # calendars and what is known of the lines are read once
    for _ in range(2):
        a_ticket()
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse(name))
        costs.append(len(captured))
        a_ticket()

    assert costs[0] == costs[1]


@pytest.mark.parametrize("name", ["desk:row", "desk:thread", "desk:head"])
def test_fragment_of_a_ticket_costs_the_same_for_one_message_and_three(name: str, desk: Client, engineer: Any) -> None:
    ticket, costs = a_ticket(), []
    known_lines(timezone.now())  # read once for some seconds, whatever is shown
    for _ in range(2):
        workflow.note(ticket, by=engineer, at=timezone.now(), body="Note")
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(reverse(name, args=[ticket.number])).status_code == 200
        costs.append(len(captured))
        workflow.note(ticket, by=engineer, at=timezone.now(), body="Note")

    assert costs[0] == costs[1]


@pytest.mark.parametrize("name", ["row", "thread", "head"])
def test_fragments_are_closed_to_customers(name: str) -> None:
    ticket = a_ticket()

    for person in (contact_of(ticket.customer), contact_of(a_customer()), a_contract_admin()):
        assert signed_in(person).get(reverse(f"desk:{name}", args=[ticket.number])).status_code == 403


# Who is there


def test_heartbeats_of_all_processes_come_together_and_the_last_one_holds(wired: Any) -> None:
    anna, pavel = an_engineer(full_name="Анна Гусева"), an_engineer(full_name="Павел Климов")

    presence.heard(10, anna, "looking")
    presence.heard(10, pavel, "looking")
    presence.heard(10, anna, "writing")
    presence.heard(10, pavel, "gone")

    assert [(one.n, one.name, one.state) for one in presence.present()] == [(10, "Анна", "writing")]


def test_heartbeat_answers_who_else_is_there(wired: Any, desk: Client) -> None:
    ticket, anna = a_ticket(), an_engineer(full_name="Анна Гусева")
    presence.heard(ticket.number, anna, "writing")

    answer = desk.post(reverse("desk:presence", args=[ticket.number]), {"state": "looking"})

    assert answer.json() == {
        "here": [{"n": ticket.number, "by": anna.pk, "state": "writing", "name": "Анна", "full": "Анна Гусева"}]
    }


def test_heartbeat_that_is_old_has_faded(wired: Any) -> None:
    anna = an_engineer()
    old = {"n": 10, "by": anna.pk, "state": "looking", "name": "Анна", "full": "Анна"}
    wire.client().xadd(wire.PRESENCE, old, id=f"{int(wire.moment(presence.FADES_AFTER + 1))}-0")

    assert presence.present() == []
    presence.heard(11, anna, "looking")
    assert wire.client().xlen(wire.PRESENCE) == 1


def test_heartbeat_of_no_ticket_is_404_and_of_no_state_422(desk: Client) -> None:
    assert desk.post(reverse("desk:presence", args=[999_999]), {"state": "looking"}).status_code == 404
    assert desk.post(reverse("desk:presence", args=[a_ticket().number]), {"state": "asleep"}).status_code == 422


# The scripts


def test_scripts_of_the_workspace_stay_within_their_budget() -> None:
    whole = bundles.joined("workspace.js")
    htmx = bundles.shortened(bundles.sources("workspace.js")[0])
    own = whole.removeprefix(htmx)

    assert len(own) < len(whole)
    assert len(gzip.compress(own.encode())) <= 15 * 1024
