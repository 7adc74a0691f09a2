"""Line 4's verbs: confirm, reject, fix, release, reopen a defect; its texts; what its tickets hear (domain §3.3).

Each verb locks the defect's row, makes the move of its table and writes what happened, in one transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import User
from accounts.refusals import Forbidden
from contracts import publishing
from contracts.models import Release, ReleaseNotice
from sla import words
from tickets.models import OPEN_STATES, Broadcast, BroadcastItem, Defect, DefectEvent, Ticket, in_language
from tickets.workflow.gates import NotAllowed, lock, needs_words, record
from tickets.workflow.own_words import only_mine

TEXTS = ("title", "known_error_ru", "known_error_en", "workaround_ru", "workaround_en", "steps", "expected", "actual")


def only_line_four(by: User) -> None:
    if not by.works_on_products:
        raise Forbidden(_("Engineers of the fourth line, line leads and the support manager do this; you can read."))


def lock_defect(defect: Defect) -> Defect:
    """The defect's row, locked to the end of the transaction, as it is now."""
    found = Defect.objects.select_for_update(of=("self",)).select_related("product", "release", "fixed_in")
    return found.get(pk=defect.pk)


def happened(defect: Defect, verb: str, *, by: User, at: datetime, details: Mapping[str, Any] | None = None) -> None:
    """Writes what happened to the defect; the last line of every verb."""
    DefectEvent.objects.create(defect=defect, verb=verb, by=by, at=at, details=dict(details or {}))


def _move(defect: Defect, name: str) -> None:
    before = defect.get_state_display()
    try:
        getattr(defect, name)()
    except TransitionNotAllowed as error:
        raise NotAllowed(
            _("This defect is “%(state)s”: that cannot be done with it now.") % {"state": before}, "3.3"
        ) from error


@transaction.atomic
def confirm_defect(defect: Defect, *, by: User, at: datetime) -> Defect:
    """Line 4 has seen it: it is a fault of the product."""
    only_line_four(by)
    defect = lock_defect(defect)
    _move(defect, "confirm")
    defect.save()
    happened(defect, "confirmed", by=by, at=at)
    return defect


@transaction.atomic
def reject_defect(defect: Defect, *, by: User, reason: str, at: datetime) -> Defect:
    """It is no fault of the product, and why. Its tickets stay with their engineers."""
    only_line_four(by)
    defect = lock_defect(defect)
    reason = needs_words(reason, _("Write why it is no defect of the product."), "3.3")
    _move(defect, "reject")
    defect.save()
    happened(defect, "rejected", by=by, at=at, details={"reason": reason})
    return defect


@transaction.atomic
def fix_defect(defect: Defect, *, by: User, at: datetime, fixed_in: Release | None = None) -> Defect:
    """It is fixed; in which release may be said now or later. Publishing that release releases the defect."""
    only_line_four(by)
    defect = lock_defect(defect)
    _move(defect, "fix")
    defect.fixed_in = _of_its_product(defect, fixed_in)
    defect.save()
    happened(defect, "fixed", by=by, at=at, details={"release": str(fixed_in) if fixed_in else ""})
    return defect


@transaction.atomic
def name_release(defect: Defect, *, by: User, fixed_in: Release, at: datetime) -> Defect:
    """The release that the fix goes out with, or another than was said before."""
    only_line_four(by)
    defect = lock_defect(defect)
    if defect.state != Defect.State.FIXED:
        raise NotAllowed(_("Only of a fixed defect is said in which release the fix goes out."), "3.3")
    defect.fixed_in = _of_its_product(defect, fixed_in)
    defect.save()
    happened(defect, "release_named", by=by, at=at, details={"release": str(fixed_in)})
    return defect


def _of_its_product(defect: Defect, release: Release | None) -> Release | None:
    if release is not None and defect.product_id is not None and release.product_id != defect.product_id:
        raise NotAllowed(_("That is a release of another product."), "3.3")
    if release is not None and not may_bring_the_fix(defect, release):
        raise NotAllowed(
            _("The defect was found in %(version)s: its fix goes out in a later version.")
            % {"version": defect.release.version if defect.release else ""},
            "3.3",
        )
    return release


