"""Life-cycle rules read in the peers' tests (`sla_scenarios.json`): each holds here, or the domain decides otherwise.

The rules are played on real requests through the verbs; a peer's target becomes a clause of the contract, on the
calendar that the rule names. What this house does otherwise is in `OTHERWISE`, with the section that decides.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sla.models import Calendar, Commitment
from sla.sweep import sweep
from tests.factories import (
    MOSCOW,
    a_customer,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
)
from tickets import workflow
from tickets.models import Ticket

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "sla_scenarios.json"

NO_NEXT_RESPONSE = "there are two promises, reaction and resolution; no clock of a next answer (domain §4.1)"
OTHERWISE = {
    "scn-02": NO_NEXT_RESPONSE,
    "scn-03": NO_NEXT_RESPONSE,
    "scn-05": NO_NEXT_RESPONSE,
    "scn-06": NO_NEXT_RESPONSE,
    "scn-12": NO_NEXT_RESPONSE,
    "scn-31": NO_NEXT_RESPONSE + "; that a note ends no reaction is held below",
    "scn-11": "every request has a customer and is received for one, whoever writes it down: it is owed (domain §3.1)",
    "scn-17": "the reaction never pauses (domain §4.1)",
    "scn-18": "no request begins as waiting: it is received, and its clocks start with it (domain §3.2, §4.1)",
    "scn-20": "every priority has a reaction; what is not promised any more is superseded (§1.4, §3.4)",
    "scn-25": "two clocks stand side by side; there is no single state that walks from one to the other (domain §4.1)",
    "scn-32": "a calendar without an open hour cannot be made (sla/calendars.py), so no clock ever counts on one",
}  # fmt: skip

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not CASES.is_file(), reason="the collected rules (../shared/cases) are not here"),
]

MONDAY = datetime(2026, 11, 16, tzinfo=MOSCOW)
BERLIN = ZoneInfo("Europe/Berlin")
WEEK: dict[str, dict[str, list[list[str]]]] = {
    "24x7": {str(day): [["00:00", "24:00"]] for day in range(7)},
    "10-18 Mon-Fri": {str(day): [["10:00", "18:00"]] for day in range(5)},
    "Berlin 08-18 Mon-Fri": {str(day): [["08:00", "18:00"]] for day in range(5)},
    "Tue-Fri 08:30-19": {"0": [["10:30", "19:00"]]} | {str(day): [["08:30", "19:00"]] for day in range(1, 5)},
}


def received(
    at: datetime, *, reaction: int | None = None, resolution: int | None = None, week: str = "24x7",
    zone: str = "Europe/Moscow", holidays: list[str] | None = None,
) -> Ticket:  # fmt: skip
    """A request of priority 4 whose contract promises so many minutes on these hours."""
    customer = a_customer()
    contract = contract_of(customer)
    calendar = Calendar.objects.create(code=f"peer-{customer.pk}", name_ru="Случай", name_en="Case")
    calendar.versions.create(
        valid_from=datetime(2010, 1, 1, tzinfo=MOSCOW), timezone=zone, weekly_hours=WEEK[week], holidays=holidays or []
    )
    for kind, minutes in (("reaction", reaction), ("resolution", resolution)):
        contract.terms.targets.filter(kind=kind, priority=4).delete()
        if minutes is not None:
            contract.terms.targets.create(kind=kind, priority=4, amount=minutes, unit="minutes", calendar=calendar)
    return open_ticket(customer, priority=4, at=at)


@pytest.fixture(autouse=True)
def terms_may_be_rewritten(db: None) -> None:
    """The peers' targets go into terms that a contract was signed on, which the database keeps: not in these tests."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


def clock(ticket: Ticket, kind: str = "resolution") -> Commitment:
    return ticket.commitments.filter(kind=kind).latest("pk")


def minutes(ticket: Ticket, kind: str = "resolution") -> float:
    return (clock(ticket, kind).due_at - ticket.opened_at) / timedelta(minutes=1)


def after(count: int) -> datetime:
    return MONDAY + timedelta(minutes=count)


def worked(ticket: Ticket, at: datetime) -> Any:
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=at)
    return engineer


def ask(ticket: Ticket, engineer: Any, at: datetime) -> None:
    workflow.ask_customer(ticket, by=engineer, body="Which?", at=at)


def answer(ticket: Ticket, at: datetime) -> None:
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="This", at=at)


def resolve(ticket: Ticket, engineer: Any, at: datetime) -> None:
    workflow.resolve(ticket, by=engineer, body="Done", at=at)


def scn_01() -> None:
    ticket = received(MONDAY, resolution=75)
    engineer = worked(ticket, after(5))
    ask(ticket, engineer, after(10))
    answer(ticket, after(20))
    assert minutes(ticket) == 85


def scn_08() -> None:
    ticket = received(MONDAY, resolution=120)
    engineer = worked(ticket, after(1))
    workflow.reply(ticket, by=engineer, body="Looking", at=after(1))
    answer(ticket, after(2))
    assert minutes(ticket) == 120


def scn_09() -> None:
    ticket = received(MONDAY, resolution=120)
    terms = ticket.terms
    terms.targets.filter(kind="resolution", priority=3).delete()
    calendar = clock(ticket).calendar_version.calendar
    terms.targets.create(kind="resolution", priority=3, amount=240, unit="minutes", calendar=calendar)
    workflow.reclassify(ticket, by=worked(ticket, after(0)), priority=3, reason="Found out", at=after(0))
    assert minutes(ticket) == 240


