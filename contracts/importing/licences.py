"""Rows of licences: what a company owns, at which cost (EUR), in which installed release (domain §1.7.4, §2)."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import User
from contracts import signing
from contracts.importing import values
from contracts.importing.cells import begin, companies, company, key, needed, refuse_repeats, value, words
from contracts.importing.reading import Row
from contracts.importing.verdicts import Checked
from contracts.models import Contract, ContractLine, Customer, Deployment, Licence, Product, Release

FIELDS = ("seats", "cost", "ends_on", "release")


@dataclass
class Plan:
    """What an import of the good rows writes."""

    checked: list[Checked]
    new: list[Licence] = field(default_factory=list)
    changed: list[Licence] = field(default_factory=list)

    def write(self, *, by: User, at: datetime, reason: str) -> None:
        """In bulk; then the drafts of these companies derive their lines anew, each by itself (domain §2).

        A contract that is in force takes its added licences in by the job of the day (`cover_added_licences`). Call it
        in the transaction of the check.
        """
        Licence.objects.bulk_create(self.new, batch_size=1000)
        if self.changed:
            Licence.objects.bulk_update(self.changed, FIELDS, batch_size=100)
        touched = {licence.customer_id for licence in (*self.new, *self.changed)}
        drafts = Contract.objects.filter(state=Contract.State.DRAFT, customer__in=touched)
        for draft in drafts.select_related("customer", "terms__package").order_by("pk"):
            signing.refresh_lines(draft)


@dataclass(frozen=True)
class Registers:
    """What rows are held against, each fetched by one statement."""

    customers: dict[str, list[Customer]]
    products: dict[str, list[Product]]
    releases: dict[tuple[int, str], Release]
    licences: dict[tuple[Any, ...], list[Licence]]
    covers: dict[int, list[Contract]]  # signed contracts by licence
    in_force: dict[int, list[Contract]]  # contracts in force and to come, by customer


def plan(rows: list[Row], *, at: datetime, lock: bool = False) -> Plan:
    """The verdict of each row against the database as it is. A constant number of statements, nothing is written."""
    read = []
    for row in rows:
        checked = begin(row)
        given: dict[str, Any] = {
            "company": needed(checked, "company", words(160)),
            "product": needed(checked, "product", words(120)),
            "deployment": needed(checked, "deployment", values.deployment),
            "seats": value(checked, "seats", values.users),
            "cost": needed(checked, "cost", values.money),
            "starts_on": needed(checked, "starts_on", values.day),
            "ends_on": value(checked, "ends_on", values.day),
            "release": value(checked, "release", words(40)),
        }
        read.append((checked, given))
    known = _registers([given["company"] or "" for _checked, given in read], at=at, lock=lock)
    found = [(checked, given, _licence_key(checked, given, known)) for checked, given in read]
    refuse_repeats(
        ((checked, own, [given[code] for code in FIELDS]) for checked, given, own in found),
        "company",
    )
    made = Plan([checked for checked, _given in read])
    for checked, given, own in found:
        _settle(checked, given, own, known, made, today=signing.moscow_day(at))
    return made


def _registers(names: list[str], *, at: datetime, lock: bool) -> Registers:
    customers = companies(names, lock=lock)
    pks = [customer.pk for found in customers.values() for customer in found]
    products: dict[str, list[Product]] = defaultdict(list)
    for product in Product.objects.all():
        for name in {key(product.code), key(product.name)}:
            products[name].append(product)
    licences: dict[tuple[Any, ...], list[Licence]] = defaultdict(list)
    for licence in Licence.objects.filter(customer__in=pks).select_related("release", "product").order_by("pk"):
        own = (licence.customer_id, licence.product_id, Deployment(licence.deployment), licence.starts_on)
        licences[own].append(licence)
    covers: dict[int, list[Contract]] = defaultdict(list)
    lines = ContractLine.objects.filter(licence__customer__in=pks, contract__signed_at__isnull=False)
    for line in lines.select_related("contract").order_by("contract__starts_on", "pk"):
        covers[line.licence_id].append(line.contract)
    in_force: dict[int, list[Contract]] = defaultdict(list)
    today = signing.moscow_day(at)
    running = Q(state=Contract.State.ACTIVE, ends_on__gte=today) | Q(terminated_on__gte=today)
    for contract in Contract.objects.filter(running, customer__in=pks).order_by("starts_on"):
        in_force[contract.customer_id].append(contract)
    releases = {(release.product_id, key(release.version)): release for release in Release.objects.all()}
    return Registers(customers, products, releases, licences, covers, in_force)


def _licence_key(checked: Checked, given: dict[str, Any], known: Registers) -> tuple[Any, ...] | None:
    """Company, product, deployment, first day; None where one is not known. Puts company and product in place."""
    given["customer"] = company(checked, known.customers)
    given["product"] = _product(checked, given["product"], known)
    if given["ends_on"] and given["starts_on"] and given["ends_on"] < given["starts_on"]:
        checked.refuse(
            "ends_on",
            gettext_noop("The licence ends on %(end)s, before it starts on %(start)s."),
            end=f"{given['ends_on']:%d.%m.%Y}",
            start=f"{given['starts_on']:%d.%m.%Y}",
        )
    if None in (given["customer"], given["product"], given["deployment"], given["starts_on"]):
        return None
    return (given["customer"].pk, given["product"].pk, given["deployment"], given["starts_on"])


def _product(checked: Checked, name: str | None, known: Registers) -> Product | None:
    if name is None:
        return None
    found = known.products.get(key(name), [])
    if len(found) == 1:
        return found[0]
    if found:
        checked.refuse(
            "product", gettext_noop("Several products are named “%(name)s”: write the code."), name=values.shown(name)
        )
    else:
        checked.refuse(
            "product", gettext_noop("There is no product with the code or name “%(name)s”."), name=values.shown(name)
        )
    return None


def _release(checked: Checked, given: dict[str, Any], known: Registers) -> Release | None:
    """The release that the row names: known for its product, and official (domain §1.7.4)."""
    if not given["release"] or given["product"] is None:
        return None
    release = known.releases.get((given["product"].pk, key(given["release"])))
    if release is None:
        checked.refuse(
            "release",
            gettext_noop("%(product)s has no version “%(version)s”: a licence is supported in an official version."),
            product=given["product"].name,
            version=values.shown(given["release"]),
        )
    elif not release.is_official:
        checked.refuse(
            "release",
            gettext_noop("%(release)s is not an official version: a licence is supported in an official one."),
            release=str(release),
        )
    else:
        return release
    return None


def _settle(
    checked: Checked,
    given: dict[str, Any],
    own: tuple[Any, ...] | None,
    known: Registers,
    made: Plan,
    *,
    today: date,
) -> None:
    release = _release(checked, given, known)
    if own is None:
        return
    found = known.licences.get(own, [])
    if len(found) > 1:
        checked.refuse(
            "company",
            gettext_noop("%(count)d such licences are written down: change the right one on the company's page."),
            count=len(found),
        )
        return
    if not found:
        checked.is_new = True
        _warn_of_new(checked, given, release, known, today)
        if not checked.problems:
            made.new.append(
                Licence(
                    customer=given["customer"],
                    product=given["product"],
                    deployment=given["deployment"],
                    seats=given["seats"] or 1,
                    cost=given["cost"],
                    starts_on=given["starts_on"],
                    ends_on=given["ends_on"],
                    release=release,
                )
            )
        return
    _settle_known(checked, given, found[0], release, known)
    if checked.is_good:
        made.changed.append(found[0])


def _settle_known(
    checked: Checked, given: dict[str, Any], licence: Licence, release: Release | None, known: Registers
) -> None:
    """What the row changes of a licence that is written down; what was signed stays (domain §1.7.5)."""
    covers = known.covers.get(licence.pk, [])
    if given["cost"] is not None:
        if covers and given["cost"] != licence.cost:
            checked.refuse(
                "cost",
                gettext_noop(
                    "Contract %(number)s was signed for this licence at %(cost)s: its cost stays. Add a licence."
                ),
                number=covers[-1].number,
                cost=f"{licence.cost:.2f}",
            )
        checked.change("cost", licence.cost, given["cost"])
        licence.cost = given["cost"]
    if given["seats"] is not None:
        checked.change("seats", licence.seats, given["seats"])
        licence.seats = given["seats"]
    if given["ends_on"] is not None:
        begun = [contract for contract in covers if contract.starts_on > given["ends_on"]]
        if begun:
            checked.refuse(
                "ends_on",
                gettext_noop("Contract %(number)s covers this licence from %(day)s: it cannot end before."),
                number=begun[0].number,
                day=f"{begun[0].starts_on:%d.%m.%Y}",
            )
        checked.change("ends_on", licence.ends_on, given["ends_on"])
        licence.ends_on = given["ends_on"]
    if release is not None:
        checked.change("release", licence.release.version if licence.release else "", release.version)
        licence.release = release
    elif licence.release is None:
        _warn_of_release(checked)


def _warn_of_new(
    checked: Checked, given: dict[str, Any], release: Release | None, known: Registers, today: date
) -> None:
    customer, product = given["customer"], given["product"]
    if release is None:
        _warn_of_release(checked)
    other = next(deployment for deployment in Deployment if deployment != given["deployment"])
    beside = known.licences.get((customer.pk, product.pk, other, given["starts_on"]), [])
    signed = [contract for licence in beside for contract in known.covers.get(licence.pk, [])]
    if signed:
        checked.warn(
            "deployment",
            gettext_noop(
                "Contract %(number)s was signed for this product with the other deployment, and that stays: this row "
                "adds a second licence."
            ),
            number=signed[-1].number,
        )
    ends_on = given["ends_on"] or date.max
    joining = next(
        (
            contract
            for contract in known.in_force.get(customer.pk, [])
            if contract.starts_on <= ends_on and given["starts_on"] <= signing.last_day(contract) and today <= ends_on
        ),
        None,
    )
    if joining is not None:
        checked.warn(
            "",
            gettext_noop("Contract %(number)s will cover this licence by itself, with a line for the days left."),
            number=joining.number,
        )


def _warn_of_release(checked: Checked) -> None:
    if not checked.cells.get("release"):
        checked.warn(
            "release", gettext_noop("The installed version is not named: activating a contract will ask for it.")
        )