def may_bring_the_fix(defect: Defect, release: Release) -> bool:
    """Whether this version comes after the one in which the defect was found."""
    found_in = defect.release
    return found_in is None or publishing.version_key(release.version) > publishing.version_key(found_in.version)


@transaction.atomic
def release_defect(defect: Defect, *, by: User, at: datetime) -> Broadcast | None:
    """The fix is out: every linked ticket and its contact hear of it; None where there is no ticket (domain §3.3).

    Of a fix whose release is published already; `publish_release` does it for the defects of a release by itself.
    """
    only_line_four(by)
    defect = lock_defect(defect)
    if defect.fixed_in is None:
        raise NotAllowed(_("Say first in which release the fix goes out."), "3.3")
    publication = getattr(defect.fixed_in, "publication", None)
    if publication is None or publication.published_at is None:
        raise NotAllowed(
            _("Release %(release)s is not published yet: its publication releases the defect.")
            % {"release": defect.fixed_in.version},
            "3.3",
        )
    return _release(defect, by=by, at=at)


def _release(defect: Defect, *, by: User, at: datetime) -> Broadcast | None:
    _move(defect, "release_fix")
    defect.save()
    happened(defect, "released", by=by, at=at, details={"release": str(defect.fixed_in)})
    told = Broadcast(kind=Broadcast.Kind.RELEASED, defect=defect, by=by, at=at)
    return broadcast(told, defect.tickets.order_by("pk"))


def release_fixed_in(release: Release, *, by: User, at: datetime) -> list[Broadcast]:
    """All defects whose fix the published release brings become released; what their tickets are told, as jobs."""
    fixed = Defect.objects.filter(fixed_in=release, state=Defect.State.FIXED).order_by("pk")
    told = [_release(lock_defect(defect), by=by, at=at) for defect in fixed]
    return [one for one in told if one is not None]


@transaction.atomic
def reopen_defect(defect: Defect, *, by: User, reason: str, at: datetime) -> Defect:
    """Not fixed after all: confirmed again. A rejected one is looked at again: reported."""
    only_line_four(by)
    defect = lock_defect(defect)
    reason = needs_words(reason, _("Write why it is looked at again."), "3.3")
    _move(defect, "reconsider" if defect.state == Defect.State.REJECTED else "reopen")
    defect.fixed_in = None
    defect.save()
    happened(defect, "reopened", by=by, at=at, details={"reason": reason})
    return defect


@transaction.atomic
def edit_defect(
    defect: Defect, *, by: User, at: datetime, was: Mapping[str, str] | None = None, **texts: str
) -> Defect:
    """The defect's texts: known error and workaround in both languages, title, steps. What changed is on record.

    `was` are the marks of the texts that the person saw (`own_words.marks`).
    """
    only_line_four(by)
    defect = lock_defect(defect)
    if was:
        edited = defect.events.filter(verb="edited").select_related("by").order_by("-at", "-pk").first()
        now = {name: getattr(defect, name) for name in texts}
        texts = only_mine(texts, was, now, changed_by=edited.by if edited else None)
    changed = []
    for name in TEXTS:
        new = texts.get(name, getattr(defect, name)).strip()
        if name in {"title", "steps", "expected", "actual"}:
            new = needs_words(new, _("A defect has a title, steps, what was expected and what happened instead."))
        if new != getattr(defect, name):
            setattr(defect, name, new[:200] if name == "title" else new)
            changed.append(name)
    if changed:
        defect.save()
        happened(defect, "edited", by=by, at=at, details={"fields": changed})
    return defect


# To all tickets of it


