"""The demo's webinars: one every Thursday, those of the last weeks recorded, the next one to sign up for, and one for a
single customer. Played by the verbs; each is made once, so that a demo started again a week later has its next one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from contracts.models import Customer, Product
from helpdesk.demo.people import CUSTOMERS, VENDOR_DOMAIN
from sla.words import MOSCOW
from success import webinars
from success.models import Webinar
from success.webinars import Plan

CSM, HOST = "belova", "sorokina"
THURSDAY, HOUR = 3, 11  # of Moscow
WEEKS_BACK = 6
WEEK = timedelta(weeks=1)
JOIN, RECORDING = "https://meet.veskora.example/webinar", "https://video.veskora.example/webinar"


@dataclass(frozen=True)
class Lesson:
    """A weekly webinar; `product` is the code of one, "" where it is for everybody."""

    title: str
    about: str
    language: str = "ru"
    product: str = ""
    seats: int | None = None


# One after another, week by week; after the last the first again.
LESSONS = (
    Lesson(
        "Первые шаги: карточки, списки и поиск",
        "Для тех, кто недавно начал работать с системой. Откроем карточку, настроим список под себя, найдём запись по "
        "части названия.\n\nВторая половина часа — ответы на ваши вопросы.",
    ),
    Lesson(
        "Воронка продаж: от обращения до оплаты",
        "Стадии сделки, поля, которые обязательны на каждой, и отчёт по конверсии. Разберём на примере отдела "
        "из десяти человек.",
        product="sales",
        seats=60,
    ),
    Lesson(
        "Очереди и сроки в сервисном центре",
        "Как устроены очереди, что считает срок ответа и почему он иногда стоит. Покажем настройку календаря.",
        product="service",
    ),
    Lesson(
        "Reports without a developer",
        "Build a report from a list, share it with your team and schedule it by e-mail. "
        "Questions are welcome at any time.",
        language="en",
    ),
    Lesson(
        "Права доступа: кому что видно",
        "Роли, права на записи и на поля. Соберём права для отдела с нуля и проверим их под другим сотрудником.",
        seats=40,
    ),
)
INDIVIDUAL = Lesson(
    "Печатные формы: разбор ваших шаблонов",
    "Отдельная встреча для вашей компании: разбираем шаблоны счёта и акта, которые вы прислали, и переносим их "
    "на новый выпуск.",
)


@transaction.atomic
def plan_webinars(now: datetime) -> None:
    """The weekly ones around now and the individual one, as far as they are not there yet."""
    csm = User.objects.get(email=f"{CSM}@{VENDOR_DOMAIN}")
    host = User.objects.get(email=f"{HOST}@{VENDOR_DOMAIN}")
    following = next_thursday(now)
    for weeks in range(WEEKS_BACK + 1):
        starts_at = following - WEEK * (WEEKS_BACK - weeks)
        if not Webinar.objects.filter(starts_at=starts_at, customer__isnull=True).exists():
            lesson = LESSONS[starts_at.toordinal() // 7 % len(LESSONS)]
            _weekly(lesson, starts_at, host if lesson.seats is None else csm, csm, now)
    customer = Customer.objects.get(name=next(plan.name for plan in CUSTOMERS if plan.code == "vetrolog"))
    if not customer.webinars.exists():
        webinars.plan(_told(INDIVIDUAL, following + timedelta(days=1, hours=3), csm, customer), by=csm, at=now)


def next_thursday(now: datetime) -> datetime:
    """The first Thursday morning of Moscow that is more than a day away."""
    here = now.astimezone(MOSCOW)
    day = (here + timedelta(days=(THURSDAY - here.weekday()) % 7)).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return day if day - now > timedelta(days=1) else day + WEEK


def _told(lesson: Lesson, starts_at: datetime, host: User, customer: Customer | None = None) -> Plan:
    return Plan(
        title=lesson.title,
        about=lesson.about,
        language=lesson.language,
        starts_at=starts_at,
        minutes=60,
        host=host,
        products=tuple(Product.objects.filter(code=lesson.product)),
        customer=customer,
        join_url=f"{JOIN}/{starts_at:%Y-%m-%d}",
        seats=lesson.seats,
    )


def _weekly(lesson: Lesson, starts_at: datetime, host: User, by: User, now: datetime) -> None:
    planned_at = min(now, starts_at - timedelta(days=9))
    webinar = webinars.plan(_told(lesson, starts_at, host), by=by, at=planned_at)
    is_past = webinar.ends_at < now
    # For the next one none of the demo's sign-ins has signed up: whoever looks at the demo does it.
    comes = [one.email for plan in CUSTOMERS for one in plan.people if is_past or not one.shown]
    for number, person in enumerate(User.objects.filter(email__in=comes).order_by("email")):
        if (number + starts_at.toordinal()) % 3:
            continue
        try:
            webinars.sign_up(webinar, by=person, at=planned_at + timedelta(hours=number + 1) if is_past else now)
        except webinars.Forbidden:
            continue  # not for a product of theirs
    if is_past and starts_at + timedelta(days=1) < now:
        day = f"{starts_at:%Y-%m-%d}"
        webinars.publish_recording(
            webinar,
            recording_url=f"{RECORDING}/{day}",
            materials=f"{RECORDING}/{day}.pdf {'Slides' if lesson.language == 'en' else 'Слайды'}",
            by=by,
            at=starts_at + timedelta(days=1),
        )
