"""Saved views: names, addresses, who sees and who changes them; what an empty queue says."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.refusals import Forbidden
from tests.factories import a_lead, a_manager, an_engineer, open_ticket
from tickets import saved_views
from tickets.models import SavedView, Ticket
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db


def test_two_people_use_one_name_and_get_two_addresses() -> None:
    first, second = an_engineer(1), an_engineer(1)

    one = saved_views.save_view(by=first, name="Late", tail="?horizon=late")
    two = saved_views.save_view(by=second, name="Late", tail="?horizon=late")

    assert (one.slug, two.slug.startswith("late-")) == ("late", True)
    with pytest.raises(NotAllowed):
        saved_views.save_view(by=first, name="late", tail="")


def test_address_stays_when_name_and_filters_change() -> None:
    engineer = an_engineer(1)
    view = saved_views.save_view(by=engineer, name="Late", tail="?horizon=late")

    changed = saved_views.change_view(
        view, by=engineer, name="Mine", tail="my/?priority=1", shared="me", line=None, position=3
    )

    assert (changed.slug, changed.name, changed.tail, changed.position) == ("late", "Mine", "my/?priority=1", 3)


@pytest.mark.parametrize(
    ("shared", "who", "sees", "changes"),
    [
        ("me", lambda: an_engineer(1), False, False),
        ("line", lambda: an_engineer(1), False, False),
        ("line", lambda: an_engineer(2), True, False),
        ("line", lambda: a_lead(2), True, True),
        ("line", lambda: a_lead(1), False, False),
        ("line", a_manager, True, True),
        ("desk", lambda: an_engineer(1), True, False),
        ("desk", a_manager, True, True),
        ("me", a_manager, False, False),
    ],
)
def test_who_sees_a_view_opens_it_and_who_may_changes_it(
    client: Client, shared: str, who: object, sees: bool, changes: bool
) -> None:
    owner, reader = an_engineer(2), who()  # type: ignore[operator]
    line = 2 if shared == "line" else None
    view = saved_views.save_view(by=owner, name="Late", tail="?horizon=late", shared=shared, line=line)
    client.force_login(reader)

    opened = client.get(reverse("desk:view", args=[view.slug])).status_code
    listed = view.name in [seen.name for seen, _may, _what in client.get(reverse("desk:views")).context["views"]]

    assert (opened, listed) == (200 if sees else 404, sees)
    assert client.get(reverse("desk:edit_view", args=[view.slug])).status_code == (200 if changes else 404)
    if not changes:
        with pytest.raises(Forbidden):
            saved_views.remove_view(view, by=reader)
    else:
        assert client.post(reverse("desk:remove_view", args=[view.slug])).status_code == 303
        assert not SavedView.objects.exists()


def test_an_empty_desk_says_so_and_one_that_is_done_says_that(client: Client) -> None:
    client.force_login(an_engineer(2))

    before = client.get(reverse("desk:queue"))
    open_ticket()
    after = client.get(reverse("desk:queue"))

    assert (before.context["never_any"], after.context["never_any"]) == (True, False)


def test_page_of_a_view_is_named_after_it(client: Client) -> None:
    engineer = an_engineer(2, language="en")
    view = saved_views.save_view(by=engineer, name="Burning", tail="?horizon=late")
    client.force_login(engineer)

    page = client.get(reverse("desk:view", args=[view.slug])).content.decode()

    assert "<title>Queue: Burning · " in page
    assert '<h1 class="sr">Queue: Burning</h1>' in page


def test_company_that_nobody_has_is_told_beside_the_list(client: Client) -> None:
    client.force_login(an_engineer(1, language="en"))
    number = open_ticket().number

    answer = client.get("/w/filter/", {"from": "l/1/", "priority": "3", "company": "Nowhere", "apply": "1"})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "No company has “Nowhere” in its name." in page
    assert f'id="row-{number}"' in page
    assert 'value="3" checked' in page
    assert "<title>Error: " in page


def test_views_are_told_by_their_place_and_in_names_never_in_codes(client: Client) -> None:
    engineer, customer = an_engineer(2, language="en"), open_ticket().customer
    saved_views.save_view(by=engineer, name="One", tail=f"my/?customer={customer.pk}&package=premium&package=basic")
    saved_views.save_view(by=engineer, name="Two", tail="l/3/?assignee=nobody")
    saved_views.save_view(by=engineer, name="Three", tail="")
    client.force_login(engineer)

    listed = {view.name: what for view, _may, what in client.get(reverse("desk:views")).context["views"]}
    form = client.get(reverse("desk:edit_view", args=["one"])).content.decode()

    assert listed == {
        "One": f"Mine; Package: Basic, Premium; Customer: {customer.name}",
        "Two": "Line: 3; Assignee: nobody",
        "Three": "My lines",
    }
    assert "Package: Premium</span>" in form


def test_who_has_no_lines_is_told_of_none_and_of_no_deadline_that_is_over(client: Client) -> None:
    late = open_ticket()
    Ticket.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(days=3))
    client.force_login(a_manager(language="en"))

    nothing_ahead = client.get(reverse("desk:my")).content.decode()
    open_ticket(at=timezone.now())
    page = client.get(reverse("desk:my")).content.decode()

    assert "The nearest deadline" not in nothing_ahead
    assert "The nearest deadline is " in page
    assert "of your lines" not in page
