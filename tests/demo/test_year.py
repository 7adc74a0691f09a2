"""A piece of the demo year, told by the verbs of the house: what it leaves agrees with its own events (domain §4.3)."""

import io
import json

import pytest
from django.core.management import call_command

from sla.models import Commitment, Escalation
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

TICKETS = 48  # of the 600; fewer would leave out missed promises and rungs


def test_the_year_verifies_clean_and_twice_told_it_goes_on():
    call_command("demo", tickets=TICKETS, stdout=io.StringIO())
    told = io.StringIO()

    call_command("verify_commitments", "--json", stdout=told)  # exits with 1 where anything differs

    counts = json.loads(told.getvalue().splitlines()[-1])
    assert counts["differences"] == 0
    assert counts["tickets"] == Ticket.objects.count() >= TICKETS
    assert counts["commitments"] == Commitment.objects.count() > TICKETS
    # And there was something to verify: promises kept and missed, paused, replaced by agreement; rungs of the ladder.
    assert Commitment.objects.filter(ending="met").exists()
    assert Commitment.objects.filter(ending="missed").exists()
    assert Escalation.objects.exists()
