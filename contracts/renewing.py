"""What a renewal changes, for pages and letters: the price before and after, and why it differs (domain §1.1, §2)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts import pricing
from contracts.models import Contract, ContractLine, Licence
from contracts.money import euro
from contracts.price_words import day_words
from contracts.signing import covered_licences, quote


@dataclass(frozen=True)
class Change:
    """A contract beside its successor. Yearly prices and the term's total in EUR; None where it has no price."""

    contract: Contract
    successor: Contract
    was: pricing.Quote | None
    now: pricing.Quote | None
    joining: tuple[Licence, ...]  # covered by the successor from its first day, and not by the contract's signature
    leaving: tuple[Licence, ...]

    @property
    def yearly_was(self) -> Decimal | None:
        return self.was.yearly if self.was else None

    @property
    def yearly_now(self) -> Decimal | None:
        return self.now.yearly if self.now else None

    @property
    def total(self) -> Decimal | None:
        return self.now.total if self.now else None

    @property
    def words(self) -> list[str]:
        """What changes, a sentence each; that nothing does is a sentence, too."""
        told = []
        before, after = self.contract.terms, self.successor.terms
        if before.package_id != after.package_id:
            told.append(
                _("Another package: %(after)s instead of %(before)s.")
                % {"after": after.package.name, "before": before.package.name}
            )
        elif before.pk != after.pk:
            told.append(
                _("The package %(package)s on its terms from %(day)s.")
                % {"package": after.package.name, "day": day_words(after.starts_on)}
            )
        if self.joining:
            told.append(
                ngettext(
                    "%(count)d licence added since is covered for the whole year: %(names)s.",
                    "%(count)d licences added since are covered for the whole year: %(names)s.",
                    len(self.joining),
                )
                % {"count": len(self.joining), "names": ", ".join(_short(one) for one in self.joining)}
            )
        if self.leaving:
            told.append(
                ngettext(
                    "%(count)d licence that ends is not covered any more: %(names)s.",
                    "%(count)d licences that end are not covered any more: %(names)s.",
                    len(self.leaving),
                )
                % {"count": len(self.leaving), "names": ", ".join(_short(one) for one in self.leaving)}
            )
        if self.yearly_was is not None and self.yearly_now is not None and self.yearly_was != self.yearly_now:
            told.append(
                _("A year costs %(now)s; it was %(was)s.")
                % {"now": euro(self.yearly_now), "was": euro(self.yearly_was)}
            )
        return told or [_("Nothing changes: the same package, the same licences, the same price.")]


def change_of(contract: Contract, successor: Contract) -> Change:
    """Reads both contracts, their licences and terms."""
    before = {line.licence_id: line.licence for line in _signed_lines(contract)}
    after = {licence.pk: licence for licence in covered_licences(successor)}
    return Change(
        contract,
        successor,
        _priced(contract),
        _priced(successor),
        tuple(after[pk] for pk in sorted(after.keys() - before.keys())),
        tuple(before[pk] for pk in sorted(before.keys() - after.keys())),
    )


def _signed_lines(contract: Contract) -> list[ContractLine]:
    return list(contract.lines.filter(is_added=False).select_related("licence__product"))


def _priced(contract: Contract) -> pricing.Quote | None:
    try:
        return quote(contract)
    except pricing.PricingError:
        return None


def _short(licence: Licence) -> str:
    return f"{licence.product}, {licence.get_deployment_display()}"
