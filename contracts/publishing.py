"""Releases and critical patches are published to exactly the customers whose licences they concern (domain §1.2, §6).

Verbs of line 4, the leads and the support manager; a customer's people download, the responsible contact says
"installed". The register (`ReleaseNotice`) is written with each, and is the outbox of the letters.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import IO, Any

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts import signing
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import (
    Contract,
    ContractClause,
    Customer,
    Licence,
    Product,
    Release,
    ReleaseFile,
    ReleaseNotice,
    ReleasePublication,
    ReleaseReminder,
    ResponsibleContact,
)
from contracts.signing.refusals import locked

SERVICE = "releases"  # new versions and critical patches (domain §1.2)


class NotPublished(Refused):
    """The release cannot be published, changed or marked so; the words are fit for the person."""


class WrongVersion(NotPublished):
    """The version cannot be this one: the words stand at its field."""


class ChangedMeanwhile(NotPublished):
    """A colleague changed the draft after the person looked; nothing was kept."""


def only_publishers(by: User) -> None:
    if not by.works_on_products:
        raise Forbidden(_("Engineers of the fourth line, line leads and the support manager do this; you can read."))


def version_key(version: str) -> tuple[int, ...]:
    """What versions are ordered by: "7.10" comes after "7.8.4". Pure."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version))


# Preparing


@transaction.atomic
def prepare(
    product: Product,
    *,
    version: str,
    kind: str,
    notes_ru: str,
    by: User,
    at: datetime,
    notes_en: str = "",
    deployment: str = "",
    from_versions: Sequence[Release] = (),
    released_on: date | None = None,
) -> ReleasePublication:
    """A draft that nobody outside sees. The release is written down where the catalogue does not know it yet.

    `released_on` None: the Moscow day of `at` for a new release, what the catalogue says for a known one. Raises
    `WrongVersion` for a version that is published or being prepared, `NotPublished`, `Forbidden`.
    """
    only_publishers(by)
    version, notes_ru = _whole(product, version, notes_ru, from_versions)
    release, is_new = Release.objects.get_or_create(
        product=product, version=version, defaults={"released_on": released_on or signing.moscow_day(at)}
    )
    try:
        with transaction.atomic():
            made = ReleasePublication.objects.create(
                release=release,
                kind=kind,
                deployment=deployment,
                notes_ru=notes_ru,
                notes_en=notes_en.strip(),
                prepared_at=at,
                prepared_by=by,
            )
    except IntegrityError as taken:
        raise WrongVersion(_("This release is published or being prepared already.")) from taken
    if not is_new and released_on is not None:
        _date(release, released_on)
    made.from_versions.set(from_versions)
    return made


def _whole(product: Product, version: str, notes_ru: str, from_versions: Sequence[Release]) -> tuple[str, str]:
    version, notes_ru = version.strip(), notes_ru.strip()
    if not version_key(version):
        raise WrongVersion(_("A version has numbers: they say which one is newer."))
    if not notes_ru:
        raise NotPublished(_("Write what is new: the customers decide by it whether to install."))
    if any(other.product_id != product.pk for other in from_versions):
        raise NotPublished(_("Choose versions of the same product."))
    return version, notes_ru


def _date(release: Release, day: date) -> None:
    release.released_on = day
    release.save(update_fields=["released_on"])


@transaction.atomic
def change(
    publication: ReleasePublication,
    *,
    version: str,
    kind: str,
    notes_ru: str,
    by: User,
    notes_en: str = "",
    deployment: str = "",
    from_versions: Sequence[Release] = (),
    released_on: date | None = None,
    was: str = "",
) -> ReleasePublication:
    """A draft says something else; only its product stays. `released_on` None: as it was.

    Another version is another name of the same release: the defects whose fix it brings go with it. `was` is the mark
    (`mark_of`) of the draft that the person saw, "" where that is not said. Raises `WrongVersion`, `NotPublished`,
    `Forbidden`, and `ChangedMeanwhile` where a colleague has changed it since to something else than is said now.
    """
    only_publishers(by)
    publication = _draft(publication)
    release = publication.release
    version, notes_ru = _whole(release.product, version, notes_ru, from_versions)
    day = release.released_on if released_on is None else released_on
    wanted = _mark(version, day, kind, deployment, from_versions, notes_ru, notes_en)
    if was and mark_of(publication) not in {was, wanted}:
        raise ChangedMeanwhile(
            _(
                "A colleague has changed this draft since you opened it. "
                "Look at it; kept once more, yours is what stands."
            )
        )
    if version != release.version:
        _rename(release, version)
    if released_on is not None:
        _date(release, released_on)
    publication.kind, publication.deployment = kind, deployment
    publication.notes_ru, publication.notes_en = notes_ru, notes_en.strip()
    publication.save(update_fields=["kind", "deployment", "notes_ru", "notes_en"])
    publication.from_versions.set(from_versions)
    return publication


