"""The rows of one contract as its document reads them, each once."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _

from contracts import pricing
from contracts.document.words import day_short
from contracts.models import Contract, ContractClause, ContractLine, ResponsibleContact, TermsTarget
from contracts.signing import covered_licences, derived_lines, last_day, moscow_day, quote

# The numbers of the sections, by which they refer to each other.
PRICE, MATRIX, HOURS, SOON, CONDITIONS, CLAUSES, PEOPLE, SIGNATURES = range(2, 10)


class Reading:
    """The rows of one contract, each read once, as they stood for a document of the moment `at`."""

    def __init__(self, contract: Contract, at: datetime) -> None:
        self.contract = contract
        self.terms = contract.terms
        self.at = at
        self.signed_at = contract.signed_at
        self.as_signed = contract.signed_at is not None and at <= contract.signed_at
        self.moment = contract.signed_at or at  # whose calendars and contact are meant

    @cached_property
    def mark(self) -> str:
        """What stands on every page of a contract that is not in force; "" for one that is."""
        state = self.contract.state
        if self.signed_at is None:
            return _("Draft, not signed") if state == Contract.State.DRAFT else _("Given up, not signed")
        if self.as_signed or state == Contract.State.ACTIVE:
            return ""
        words = (
            _("Terminated, last day %(day)s") if state == Contract.State.TERMINATED else _("Expired, last day %(day)s")
        )
        return words % {"day": day_short(last_day(self.contract))}

    @cached_property
    def ghost(self) -> str:
        return self.mark if self.signed_at is None else ""

    @cached_property
    def state(self) -> str:
        return str(Contract.State.ACTIVE.label) if self.as_signed else self.contract.get_state_display()

    @cached_property
    def quote(self) -> pricing.Quote | None:
        """The price; None where it cannot be counted: a draft without licences, or without a price for them."""
        try:
            return quote(self.contract)
        except pricing.PricingError:
            return None

    @cached_property
    def lines(self) -> list[ContractLine]:
        """The lines of the first day, which make the yearly price."""
        if self.signed_at is not None:
            return [line for line in self._signed_lines if not line.is_added]
        licences = covered_licences(self.contract)
        return derived_lines(self.contract, licences) if self.quote else []

    @cached_property
    def added(self) -> list[ContractLine]:
        return [] if self.as_signed else [line for line in self._signed_lines if line.is_added]

    @cached_property
    def _signed_lines(self) -> list[ContractLine]:
        if self.signed_at is None:
            return []
        rows = self.contract.lines.select_related("licence__product", "licence__release")
        return list(rows.order_by("licence_id"))

    @cached_property
    def clauses(self) -> list["NumberedClause"]:
        rows = self.contract.clauses.select_related("topic", "service").order_by("pk")
        if self.as_signed:
            rows = rows.filter(starts_at__isnull=True)
        return [NumberedClause(f"{CLAUSES}.{number}", row, self.as_signed) for number, row in enumerate(rows, start=1)]

    @cached_property
    def standing(self) -> list["NumberedClause"]:
        """The clauses that were not ended: what they include counts beside the package."""
        return [clause for clause in self.clauses if clause.until is None]

    @cached_property
    def services(self) -> dict[str, str]:
        """Each service included: its code, with the number of the clause that adds it, "" where the package does."""
        by_clause = {c.row.service_id: c.number for c in reversed(self.standing) if c.row.service_id is not None}
        return by_clause | dict.fromkeys(self.terms.services.values_list("code", flat=True), "")

    @cached_property
    def promises(self) -> dict[tuple[str, int], TermsTarget]:
        """What the package promises, by (kind, priority)."""
        targets = self.terms.targets.select_related("calendar")
        return {(target.kind, target.priority): target for target in targets}

    @cached_property
    def own_promises(self) -> dict[tuple[str, int], "NumberedClause"]:
        """What clauses promise instead; of two the later counts, as for the clocks."""
        return {(c.row.kind, c.row.priority): c for c in self.standing if c.row.kind and c.row.priority}

    @cached_property
    def contacts(self) -> list[ResponsibleContact]:
        """Who speaks for the customer: at the signing (of a draft: at `at`), then everybody to the contract's end."""
        rows = self.contract.customer.contacts.select_related("user").order_by("starts_at")
        if self.as_signed or self.signed_at is None:
            return list(rows.holding(self.moment))
        ends = last_day(self.contract)
        held = rows.exclude(ends_at__lte=self.moment)
        return [row for row in held if row.starts_at <= self.moment or moscow_day(row.starts_at) <= ends]


@dataclass(frozen=True, slots=True)
class NumberedClause:
    """A clause with its number in the document."""

    number: str
    row: ContractClause
    as_signed: bool

    @property
    def words(self) -> str:
        """In the document's language; in the other one rather than none."""
        return self.row.text.strip() or self.row.text_en.strip() or self.row.text_ru.strip()

    @property
    def until(self) -> datetime | None:
        return None if self.as_signed else self.row.ends_at
