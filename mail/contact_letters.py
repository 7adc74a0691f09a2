"""Letters about a change of the responsible contact: who is asked, and who hears what came of it (domain §1.7.1, §2).

`contracts/signing/contact_changes.py` lists the verbs and their details. A letter asks or tells; whoever did it
themselves is not told of it. What is settled by the time of writing asks nobody any more.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from contracts.models import ContactChange, ContractEvent
from mail.letters import Draft, Letter, Link, Reader, drafts_to, link

Wording = Callable[[ContractEvent, ContactChange | None, Reader], Letter]


def of_contact_event(event: ContractEvent, now: datetime) -> list[Draft]:
    """The letters about one step of a change; none for a verb that asks or tells nobody anything."""
    told = WHO_IS_TOLD.get(event.verb)
    if told is None:
        return []
    audience, wording = told
    change = _change(event)
    people = [one for one in _once(audience(event, change, now)) if one.is_active and one != event.by]
    return drafts_to(people, f"contract_event:{event.pk}", partial(wording, event, change), now=now)


# Who


def who_must_agree(event: ContractEvent, change: ContactChange | None, now: datetime) -> list[User]:
    """Whoever the open change waits for: the contact first, then the contract administrators."""
    if change is None or change.state != ContactChange.State.ASKED:
        return []
    if event.verb == "contact_asked" and change.customer_agreed_at not in {None, change.asked_at}:
        return []  # the customer's yes has come since, and is an event of its own
    if change.customer_agreed_at is None:
        contact = change.customer.contact_at(now)
        return [contact] if contact is not None else _contract_admins()
    return _contract_admins() if change.vendor_agreed_at is None else []


def after_the_customer(event: ContractEvent, change: ContactChange | None, now: datetime) -> list[User]:
    """With the customer's yes it waits for us; our own yes asks nobody, for the contact was asked at the beginning."""
    return who_must_agree(event, change, now) if event.details.get("side") == "customer" else []


def who_asked(event: ContractEvent, change: ContactChange | None, now: datetime) -> list[User]:
    return [change.asked_by, *_contact(event, now)] if change is not None else []


def whom_it_concerns(event: ContractEvent, change: ContactChange | None, now: datetime) -> list[User]:
    """Who spoke, who speaks, who asked. A change that was never agreed concerns only those who were to agree."""
    if event.verb == "contact_withdrawn" and not event.details.get("agreed"):
        return [*_contact(event, now), *_contract_admins()] if change is None or change.customer_agreed_at else []
    people = _contact(event, now)
    if change is not None:
        people += [change.user, change.asked_by, *(row.user for row in change.rows.select_related("user"))]
        before = change.customer.contacts.filter(ends_at=change.starts_at).select_related("user").first()
        people += [before.user] if before is not None else []
        return people
    row = event.customer.contacts.filter(starts_at=event.details.get("starts")).select_related("user").first()
    before = event.customer.contacts.filter(ends_at=event.details.get("starts")).select_related("user").first()
    return people + [one.user for one in (row, before) if one is not None]


def _contact(event: ContractEvent, now: datetime) -> list[User]:
    contact = event.customer.contact_at(now)
    return [contact] if contact is not None else []


def _contract_admins() -> list[User]:
    return list(User.objects.filter(role=Role.CONTRACT_ADMIN, is_active=True).order_by("pk"))


def _once(people: Iterable[User]) -> list[User]:
    return list(dict.fromkeys(people))


# In what words


def asked(event: ContractEvent, change: ContactChange | None, reader: Reader) -> Letter:
    is_ours = reader.person is not None and reader.person.is_vendor
    by = change.asked_by.full_name if change is not None else _name(event.by)
    facts = _facts(event, reader)
    if change is not None:
        facts = _dated(change.user.full_name, change.starts_at, change.ends_at, reader)
        facts.append((_("Reason"), change.reason))
    facts.insert(0, (_("Asked by"), by))
    return Letter(
        title=pgettext("letter", "Another responsible contact: your word is needed"),
        heading=event.customer.name,
        lead=[
            _("The customer's side has agreed. The change is made when you agree.")
            if is_ours and change is not None and change.customer_agreed_at
            else _("A change of the responsible contact waits for your yes or no. Nothing changes without it.")
        ],
        facts=facts,
        button=Link(_("See and answer"), _page(reader)),
        why=_why(event, reader),
    )


