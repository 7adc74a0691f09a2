"""The demo year, cast: when requests come, from which customer, and which story each lives through.

Deterministic by the seed and the day, pure but for them; `year` plays what is cast here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from helpdesk.demo.people import CUSTOMERS, CustomerPlan, LicencePlan, next_release
from helpdesk.demo.stories_en import STORIES as STORIES_EN
from helpdesk.demo.stories_ru import STORIES as STORIES_RU
from helpdesk.demo.story import Deck, Story

RECENT = timedelta(days=4)  # a good part of what is open today came in these days


@dataclass(frozen=True)
class Part:
    """One ticket to be played: its place in the year, its moment, its customer, its story and licence."""

    number: int
    at: datetime
    plan: CustomerPlan
    story: Story
    licence: LicencePlan


def year(today: date, *, now: datetime, tickets: int, seed: int) -> list[Part]:
    """Casts the year: so many parts, oldest first. Pure but for the seed."""
    rng = Random(f"{seed}:{today}")
    decks = {"ru": Deck(rng, STORIES_RU), "en": Deck(rng, STORIES_EN)}
    openings = sorted(_openings(today, now=now, tickets=tickets, rng=rng), key=lambda opening: opening[0])
    return [
        Part(number, at, plan, *_choose(plan, decks[plan.language], at, today, rng))
        for number, (at, plan) in enumerate(openings, start=1)
    ]


def _openings(today: date, *, now: datetime, tickets: int, rng: Random) -> Iterator[tuple[datetime, CustomerPlan]]:
    """Moments over the last year: office hours of the customer mostly, nights only where the package is 24×7."""
    shares = [plan.share for plan in CUSTOMERS]
    for number in range(tickets):
        plan = rng.choices(CUSTOMERS, weights=shares)[0]
        first, last = plan.covered_days(today)
        first = max(first, -364)
        recent = number % 12 == 0 and last == 0  # a twelfth of the year came in the last days: these are open now
        fresh = number % 60 == 7 and last == 0 and plan.package != "basic"  # and some just now
        while True:
            if fresh:
                at = now - timedelta(minutes=rng.uniform(4, 150))
                break
            if recent:
                at = now - RECENT * rng.random() ** 1.5
            else:
                day = today + timedelta(days=rng.randint(first, last))
                at = _moment(plan, day, rng)
            if at < now - timedelta(minutes=3) and _is_likely(plan, at, rng):
                break
        yield at.replace(microsecond=0), plan


def _moment(plan: CustomerPlan, day: date, rng: Random) -> datetime:
    second = int(rng.triangular(8.3 * 3600, 18.6 * 3600, 10.7 * 3600))
    if plan.package == "premium" and rng.random() < 0.12:
        second = rng.randrange(24 * 3600)
    return datetime.combine(day, time(), tzinfo=ZoneInfo(plan.timezone)) + timedelta(seconds=second)


def _is_likely(plan: CustomerPlan, at: datetime, rng: Random) -> bool:
    """Few write on weekends; who does is on a package that works then, or waits for Monday."""
    local = at.astimezone(ZoneInfo(plan.timezone))
    chance = {5: 0.16, 6: 0.1}.get(local.weekday(), 1.0)
    if not 8 <= local.hour < 20:
        chance *= 0.15
    return rng.random() < chance


def _choose(plan: CustomerPlan, deck: Deck, at: datetime, today: date, rng: Random) -> tuple[Story, LicencePlan]:
    """A story that this customer can live through with one of its licences, and that its package includes."""
    day = (at.astimezone(ZoneInfo("Europe/Moscow")).date() - today).days
    owned = [licence for licence in plan.licences if licence.since <= day] or list(plan.licences[:1])
    licence = rng.choices(owned, weights=[licence.seats for licence in owned])[0]
    package = next(
        (
            contract.package
            for contract, first, last in plan.contract_terms(today)
            if first <= today + timedelta(day) <= last
        ),
        plan.package,
    )
    outside = {"development", "integration", "remote_connection"} if package == "basic" else set()

    def suits(story: Story) -> bool:
        return (
            story.product in {"", licence.product}
            and story.deployment in {"", licence.deployment}
            and story.topic not in outside
            and not (plan.clauses and any(turn.kind == "decline" for turn in story.turns))
        )

    contact = next(
        (
            tenure.person
            for tenure in plan.contacts
            if tenure.since <= day and (tenure.until is None or day < tenure.until)
        ),
        plan.contacts[-1].person,
    )
    release = licence.version_on(day)
    given = {
        "contact": contact.full_name.split(" ")[0],
        "release": release,
        "next_release": next_release(release, day),
    }
    return deck.deal(suits, given), licence