def mark_of(publication: ReleasePublication) -> str:
    """What a form keeps of the draft that it was made from: another one as soon as anything in it changes."""
    release, it = publication.release, publication
    versions = it.from_versions.all()
    return _mark(release.version, release.released_on, it.kind, it.deployment, versions, it.notes_ru, it.notes_en)


def _mark(
    version: str,
    day: date | None,
    kind: str,
    deployment: str,
    versions: Iterable[Release],
    notes_ru: str,
    notes_en: str,
) -> str:
    words = [version, str(day), kind, deployment, *sorted(str(one.pk) for one in versions)]
    words += [" ".join(notes.split()) for notes in (notes_ru, notes_en)]  # line ends do not count
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def _rename(release: Release, version: str) -> None:
    if release.licences.exists():
        raise WrongVersion(
            _("Licences stand on version %(version)s already: it keeps its number.") % {"version": release.version}
        )
    release.version = version
    try:
        with transaction.atomic():
            release.save(update_fields=["version"])
    except IntegrityError as taken:
        raise WrongVersion(_("There is version %(version)s of it already.") % {"version": version}) from taken


@transaction.atomic
def remove(publication: ReleasePublication, *, by: User) -> None:
    """A draft and its files are gone. The version stays in the catalogue: defects may name it."""
    only_publishers(by)
    publication = _draft(publication)
    for file in publication.files.all():
        remove_file(file, by=by)
    publication.delete()


@transaction.atomic
def add_file(publication: ReleasePublication, *, kind: str, name: str, content: IO[bytes], by: User) -> ReleaseFile:
    """A file with its size and SHA-256, read once in parts. Only of a draft: what was published stays as it was."""
    only_publishers(by)
    publication = _draft(publication)
    total, digest = 0, hashlib.sha256()
    content.seek(0)
    while part := content.read(1024 * 1024):
        total += len(part)
        digest.update(part)
    if not total:
        raise NotPublished(_("The file is empty."))
    content.seek(0)
    name = name.replace("\0", "")[-160:] or "file"
    return ReleaseFile.objects.create(
        publication=publication,
        kind=kind,
        name=name,
        size=total,
        sha256=digest.hexdigest(),
        file=File(content, name=name),
    )


@transaction.atomic
def remove_file(file: ReleaseFile, *, by: User) -> None:
    """A file of a draft is taken away again."""
    only_publishers(by)
    _draft(file.publication)
    storage, name = file.file.storage, str(file.file.name)
    file.delete()
    transaction.on_commit(lambda: storage.delete(name))


def _locked(publication: ReleasePublication) -> ReleasePublication:
    found = ReleasePublication.objects.select_for_update(of=("self",)).select_related("release__product")
    row = found.filter(pk=publication.pk).first()
    if row is None:
        raise NotPublished(_("This draft was taken away meanwhile."))
    return row


def _draft(publication: ReleasePublication) -> ReleasePublication:
    publication = _locked(publication)
    if publication.published_at is not None:
        raise NotPublished(_("This release is published already: what was given to customers stays as it was."))
    return publication


# Publishing


@transaction.atomic
def publish(publication: ReleasePublication, *, by: User, at: datetime) -> ReleasePublication:
    """From now on exactly the customers that it concerns see it, and each is told once."""
    only_publishers(by)
    publication = _draft(publication)
    if not publication.files.exists():
        raise NotPublished(_("Add at least one file: there is nothing to download yet."))
    publication.published_at, publication.published_by = at, by
    publication.save(update_fields=["published_at", "published_by"])
    _tell(publication, at=at)
    return publication


