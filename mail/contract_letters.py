"""Letters about contracts: renewals, gaps, signatures and ends (domain §1.1, §2; direction §16). Reads rows only.

The table `WHO_IS_TOLD` names every verb that `contracts/signing/` records; what happens to the responsible contact
(`contact_…`) has its own words in `mail/contact_letters.py`. Days of a contract are Moscow's and have no time zone.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from contracts import entitlement
from contracts.models import Contract, ContractEvent, Licence, Package
from contracts.money import euro
from contracts.price_words import day_words, proration_words
from contracts.pricing import PricingError
from contracts.renewing import Change, change_of
from contracts.signing import last_day, moscow_day, prorated_line, quote
from mail import contact_letters
from mail.letters import Draft, Letter, Link, Reader, drafts_to, link

Audience = Callable[[ContractEvent, datetime], list[User]]
Wording = Callable[[ContractEvent, Reader], Letter | None]  # None: there is nothing to say to this reader

CONTACT_VERBS = "contact_"


# Who


def contact(event: ContractEvent, now: datetime) -> list[User]:
    """The customer's responsible contact as of now."""
    person = event.customer.contact_at(now)
    return [person] if person is not None and person.is_active else []


def csm(event: ContractEvent, now: datetime) -> list[User]:
    """The dedicated Customer Success Manager, where the contract has one (domain §1.2)."""
    person = event.customer.csm
    if person is None or not person.is_active or event.contract is None or person == event.by:
        return []
    return [person] if entitlement.includes(event.contract, "csm", at=event.at) else []


def contract_admins(event: ContractEvent, now: datetime) -> list[User]:
    return _of_role(Role.CONTRACT_ADMIN)


def managers(event: ContractEvent, now: datetime) -> list[User]:
    return _of_role(Role.SUPPORT_MANAGER)


def _of_role(role: str) -> list[User]:
    return list(User.objects.filter(role=role, is_active=True).order_by("pk"))


# What the customer reads


def signed(event: ContractEvent, reader: Reader) -> Letter:
    contract = _contract(event)
    facts = [(_("Package"), contract.terms.package.name), (_("Term"), _term(contract))]
    try:
        facts.append((_("Price of the term"), euro(quote(contract).total)))
    except PricingError:  # a signed contract has a price; a letter is not the place to find out that it has not
        facts.append((_("Price of the term"), "—"))
    return _to_customer(
        event,
        pgettext("letter", "The contract is signed"),
        lead=[_("Support is in force %(term)s.") % {"term": _term(contract)}],
        facts=facts,
        button=Link(_("Open the contract"), link("contract:contract")),
    )


def terminated(event: ContractEvent, reader: Reader) -> Letter:
    contract = _contract(event)
    facts = [(_("Last day"), day_words(last_day(contract)))]
    if contract.termination_reason:
        facts.append((_("Reason"), contract.termination_reason))
    return _to_customer(
        event,
        pgettext("letter", "The contract ends early"),
        lead=[
            _("Support is given to the end of %(day)s, Moscow time.") % {"day": day_words(last_day(contract))},
            _("Requests that are open then keep the times that were promised."),
        ],
        facts=facts,
        button=Link(_("Open the contract"), link("contract:contract")),
    )


def expired(event: ContractEvent, reader: Reader) -> Letter | None:
    contract = _contract(event)
    if _is_followed(contract):
        return None
    return _to_customer(
        event,
        pgettext("letter", "The contract has ended"),
        lead=[
            _("The last day was %(day)s, and no contract follows.") % {"day": day_words(contract.ends_on)},
            _("Requests that were open keep the times that were promised. New ones are recorded, without such times."),
            _("Support is part of using the software: our contract administrator writes to you about a new contract."),
        ],
        button=Link(_("See the renewal"), link("contract:renewals")),
    )


def licence_added(event: ContractEvent, reader: Reader) -> Letter:
    contract, details = _contract(event), event.details
    lead = []
    licence = Licence.objects.select_related("product").filter(pk=details.get("licence_id")).first()
    name = f"{licence.product}, {licence.get_deployment_display()}" if licence else str(details.get("licence", ""))
    lead.append(
        _("%(licence)s is covered by the contract from %(day)s.") % {"licence": name, "day": _day(details["starts_on"])}
    )
    facts = [(_("To the end of the contract"), euro(Decimal(details["amount"])))]
    if licence is not None:
        facts += [(_("Counted"), words) for words in proration_words(prorated_line(contract, licence)[1])]
    return _to_customer(
        event,
        pgettext("letter", "A licence joined the contract"),
        lead=lead,
        facts=facts,
        button=Link(_("Open the contract"), link("contract:contract")),
    )


def clause_added(event: ContractEvent, reader: Reader) -> Letter | None:
    return _clause(
        event, reader, pgettext("letter", "A condition was added to the contract"), _("It holds from now on:")
    )


