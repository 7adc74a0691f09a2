"""The catalogue as a process keeps it: services, channels, topics, lines, packages with their terms and targets.

Read whole in one statement, and again when its edition is another one (`CatalogueEdition`): a change is seen by the
next request of every process. The objects are shared between requests: nobody changes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from accounts.at_once import AtOnce
from accounts.models import Line
from contracts.models import CatalogueEdition, Channel, Package, PackageTerms, Service, TermsTarget, Topic

Read = TypeVar("Read")


class Kept(Generic[Read]):
    """What `read` reads, kept in the process for one edition of the catalogue."""

    def __init__(self, read: Callable[[], Read]) -> None:
        self._read = read
        self._held: tuple[int, Read] | None = None

    def at(self, edition: int | None) -> Read:
        """As it stands in this edition; None, where nobody knows the edition: read anew.

        `edition` was read before, so what is read for it here is of that edition or of a later one; of the later one
        the next request hears, and reads again.
        """
        held = self._held
        if held is not None and held[0] == edition:
            return held[1]
        found = self._read()
        if edition is not None:
            self._held = edition, found
        return found


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`services` and `packages` in their order; of each terms `included`, the codes of its services, and `targets`."""

    services: tuple[Service, ...]
    channels: Mapping[str, Channel]
    topics: Mapping[str, Topic]
    lines: Mapping[int, Line]
    packages: tuple[Package, ...]
    terms: Mapping[int, PackageTerms]
    included: Mapping[int, frozenset[str]]
    targets: Mapping[int, tuple[TermsTarget, ...]]


def edition_now() -> int | None:
    """The edition of the catalogue, where no other statement has read it. One statement."""
    return CatalogueEdition.objects.values_list("number", flat=True).first()


def catalogue(edition: int | None) -> Catalogue:
    """The catalogue of this edition; one statement for each edition of a process."""
    return _kept.at(edition)


def _reads() -> dict[str, Any]:
    through: Any = PackageTerms.services.through
    return {
        "services": Service.objects.all(),
        "channels": Channel.objects.all(),
        "topics": Topic.objects.all(),
        "lines": Line.objects.all(),
        "packages": Package.objects.all(),
        "terms": PackageTerms.objects.select_related("calendar").order_by("pk"),
        "included": through.objects.all(),
        "targets": TermsTarget.objects.select_related("calendar").order_by("terms", "kind", "priority"),
    }


_all = AtOnce(_reads)


def _whole() -> Catalogue:
    found = _all.read()
    services = {one.pk: one for one in found["services"]}
    lines = {one.pk: one for one in found["lines"]}
    for channel in found["channels"]:
        channel.service = services[channel.service_id]
    for topic in found["topics"]:
        topic.line = lines[topic.line_id]
        topic.service = services.get(topic.service_id)
    packages = {one.pk: one for one in found["packages"]}
    for terms in found["terms"]:
        terms.package = packages[terms.package_id]
    included: dict[int, set[str]] = {}
    for row in found["included"]:
        included.setdefault(row.packageterms_id, set()).add(row.service_id)
    targets: dict[int, list[TermsTarget]] = {}
    for target in found["targets"]:
        targets.setdefault(target.terms_id, []).append(target)
    return Catalogue(
        tuple(found["services"]),
        {one.pk: one for one in found["channels"]},
        {one.pk: one for one in found["topics"]},
        lines,
        tuple(found["packages"]),
        {one.pk: one for one in found["terms"]},
        {key: frozenset(codes) for key, codes in included.items()},
        {key: tuple(rows) for key, rows in targets.items()},
    )


_kept = Kept(_whole)