def older_versions(publication: ReleasePublication) -> list[int]:
    """The keys of the releases that this one is newer than, of those that it is for."""
    releases = Release.objects.filter(product=publication.release.product_id)
    named = set(publication.from_versions.values_list("pk", flat=True))
    mine = version_key(publication.release.version)
    return [
        release.pk for release in releases if version_key(release.version) < mine and (not named or release.pk in named)
    ]


def licences_concerned(publication: ReleasePublication, *, on: date) -> QuerySet[Licence]:
    """Licences in force on this day of its product and deployment on which an older version is installed.

    A licence whose installed version nobody wrote down counts as older: better told than left with a hole.
    """
    found = Licence.objects.in_force(on).filter(product=publication.release.product_id)
    if publication.deployment:
        found = found.filter(deployment=publication.deployment)
    return found.filter(Q(release__isnull=True) | Q(release__in=older_versions(publication)))


def audience(publication: ReleasePublication, *, at: datetime) -> QuerySet[Customer]:
    """Exactly the customers to tell: a licence concerned, a contract in force with the service, a contact (§1.2).

    Each stands there once however many licences it has; `speaks` is the key of its responsible contact.
    """
    day = signing.moscow_day(at)
    by_clause = ContractClause.objects.in_force(at).filter(contract=OuterRef("pk"), service=SERVICE)
    contracts = Contract.objects.in_force(day).filter(customer=OuterRef("pk"))
    covered = contracts.filter(Q(terms__services=SERVICE) | Exists(by_clause))
    licences = licences_concerned(publication, on=day).filter(customer=OuterRef("pk"))
    contact = ResponsibleContact.objects.holding(at).filter(customer=OuterRef("pk"), user__is_active=True)
    return (
        Customer.objects.filter(Exists(licences), Exists(covered))
        .annotate(speaks=Subquery(contact.values("user")[:1]))
        .filter(speaks__isnull=False)
        .order_by("pk")
    )


def readers_without_notes(publication: ReleasePublication, *, at: datetime) -> int:
    """How many of the audience read English while what is new stands in Russian only."""
    if publication.notes_en:
        return 0
    english = User.objects.filter(language=User.Language.EN).values("pk")
    concerned: Any = audience(publication, at=at)  # `speaks` is not a field
    return int(concerned.filter(speaks__in=english).count())


@dataclass(frozen=True, slots=True)
class Beyond:
    """Why a customer who waits for a release cannot have it, with the versions that it has installed.

    STEP: an older version over which the release is not installed. HAS: this version or a newer one. OTHERWISE: no
    licence of this kind, no contract with new versions, or nobody to tell.
    """

    STEP, HAS, OTHERWISE = "step", "has", "otherwise"

    why: str = OTHERWISE
    versions: list[str] = field(default_factory=list)


def beyond(publication: ReleasePublication, customers: Collection[int], *, at: datetime) -> dict[int, Beyond]:
    """Why each of these customers (their keys), who are not told of the release, is none of its audience.

    Two statements, however many. Once the reason is over, `look_again` tells the customer.
    """
    licences = Licence.objects.in_force(signing.moscow_day(at)).filter(
        product=publication.release.product_id, customer__in=customers
    )
    if publication.deployment:
        licences = licences.filter(deployment=publication.deployment)
    installed: dict[int, list[Release | None]] = {}
    for licence in licences.select_related("release").order_by("pk"):
        installed.setdefault(licence.customer_id, []).append(licence.release)
    concerned = set(older_versions(publication))
    return {customer: _beyond(publication, installed.get(customer, []), concerned) for customer in customers}


def _beyond(publication: ReleasePublication, installed: list[Release | None], concerned: set[int]) -> Beyond:
    known = {release.pk: release.version for release in installed if release is not None}
    if None in installed or not known or concerned & known.keys():
        return Beyond()
    mine = version_key(publication.release.version)
    versions = sorted(set(known.values()), key=version_key)
    older = [version for version in versions if version_key(version) < mine]
    return Beyond(Beyond.STEP, older) if older else Beyond(Beyond.HAS, versions)


