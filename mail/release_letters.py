"""Letters about published releases and critical patches: one to each customer concerned (domain §1.2). Reads only."""

from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from contracts.models import ReleaseNotice, ReleasePublication, ReleaseReminder
from mail.letters import Draft, Letter, Link, Reader, drafts_to, link
from mail.models import LetterKind

NOTICE, REMINDER = "release:", "release_reminder:"
OCCASIONS = (NOTICE, REMINDER)
NOTES = 12  # lines of what is new in a letter; the page has all of it


def of_notice(notice: ReleaseNotice, now: datetime) -> list[Draft]:
    """The customer's responsible contact of now is told, in their own language."""
    return _drafts(notice, f"{NOTICE}{notice.pk}", now, is_reminder=False)


def of_reminder(reminder: ReleaseReminder, now: datetime) -> list[Draft]:
    """The same letter once more, unless it was installed meanwhile."""
    if reminder.notice.installed_at is not None:
        return []
    return _drafts(reminder.notice, f"{REMINDER}{reminder.pk}", now, is_reminder=True)


def _drafts(notice: ReleaseNotice, occasion: str, now: datetime, *, is_reminder: bool) -> list[Draft]:
    contact = notice.customer.contact_at(now)
    if contact is None or not contact.is_active:
        return []
    # A critical patch always comes: it is what the customer has to do, soon (domain §1.2).
    kind = "" if notice.publication.kind == ReleasePublication.Kind.PATCH else LetterKind.RELEASES
    words = partial(_letter, notice, is_reminder=is_reminder)
    return drafts_to([contact], occasion, words, now=now, kind=lambda person: kind)


def _letter(notice: ReleaseNotice, reader: Reader, *, is_reminder: bool) -> Letter:
    publication = notice.publication
    release = publication.release
    if publication.kind == ReleasePublication.Kind.PATCH:
        title = pgettext("letter", "Critical patch")
        lead = [
            _("A critical patch for %(product)s is published: install it soon.") % {"product": release.product.name}
        ]
    else:
        title = pgettext("letter", "New release")
        lead = [_("A new release of %(product)s is published.") % {"product": release.product.name}]
    if is_reminder:
        title = pgettext("letter", "Reminder: a release to install")
        lead.append(_("You have not told us that it is installed. If it is, say so on its page."))
    files = publication.files.count()
    return Letter(
        title=title,
        heading=str(release),
        lead=lead + [line for line in publication.notes.splitlines() if line.strip()][:NOTES],
        facts=[
            (
                _("Files"),
                ngettext("%(n)d file, with its SHA-256", "%(n)d files, with their SHA-256", files) % {"n": files},
            )
        ],
        button=Link(_("Read and download"), link("releases:release", publication.pk)),
        why=_("You get this letter as the responsible contact of %(company)s.") % {"company": notice.customer.name},
    )
