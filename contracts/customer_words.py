"""What happened to a customer's registers, told in the reader's language; `event_words` tells the rest of the log."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from contracts.models import Deployment
from contracts.money import euro
from contracts.price_words import day_words

Details = Mapping[str, Any]

LABELS = {
    "name": gettext_lazy("company"),
    "city": gettext_lazy("city"),
    "csm": gettext_lazy("Customer Success Manager"),
    "product": gettext_lazy("product"),
    "deployment": gettext_lazy("deployment"),
    "seats": gettext_lazy("users"),
    "cost": gettext_lazy("cost"),
    "starts_on": gettext_lazy("first day"),
    "ends_on": gettext_lazy("last day"),
    "release": gettext_lazy("installed release"),
    "full_name": gettext_lazy("full name"),
    "position": pgettext_lazy("person", "position"),
    "phone": gettext_lazy("phone"),
    "language": gettext_lazy("language"),
    "timezone": gettext_lazy("time zone"),
}


def _customer_written(details: Details) -> str:
    return _("Customer written down: %(name)s") % {"name": details.get("name", "")}


def _customer_changed(details: Details) -> str:
    return _("Customer changed: %(changes)s") % {"changes": _changes(details)}


def _licence_changed(details: Details) -> str:
    return _("Licence changed: %(licence)s; %(changes)s") % {
        "licence": details.get("licence", ""),
        "changes": _changes(details),
    }


def _person_added(details: Details) -> str:
    words = _("Person added: %(person)s") % {"person": details.get("person", "")}
    return f"{words}, {details['position']}" if details.get("position") else words


def _person_changed(details: Details) -> str:
    return _("Person changed: %(person)s; %(changes)s") % {
        "person": details.get("person", ""),
        "changes": _changes(details),
    }


def _person_left(details: Details) -> str:
    return _("%(person)s has left the company and signs in no more") % {"person": details.get("person", "")}


def _person_back(details: Details) -> str:
    return _("%(person)s may sign in again") % {"person": details.get("person", "")}


WORDS: dict[str, Callable[[Details], str]] = {
    "customer_written": _customer_written,
    "customer_changed": _customer_changed,
    "licence_changed": _licence_changed,
    "person_added": _person_added,
    "person_changed": _person_changed,
    "person_left": _person_left,
    "person_back": _person_back,
}


def _changes(details: Details) -> str:
    """“city: Tver → Moscow, phone: — → 8 (4822) 55-01-10”."""
    changes: Mapping[str, list[str]] = details.get("changes") or {}
    return ", ".join(
        f"{LABELS.get(name, name)}: {_value(name, before)} → {_value(name, after)}"
        for name, (before, after) in changes.items()
    )


def _value(name: str, text: str) -> str:
    """A value of the record as people read it; a dash for none."""
    if not text:
        return "—"
    if name == "cost":
        return euro(Decimal(text))
    if name in {"starts_on", "ends_on"}:
        return day_words(date.fromisoformat(text))
    if name == "deployment" and text in Deployment.values:
        return str(Deployment(text).label)
    return {"ru": "Русский", "en": "English"}.get(text, text) if name == "language" else text
