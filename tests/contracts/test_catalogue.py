"""The catalogue against the source: every cell of domain §1.1–1.5 is one row here, to be laid beside the price list."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db.models import Count

from accounts.models import Line
from contracts.models import Channel, Package, PackageTerms, Service, Topic
from contracts.signing import prices_of
from contracts.terms import Kind, Target, Terms, Unit, terms_problems
from sla.clocks import ladder_steps
from sla.models import Calendar, CalendarVersion, Ladder
from tests.factories import MOSCOW

pytestmark = pytest.mark.django_db

YES, NO = True, False
DAY = date(2026, 11, 17)


def terms_of(package: str) -> PackageTerms:
    return Package.objects.get(code=package).terms_on(DAY)


def price(package: str, deployment: str) -> str:
    """“20 %, at least €500”, as the price list writes it."""
    row = terms_of(package).prices.get(deployment=deployment)
    if not row.percent and not row.minimum:
        return "included"
    least = f", at least €{row.minimum:,.0f}" if row.minimum else ""
    return f"{row.percent.normalize():f} %{least}"


def service(package: str, code: str) -> bool:
    return terms_of(package).services.filter(code=code).exists()


def hours(package: str, _row: str) -> str:
    """“9:00–18:00 Mon–Fri” from the calendar itself, Moscow time."""
    version = terms_of(package).calendar.version_at(datetime(2026, 11, 17, tzinfo=MOSCOW))
    assert (version.timezone, version.holidays, version.overrides) == ("Europe/Moscow", [], {})
    if version.is_round_the_clock:
        return "24×7"
    days = sorted(map(int, version.weekly_hours))
    spans = {tuple(span) for day in days for span in version.weekly_hours[str(day)]}
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert spans == {("09:00", "18:00")} and days == list(range(len(days)))
    return f"9:00–18:00 {names[0]}–{names[days[-1]]}"


def promise(package: str, kind: str, priority: int) -> str:
    target = terms_of(package).targets.filter(kind=kind, priority=priority).first()
    if target is None:
        return "–"
    if target.unit == "working_days":
        assert target.calendar.code == "working-days"
        return f"{target.amount} working days"
    assert target.calendar == target.terms.calendar, "counted in the package's service hours"
    return f"{target.amount // 60} h" if target.amount % 60 == 0 else f"{target.amount} min"


def reaction(package: str, priority: int) -> str:
    return promise(package, "reaction", priority)


def resolution(package: str, priority: int) -> str:
    return promise(package, "resolution", priority)


@pytest.mark.parametrize(
    ("question", "row", "basic", "business", "premium"),
    [
        # §1.1 Price: percent of the licence cost, per year
        (price, "on-site", "15 %", "20 %, at least €500", "25 %, at least €10,000"),
        (price, "on-demand", "included", "10 %, at least €500", "15 %, at least €10,000"),
        # §1.2 Services
        (service, "online", NO, YES, YES),
        (service, "offline", YES, YES, YES),
        (service, "config_dev", NO, YES, YES),
        (service, "priority_mgmt", NO, NO, YES),
        (service, "csm", NO, NO, YES),
        (service, "unlimited", YES, YES, YES),
        (service, "install", YES, YES, YES),
        (service, "functional", YES, YES, YES),
        (service, "settings", YES, YES, YES),
        (service, "defects", YES, YES, YES),
        (service, "releases", YES, YES, YES),
        (service, "portal", YES, YES, YES),
        (service, "knowledge", YES, YES, YES),
        # §1.3 Service hours (UTC+03:00)
        (hours, "hours", "9:00–18:00 Mon–Fri", "9:00–18:00 Mon–Sun", "24×7"),
        # §1.4 Reaction, at most
        (reaction, 1, "4 h", "1 h", "30 min"),
        (reaction, 2, "8 h", "4 h", "2 h"),
        (reaction, 3, "8 h", "4 h", "2 h"),
        (reaction, 4, "8 h", "4 h", "2 h"),
        # §1.5 Resolution, guaranteed (Premium only)
        (resolution, 1, "–", "–", "2 h"),
        (resolution, 2, "–", "–", "2 working days"),
        (resolution, 3, "–", "–", "10 working days"),
        (resolution, 4, "–", "–", "20 working days"),
    ],
)
@pytest.mark.parametrize("package", ["basic", "business", "premium"])
def test_a_cell_of_the_price_list(question, row, basic, business, premium, package):
    assert question(package, row) == {"basic": basic, "business": business, "premium": premium}[package]


def test_the_catalogue_has_nothing_beside_the_price_list():
    assert list(Package.objects.values_list("code", "name_ru", "name_en")) == [
        ("basic", "Базовый", "Basic"),
        ("business", "Бизнес", "Business"),
        ("premium", "Премиум", "Premium"),
    ]
    assert set(PackageTerms.objects.values_list("starts_on", flat=True)) == {date(2020, 1, 1)}
    assert Service.objects.count() == 13
    assert {
        terms.package.code: (terms.services.count(), terms.prices.count(), terms.targets.count())
        for terms in PackageTerms.objects.all()
    } == {"basic": (9, 2, 8), "business": (11, 2, 8), "premium": (13, 2, 12)}


@pytest.mark.parametrize("code", ["basic", "business", "premium"])
def test_terms_of_the_catalogue_have_no_problems_as_plain_values(code):
    row = terms_of(code)
    targets = tuple(
        Target(Kind(target.kind), target.priority, target.amount, Unit(target.unit), target.calendar.code)
        for target in row.targets.all()
    )

    assert (
        terms_problems(Terms(code, frozenset(row.services.values_list("code", flat=True)), prices_of(row), targets))
        == []
    )


@pytest.mark.parametrize("package", ["basic", "business", "premium"])
@pytest.mark.parametrize(("priority", "within"), [(1, "1 h"), (2, "4 h"), (3, "4 h"), (4, "4 h")])
def test_an_escalation_is_answered_in_the_package_hours(package, priority, within):
    """Domain §4.4."""
    assert promise(package, "escalation_answer", priority) == within


# Lines, topics, channels


@pytest.mark.parametrize(
    ("number", "ru", "en", "accept_within", "topics"),
    [
        (
            1,
            "Первая",
            "First",
            timedelta(minutes=30),
            "access how_to network_os remote_connection service_request wish",
        ),
        (
            2,
            "Вторая",
            "Second",
            timedelta(hours=1),
            "database import_export installation process_setup report_setup upgrade web_server",
        ),
        (3, "Третья", "Third", timedelta(hours=2), "development integration"),
        (4, "Четвёртая", "Fourth", timedelta(hours=4), "defect"),
    ],
)
def test_a_line_of_support(number, ru, en, accept_within, topics):
    """Domain §3.3."""
    line = Line.objects.get(pk=number)

    assert (line.name_ru, line.name_en, line.accept_within) == (ru, en, accept_within)
    assert sorted(line.topics.values_list("code", flat=True)) == topics.split()
    assert line.does_ru and line.does_en


def test_only_the_network_is_outside_support():
    assert list(Topic.objects.filter(service=None).values_list("code", flat=True)) == ["network_os"]


def test_channels_need_a_service_and_live_ones_open_hours():
    """Domain §3.5, §1.2."""
    assert list(Channel.objects.values_list("code", "service", "is_live")) == [
        ("portal", "offline", False),
        ("email", "offline", False),
        ("chat", "online", True),
        ("phone", "online", True),
        ("remote", "online", True),
        ("community", "offline", False),
        ("api", "offline", False),
    ]


@pytest.mark.parametrize("model", [Line, Service, Channel, Topic, Package, Calendar])
def test_every_row_has_a_russian_and_an_english_name(model):
    assert [row for row in model.objects.all() if not row.name_ru or not row.name_en] == []


# Ladders


@pytest.mark.parametrize(
    ("kind", "priority", "steps"),
    [
        ("reaction", 1, "50 line_queue, 75 line_lead, 100 csm, 150 top_management"),
        ("reaction", 2, "50 line_queue, 75 line_lead, 100 csm, 200 top_management"),
        ("reaction", 3, "50 line_queue, 75 line_lead, 100 csm, 200 top_management"),
        ("reaction", 4, "50 line_queue, 75 line_lead, 100 csm, 200 top_management"),
        ("resolution", 1, "50 assignee, 75 line_lead, 90 csm, 100 csm, 100 support_manager, 125 top_management"),
        ("resolution", 4, "50 assignee, 75 line_lead, 90 csm, 100 csm, 100 support_manager, 125 top_management"),
        ("line_acceptance", 2, "100 line_lead, 200 support_manager"),
        ("escalation_answer", 1, "75 csm, 100 top_management"),
    ],
)
@pytest.mark.parametrize("package", ["basic", "business", "premium"])
def test_a_row_of_the_ladder(kind, priority, steps, package):
    """Domain §4.4, the same for every package."""
    climbed = ladder_steps(kind, Package.objects.get(code=package).pk, priority)

    assert ", ".join(f"{step.percent} {step.whom}" for step in climbed) == steps


def test_there_is_a_ladder_for_every_kind_of_promise():
    assert dict(Ladder.objects.order_by().values_list("kind").annotate(Count("pk"))) == {
        "reaction": 2,
        "resolution": 1,
        "line_acceptance": 1,
        "escalation_answer": 1,
    }


# Working days


def working_days():
    return CalendarVersion.objects.get(calendar__code="working-days").working_calendar()


@pytest.mark.parametrize(
    ("year", "days"),
    # Working days of the five-day week by the production calendars of these years.
    [(2024, 248), (2025, 247), (2026, 247), (2027, 247)],
)
def test_a_year_has_the_working_days_of_the_production_calendar(year, days):
    calendar = working_days()

    worked = calendar.between(datetime(year, 1, 1, tzinfo=MOSCOW), datetime(year + 1, 1, 1, tzinfo=MOSCOW))

    assert worked == timedelta(hours=9) * days


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        ("2024-04-27", YES),  # Saturday, worked for Monday 29 April
        ("2024-04-29", NO),
        ("2024-11-02", YES),
        ("2024-12-28", YES),
        ("2024-12-31", NO),
        ("2025-05-08", NO),
        ("2025-11-01", YES),
        ("2025-11-03", NO),
        ("2025-12-31", NO),
        ("2026-01-09", NO),
        ("2026-03-09", NO),
        ("2026-05-11", NO),
        ("2026-11-03", YES),  # the eve of a holiday is a whole day
        ("2026-11-04", NO),
        ("2026-11-17", YES),
        ("2026-11-21", NO),  # a plain Saturday
        ("2026-12-31", NO),
        ("2027-02-20", YES),
        ("2027-02-22", NO),
        ("2027-11-05", NO),
    ],
)
def test_a_working_day(day, is_open):
    """Holidays of Russia with the transferred working days (domain §1.5)."""
    calendar = working_days()
    nine, almost_six = datetime.fromisoformat(f"{day}T09:00+03:00"), datetime.fromisoformat(f"{day}T17:59+03:00")

    assert (calendar.is_open(nine), calendar.is_open(almost_six)) == (is_open, is_open)


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_the_frozen_holidays_are_those_of_the_holidays_library(year):
    holidays = pytest.importorskip("holidays")
    known = holidays.RU(years=year)
    version = CalendarVersion.objects.get(calendar__code="working-days")

    assert [day for day in version.holidays if day.startswith(str(year))] == sorted(str(day) for day in known)
    assert [day for day in version.overrides if day.startswith(str(year))] == sorted(
        str(day) for day in known.weekend_workdays
    )


def test_two_working_days_from_tuesday_end_on_thursday():
    """The example of domain §1.5."""
    due = working_days().add(datetime(2026, 11, 17, 10, 30, tzinfo=MOSCOW), timedelta(hours=18))

    assert due == datetime(2026, 11, 19, 10, 30, tzinfo=MOSCOW)


# The migration


def test_loading_leaves_a_catalogue_that_stands_alone():
    Package.objects.filter(code="basic").update(name_en="Entry")

    import_module("contracts.migrations.0003_catalogue").load(apps)

    assert list(Package.objects.values_list("name_en", flat=True)) == ["Entry", "Business", "Premium"]


def test_prices_are_money():
    assert terms_of("premium").prices.get(deployment="on-site").minimum == Decimal("10000.00")