def refused(event: ContractEvent, change: ContactChange | None, reader: Reader) -> Letter:
    facts = [(_("Who was to take over"), str(event.details.get("to", ""))), (_("Refused by"), _name(event.by))]
    if event.details.get("words"):
        facts.append((_("Why not"), str(event.details["words"])))
    return Letter(
        title=pgettext("letter", "The responsible contact stays"),
        heading=event.customer.name,
        lead=[_("The change that was asked for is refused, and nothing has changed.")],
        facts=facts,
        button=Link(_("Who speaks for the company"), _page(reader)),
        why=_why(event, reader),
    )


def withdrawn(event: ContractEvent, change: ContactChange | None, reader: Reader) -> Letter:
    name = {"name": event.details.get("to", "")}
    if event.details.get("ended"):
        lead = _("The substitution by %(name)s has ended. Open requests go back.") % name
    elif event.details.get("agreed"):
        lead = _("The planned change to %(name)s will not happen.") % name
    else:
        lead = _("The change to %(name)s is not asked for any more.") % name
    contact = event.customer.contact_at(reader.now)
    facts = [
        (_("Responsible contact now"), contact.full_name if contact else "—"),
        (_("Withdrawn by"), _name(event.by)),
    ]
    return Letter(
        title=pgettext("letter", "A change of the contact is withdrawn"),
        heading=event.customer.name,
        lead=[lead],
        facts=facts,
        button=Link(_("Who speaks for the company"), _page(reader)),
        why=_why(event, reader),
    )


def changed(event: ContractEvent, change: ContactChange | None, reader: Reader) -> Letter:
    is_taking_over = reader.person is not None and reader.person.full_name == event.details.get("to")
    lead = [
        _("You file requests and answer for your company then; open requests follow you.")
        if is_taking_over
        else _("Open requests follow the responsible contact.")
    ]
    if event.details.get("ends"):
        lead.append(_("The substitution ends by itself, and nobody has to do anything for it."))
    facts = _facts(event, reader)
    if event.details.get("was"):
        facts.insert(0, (_("Until then"), str(event.details["was"])))
    return Letter(
        title=pgettext("letter", "Another responsible contact"),
        heading=event.customer.name,
        lead=lead,
        facts=facts,
        button=Link(_("Who speaks for the company"), _page(reader)),
        why=_why(event, reader),
    )


def _facts(event: ContractEvent, reader: Reader) -> list[tuple[str, str]]:
    said = event.details
    facts = _dated(str(said.get("to", "")), _moment(said.get("starts")), _moment(said.get("ends")), reader)
    if said.get("reason"):
        facts.append((_("Reason"), str(said["reason"])))
    return facts


def _dated(name: str, starts_at: datetime | None, ends_at: datetime | None, reader: Reader) -> list[tuple[str, str]]:
    facts = [(_("Takes over"), name)]
    if starts_at is not None:
        facts.append((pgettext("date", "From"), reader.moment(starts_at, "date")))
    if ends_at is not None:
        facts.append((pgettext("date", "Until"), reader.moment(ends_at, "date")))
    return facts


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def _change(event: ContractEvent) -> ContactChange | None:
    key = event.details.get("change")
    found = ContactChange.objects.select_related("customer", "user", "asked_by")
    return found.filter(pk=key).first() if isinstance(key, int) else None


def _name(person: User | None) -> str:
    return person.full_name if person else "—"


def _page(reader: Reader) -> str:
    is_ours = reader.person is not None and reader.person.is_vendor
    return link("people:changes") if is_ours else link("people:people")


def _why(event: ContractEvent, reader: Reader) -> str:
    if reader.person is not None and reader.person.is_vendor:
        return _("An answer to this letter reaches nobody: work on it in the support desk.")
    return _("You get this letter as one of the people of %(company)s.") % {"company": event.customer.name}


Audience = Callable[[ContractEvent, ContactChange | None, datetime], list[User]]

WHO_IS_TOLD: dict[str, tuple[Audience, Wording]] = {
    # what happened         who is told          in what words
    "contact_asked": (who_must_agree, asked),
    "contact_agreed": (after_the_customer, asked),
    "contact_refused": (who_asked, refused),
    "contact_withdrawn": (whom_it_concerns, withdrawn),
    "contact_changed": (whom_it_concerns, changed),
}
