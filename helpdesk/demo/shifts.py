"""The demo's shifts and skills: office hours on every line, evenings and nights on the first two, one who is away.

Made once for people without shifts, so that a demo loaded before has them too. Plain plans, played by the verbs.
"""

from datetime import date, datetime, timedelta

from accounts import planning
from accounts.models import Absence, Line, Role, User
from contracts.models import Product
from helpdesk.demo.people import VENDOR_DOMAIN
from tickets.models import Skill

WEEKDAYS, WEEKEND, ALL_DAYS = (0, 1, 2, 3, 4), (5, 6), (0, 1, 2, 3, 4, 5, 6)

# login, line, weekdays, hour from, hour to (24 is midnight; not after the beginning: the next day)
SHIFTS = (
    ("guseva", 1, WEEKDAYS, 9, 18),
    ("ermakov", 1, WEEKDAYS, 8, 17),
    ("lindqvist", 1, WEEKDAYS, 12, 21),
    ("zaharov", 1, ALL_DAYS, 21, 8),
    ("ermakov", 1, (5,), 9, 18),
    ("lindqvist", 1, (6,), 9, 18),
    ("klimov", 2, WEEKDAYS, 9, 18),
    ("kravets", 2, (0, 1, 2, 3), 8, 18),
    ("ozols", 2, WEEKDAYS, 12, 21),
    ("kravets", 2, WEEKEND, 9, 24),
    ("sorokina", 3, WEEKDAYS, 9, 18),
    ("bulatov", 3, WEEKDAYS, 7, 16),
    ("whitlow", 3, WEEKDAYS, 12, 21),
    ("zueva", 2, (0, 2, 4), 10, 19),
    ("zueva", 3, (1, 3), 10, 19),
    ("tihonov", 4, WEEKDAYS, 10, 19),
    ("petrenko", 4, WEEKDAYS, 9, 18),
    ("aasmae", 4, WEEKDAYS, 11, 20),
)

# login: levels of sales, service, marketing, studio
SKILLS = {
    "guseva": (3, 2, 1, 0),
    "ermakov": (1, 3, 0, 1),
    "lindqvist": (2, 2, 2, 1),
    "zaharov": (2, 1, 0, 0),
    "klimov": (3, 1, 0, 2),
    "kravets": (1, 3, 2, 0),
    "ozols": (2, 2, 0, 1),
    "sorokina": (2, 0, 1, 3),
    "bulatov": (3, 2, 0, 1),
    "whitlow": (1, 1, 3, 2),
    "zueva": (0, 3, 2, 2),
    "tihonov": (3, 2, 0, 2),
    "petrenko": (1, 3, 1, 0),
    "aasmae": (0, 1, 3, 3),
}
PRODUCTS = ("sales", "service", "marketing", "studio")


def shifts(today: date, now: datetime) -> None:
    """Plans the shifts, writes the skills, and sends one engineer of line 2 on leave with a colleague standing in."""
    manager = User.objects.filter(role=Role.SUPPORT_MANAGER, is_active=True).earliest("pk")
    logins = {login for login, *_rest in SHIFTS} | SKILLS.keys()
    people = {one.email.partition("@")[0]: one for one in User.objects.filter(email__in=map(_address, logins))}
    if any(one.shifts.exists() for one in people.values()):
        return
    lines = Line.objects.in_bulk()
    since = today - timedelta(days=today.weekday() + 28)
    for login, line, weekdays, start, end in SHIFTS:
        planning.plan_shift(
            people[login],
            line=lines[line],
            weekdays=weekdays,
            starts=start * 60,
            ends=end * 60,
            since=since,
            by=manager,
            at=now,
        )
    products = Product.objects.in_bulk(PRODUCTS, field_name="code")
    Skill.objects.bulk_create(
        Skill(user=people[login], product=products[code], level=level)
        for login, levels in SKILLS.items()
        for code, level in zip(PRODUCTS, levels, strict=True)
        if level
    )
    if not Absence.objects.filter(ends_at__gt=now).exists():
        Absence.objects.create(
            user=people["ozols"],
            starts_at=now - timedelta(hours=20),
            ends_at=now + timedelta(days=4),
            substitute=people["klimov"],
            reason="Отпуск",
        )


def _address(login: str) -> str:
    return f"{login}@{VENDOR_DOMAIN}"