def clause_ended(event: ContractEvent, reader: Reader) -> Letter | None:
    return _clause(
        event,
        reader,
        pgettext("letter", "A condition of the contract has ended"),
        _("It does not hold any more; requests received before keep what it promised:"),
    )


def _clause(event: ContractEvent, reader: Reader, title: str, lead: str) -> Letter | None:
    contract = _contract(event)
    if contract.signed_at is None or contract.signed_at > event.at:
        return None  # a draft is nobody's promise yet
    words = event.details["en" if reader.language == "en" else "ru"]
    button = Link(_("Open the contract"), link("contract:contract"))
    return _to_customer(event, title, lead=[lead, words], button=button)


def renewal_offered(event: ContractEvent, reader: Reader) -> Letter:
    change = _change(event)
    facts = [
        (_("Package"), change.successor.terms.package.name),
        (_("Term"), _term(change.successor)),
        (_("Price of the term"), euro(change.total) if change.total is not None else _("being cleared up")),
    ]
    if change.yearly_was is not None:
        facts.append((_("A year so far"), euro(change.yearly_was)))
    return _to_customer(
        event,
        pgettext("letter", "Renewal of your contract"),
        lead=[
            _("Contract %(number)s ends on %(day)s. This is what the next year would be.")
            % {"number": change.contract.number, "day": day_words(change.contract.ends_on)},
            *change.words,
        ],
        facts=facts,
        button=Link(_("Accept or answer"), link("contract:renewals")),
    )


def _to_customer(
    event: ContractEvent,
    title: str,
    *,
    lead: list[str],
    facts: list[tuple[str, str]] | None = None,
    button: Link,
) -> Letter:
    return Letter(
        title=title,
        heading=_("Contract %(number)s") % {"number": _contract(event).number},
        lead=lead,
        facts=facts or [],
        button=button,
        why=_("You get this letter as the responsible contact of %(company)s.") % {"company": event.customer.name},
    )


# What our people read


def signed_for_us(event: ContractEvent, reader: Reader) -> Letter:
    contract = _contract(event)
    return _to_staff(
        event,
        pgettext("letter", "A contract of your customer is signed"),
        facts=[(_("Package"), contract.terms.package.name), (_("Term"), _term(contract))],
        button=_to_renewals(),
    )


def expired_for_us(event: ContractEvent, reader: Reader) -> Letter | None:
    if _is_followed(_contract(event)):
        return None
    return _to_staff(
        event,
        pgettext("letter", "Ended without a successor"),
        lead=[
            _("Contract %(number)s ended on %(day)s; no signed contract follows.")
            % {"number": _contract(event).number, "day": day_words(_contract(event).ends_on)}
        ],
        button=_to_renewals(),
    )


def renewal_offered_for_us(event: ContractEvent, reader: Reader) -> Letter:
    change = _change(event)
    lead = []
    if event.customer.contact_at(event.at) is None:
        lead.append(_("The customer has no responsible contact: nobody has got the offer."))
    if change.total is None:
        lead.append(_("The successor has no price: look at its licences and package."))
    return _to_staff(
        event,
        pgettext("letter", "Renewal offered, %(days)s days ahead") % {"days": event.details["days_ahead"]},
        lead=[*lead, *change.words],
        facts=_renewal_facts(change),
        button=_to_renewals(),
    )


def renewal_accepted(event: ContractEvent, reader: Reader) -> Letter:
    change = _change(event)
    return _to_staff(
        event,
        pgettext("letter", "Renewal accepted"),
        lead=[
            _("%(name)s accepted the offer. It waits for your signature.") % {"name": _name(event.by)},
            *_own_words(event),
        ],
        facts=_renewal_facts(change),
        button=_to_renewals(),
    )


def renewal_declined(event: ContractEvent, reader: Reader) -> Letter:
    change = _change(event)
    return _to_staff(
        event,
        pgettext("letter", "Renewal declined"),
        lead=[
            _("%(name)s declined the offer. It is not offered again unless the draft is changed.")
            % {"name": _name(event.by)},
            *_own_words(event),
        ],
        facts=_renewal_facts(change),
        button=_to_renewals(),
    )


def renewal_reminder(event: ContractEvent, reader: Reader) -> Letter:
    why = {
        "accepted": _("The customer has accepted the offer, and it is not signed yet."),
        "declined": _("The customer has declined the offer, and nothing else was agreed."),
        "dropped": _("The successor %(number)s was given up, and there is no other.")
        % {"number": event.details.get("successor", "")},
    }[event.details["why"]]
    return _ending_soon(event, why)


