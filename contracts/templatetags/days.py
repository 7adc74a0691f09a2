"""Days in templates, in the reader's language: `{{ contract.ends_on|day }}`. A day has no time zone."""

from datetime import date, datetime

from django import template

from contracts.price_words import day_words
from contracts.signing import moscow_day

register = template.Library()


@register.filter
def day(value: date | None) -> str:
    """A day: "31 Dec 2026", in Russian "31 декабря 2026"; "" for none."""
    return day_words(value) if value else ""


@register.filter
def day_of(moment: datetime | None) -> str:
    """The Moscow day of a moment, as contracts count days (domain §1.3); "" for none."""
    return day_words(moscow_day(moment)) if moment else ""
