"""The demo's webinars: one a week, those that are over recorded, and a next one whenever the demo is started."""

from datetime import timedelta

import pytest

from helpdesk.demo.people import CUSTOMERS
from helpdesk.demo.webinars import WEEKS_BACK, plan_webinars
from success.models import Webinar
from tests.factories import a_csm, a_customer, a_member, an_engineer
from tests.moments import november, tuesday

pytestmark = pytest.mark.django_db


def test_weekly_ones_are_there_once_and_a_week_later_the_next_one_is_added():
    csm = a_csm(email="belova@veskora.example")
    an_engineer(email="sorokina@veskora.example")
    plan = next(plan for plan in CUSTOMERS if plan.code == "vetrolog")
    customer = a_customer(name=plan.name, csm=csm)
    for one in plan.people:
        a_member(customer, email=one.email)

    plan_webinars(tuesday(10))
    plan_webinars(tuesday(10))

    weekly = Webinar.objects.filter(customer__isnull=True).order_by("starts_at")
    assert [one.starts_at for one in weekly] == [
        november(19, 11) - timedelta(weeks=weeks) for weeks in range(WEEKS_BACK, -1, -1)
    ]
    assert [bool(one.recording_url) for one in weekly] == [True] * WEEKS_BACK + [False]
    assert [one.starts_at for one in customer.webinars.all()] == [november(20, 14)]
    plan_webinars(tuesday(10) + timedelta(weeks=1))
    assert weekly.all().count() == WEEKS_BACK + 2
    assert weekly.all().last().starts_at == november(26, 11)