@transaction.atomic
def push_workaround(
    defect: Defect, *, by: User, at: datetime, restores: bool = False, key: str | None = None
) -> Broadcast:
    """The workaround goes to the customers of all open linked tickets that have not had it in these very words.

    `restores`: service is back where it was lost. Writes down which tickets; `tickets.broadcasts.advance` does them
    one by one.
    """
    only_line_four(by)
    defect = lock_defect(defect)
    if earlier := sent_already(by, key):
        return earlier
    if not (defect.workaround_ru or defect.workaround_en):
        raise NotAllowed(_("There is no workaround to send: write it down first."), "3.3")
    if defect.state == Defect.State.REJECTED:
        raise NotAllowed(
            _("This defect is “%(state)s”: that cannot be done with it now.") % {"state": defect.get_state_display()},
            "3.3",
        )
    made = Broadcast(
        kind=Broadcast.Kind.WORKAROUND,
        defect=defect,
        text_ru=defect.workaround_ru,
        text_en=defect.workaround_en,
        restores=restores,
        by=by,
        at=at,
        key=key or None,
    )
    sent = broadcast(made, without_workaround(defect).order_by("pk"))
    if sent is None:
        since = workaround_told(defect).aggregate(at=Max("broadcast__at"))["at"]
        if since is None or not defect.tickets.filter(state__in=OPEN_STATES).exists():
            raise NotAllowed(_("No open request is linked to this defect."), "3.3")
        raise NotAllowed(
            _("All open requests have had this workaround since %(moment)s: nothing is sent twice.")
            % {"moment": words.moment(since, words.MOSCOW, at)},
            "3.3",
        )
    happened(defect, "workaround_sent", by=by, at=at, details={"tickets": sent.items.count(), "restores": restores})
    return sent


def workaround_told(defect: Defect) -> QuerySet[BroadcastItem]:
    """By which messages tickets have the workaround in the words that it has now, each in its own language.

    One that waits to be sent counts; one that a rule refused does not.
    """
    earlier = list(defect.broadcasts.filter(kind=Broadcast.Kind.WORKAROUND))
    same = Q(pk__in=[])
    for language in ("ru", "en"):
        now = in_language(defect.workaround_ru, defect.workaround_en, language)
        said = [one.pk for one in earlier if in_language(one.text_ru, one.text_en, language) == now]
        same |= Q(ticket__language=language, broadcast__in=said)
    return BroadcastItem.objects.filter(same).exclude(outcome=BroadcastItem.Outcome.SKIPPED)


def without_workaround(defect: Defect) -> QuerySet[Ticket]:
    """The open linked tickets to which the workaround as it stands was not sent."""
    told = workaround_told(defect).values("ticket")
    return defect.tickets.filter(state__in=OPEN_STATES).exclude(pk__in=told)


def sent_already(by: User, key: str | None) -> Broadcast | None:
    """The message of an earlier click on the same button."""
    return Broadcast.objects.filter(by=by, key=key).first() if key else None


def broadcast(made: Broadcast, tickets: Iterable[Ticket]) -> Broadcast | None:
    """Saves the message with the tickets that it is for; None, and nothing saved, where there are none."""
    items = [BroadcastItem(broadcast=made, ticket=ticket) for ticket in tickets]
    if not items:
        return None
    made.save()
    BroadcastItem.objects.bulk_create(items, batch_size=1000)
    return made


@transaction.atomic
def hear_of_release(ticket: Ticket, *, defect: Defect, by: User, at: datetime) -> None:
    """The ticket, in whatever state, and its contact hear that the fix of its defect is out (domain §3.3).

    Only to a company that stands in the register of the release it is said to be there for them; the others hear why
    it is not (`publishing.Beyond`): their pages do not show it, and the register tells them once it can be theirs.
    """
    ticket = lock(ticket)
    details: dict[str, Any] = {"defect": defect.pk, "title": defect.title, "release": str(defect.fixed_in)}
    publication = getattr(defect.fixed_in, "publication", None)
    if publication is not None:
        details["publication"] = publication.pk
        if not ReleaseNotice.objects.filter(publication=publication, customer=ticket.customer_id).exists():
            why = publishing.beyond(publication, [ticket.customer_id], at=at)[ticket.customer_id]
            details |= {"beyond": why.why, "versions": why.versions}
    record(ticket, "defect_released", by=by, at=at, details=details)
