"""What a licence will cost in support, and what stands against it, before it is written down (domain §1.7.5)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from contracts import pricing, signing, terms
from contracts.models import Contract, Licence
from contracts.price_words import day_words, refusal_words

JOINS, IN_DRAFT, UNCOVERED, OVER = "joins", "in draft", "uncovered", "over"


@dataclass(frozen=True)
class Prospect:
    """What comes of a licence. `kind`:

    JOINS: the signed `contract` covers it, and `part` is what that costs; IN_DRAFT: the draft counts it, and `quote` is
    the draft's price with it (None where it has none); UNCOVERED: no contract is there, the next draft counts it; OVER:
    its last day is past. `problems` are the fields that stand against it, each with the sentence.
    """

    kind: str
    contract: Contract | None = None
    part: pricing.Proration | None = None
    quote: pricing.Quote | None = None
    problems: tuple[tuple[str, str], ...] = ()


def prospect(licence: Licence, *, at: datetime, release_is_told: bool = True) -> Prospect:
    """What comes of an unsaved licence with customer, deployment, cost and days. Nothing is written.

    `release_is_told`: whether its release is meant as it stands; a preview is shown before it is chosen.
    """
    today = signing.moscow_day(at)
    first = max(licence.starts_on, today)
    if licence.ends_on is not None and licence.ends_on < today:
        return Prospect(OVER)
    contracts = licence.customer.contracts.select_related("terms__package").order_by("starts_on")
    # One that is terminated with notice takes licences in to its last day; `signing.last_day` tells it.
    running = Q(state=Contract.State.ACTIVE, ends_on__gte=today) | Q(terminated_on__gte=today)
    signed = list(contracts.filter(running))
    contract = next((row for row in signed if signing.last_day(row) >= first), None)
    if contract is not None and (licence.ends_on is None or licence.ends_on >= contract.starts_on):
        return _joins(contract, licence, release_is_told)
    drafts = list(contracts.filter(state=Contract.State.DRAFT, starts_on__gte=licence.starts_on))
    draft = next((row for row in drafts if licence.ends_on is None or licence.ends_on >= row.starts_on), None)
    if draft is not None:
        return Prospect(IN_DRAFT, draft, quote=_quote_with(draft, licence))
    if signed and contract is None:
        words = _(
            "Contract %(number)s ends on %(day)s, and none follows it yet: draft the renewal first, then the "
            "licence is counted in it (§1.7.5)."
        )
        last = signed[-1]
        problem = ("starts_on", words % {"number": last.number, "day": day_words(signing.last_day(last))})
        return Prospect(UNCOVERED, last, problems=(problem,))
    return Prospect(UNCOVERED)


def _joins(contract: Contract, licence: Licence, release_is_told: bool) -> Prospect:
    problems = []
    package = contract.terms.package.name
    if release_is_told and licence.release is None:
        problems.append(
            (
                "release",
                _("Choose the installed release: support is bought for an official one (§1.7.4)."),
            )
        )
    elif release_is_told and licence.release is not None and not licence.release.is_official:
        words = _("%(release)s is not an official release, and support is bought for an official one (§1.7.4).")
        problems.append(("release", words % {"release": licence.release}))
    part = None
    if terms.Deployment(licence.deployment) not in signing.prices_of(contract.terms):
        words = _("The package %(package)s has no price for %(deployment)s licences: a part is not sold (§1.7.3).")
        problems.append(("deployment", words % {"package": package, "deployment": licence.get_deployment_display()}))
    else:
        try:
            _line, part = signing.prorated_line(contract, licence)
        except pricing.PricingError as refusal:
            problems.append(
                ("starts_on" if isinstance(refusal, pricing.OutsideTerm) else "cost", refusal_words(refusal))
            )
    return Prospect(JOINS, contract, part=part, problems=tuple(problems))


def _quote_with(draft: Contract, licence: Licence) -> pricing.Quote | None:
    try:
        return signing.quote(draft, [*signing.covered_licences(draft), licence])
    except pricing.PricingError:
        return None  # the draft's own page says what is missing
