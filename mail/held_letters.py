"""Letters about requests that are held: to the sender, to the responsible contact, to us (domain §1.7.1, §2, §3.5)."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from mail.language import guess_language
from mail.letters import Draft, Letter, Link, Reader, Said, link, reader_of
from sla import words
from tickets.models import HeldRequest

READ_AT_MOST = 4000  # characters of a held request in a letter; the page has all of it

Wording = Callable[[HeldRequest, Reader], Letter]


def of_held(held: HeldRequest, now: datetime) -> list[Draft]:
    """The sender, and who can do something about it: the contract administrators, or the responsible contact.

    What the contact confirmed is told by the ticket's own event; what the contact does not need, to the colleague.
    """
    if held.outcome == HeldRequest.Outcome.CONFIRMED:
        return []
    if held.outcome == HeldRequest.Outcome.DROPPED:
        told = held.sender if held.sender is not None and held.sender.is_active else None
        return _drafts(held, "dropped", [(reader_of(told, now), dropped)]) if told is not None else []
    readers: list[tuple[Reader, Wording]] = []
    if held.sender is not None:
        readers.append((reader_of(held.sender, now), for_sender))
    elif held.sender_address:
        language = guess_language(held.words, settings.LANGUAGE_CODE)
        readers.append((Reader(None, held.sender_address, language, words.MOSCOW, now), for_sender))
    if held.reason == HeldRequest.Reason.NO_CONTRACT:
        admins = User.objects.filter(role=Role.CONTRACT_ADMIN, is_active=True).order_by("pk")
        readers += [(reader_of(person, now), for_contract_admin) for person in admins]
    if held.waits_for_contact and held.customer is not None:
        contact = held.customer.contact_at(now)
        if contact is not None and contact != held.sender and contact.is_active:
            readers.append((reader_of(contact, now), for_contact))
    return _drafts(held, "held", readers)


def _drafts(held: HeldRequest, occasion: str, readers: list[tuple[Reader, Wording]]) -> list[Draft]:
    drafts = []
    for reader, wording in readers:
        with translation.override(reader.language):
            drafts.append(Draft(f"{occasion}:{held.pk}", reader, wording(held, reader)))
    return drafts


def for_sender(held: HeldRequest, reader: Reader) -> Letter:
    """What the sender was told. A stranger's own words are not sent back: the address may be somebody else's."""
    if held.reason == HeldRequest.Reason.UNKNOWN_SENDER:
        return Letter(
            title=_("Your letter to support"), heading=_("Your letter to support"), lead=held.words.splitlines()
        )
    waits = held.waits_for_contact
    return Letter(
        title=pgettext("letter", "Waits for confirmation") if waits else pgettext("letter", "No request was opened"),
        heading=held.subject,
        lead=held.words.splitlines(),
        why=_("You get this letter because you wrote to support on %(moment)s.")
        % {"moment": reader.moment(held.received_at)},
    )


def for_contact(held: HeldRequest, reader: Reader) -> Letter:
    """The responsible contact reads what a colleague wrote and confirms it by one button, on a page of their own.

    The address in the letter only leads there: machines that open every link of a letter must not open a request.
    """
    name = held.sender.full_name if held.sender else held.sender_address
    lead = [
        _("%(name)s wrote to support. Requests are filed by you, so nothing is opened until you confirm it.")
        % {"name": name}
    ]
    if held.about is not None:
        lead.append(_("It is an answer in request № %(number)s.") % {"number": held.about.number})
    lead.append(_("The promised times are counted from your confirmation."))
    lead.append(_("We take the sender's address as it stands in the letter: make sure that it was your colleague."))
    return Letter(
        title=pgettext("letter", "Waits for your confirmation"),
        heading=held.subject,
        lead=lead,
        said=_said(held, reader),
        button=Link(_("Read and confirm"), link("people:held", held.pk)),
        why=_("You get this letter as the responsible contact of %(company)s.") % {"company": held.customer or ""},
    )


def dropped(held: HeldRequest, reader: Reader) -> Letter:
    """The colleague hears that the contact does not need it, and why."""
    by = held.settled_by.full_name if held.settled_by else "—"
    said = Said(by, "", reader.moment(held.settled_at), held.settled_words) if held.settled_at else None
    return Letter(
        title=pgettext("letter", "No request was opened"),
        heading=held.subject,
        lead=[_("%(name)s, the responsible contact of your company, decided that it is not needed:") % {"name": by}],
        said=said,
        why=_("You get this letter because you wrote to support on %(moment)s.")
        % {"moment": reader.moment(held.received_at)},
    )


def for_contract_admin(held: HeldRequest, reader: Reader) -> Letter:
    return Letter(
        title=pgettext("letter", "A request without a contract"),
        heading=held.subject,
        lead=[_("%(company)s has no contract in force. The sender was told so.") % {"company": held.customer}],
        said=_said(held, reader),
        button=Link(_("Held requests"), link("people:held_list")),
        why=_("An answer to this letter reaches nobody: work on it in the support desk."),
    )


def _said(held: HeldRequest, reader: Reader) -> Said:
    return Said(
        held.sender.full_name if held.sender else held.sender_address,
        "",
        reader.moment(held.received_at),
        held.body[:READ_AT_MOST],
        ", ".join(file.name for file in held.files.all()),
    )
