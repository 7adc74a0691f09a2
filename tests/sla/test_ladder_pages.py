"""/a/ladder/ and the page that the letter of an escalation leads to (domain §4.4, §7)."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sla.ladder import Step
from sla.ladder_preview import last_month
from sla.ladders import change_ladder, steps_of
from sla.models import Escalation, Ladder, LadderChange
from sla.sweep import sweep
from tests.factories import UserFactory, a_customer, a_lead, a_manager, an_engineer, open_ticket, package

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    person = UserFactory(admin=True, language="en")
    client.force_login(person)
    return person


def general(kind="reaction"):
    return Ladder.objects.get(kind=kind, package=None, priority=None)


def typed(*rungs, **more):
    first, last = last_month(timezone.now())
    found = {"rows": len(rungs), "first": first.isoformat(), "last": last.isoformat(), "go": "preview", **more}
    for number, rung in enumerate(rungs):
        for name, value in zip(("percent", "whom", "within", "quiet_from", "quiet_to"), rung, strict=False):
            found[f"{name}_{number}"] = value
    return found


RUNGS = (("50", "line_lead", "15", "22:00", "08:00"), ("100", "top_management"))


# Reading


@pytest.mark.parametrize(
    ("trait", "reads", "edits"),
    [("admin", 200, 200), ("manager", 200, 403), ("lead", 200, 403), ("engineer", 200, 403), ("csm", 200, 403),
     ("top", 200, 403), ("contract_admin", 200, 403), ("partner", 403, 403), (None, 403, 403)],
)  # fmt: skip
def test_the_vendors_people_read_ladders_and_the_administrator_edits_them(client, trait, reads, edits):
    client.force_login(UserFactory(**({trait: True} if trait else {})))
    particular = Ladder.objects.get(kind="reaction", priority=1)

    assert client.get(reverse("promises:ladders")).status_code == reads
    for name, arguments in (("ladder", [general().pk]), ("new_ladder", []), ("remove_ladder", [particular.pk])):
        assert client.get(reverse(f"promises:{name}", args=arguments)).status_code == edits
    answer = client.post(reverse("promises:ladder", args=[general().pk]), typed(*RUNGS, go="apply"))
    assert answer.status_code == (302 if trait == "admin" else 403)
    assert LadderChange.objects.exists() == (trait == "admin")


def test_every_ladder_is_there_and_who_changed_which(client, admin):
    change_ladder(general("resolution"), steps=[Step(100, "csm", 30)], by=admin, at=timezone.now())

    page = client.get(reverse("promises:ladders")).content.decode()

    for ladder in Ladder.objects.all():
        assert reverse("promises:ladder", args=[ladder.pk]) in page
    assert "any package, priority 1" in page
    assert "100% the Customer Success Manager, 30 minutes to take it" in page
    assert admin.full_name in page


@pytest.mark.parametrize("changes", [1, 3])
def test_the_list_costs_the_same_for_one_change_and_three(client, admin, changes, django_assert_num_queries):
    for number in range(changes):
        Ladder.objects.create(kind="resolution", package=package("premium"), priority=number + 1)
        change_ladder(general(), steps=[Step(100 + number, "csm")], by=admin, at=timezone.now())

    client.get(reverse("promises:ladders"))  # the new edition of the catalogue is read once
    with django_assert_num_queries(6):  # session, person, edition of the catalogue, ladders, their rungs, the record
        assert client.get(reverse("promises:ladders")).status_code == 200


def test_the_record_is_paged_by_keyset(client, admin, monkeypatch):
    from sla.views import ladders as view

    monkeypatch.setattr(view, "PAGE", 2)
    for number in range(3):
        change_ladder(general(), steps=[Step(101 + number, "csm")], by=admin, at=timezone.now())

    first = client.get(reverse("promises:ladders")).content.decode()
    before = re.search(r"\?before=(\d+)", first)
    assert before is not None
    second = client.get(reverse("promises:ladders") + f"?before={before[1]}").content.decode()

    assert second.count("now: 10") == 1
    assert client.get(reverse("promises:ladders") + "?before=cat").status_code == 400
    assert client.get(reverse("promises:ladders") + "?before=99999999999").status_code == 400


# Editing


def test_rungs_are_added_and_removed_without_a_script_and_nothing_is_written(client, admin):
    address = reverse("promises:ladder", args=[general().pk])

    added = client.post(address, typed(*RUNGS, go="add")).content.decode()
    removed = client.post(address, typed(*RUNGS, go="remove:0")).content.decode()

    assert added.count('name="percent_') == 3 and 'value="15"' in added and 'value="22:00"' in added
    assert removed.count('name="percent_') == 1 and 'value="100"' in removed and 'value="15"' not in removed
    assert not LadderChange.objects.exists()


def test_preview_says_what_last_month_would_have_been_and_then_it_is_applied(client, admin):
    customer = a_customer("basic", starts_on=timezone.now().date() - timedelta(days=300))
    first, _last = last_month(timezone.now())
    at = timezone.now().replace(year=first.year, month=first.month, day=12, hour=7, minute=0)
    for _number in range(2):
        open_ticket(customer, priority=3, at=at, by=customer.contact_at(at))
    address = reverse("promises:ladder", args=[general().pk])

    preview = client.post(address, typed(*RUNGS))
    page = preview.content.decode()

    assert preview.status_code == 200
    assert "With this ladder, last month would have called top management 2 times (it was 0)" in page
    assert "Running clocks keep the ladder that they began with" in page
    assert not LadderChange.objects.exists()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    applied = client.post(address, {**hidden, "go": "apply"})
    assert applied.status_code == 302
    assert [(step.percent, step.whom, step.within) for step in steps_of(general())] == [
        (50, "line_lead", 15),
        (100, "top_management", None),
    ]
    back = client.post(address, {**hidden, "go": "back"}).content.decode()
    assert 'value="50"' in back and 'value="08:00"' in back


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(client, admin):
    rungs = (("a lot", "line_lead"), ("70", ""), ("60", "csm", "", "22:00", ""), ("100", "line_lead", "0"))

    answer = client.post(reverse("promises:ladder", args=[general().pk]), typed(*rungs))

    page = answer.content.decode()
    assert answer.status_code == 422
    for words in (
        "Rung 1: write a whole number.",
        "Rung 2: choose whom it calls in.",
        "Rung 3: quiet hours have a beginning and an end.",
        "Rung 4: The time to say “I have it” is 1 to 10000 minutes",
    ):
        assert words in page
    assert 'value="a lot"' in page


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"first": "2026-02-01", "last": "2026-01-01"}, "The last day lies before the first."),
        ({"first": "2020-01-01", "last": "2026-01-01"}, "At most a year at once."),
        ({"first": "2100-01-01", "last": "2100-01-02"}, "These days are still to come."),
        ({"first": "soon", "last": "2026-01-01"}, "Write the day as 2027-01-31."),
    ],
)
def test_days_that_cannot_be_compared_are_refused(client, admin, days, words):
    answer = client.post(reverse("promises:ladder", args=[general().pk]), typed(*RUNGS, **days))

    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize("odd", [{"rows": "-1"}, {"rows": "999"}, {"rows": "x"}, {"go": "remove:99"},
                                 {"go": "remove:x"}, {"percent_0": "\0"}, {"percent_0": "9" * 40},
                                 {"whom_0": "cat"}])  # fmt: skip
def test_odd_input_is_answered(client, admin, odd):
    answer = client.post(reverse("promises:ladder", args=[general().pk]), {**typed(*RUNGS), **odd})

    assert answer.status_code in {200, 422}


def test_a_ladder_of_its_own_is_made_and_removed(client, admin):
    premium = package("premium")
    scope = {"kind": "resolution", "package": str(premium.pk), "priority": "2"}

    preview = client.post(reverse("promises:new_ladder"), typed(*RUNGS, **scope))
    assert preview.status_code == 200
    assert client.post(reverse("promises:new_ladder"), typed(*RUNGS, **{**scope, "go": "apply"})).status_code == 302

    made = Ladder.objects.get(package=premium, priority=2)
    again = client.post(reverse("promises:new_ladder"), typed(*RUNGS, **scope))
    assert again.status_code == 422 and "change that one" in again.content.decode()
    general_again = client.post(reverse("promises:new_ladder"), typed(*RUNGS, kind="resolution"))
    assert general_again.status_code == 422 and "the general ladder is there" in general_again.content.decode()
    page = client.get(reverse("promises:remove_ladder", args=[made.pk])).content.decode()
    assert "Instead of it counts: any package, any priority" in page
    assert client.post(reverse("promises:remove_ladder", args=[made.pk])).status_code == 302
    assert not Ladder.objects.filter(pk=made.pk).exists()


def test_the_general_ladder_is_not_removed_in_the_page(client, admin):
    address = reverse("promises:remove_ladder", args=[general().pk])

    assert "stays" in client.get(address).content.decode()
    assert client.post(address).status_code == 409
    assert general().steps.exists()


# “I have it”


def a_call():
    """The line lead was called in by the clock of a request that came half an hour ago."""
    customer = a_customer()
    at = timezone.now() - timedelta(minutes=25)
    ticket = open_ticket(customer, priority=1, at=at, by=customer.contact_at(at))
    sweep(timezone.now())
    return ticket.escalations.get(whom="line_lead")


def test_one_click_says_i_have_it(client):
    lead = a_lead(language="en")
    call = a_call()
    client.force_login(lead)

    page = client.get(reverse("manage:escalation", args=[call.pk])).content.decode()
    assert "I have it" in page and "To be taken by, Moscow" in page
    answer = client.post(reverse("manage:acknowledgement", args=[call.pk]), {"page": "1"}, follow=True)

    assert answer.redirect_chain == [(reverse("manage:escalation", args=[call.pk]), 302)]
    assert "You have it." in answer.content.decode()
    call.refresh_from_db()
    assert call.acknowledged_by == lead
    again = client.post(reverse("manage:acknowledgement", args=[call.pk]), {"page": "1"})
    assert again.status_code == 409
    assert "Somebody has acknowledged this escalation already." in again.content.decode()


@pytest.mark.parametrize(
    ("trait", "status", "may"),
    [("lead", 200, True), ("csm", 200, True), ("manager", 200, True), ("top", 200, True), ("engineer", 200, False),
     ("contract_admin", 403, False), ("admin", 403, False), (None, 403, False)],
)  # fmt: skip
def test_who_may_say_it(client, trait, status, may):
    call = a_call()
    client.force_login(UserFactory(language="en", **({trait: True} if trait else {})))
    address = reverse("manage:escalation", args=[call.pk])

    answer = client.get(address)

    assert answer.status_code == status
    assert (reverse("manage:acknowledgement", args=[call.pk]) in answer.content.decode()) == may
    taken = client.post(reverse("manage:acknowledgement", args=[call.pk]), {"page": "1"})
    assert taken.status_code == (302 if may else 403)


def test_an_engineer_who_stands_in_takes_it(client):
    lead, substitute = a_lead(), an_engineer(2, language="en")
    now = timezone.now()
    lead.absences.create(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1), substitute=substitute)
    call = a_call()
    assert (call.person, call.instead_of) == (substitute, lead)
    client.force_login(substitute)

    page = client.get(reverse("manage:escalation", args=[call.pk])).content.decode()
    assert f"in place of {lead.full_name}" in page
    assert client.post(reverse("manage:acknowledgement", args=[call.pk])).status_code == 302
    assert Escalation.objects.get(pk=call.pk).state == "acknowledged"


def test_the_desk_page_says_by_when_and_for_whom(client):
    lead, substitute = a_lead(full_name="Gleb Gordeev"), an_engineer(1, language="en")
    now = timezone.now()
    lead.absences.create(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1), substitute=substitute)
    call = a_call()
    client.force_login(substitute)

    page = client.get(reverse("desk:ticket", args=[call.ticket.number])).content.decode()

    assert "in place of G. Gordeev" in page
    assert "to be taken by" in page


def test_an_escalation_that_is_not_there_is_404(client):
    client.force_login(a_manager())

    assert client.get(reverse("manage:escalation", args=[10**9])).status_code == 404
