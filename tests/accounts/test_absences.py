"""Absences (`accounts/absences.py`, /a/absences/): who plans whose, what is refused, who may answer (§4.4, §7)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.absences import (
    AbsenceRefused,
    end_absence,
    looked_after_by,
    now_and_soon,
    plan_absence,
    remove_absence,
    stood_in_for_by,
)
from accounts.models import Absence
from accounts.refusals import Forbidden, Refused
from sla.models import Escalation
from sla.sweep import sweep
from sla.views.absences import called_now
from tests.factories import (
    UserFactory,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import november, tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db
NOW = tuesday(10)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def plan(person, *, by=None, **fields):
    fields = {"starts_at": tuesday(9), "ends_at": november(20, 18), "at": NOW, **fields}
    return plan_absence(person, by=by or person, **fields)


def problems(person, **fields):
    with pytest.raises(AbsenceRefused) as refusal:
        plan(person, **fields)
    return [(problem.field, problem.message) for problem in refusal.value.problems]


# Who plans whose


def test_everybody_plans_their_own():
    for person in (an_engineer(), a_csm(), top(), UserFactory(contract_admin=True)):
        assert plan(person).user == person


def test_a_lead_plans_for_the_people_of_own_lines_only():
    lead, mine, other = a_lead(2), an_engineer(2), an_engineer(3)
    a_lead(3)

    assert set(looked_after_by(lead)) == {lead, mine}
    assert plan(mine, by=lead).user == mine
    with pytest.raises(Forbidden):
        plan(other, by=lead)


@pytest.mark.parametrize("trait", ["manager", "admin"])
def test_the_support_manager_and_the_administrator_plan_for_all(trait):
    by, engineer = UserFactory(**{trait: True}), an_engineer(3)

    assert plan(engineer, by=by).user == engineer


@pytest.mark.parametrize("trait", ["engineer", "csm", "top", "contract_admin"])
def test_others_do_not_plan_for_others(trait):
    with pytest.raises(Forbidden):
        plan(an_engineer(), by=UserFactory(**{trait: True}))


def test_a_customer_is_nobody_of_ours():
    contact = contact_of(a_customer())

    with pytest.raises(Forbidden):
        plan(contact, by=a_manager())
    with pytest.raises(Forbidden):
        plan(contact)


# What is refused


def test_spans_that_cannot_be_are_refused_in_words():
    person = an_engineer()

    assert problems(person, ends_at=tuesday(9)) == [("ends_at", "The absence ends after it begins.")]
    assert problems(person, ends_at=tuesday(9, 30)) == [("ends_at", "This absence is over already.")]
    assert problems(person, ends_at=NOW + timedelta(days=400)) == [("ends_at", "At most a year at once.")]


def test_two_absences_of_one_person_never_overlap():
    person = an_engineer()
    plan(person)

    words = "An absence of this person is planned in this time already."
    assert problems(person, starts_at=november(20, 17), ends_at=november(21)) == [("starts_at", words)]
    assert plan(person, starts_at=november(20, 18), ends_at=november(21)).pk  # half-open: one ends, the next begins


def test_a_substitute_is_here_and_of_the_desk():
    person, away = an_engineer(), an_engineer(full_name="Otto Other")
    plan(away, starts_at=november(19), ends_at=november(25))

    assert problems(person, substitute=person) == [("substitute", "Nobody stands in for themselves.")]
    assert problems(person, substitute=UserFactory(contract_admin=True)) == [
        ("substitute", "Choose somebody of the desk or of the management.")
    ]
    assert problems(person, substitute=away) == [
        ("substitute", "Otto Other is away in this time too: choose somebody else.")
    ]


# Ended, removed


def test_who_is_back_early_is_called_again():
    lead = a_lead()
    a_lead()
    absence = plan(lead)

    end_absence(absence, by=lead, at=tuesday(10, 20))

    open_ticket(priority=1)
    sweep(tuesday(10, 22, 30))
    assert Escalation.objects.get(whom="line_lead").person == lead


def test_only_what_goes_on_is_ended_and_only_what_is_planned_is_removed():
    lead, manager = a_lead(), a_manager()
    now, soon = plan(lead), plan(manager, starts_at=november(18))

    with pytest.raises(Refused, match="begun"):
        remove_absence(now, by=lead, at=NOW)
    with pytest.raises(Refused, match="not going on"):
        end_absence(soon, by=manager, at=NOW)
    with pytest.raises(Forbidden):
        remove_absence(soon, by=lead, at=NOW)

    remove_absence(soon, by=manager, at=NOW)
    with pytest.raises(Refused, match="not planned any more"):
        remove_absence(soon, by=manager, at=NOW)
    assert list(now_and_soon(NOW)) == [now]


# Who stands in


def test_the_substitute_may_answer_what_the_person_away_may():
    lead, substitute = a_lead(), an_engineer(3)
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 23))
    call = ticket.escalations.get(whom="line_lead")  # called before the lead went
    assert call.person == lead
    with pytest.raises(Forbidden):
        workflow.acknowledge(call, by=substitute, at=tuesday(10, 24))

    plan(lead, substitute=substitute, at=tuesday(10, 24))

    assert stood_in_for_by(substitute, tuesday(10, 25)) == [lead]
    assert workflow.acknowledge(call, by=substitute, at=tuesday(10, 25)).acknowledged_by == substitute
    assert stood_in_for_by(substitute, november(20, 18)) == []


def test_the_customer_calls_in_who_is_here():
    csm, other, boss = a_csm(), a_manager(), top()
    customer = a_customer(csm=csm)
    ticket = open_ticket(customer, priority=1)
    plan(csm)
    plan(boss, substitute=other)

    calls = [
        workflow.escalate(ticket, by=contact_of(customer), whom=whom, reason="Too slow", at=NOW)
        for whom in ("csm", "top_management")
    ]

    assert [(call.person, call.instead_of) for call in calls] == [(other, csm), (other, boss)]


def test_acknowledging_takes_the_lower_rungs_of_the_same_promise_with_it():
    a_lead()
    manager = a_manager()
    ticket = open_ticket(priority=1)
    sweep(tuesday(11, 20))  # all of the reaction, half of the resolution
    reaction = ticket.escalations.filter(commitment__kind="reaction")

    workflow.acknowledge(reaction.get(whom="csm"), by=manager, at=tuesday(11, 21))

    assert list(reaction.order_by("position").values_list("whom", "state", "acknowledged_by")) == [
        ("line_queue", "acknowledged", manager.pk),
        ("line_lead", "acknowledged", manager.pk),
        ("csm", "acknowledged", manager.pk),
        ("top_management", "open", None),
    ]
    assert ticket.escalations.get(commitment__kind="resolution").state == "open"


def test_whom_the_ladder_calls_right_now():
    lead, other, csm, manager, boss = (
        a_lead(2, full_name="Gleb Gordeev"),
        a_lead(2, full_name="Anna Guseva"),
        a_csm(full_name="Vera Belova"),
        a_manager(),
        top(),
    )
    plan(lead)

    found = {row.place: (row.person, row.instead, row.reserve) for row in called_now(NOW)}

    assert found == {
        "Lead of line 1": (manager, None, True),
        "Lead of line 2": (other, lead, False),
        "Lead of line 3": (manager, None, True),
        "Lead of line 4": (manager, None, True),
        "CSM V. Belova": (csm, None, False),
        "Support manager": (manager, None, False),
        "Top management": (boss, None, False),
    }


# The page


def page_of(client, user):
    client.force_login(user)
    return client.get(reverse("promises:absences"))


@pytest.mark.parametrize(
    ("trait", "status"),
    [("engineer", 200), ("lead", 200), ("csm", 200), ("manager", 200), ("top", 200), ("contract_admin", 200),
     ("admin", 200), ("partner", 403), (None, 403)],
)  # fmt: skip
def test_absences_are_for_the_vendors_people(client, trait, status):
    assert page_of(client, UserFactory(**({trait: True} if trait else {}))).status_code == status


def test_an_absence_is_planned_ended_and_removed_in_the_page(client):
    engineer, substitute = an_engineer(language="en", full_name="Ivan Early"), an_engineer(full_name="Otto Other")
    client.force_login(engineer)
    address = reverse("promises:absences")
    now = timezone.now()

    def plan_from(starts):
        moments = {"starts_at": starts, "ends_at": starts + timedelta(days=2)}
        written = {name: f"{at.astimezone(NOW.tzinfo):%Y-%m-%dT%H:%M}" for name, at in moments.items()}
        return client.post(address, {"user": engineer.pk, "substitute": substitute.pk, "reason": "Holiday", **written})

    assert plan_from(now - timedelta(hours=1)).status_code == 302
    assert plan_from(now + timedelta(days=5)).status_code == 302
    page = client.get(address).content.decode()
    assert "Ivan Early" in page and "Otto Other stands in" in page and "Holiday" in page
    refused = plan_from(now + timedelta(days=6))
    assert refused.status_code == 409
    assert "planned in this time already" in refused.content.decode()

    here, soon = Absence.objects.order_by("starts_at")
    assert client.post(reverse("promises:remove_absence", args=[here.pk])).status_code == 409
    assert client.post(reverse("promises:end_absence", args=[here.pk])).status_code == 302
    assert client.post(reverse("promises:remove_absence", args=[soon.pk])).status_code == 302
    assert not now_and_soon(timezone.now()).exists()


def test_what_was_typed_wrong_is_kept(client):
    engineer = an_engineer(language="en")
    client.force_login(engineer)

    answer = client.post(
        reverse("promises:absences"), {"user": engineer.pk, "starts_at": "tomorrow", "ends_at": "", "reason": "Sea"}
    )

    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="tomorrow"' in page and 'value="Sea"' in page
    assert "Write the moment as 2027-01-31 09:00." in page and "Name the moment." in page


def test_nobody_ends_the_absence_of_others(client):
    lead = a_lead(1)
    absence = plan_absence(
        lead, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1), by=lead, at=timezone.now()
    )
    client.force_login(an_engineer(1))

    assert client.post(reverse("promises:end_absence", args=[absence.pk])).status_code == 403
    absence.refresh_from_db()
    assert absence.ends_at > timezone.now()


@pytest.mark.parametrize("rows", [1, 3])
def test_absences_cost_the_same_for_one_and_three(client, rows, django_assert_num_queries):
    a_manager()
    for _number in range(rows):
        person = an_engineer()
        now = timezone.now()
        plan_absence(person, starts_at=now, ends_at=now + timedelta(days=1), by=person, at=now)
    client.force_login(top())

    with django_assert_num_queries(15):
        assert client.get(reverse("promises:absences")).status_code == 200
