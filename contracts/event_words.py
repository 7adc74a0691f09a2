"""What happened to a contract, told in the reader's language: the log of the contract's and the customer's pages.

`told` knows every verb that is recorded; days and money stand in the details as text (`contracts.signing.history`).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from contracts import customer_words
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import ContractEvent
from contracts.money import euro
from contracts.price_words import day_words

Details = Mapping[str, Any]


def told(event: ContractEvent, packages: Mapping[str, str] | None = None) -> str:
    """One sentence for what happened; `packages` names packages by code. Raises `KeyError` for a verb without words."""
    names = packages or {}
    details = {**event.details}
    if "package" in details:
        details["package"] = names.get(details["package"], str(details["package"]).capitalize())
    return WORDS[event.verb](details)


def _drafted(details: Details) -> str:
    return _("Draft prepared: package “%(package)s”") % {"package": details.get("package", "")}


def _draft_changed(details: Details) -> str:
    return _("Draft changed: package “%(package)s”, from %(start)s to %(end)s") % {
        "package": details.get("package", ""),
        "start": _day(details, "starts_on"),
        "end": _day(details, "ends_on"),
    }


def _draft_dropped(details: Details) -> str:
    return _("Draft discarded: %(reason)s") % {"reason": details.get("reason", "")}


def _signed(details: Details) -> str:
    return _("Signed")


def _terminated(details: Details) -> str:
    return _("Terminated, covered to the end of %(day)s: %(reason)s") % {
        "day": _day(details, "on"),
        "reason": details.get("reason", ""),
    }


def _expired(details: Details) -> str:
    return _("The term is over")


def _licence_added(details: Details) -> str:
    return _("Licence added: %(licence)s, from %(day)s, %(amount)s") % {
        "licence": details.get("licence", ""),
        "day": _day(details, "starts_on"),
        "amount": _money(details, "amount"),
    }


def _licence_written(details: Details) -> str:
    return _("Licence written down: %(licence)s, %(cost)s, from %(day)s") % {
        "licence": details.get("licence", ""),
        "cost": _money(details, "cost"),
        "day": _day(details, "starts_on"),
    }


def _clause_added(details: Details) -> str:
    return _("Clause added: “%(words)s”") % {"words": _in_language(details)}


def _clause_ended(details: Details) -> str:
    return _("Clause ended: “%(words)s”") % {"words": _in_language(details)}


def _renewal_offered(details: Details) -> str:
    days = int(details.get("days_ahead") or 0)
    words = ngettext(
        "Renewal offered %(days)d day ahead: draft %(successor)s",
        "Renewal offered %(days)d days ahead: draft %(successor)s",
        days,
    ) % {"days": days, "successor": details.get("successor", "")}
    return f"{words}, {_money(details, 'total')}" if _money(details, "total") else words


def _renewal_stopped(details: Details) -> str:
    return _("No renewal was offered: the package “%(package)s” is not sold from %(day)s") % {
        "package": details.get("package", ""),
        "day": _day(details, "starts_on"),
    }


def _renewal_reminder(details: Details) -> str:
    numbers = {"successor": details.get("successor", "")}
    if details.get("why") == "accepted":
        return _("Reminder: the customer accepted draft %(successor)s, it waits for the signature") % numbers
    if details.get("why") == "declined":
        return _("Reminder: the customer declined draft %(successor)s, and nothing follows yet") % numbers
    return _("Reminder: draft %(successor)s was given up, and nothing follows yet") % numbers


def _renewal_accepted(details: Details) -> str:
    return _with_words(
        _("The customer accepted the renewal, draft %(successor)s") % {"successor": details.get("successor", "")},
        details,
    )


def _renewal_declined(details: Details) -> str:
    return _with_words(
        _("The customer declined the renewal, draft %(successor)s") % {"successor": details.get("successor", "")},
        details,
    )


def _gap_opened(details: Details) -> str:
    return _("Coverage gap: licences without a contract from %(day)s") % {"day": _day(details, "starts_on")}


def _gap_closed(details: Details) -> str:
    if not details.get("ended_on"):
        return _("There was no coverage gap from %(day)s: a contract covers it") % {"day": _day(details, "starts_on")}
    return _("The coverage gap is over: %(start)s to %(end)s") % {
        "start": _day(details, "starts_on"),
        "end": _day(details, "ended_on"),
    }


def _contact_asked(details: Details) -> str:
    return _with_reason(
        _("Change of the responsible contact asked for: %(to)s %(dates)s")
        % {"to": details.get("to", ""), "dates": _dates(details)},
        details,
    )


def _contact_agreed(details: Details) -> str:
    names = {"to": details.get("to", "")}
    if details.get("side") == "vendor":
        return _("We agreed to %(to)s as the responsible contact") % names
    words = _("The customer agreed to %(to)s as the responsible contact") % names
    return f"{words} ({details['evidence']})" if details.get("evidence") else words


def _contact_refused(details: Details) -> str:
    return _with_words(
        _("Refused: %(to)s as the responsible contact") % {"to": details.get("to", "")},
        details,
    )


def _contact_withdrawn(details: Details) -> str:
    names = {"to": details.get("to", "")}
    if details.get("ended"):
        return _("%(to)s is the responsible contact no longer: ended early") % names
    if details.get("agreed"):
        return _("The planned change to %(to)s was taken back") % names
    return _("The wish to change the contact to %(to)s was withdrawn") % names


def _contact_changed(details: Details) -> str:
    names = {"was": details.get("was", ""), "to": details.get("to", ""), "dates": _dates(details)}
    words = (
        _("Responsible contact: %(to)s instead of %(was)s %(dates)s")
        if names["was"]
        else _("Responsible contact: %(to)s %(dates)s")
    )
    return _with_reason(words % names, details)


WORDS: dict[str, Callable[[Details], str]] = {
    "drafted": _drafted,
    "draft_changed": _draft_changed,
    "draft_dropped": _draft_dropped,
    "signed": _signed,
    "terminated": _terminated,
    "expired": _expired,
    "licence_added": _licence_added,
    "licence_written": _licence_written,
    "clause_added": _clause_added,
    "clause_ended": _clause_ended,
    "renewal_offered": _renewal_offered,
    "renewal_stopped": _renewal_stopped,
    "renewal_reminder": _renewal_reminder,
    "renewal_accepted": _renewal_accepted,
    "renewal_declined": _renewal_declined,
    "gap_opened": _gap_opened,
    "gap_closed": _gap_closed,
    "contact_asked": _contact_asked,
    "contact_agreed": _contact_agreed,
    "contact_refused": _contact_refused,
    "contact_withdrawn": _contact_withdrawn,
    "contact_changed": _contact_changed,
    **customer_words.WORDS,
}


def _with_words(sentence: str, details: Details) -> str:
    """The sentence and, quoted, what the person wrote."""
    return f"{sentence}: “{details['words']}”" if details.get("words") else sentence


def _with_reason(sentence: str, details: Details) -> str:
    return f"{sentence.strip()}: {details['reason']}" if details.get("reason") else sentence.strip()


def _dates(details: Details) -> str:
    """“from 1 Jan 2026 to 14 Jan 2026”; the end only where there is one."""
    start, end = _day(details, "starts"), _day(details, "ends")
    if start and end:
        return _("from %(start)s to %(end)s") % {"start": start, "end": end}
    return _("from %(start)s") % {"start": start} if start else ""


def _day(details: Details, name: str) -> str:
    """A day, or the Moscow day of a moment; "" for none."""
    text = str(details.get(name) or "")
    if not text:
        return ""
    if len(text) == len("2026-01-01"):
        return day_words(date.fromisoformat(text))
    return day_words(datetime.fromisoformat(text).astimezone(CONTRACT_ZONE).date())


def _money(details: Details, name: str) -> str:
    amount = details.get(name)
    return "" if amount in (None, "", "None") else euro(Decimal(str(amount)))


def _in_language(details: Details) -> str:
    own, other = ("en", "ru") if (get_language() or "ru").startswith("en") else ("ru", "en")
    return str(details.get(own) or details.get(other) or "")
