"""What a process keeps of the catalogue is never older than the catalogue (`contracts/kept.py`)."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Line
from contracts import kept as kept_of_contracts
from contracts.kept import catalogue, edition_now
from contracts.models import PackageTerms, Service, TermsTarget
from sla import kept as kept_of_promises
from sla.kept import rules
from sla.models import Calendar, CalendarVersion, Ladder
from tests.moments import november

pytestmark = pytest.mark.django_db


def test_catalogue_is_read_once_for_an_edition():
    edition = edition_now()
    catalogue(edition), rules(edition)

    with CaptureQueriesContext(connection) as statements:
        known, hours = catalogue(edition), rules(edition)

    assert len(statements) == 0
    assert list(known.services) == list(Service.objects.all())
    assert list(known.lines.values()) == list(Line.objects.all())
    terms = PackageTerms.objects.first()
    assert known.included[terms.pk] == set(terms.services.values_list("code", flat=True))
    assert set(known.targets[terms.pk]) == set(terms.targets.all())
    for calendar in Calendar.objects.all():
        for at in (november(1), november(20)):
            assert hours.version_at(calendar.pk, at) == calendar.version_at(at)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Line.objects.filter(pk=2).update(name_en="Second"),
        lambda: Service.objects.create(code="new", name_ru="Новая", name_en="New"),
        lambda: TermsTarget.objects.filter(pk=0).delete(),
        lambda: Ladder.objects.create(kind="reaction", package=None, priority=2),
        lambda: CalendarVersion.objects.create(
            calendar=Calendar.objects.first(), valid_from=november(1), weekly_hours={}
        ),
    ],
    ids=["line", "service", "target", "ladder", "calendar"],
)
def test_every_change_makes_another_edition(change):
    before = edition_now()

    change()

    assert edition_now() != before


def test_change_is_seen_at_once():
    catalogue(edition_now())

    Line.objects.filter(pk=2).update(name_en="Second line, renamed")

    assert catalogue(edition_now()).lines[2].name_en == "Second line, renamed"


def test_what_was_rolled_back_is_never_seen_again():
    before = catalogue(edition_now()).lines[2].name_en
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Line.objects.filter(pk=2).update(name_en="Never")
        assert catalogue(edition_now()).lines[2].name_en == "Never"
        raise ZeroDivisionError

    assert catalogue(edition_now()).lines[2].name_en == before
    Line.objects.filter(pk=2).update(name_en="After")
    assert catalogue(edition_now()).lines[2].name_en == "After"


def test_every_table_that_is_kept_tells_of_its_changes():
    """A table that is kept from now on needs the trigger of migration contracts 0013."""
    read = [*kept_of_contracts._reads().values(), *kept_of_promises._reads().values()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'catalogue_changed'")
        telling = {table for (table,) in cursor.fetchall()}

    assert {queryset.model._meta.db_table for queryset in read} <= telling