def _tell(publication: ReleasePublication, *, at: datetime) -> int:
    """Writes a row of the register for each customer of the audience that has none; how many."""
    told = ReleaseNotice.objects.filter(publication=publication, customer=OuterRef("pk"))
    new: Any = audience(publication, at=at).filter(~Exists(told))  # `speaks` is not a field
    notices = [
        ReleaseNotice(publication=publication, customer_id=customer, contact_id=speaks, told_at=at)
        for customer, speaks in new.values_list("pk", "speaks")
    ]
    # Two at once: `release_notice_once` lets one of the two rows in, so nobody is told twice.
    ReleaseNotice.objects.bulk_create(notices, batch_size=500, ignore_conflicts=True)
    return len(notices)


def look_again(*, at: datetime) -> int:
    """Published releases tell customers whom they concern since: a licence bought later, a contract signed later.

    How many. Safe to run twice and at once.
    """
    published = ReleasePublication.objects.filter(published_at__isnull=False).select_related("release__product")
    return sum(_tell(publication, at=at) for publication in published.order_by("pk"))


def to_be_reminded(publication: ReleasePublication, *, at: datetime) -> QuerySet[ReleaseNotice]:
    """The rows of customers that have not said "installed" and were not reminded on this day in Moscow."""
    midnight = datetime.combine(signing.moscow_day(at), time(), CONTRACT_ZONE)
    lately = ReleaseReminder.objects.filter(notice=OuterRef("pk"), at__gte=midnight)
    return publication.notices.filter(installed_at__isnull=True).filter(~Exists(lately)).order_by("pk")


@transaction.atomic
def remind(publication: ReleasePublication, *, by: User, at: datetime) -> int:
    """A second letter to each customer that has not said "installed"; how many. At most one a day to each."""
    only_publishers(by)
    publication = _locked(publication)
    reminders = [ReleaseReminder(notice=notice, at=at, by=by) for notice in to_be_reminded(publication, at=at)]
    ReleaseReminder.objects.bulk_create(reminders, batch_size=500)
    return len(reminders)


# The customer


@transaction.atomic
def downloaded(notice: ReleaseNotice, *, by: User, at: datetime) -> None:
    """One of the customer's people takes a file: the register keeps the first and counts them all."""
    row = ReleaseNotice.objects.select_for_update().get(pk=notice.pk)
    if row.first_downloaded_at is None:
        row.first_downloaded_at, row.first_downloaded_by = at, by
    row.downloads = F("downloads") + 1
    row.save(update_fields=["first_downloaded_at", "first_downloaded_by", "downloads"])


@transaction.atomic
def mark_installed(notice: ReleaseNotice, *, by: User, at: datetime) -> ReleaseNotice:
    """The responsible contact says that it is installed: the licences that it concerns stand on this release now."""
    customer = locked(notice.customer)
    contact = customer.contact_at(at)
    if contact is None or contact.pk != by.pk:
        name = contact.full_name if contact else "—"
        raise Forbidden(
            _("Only the responsible contact of your company (%(name)s) does this; you can read.") % {"name": name},
            "1.7.1",
        )
    row = (
        ReleaseNotice.objects.select_for_update(of=("self",))
        .select_related("publication__release__product")
        .get(pk=notice.pk)
    )
    if row.installed_at is not None:
        return row  # the second click of two
    row.installed_at, row.installed_by = at, by
    row.save(update_fields=["installed_at", "installed_by"])
    release = row.publication.release
    licences = licences_concerned(row.publication, on=signing.moscow_day(at)).filter(customer=customer)
    _install(licences.select_related("release__product", "product"), release, by=by, at=at)
    return row


def _install(licences: Iterable[Licence], release: Release, *, by: User, at: datetime) -> None:
    for licence in licences:
        was = str(licence.release) if licence.release else ""
        licence.release = release
        licence.save(update_fields=["release"])
        changes = {"release": [was, str(release)]}
        signing.record(
            "licence_changed", customer=licence.customer, by=by, at=at, licence=str(licence), changes=changes
        )
