"""The forecast of tickets: what is counted of the lines, what it costs, where it is shown, how often it is right."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Absence
from contracts.kept import edition_now
from sla.forecast import Verdict
from sla.kept import rules
from sla.models import Commitment
from tests.factories import a_customer, a_lead, a_manager, an_engineer, contact_of, open_ticket
from tests.moments import november, tuesday
from tickets import workflow
from tickets.forecast_trial import tried
from tickets.forecasting import forecasts, shown, will_be_missed
from tickets.models import LinePace
from tickets.pace import measure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def clocks():
    return list(Commitment.objects.running().select_related("ticket", "calendar_version").order_by("pk"))


def reacted(customer, engineer, *, at, after: timedelta, priority=1):
    ticket = open_ticket(customer, priority=priority, at=at)
    return workflow.accept(ticket, by=engineer, at=at + after)


@pytest.fixture
def slow_line():
    """Line 1 whose reactions lately took either a moment or longer than the half hour that was promised."""
    customer, engineer = a_customer(), an_engineer(1)
    for number in range(10):
        at = tuesday(10) - timedelta(days=number % 5 + 1, minutes=number)
        for after in (timedelta(minutes=1), timedelta(minutes=40)):
            ticket = reacted(customer, engineer, at=at, after=after)
            workflow.resolve(ticket, by=engineer, body="Restarted.", at=at + after)
    return customer


# What is counted


def test_the_pace_is_counted_for_each_line_and_says_how_long_it_took_of_the_target():
    customer, engineer = a_customer(), an_engineer(1)
    reacted(customer, engineer, at=tuesday(10), after=timedelta(minutes=15))
    reacted(customer, engineer, at=tuesday(11), after=timedelta(minutes=45))

    assert measure(tuesday(14)) == 2

    pace = LinePace.objects.get(line=1)
    assert pace.parts == {"reaction:1": [0.5, 1.5]}
    assert (pace.counted_at, LinePace.objects.count()) == (tuesday(14), 4)


def test_counted_again_it_is_written_anew_and_what_is_old_is_forgotten():
    reacted(a_customer(), an_engineer(1), at=tuesday(10), after=timedelta(minutes=15))
    measure(tuesday(14))

    measure(tuesday(14) + timedelta(weeks=13))

    assert [row.parts for row in LinePace.objects.order_by("line")] == [{}, {}, {}, {}]


def test_a_reaction_is_of_the_line_that_received_the_request():
    customer, engineer = a_customer(), an_engineer(1)
    ticket = reacted(customer, engineer, at=tuesday(10), after=timedelta(minutes=15))
    workflow.hand_over(ticket, by=engineer, to_line=2, known="a", tried="b", asked="c", at=tuesday(10, 20))

    measure(tuesday(14))

    assert [row.parts for row in LinePace.objects.order_by("line")[:2]] == [{"reaction:1": [0.5]}, {}]


def test_what_stands_still_runs_and_is_not_measured():
    open_ticket(a_customer(), priority=1)

    assert measure(tuesday(14)) == 0


# What it says


def test_without_a_pace_only_hours_and_queue_are_judged():
    an_engineer(1)
    open_ticket(a_customer(), priority=1)

    found = forecasts(clocks(), tuesday(10, 5))

    assert {told.is_by_hours_only for told in found.values()} == {True}
    assert {told.verdict for told in found.values()} == {Verdict.KEPT}


def test_what_ran_as_long_as_those_that_were_late_will_be_missed(slow_line):
    measure(tuesday(9))
    ticket = open_ticket(slow_line, priority=1)
    reaction = ticket.commitments.get(kind="reaction")

    told = {minute: forecasts(clocks(), tuesday(10, minute))[reaction.pk] for minute in (0, 20)}

    assert [found.verdict for found in told.values()] == [Verdict.AT_RISK, Verdict.MISSED]
    assert shown(told[20], tuesday(10, 20)).sentence == (
        "Forecast: will be missed: of 10 that ran as long, 10 were not in time; it is expected at about 10:39."
    )


def test_when_everybody_of_the_line_is_away_nobody_is_there():
    engineer = an_engineer(1)
    Absence.objects.create(user=engineer, starts_at=tuesday(9), ends_at=tuesday(15))
    reaction = open_ticket(a_customer(), priority=1).commitments.get(kind="reaction")

    found = forecasts(clocks(), tuesday(10, 5))[reaction.pk]

    assert (found.verdict, shown(found, tuesday(10, 5)).reason) == (
        "missed",
        "nobody is on the line until 15:00",
    )


def test_a_promise_that_stands_or_is_internal_has_no_forecast():
    engineer = an_engineer(1)
    an_engineer(2)
    ticket = reacted(a_customer(), engineer, at=tuesday(10), after=timedelta(minutes=1))
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(10, 2))

    assert forecasts(clocks(), tuesday(10, 5)) == {}


@pytest.mark.parametrize("count", [1, 3])
def test_one_and_three_cost_the_same(count, django_assert_num_queries):
    customer = a_customer()
    an_engineer(1)
    for _number in range(count):
        open_ticket(customer, priority=1)
    measure(tuesday(10, 1))
    rows = clocks()

    rules(edition_now())  # the process knows the catalogue
    with django_assert_num_queries(2):
        forecasts(rows, tuesday(10, 5))
    with django_assert_num_queries(4):
        measure(tuesday(10, 5))


# Where it is shown


def live(ago, **fields):
    """A ticket that came so many minutes ago by the real clock, which the pages read."""
    customer = a_customer()
    at = timezone.now() - timedelta(minutes=ago)
    return open_ticket(customer, at=at, by=customer.contact_at(at), **fields)


def everybody_is_away():
    """Whoever works on line 1 is away until tomorrow."""
    engineer = an_engineer(1)
    at = timezone.now()
    Absence.objects.create(user=engineer, starts_at=at - timedelta(hours=1), ends_at=at + timedelta(days=1))
    return engineer


def test_the_queue_marks_what_will_be_missed_and_says_why(client):
    client.force_login(everybody_is_away())
    live(1, priority=1)

    page = client.get(reverse("desk:queue")).content.decode()

    assert "не успеем" in page
    assert "на линии никого нет" in page


def test_the_queue_does_not_foretell_what_is_overdue_already(client):
    client.force_login(everybody_is_away())
    live(40, priority=1)

    page = client.get(reverse("desk:queue")).content.decode()

    assert "sla--late" in page
    assert 'class="fc ' not in page


def test_the_queue_is_calm_where_all_is_well(client):
    client.force_login(an_engineer(1))
    LinePace.objects.create(line_id=1, days_outside=9, counted_at=timezone.now())  # somebody is there at night too
    live(1, priority=1)

    assert 'class="fc ' not in client.get(reverse("desk:queue")).content.decode()


def test_the_lane_of_the_ticket_has_the_sentence(client):
    client.force_login(everybody_is_away())
    ticket = live(1, priority=1)

    page = client.get(reverse("desk:ticket", args=[ticket.number])).content.decode()

    assert "Прогноз: не успеем, до" in page


def test_the_board_lists_what_will_be_missed_with_its_reason(client):
    everybody_is_away()
    ticket = live(1, priority=1)
    client.force_login(a_manager())

    for address in (reverse("manage:board"), reverse("manage:missing")):
        page = client.get(address).content.decode()
        assert "Прогноз: не успеем, до" in page
        assert reverse("manage:ticket", args=[ticket.number]) in page


def test_the_board_lists_the_nearest_first_and_not_what_is_overdue():
    everybody_is_away()
    live(120, priority=1)
    later, sooner = live(1, priority=1), live(20, priority=1)

    found, _count, looked_at = will_be_missed(timezone.now())

    assert [row.clock.ticket for row in found if row.clock.kind == "reaction"] == [sooner, later]
    assert looked_at == Commitment.objects.running().filter(due_at__gte=timezone.now()).count()


@pytest.mark.parametrize("address", ["manage:board", "manage:missing", "desk:queue"])
def test_pages_cost_the_same_for_one_and_three(client, address):
    everybody_is_away()
    client.force_login(a_lead(1))
    live(1, priority=1)
    client.get(reverse(address))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse(address))
    live(2, priority=1)
    live(3, priority=1)
    client.get(reverse(address))  # the header is kept for a minute, which may just have begun

    with CaptureQueriesContext(connection) as three:
        client.get(reverse(address))

    assert len(three) == len(one)


# Tried on the past


def test_the_trial_counts_hits_and_false_alarms_with_what_was_known_then(slow_line):
    engineer = an_engineer(1)
    reacted(slow_line, engineer, at=tuesday(10), after=timedelta(minutes=45))  # foreseen at three quarters: a hit
    reacted(slow_line, engineer, at=tuesday(12), after=timedelta(minutes=25))  # and a false alarm

    (trial,) = tried(tuesday(14), since=tuesday(9), percents=[75])
    (whole,) = tried(tuesday(14), since=november(1), percents=[75])

    assert (trial.asked, trial.missed, trial.by_hours_only) == (2, 1, 2)  # nothing before was read: too few
    assert whole.will_be_missed.hits >= 1
    assert (whole.will_be_missed.false_alarms, whole.missed) == (1, 11)


def test_the_trial_does_not_look_into_the_future(slow_line):
    """The same moments have the same verdicts, whatever ended later."""
    before = tried(tuesday(9), since=november(1), percents=[50])[0].as_json()
    for number in range(20):
        reacted(slow_line, an_engineer(1), at=tuesday(10) + timedelta(minutes=number), after=timedelta(minutes=1))

    assert tried(tuesday(9), since=november(1), percents=[50])[0].as_json() == before


def test_the_command_prints_the_figures(slow_line):
    out = StringIO()

    call_command("forecast", "--json", "--days", "3660", stdout=out)

    figures = json.loads(out.getvalue())
    assert [trial["used_percent"] for trial in figures["trials"]] == [50, 75, 90]
    assert [(trial["asked"], trial["missed"], trial["base_rate"]) for trial in figures["trials"]] == [(10, 10, 1.0)] * 3

    out = StringIO()
    call_command("forecast", "--days", "3660", "--used", "50", stdout=out)
    assert out.getvalue().startswith("when 50 % of the time was used: 10 promises ran still, 10 of them were missed")


@pytest.mark.parametrize("words", [["--days", "0"], ["--used", "100"]])
def test_the_command_refuses_what_makes_no_sense(words):
    with pytest.raises(CommandError):
        call_command("forecast", *words)


def test_the_contact_sees_no_forecast(client):
    everybody_is_away()
    ticket = live(1, priority=1)
    client.force_login(contact_of(ticket.customer, timezone.now()))

    assert "рогноз" not in client.get(reverse("portal:ticket", args=[ticket.number])).content.decode()