def renewal_stopped(event: ContractEvent, reader: Reader) -> Letter:
    package = Package.objects.filter(code=event.details["package"]).first()
    why = _("Nothing could be offered: the package “%(package)s” is not sold from %(day)s. Choose another one.") % {
        "package": package.name if package else event.details["package"],
        "day": _day(event.details["starts_on"]),
    }
    return _ending_soon(event, why)


def _ending_soon(event: ContractEvent, why: str) -> Letter:
    contract = _contract(event)
    left = (contract.ends_on - moscow_day(event.at)).days
    return _to_staff(
        event,
        pgettext("letter", "A renewal needs you"),
        lead=[
            why,
            _("Contract %(number)s ends on %(day)s, in days: %(left)s.")
            % {"number": contract.number, "day": day_words(contract.ends_on), "left": left},
        ],
        button=_to_renewals(),
    )


def gap_opened(event: ContractEvent, reader: Reader) -> Letter:
    return _to_staff(
        event,
        pgettext("letter", "Coverage gap"),
        lead=[
            _("%(company)s uses the software and has no contract in force since %(day)s.")
            % {"company": event.customer.name, "day": _day(event.details["starts_on"])},
            _("Their requests are recorded and wait for a person; no time is promised."),
        ],
        button=Link(_("Open the coverage gaps"), link("contracts:gaps")),
    )


def _to_staff(
    event: ContractEvent,
    title: str,
    *,
    lead: list[str] | None = None,
    facts: list[tuple[str, str]] | None = None,
    button: Link,
) -> Letter:
    return Letter(
        title=title,
        heading=event.customer.name,
        state=_("Contract %(number)s") % {"number": event.contract.number} if event.contract else "",
        lead=lead or [],
        facts=facts or [],
        button=button,
        why=_("An answer to this letter reaches nobody: what is to be done stands on the page."),
    )


def _renewal_facts(change: Change) -> list[tuple[str, str]]:
    facts = [(_("Successor"), change.successor.number), (_("Term"), _term(change.successor))]
    if change.total is not None:
        facts.append((_("Price of the term"), euro(change.total)))
    return facts


def _own_words(event: ContractEvent) -> list[str]:
    return [_("In their words: %(words)s") % {"words": event.details["words"]}] if event.details.get("words") else []


def _to_renewals() -> Link:
    return Link(_("Open the renewals"), link("contracts:renewals"))


def _name(person: User | None) -> str:
    return person.full_name if person else "—"


def _contract(event: ContractEvent) -> Contract:
    assert event.contract is not None, f"{event.verb} is about a contract"
    return event.contract


def _change(event: ContractEvent) -> Change:
    contracts = Contract.objects.select_related("customer", "terms__package")
    return change_of(_contract(event), contracts.get(number=event.details["successor"]))


def _is_followed(contract: Contract) -> bool:
    after = contract.customer.contracts.filter(signed_at__isnull=False, starts_on__gt=contract.ends_on)
    return after.exclude(state=Contract.State.TERMINATED).exists()


def _term(contract: Contract) -> str:
    return _("from %(first)s to %(last)s") % {
        "first": day_words(contract.starts_on),
        "last": day_words(contract.ends_on),
    }


def _day(written: str) -> str:
    return day_words(date.fromisoformat(written))


# The table

WHO_IS_TOLD: dict[str, tuple[tuple[Audience, Wording], ...] | None] = {
    # what happened       who is told       in what words; None: nobody, it stands on the pages
    "signed": ((contact, signed), (csm, signed_for_us)),
    "terminated": ((contact, terminated),),
    "expired": ((contact, expired), (contract_admins, expired_for_us)),
    "licence_added": ((contact, licence_added),),
    "clause_added": ((contact, clause_added),),
    "clause_ended": ((contact, clause_ended),),
    "renewal_offered": (
        (contact, renewal_offered),
        (contract_admins, renewal_offered_for_us),
        (csm, renewal_offered_for_us),
    ),
    "renewal_accepted": ((contract_admins, renewal_accepted), (csm, renewal_accepted)),
    "renewal_declined": ((contract_admins, renewal_declined), (csm, renewal_declined)),
    "renewal_reminder": ((contract_admins, renewal_reminder),),
    "renewal_stopped": ((contract_admins, renewal_stopped),),
    "gap_opened": ((contract_admins, gap_opened), (managers, gap_opened)),
    "gap_closed": None,
    "drafted": None,
    "draft_changed": None,
    "draft_dropped": None,
    "licence_written": None,
}


def of_contract_event(event: ContractEvent, now: datetime) -> list[Draft]:
    """The letters about what happened to a contract; none for a verb that the table does not know."""
    if event.verb.startswith(CONTACT_VERBS):
        return contact_letters.of_contact_event(event, now)
    drafts = []
    for audience, wording in WHO_IS_TOLD.get(event.verb) or ():
        drafts += drafts_to(audience(event, now), f"contract_event:{event.pk}", partial(wording, event), now=now)
    return drafts
