"""The catalogue as it is edited: a change of a package makes new terms from a date (domain §1.1, §4).

A change is a plain value first: it is checked, told as differences and previewed (`tickets/terms_preview.py`) before a
row is written. Who was promised something keeps it: a signed contract its terms, a ticket those of its receipt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from contracts.document.words import duration
from contracts.models import (
    Contract,
    Package,
    PackageTerms,
    Service,
    TermsPrice,
    TermsTarget,
)
from contracts.money import euro, percent
from contracts.price_words import day_words
from contracts.signing.refusals import moscow_day
from contracts.terms import Deployment, Kind, Price, Problem, Target, Terms, Unit, terms_problems

# How far back new terms may begin: to put right what a year was sold wrongly, never to rewrite history.
LONGEST_BACK = timedelta(days=366)
LAST_DAY = date(2199, 12, 31)
PERCENT_DIGITS = 2  # after the point, as the catalogue keeps a percent
MINIMUM_BELOW = Decimal(10) ** 10
AMOUNT_BELOW = 100_000  # of minutes or days; more is a slip of the keyboard


class NotChanged(Refused):
    """The terms cannot stand so. `problems` are all that is wrong, by field, not the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(problem.words for problem in self.problems), "1.1")


@dataclass(frozen=True)
class TermsChange:
    """What a package promises from a day on (Moscow's), as a plain value (domain §1.1 to §1.5).

    `package` and `calendar` are codes; a target without a calendar is counted in the package's service hours.
    """

    package: str
    starts_on: date
    calendar: str
    services: frozenset[str]
    prices: Mapping[Deployment, Price]
    targets: tuple[Target, ...] = field(default_factory=tuple)

    @property
    def terms(self) -> Terms:
        """The edition alone, without its date."""
        return Terms(self.package, self.services, self.prices, self.targets)

    def as_json(self) -> dict[str, Any]:
        """Plain values to be kept in a row; `from_json` reads them. Money and percents are decimal strings."""
        return {
            "package": self.package,
            "starts_on": self.starts_on.isoformat(),
            "calendar": self.calendar,
            "services": sorted(self.services),
            "prices": {str(where): [str(price.percent), str(price.minimum)] for where, price in self.prices.items()},
            "targets": [[str(one.kind), one.priority, one.amount, str(one.unit), one.calendar] for one in self.targets],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "TermsChange":
        return cls(
            package=kept["package"],
            starts_on=date.fromisoformat(kept["starts_on"]),
            calendar=kept["calendar"],
            services=frozenset(kept["services"]),
            prices={
                Deployment(where): Price(Decimal(share), Decimal(least))
                for where, (share, least) in kept["prices"].items()
            },
            targets=tuple(
                Target(Kind(kind), priority, amount, Unit(unit), calendar)
                for kind, priority, amount, unit, calendar in kept["targets"]
            ),
        )


def as_change(terms: PackageTerms, *, starts_on: date | None = None) -> TermsChange:
    """These terms as a plain value, from another day if one is given: what a form of a change begins with.

    Asks the database nothing where package, calendar, services, prices and targets with their calendars are fetched.
    """
    return TermsChange(
        package=terms.package.code,
        starts_on=starts_on or terms.starts_on,
        calendar=terms.calendar.code,
        services=frozenset(service.code for service in terms.services.all()),
        prices={Deployment(price.deployment): Price(price.percent, price.minimum) for price in terms.prices.all()},
        targets=tuple(
            Target(
                Kind(target.kind),
                target.priority,
                target.amount,
                Unit(target.unit),
                "" if target.calendar_id == terms.calendar_id else target.calendar.code,
            )
            for target in terms.targets.all()
        ),
    )


# What stands on what


def is_signed(terms: PackageTerms) -> bool:
    """Whether a contract was signed on these terms: then they stand as they are (domain §1.1, §4)."""
    return terms.contracts.exclude(state=Contract.State.DRAFT).exists()


def is_only_planned(terms: PackageTerms, today: date) -> bool:
    """Whether these terms begin after today and nobody stands on them yet, not even a draft: they can be replaced."""
    return terms.starts_on > today and not terms.contracts.exists() and not terms.tickets.exists()


def base_of(package: Package, today: date) -> tuple[PackageTerms, list[PackageTerms]]:
    """What new terms are compared with, and the terms that are only planned and would be replaced by them.

    Raises `NotChanged` for a package that has no terms at all.
    """
    replaced: list[PackageTerms] = []
    base = None
    for terms in package.terms.select_related("calendar", "package").order_by("-starts_on"):
        if not is_only_planned(terms, today):
            base = terms
            break
        replaced.append(terms)
    if base is None and replaced:  # a package that will be sold for the first time
        base = replaced.pop()
    if base is None:
        raise NotChanged([Problem("starts_on", "no_terms", _("This package has no terms that could be changed."))])
    return base, replaced


# The rules, in words


def problems_of(change: TermsChange, package: Package, *, today: date) -> list[Problem]:
    """Everything that stands against the change, by field: `starts_on`, `prices.on-site.percent`, `targets.0.amount`.

    `today` is Moscow's day. Amounts are EUR a year, percents 0 to 100 with two decimals (domain §1.1); the reaction is
    promised at every priority (§1.4).
    """
    base, _replaced = base_of(package, today)
    problems = [Problem(one.field, one.rule, _words(one)) for one in terms_problems(change.terms)]
    problems += _day_problems(change, base, today)
    if not problems and _contents(as_change(base)) == _contents(change):
        words = _("Nothing changes: these are the terms from %(day)s.") % {"day": day_words(base.starts_on)}
        problems.append(Problem("", "no_difference", words))
    for where, price in change.prices.items():
        if price.percent.is_finite() and not _has_decimals(price.percent, PERCENT_DIGITS):
            problems.append(
                Problem(f"prices.{where}.percent", "percent_decimals", _("A percent has at most two decimals (§1.1)."))
            )
        if price.minimum.is_finite() and price.minimum >= MINIMUM_BELOW:
            problems.append(Problem(f"prices.{where}.minimum", "minimum_size", _("That is more than any contract.")))
    for number, target in enumerate(change.targets):
        if isinstance(target.amount, int) and target.amount >= AMOUNT_BELOW:
            problems.append(Problem(f"targets.{number}.amount", "amount_size", _("That is longer than any promise.")))
    known = set(calendars().values_list("code", flat=True))
    if change.calendar not in known:
        problems.append(Problem("calendar", "calendar_unknown", _("Choose the service hours.")))
    for number, target in enumerate(change.targets):
        if target.calendar and target.calendar not in known:
            problems.append(Problem(f"targets.{number}.calendar", "calendar_unknown", _("Choose the service hours.")))
    if unknown := change.services - set(Service.objects.values_list("code", flat=True)):
        words = _("There is no such service: %(codes)s.") % {"codes": ", ".join(sorted(unknown))}
        problems.append(Problem("services", "service_unknown", words))
    return problems


def _day_problems(change: TermsChange, base: PackageTerms, today: date) -> list[Problem]:
    if change.starts_on <= base.starts_on:
        words = _("There are terms from %(day)s already, and contracts stand on them: choose a later day.")
        return [Problem("starts_on", "not_after_latest", words % {"day": day_words(base.starts_on)})]
    if change.starts_on < today - LONGEST_BACK:
        words = _("New terms begin on %(day)s at the earliest: what was promised before that is history.")
        return [Problem("starts_on", "too_far_back", words % {"day": day_words(today - LONGEST_BACK)})]
    if change.starts_on > LAST_DAY:
        return [Problem("starts_on", "too_far_ahead", _("That day is too far ahead."))]
    return []


def _contents(change: TermsChange) -> tuple:
    return change.calendar, change.services, dict(change.prices), frozenset(change.targets)


def _words(problem: Problem) -> str:
    """The rule in the reader's language."""
    return {
        "services_missing": _("A package entitles to one service at least (§1.2)."),
        "price_missing": _("The price is missing (§1.1)."),
        "percent_range": _("The percent lies between 0 and 100 (§1.1)."),
        "minimum_negative": _("The minimum is not negative (§1.1)."),
        "minimum_cents": _("The minimum is in whole cents (§1.1)."),
        "amount_positive": _("A target is a whole number of 1 or more (§1.4, §1.5)."),
        "reaction_missing": _("The reaction is promised at every priority (§1.4)."),
    }.get(problem.rule, problem.words)


def _has_decimals(number: Decimal, most: int) -> bool:
    _sign, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and (exponent >= -most or not any(digits[exponent + most :]))


def calendars() -> Any:
    """Every calendar that has hours, without naming the room above: `sla.Calendar` is what terms point at."""
    field: Any = PackageTerms._meta.get_field("calendar")
    return field.related_model.objects.filter(versions__isnull=False).distinct()


# What changes, in words


@dataclass(frozen=True)
class Difference:
    """One thing that the change moves: what, and its words before and after ("" where there was or is nothing)."""

    what: str
    old: str
    new: str


def differences(latest: PackageTerms, change: TermsChange) -> list[Difference]:
    """What the change alters, in the order of the price list, in the active language; empty for nothing."""
    return compared(as_change(latest), change, Names.read())


@dataclass(frozen=True)
class Names:
    """What the codes of services (in their order) and calendars are called, in the active language."""

    services: Mapping[str, str]
    calendars: Mapping[str, str]

    @classmethod
    def read(cls) -> "Names":
        return cls(
            {service.code: service.name for service in Service.objects.all()},
            {calendar.code: calendar.name for calendar in calendars()},
        )


def compared(old: TermsChange, change: TermsChange, named: Names) -> list[Difference]:
    """The same of two plain values. Pure but for the language."""
    names = named.calendars
    found: list[Difference] = []
    for where in Deployment:
        costs = price_words(old.prices.get(where)), price_words(change.prices.get(where))
        if costs[0] != costs[1]:
            found.append(Difference(_("Price, %(where)s") % {"where": deployment_words(where)}, *costs))
    if old.calendar != change.calendar:
        hours = names.get(old.calendar, old.calendar), names.get(change.calendar, change.calendar)
        found.append(Difference(_("Service hours"), *hours))
    yes, no = _("included"), _("not included")
    for code, name in named.services.items():
        if code in old.services ^ change.services:
            found.append(Difference(name, *((yes, no) if code in old.services else (no, yes))))
    for kind in Kind:
        for priority in (1, 2, 3, 4):
            before, after = old.terms.target(kind, priority), change.terms.target(kind, priority)
            if before == after:
                continue
            # Where only the hours of counting differ, they are named: "4 hours" to "4 hours" says nothing.
            alone = before is None or after is None or (before.amount, before.unit) != (after.amount, after.unit)
            what = _("%(promise)s, priority %(priority)s") % {
                "promise": _promise(kind),
                "priority": priority,
            }
            words = [
                _target_words(target, "" if alone or target is None else names.get(target.calendar or edition.calendar))
                for target, edition in ((before, old), (after, change))
            ]
            found.append(Difference(what, *words))
    return found


def deployment_words(where: Deployment) -> str:
    return _("on-site") if where == Deployment.ON_SITE else _("on-demand")


def price_words(price: Price | None) -> str:
    if price is None:
        return ""
    if not price.percent and not price.minimum:
        return _("included in the subscription")
    words = percent(price.percent)
    if price.minimum:
        words = _("%(percent)s, at least %(minimum)s") % {"percent": words, "minimum": euro(price.minimum)}
    return words


def target_words(amount: int, unit: str) -> str:
    """A promised time: "30 minutes", "2 working days"."""
    if unit == Unit.WORKING_DAYS:
        return ngettext("%(count)d working day", "%(count)d working days", amount) % {"count": amount}
    return duration(amount)


def _target_words(target: Target | None, hours: str | None) -> str:
    """The words of a promise, with the name of the hours that it is counted in where they are given."""
    if target is None:
        return _("not promised")
    words = target_words(target.amount, target.unit)
    return f"{words}, {hours}" if hours else words


def _promise(kind: Kind) -> str:
    """The label of a promise, as `sla.words.promise` has it."""
    return {
        Kind.REACTION: pgettext("promise", "Reaction"),
        Kind.RESOLUTION: pgettext("promise", "Resolution"),
        Kind.LINE_ACCEPTANCE: pgettext("promise", "Acceptance by the line"),
        Kind.ESCALATION_ANSWER: pgettext("promise", "Answer to the escalation"),
    }[kind]


# The verbs


def only_editors(by: User) -> None:
    """Refuses everybody but the administrator, who edits the catalogue (domain §7)."""
    if by.role != Role.ADMIN:
        raise Forbidden(_("Only the administrator edits packages; you can read them."))


@transaction.atomic
def apply_change(change: TermsChange, *, by: User, at: datetime) -> PackageTerms:
    """Writes the new terms of the package; what is signed, drafted or running stays as it is (domain §1.1, §4).

    Terms that were only planned, and that nobody stands on, are replaced. Raises `NotChanged` with all that stands
    against it, `Forbidden` for everybody but the administrator; nothing is written then.
    """
    only_editors(by)
    package = Package.objects.select_for_update().get(code=change.package)
    today = moscow_day(at)
    problems = problems_of(change, package, today=today)
    if problems:
        raise NotChanged(problems)
    _base, replaced = base_of(package, today)
    for terms in replaced:
        terms.delete()
    by_code = {calendar.code: calendar for calendar in calendars()}
    terms = PackageTerms.objects.create(package=package, starts_on=change.starts_on, calendar=by_code[change.calendar])
    terms.services.set(Service.objects.filter(code__in=change.services))
    TermsPrice.objects.bulk_create(
        TermsPrice(terms=terms, deployment=where, percent=price.percent, minimum=price.minimum)
        for where, price in change.prices.items()
    )
    TermsTarget.objects.bulk_create(
        TermsTarget(
            terms=terms,
            kind=target.kind,
            priority=target.priority,
            amount=target.amount,
            unit=target.unit,
            calendar=by_code[target.calendar or change.calendar],
        )
        for target in change.targets
    )
    return terms


@transaction.atomic
def new_terms(package: Package, *, starts_on: date) -> PackageTerms:
    """New terms of the package from a day on, a copy of its latest, to be edited before anybody signs on them.

    Raises `ValueError` where the package has no terms, or has terms from that day or a later one already.
    """
    latest = PackageTerms.objects.select_for_update().filter(package=package).order_by("starts_on").last()
    if latest is None or latest.starts_on >= starts_on:
        raise ValueError(f"{package.code}: new terms start after the latest, not on {starts_on}.")
    terms = PackageTerms.objects.create(package=package, starts_on=starts_on, calendar=latest.calendar)
    terms.services.set(latest.services.all())
    for price in latest.prices.all():
        TermsPrice.objects.create(
            terms=terms, deployment=price.deployment, percent=price.percent, minimum=price.minimum
        )
    for target in latest.targets.all():
        TermsTarget.objects.create(
            terms=terms,
            kind=target.kind,
            priority=target.priority,
            amount=target.amount,
            unit=target.unit,
            calendar=target.calendar,
        )
    return terms
