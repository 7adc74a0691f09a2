"""What the page of one contract shows: term, price, licences, checklist, clauses, log (domain §1, §2).

Only reads, and in as many statements for one licence, clause or event as for many.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from contracts import pricing, terms
from contracts.checklist import Condition, checklist
from contracts.document.words import hours_words, target_words
from contracts.models import (
    Contract,
    ContractClause,
    ContractDocument,
    ContractEvent,
    ContractLine,
    Package,
    PromiseKind,
    RenewalOffer,
    Service,
)
from contracts.price_words import proration_words, quote_words, refusal_words
from contracts.signing import covered_licences, derived_lines, last_day, moscow_day, prices_of, quote

LOG = 50


@dataclass
class Added:
    """A licence bought later, and how its part was counted (domain §1.7.5)."""

    line: ContractLine
    steps: list[str]


@dataclass
class Promise:
    """What is promised at one priority, in words; "" for nothing."""

    priority: int
    reaction: str
    resolution: str


@dataclass
class AgreementPage:
    """One contract as its page tells it. Money is EUR, days are Moscow's."""

    contract: Contract
    today: date
    last_day: date
    lines: list[ContractLine]
    added: list[Added]
    quote: pricing.Quote | None
    steps: list[str]
    no_price: str
    conditions: list[Condition]
    clauses: list[ContractClause]
    offers: list[RenewalOffer]
    documents: dict[str, ContractDocument]
    services: list[tuple[str, bool]]
    promises: list[Promise]
    hours: str
    successor: Contract | None
    log: list[ContractEvent]
    older_log: int | None = None
    packages: dict[str, str] = field(default_factory=dict)

    @property
    def is_draft(self) -> bool:
        return self.contract.state == Contract.State.DRAFT

    @property
    def is_active(self) -> bool:
        return self.contract.state == Contract.State.ACTIVE

    @property
    def failing(self) -> int:
        return sum(len(condition.reasons) for condition in self.conditions)

    @property
    def days(self) -> int:
        """Days of the term, both ends counted."""
        return (self.last_day - self.contract.starts_on).days + 1

    @property
    def days_gone(self) -> int:
        """Days that are over; today is not."""
        return min(max((self.today - self.contract.starts_on).days, 0), self.days)

    @property
    def days_left(self) -> int:
        return self.days - self.days_gone

    @property
    def days_until(self) -> int:
        """Days until it begins; 0 from the first day on."""
        return max((self.contract.starts_on - self.today).days, 0)

    @property
    def percent_gone(self) -> int:
        return 100 * self.days_gone // self.days

    @property
    def cost(self) -> Decimal:
        return sum((line.cost for line in self.lines), Decimal(0))

    @property
    def yearly(self) -> Decimal:
        """The lines together."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def added_total(self) -> Decimal:
        return sum((one.line.amount for one in self.added), Decimal(0))

    @property
    def whole(self) -> Decimal:
        """The price of the term with the licences added since."""
        return (self.quote.total if self.quote else Decimal(0)) + self.added_total

    @property
    def can_be_renewed(self) -> bool:
        return self.successor is None and self.contract.state in {Contract.State.ACTIVE, Contract.State.EXPIRED}


def page_of(contract: Contract, *, at: datetime, log_before: int | None = None) -> AgreementPage:
    """Everything that the page of this contract shows at this moment; the log from before the event of a key on."""
    lines, added = _lines(contract)
    counted, no_price = _price(contract, lines)
    if counted is not None and contract.signed_at is None:
        lines = derived_lines(contract, [line.licence for line in lines])
    log = _log(contract, log_before)
    services = {service.pk for service in contract.terms.services.all()}
    return AgreementPage(
        contract=contract,
        today=moscow_day(at),
        last_day=last_day(contract),
        lines=lines,
        added=added,
        quote=counted,
        steps=quote_words(counted) if counted else [],
        no_price=no_price,
        conditions=checklist(contract, at=at) if contract.state == Contract.State.DRAFT else [],
        clauses=list(contract.clauses.select_related("topic", "service").order_by("pk")),
        offers=list(contract.offers.select_related("successor", "answered_by").order_by("-days_ahead")),
        documents={document.language: document for document in contract.documents.defer("body")},
        services=[(service.name, service.pk in services) for service in Service.objects.all()],
        promises=_promises(contract),
        hours=hours_words(contract.terms.calendar.version_at(contract.signed_at or at)),
        successor=Contract.objects.filter(predecessor=contract).first(),
        log=log[:LOG],
        older_log=log[LOG - 1].pk if len(log) > LOG else None,
        packages={package.code: package.name for package in Package.objects.all()},
    )


def _lines(contract: Contract) -> tuple[list[ContractLine], list[Added]]:
    """The lines of the first day, and the added ones. Of what was never signed they are derived anew."""
    if contract.signed_at is None:
        licences = covered_licences(contract)
        nothing = Decimal(0)
        return [
            ContractLine(licence=licence, starts_on=contract.starts_on, cost=licence.cost, amount=nothing)
            for licence in licences
        ], []
    rows = list(contract.lines.select_related("licence__product", "licence__release").order_by("starts_on", "pk"))
    prices = prices_of(contract.terms)
    return [row for row in rows if not row.is_added], [
        Added(row, _added_steps(contract, row, prices)) for row in rows if row.is_added
    ]


def _added_steps(contract: Contract, line: ContractLine, prices: dict[terms.Deployment, terms.Price]) -> list[str]:
    deployment = terms.Deployment(line.licence.deployment)
    part = pricing.prorate(
        terms.Price(line.percent, prices[deployment].minimum),
        line.cost,
        deployment=deployment,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        added_on=line.starts_on,
    )
    return proration_words(part)


def _price(contract: Contract, lines: list[ContractLine]) -> tuple[pricing.Quote | None, str]:
    """The price, or in words why there is none."""
    try:
        return quote(contract, [line.licence for line in lines]), ""
    except pricing.PricingError as error:
        return None, refusal_words(error)


def _promises(contract: Contract) -> list[Promise]:
    found: dict[tuple[str, int], str] = {}
    for target in contract.terms.targets.filter(kind__in=[PromiseKind.REACTION, PromiseKind.RESOLUTION]):
        found[target.kind, target.priority] = target_words(target)
    return [
        Promise(
            priority,
            found.get((PromiseKind.REACTION, priority), ""),
            found.get((PromiseKind.RESOLUTION, priority), ""),
        )
        for priority in terms.PRIORITIES
    ]


def _log(contract: Contract, before: int | None) -> list[ContractEvent]:
    """The newest first, one more than a page shows."""
    events: QuerySet[ContractEvent] = contract.events.select_related("by").order_by("-pk")
    if before is not None:
        events = events.filter(pk__lt=before)
    return list(events[: LOG + 1])