def scn_14() -> None:
    ticket = received(MONDAY, resolution=75)
    resolve(ticket, worked(ticket, after(1)), after(30))
    ended = clock(ticket)
    assert (ended.stopped_at, ended.due_at - ended.stopped_at) == (after(30), timedelta(minutes=45))


def scn_15() -> None:
    ticket = received(MONDAY, resolution=75)
    workflow.withdraw(ticket, by=contact_of(ticket.customer), reason="Found it", at=after(5))
    assert Ticket.objects.get(pk=ticket.pk).due_at is None


def scn_21() -> None:
    began = datetime(2013, 3, 21, 10, 30, tzinfo=BERLIN)  # 9:30 UTC
    calendar = received(MONDAY, reaction=60, week="Berlin 08-18 Mon-Fri", zone="Europe/Berlin")
    hours = clock(calendar, "reaction").calendar
    used = hours.between(began, began + timedelta(minutes=270))
    assert (used, timedelta(minutes=60) - used) == (timedelta(minutes=270), timedelta(minutes=-210))


def scn_22() -> None:
    noon = MONDAY + timedelta(hours=12)
    ticket = received(noon, reaction=60, resolution=240, week="10-18 Mon-Fri")
    engineer = worked(ticket, noon + timedelta(minutes=30))
    ask(ticket, engineer, noon + timedelta(minutes=30))
    answer(ticket, noon + timedelta(minutes=60))
    assert clock(ticket).due_at == MONDAY + timedelta(hours=16, minutes=30)


def scn_24() -> None:
    thursday = MONDAY + timedelta(days=3, hours=17, minutes=30)
    ticket = received(thursday, resolution=240, week="10-18 Mon-Fri", holidays=["2026-11-20"])
    engineer = worked(ticket, thursday)
    ask(ticket, engineer, thursday + timedelta(minutes=20))
    monday = MONDAY + timedelta(days=7, hours=12, minutes=30)
    answer(ticket, monday)
    resolve(ticket, engineer, monday + timedelta(minutes=30))
    ended = clock(ticket)
    (pause,) = ended.pauses
    assert ended.calendar.between(pause.lower, pause.upper) == timedelta(minutes=160)
    used = ended.calendar.between_with_pauses(
        ended.started_at, ended.stopped_at or monday, [(pause.lower, pause.upper)]
    )
    assert used == timedelta(minutes=50)


def scn_27() -> None:
    began = datetime(2026, 11, 20, 8, 46, 12, tzinfo=MOSCOW)  # a Friday, as 9 June 2034
    ticket = received(began, reaction=30, resolution=30, week="Tue-Fri 08:30-19")
    engineer = worked(ticket, began)

    def at(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-20T{text}+03:00")

    for first, last in (("08:47:42", "10:05:54"), ("10:09:13", "10:34:38"), ("10:43:41", "11:29:17")):
        ask(ticket, engineer, at(first))
        answer(ticket, at(last))
    assert clock(ticket, "reaction").due_at == at("09:16:12")
    assert clock(ticket).due_at == at("11:45:25")


def scn_28() -> None:
    began = datetime(2026, 11, 20, 8, 46, 12, tzinfo=MOSCOW)
    ticket = received(began, resolution=30, week="Tue-Fri 08:30-19")
    assert clock(ticket).due_at == began + timedelta(minutes=30)
    moment = clock(ticket).calendar.add(began, clock(ticket).target - timedelta(minutes=10))
    assert moment == began + timedelta(minutes=20)


AGREED = {
    "scn-01": scn_01, "scn-08": scn_08, "scn-09": scn_09, "scn-14": scn_14, "scn-15": scn_15, "scn-21": scn_21,
    "scn-22": scn_22, "scn-24": scn_24, "scn-27": scn_27, "scn-28": scn_28,
}  # fmt: skip


@pytest.mark.parametrize("name", AGREED)
def test_a_rule_of_the_peers_holds(name):
    AGREED[name]()


def test_every_rule_is_held_or_its_disagreement_is_listed():
    known = {scenario["id"] for scenario in json.loads(CASES.read_text(encoding="utf-8"))["scenarios"]}

    assert set(AGREED) | set(OTHERWISE) == known
    assert not set(AGREED) & set(OTHERWISE)


# Where it is otherwise here, what holds instead


def test_a_note_inside_the_desk_ends_no_reaction():  # scn-31
    ticket = received(MONDAY, reaction=20)
    workflow.note(ticket, by=an_engineer(), body="Between us", at=after(21))
    sweep(after(22))

    assert clock(ticket, "reaction").ending == "missed"


def test_the_reaction_never_pauses():  # scn-17
    ticket = received(MONDAY, reaction=120, resolution=240)
    workflow.accept(ticket, by=an_engineer(), at=after(10))

    assert (minutes(ticket, "reaction"), clock(ticket, "reaction").pauses) == (120, [])


def test_a_priority_without_a_resolution_takes_it_away():  # scn-20
    ticket = received(MONDAY, reaction=60, resolution=240)
    ticket.terms.targets.filter(kind="resolution", priority=3).delete()
    workflow.reclassify(ticket, by=worked(ticket, after(1)), priority=3, reason="Found out", at=after(1))

    assert clock(ticket).ending == "superseded"


def test_what_stood_and_was_answered_late_is_missed():  # scn-25
    ticket = received(MONDAY, reaction=30, resolution=120)
    engineer = worked(ticket, after(10))
    ask(ticket, engineer, after(10))
    answer(ticket, after(20))
    sweep(after(135))

    assert (minutes(ticket), clock(ticket).ending) == (130, "missed")
