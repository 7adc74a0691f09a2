"""Days and events of contracts in templates, in the reader's language."""

from collections.abc import Mapping
from datetime import date

from django import template

from contracts import event_words
from contracts.models import ContractEvent
from contracts.price_words import day_words

register = template.Library()


@register.filter
def day(value: date | None) -> str:
    """A day without a time zone: "18 Nov 2026", in Russian "18 ноября 2026"; "" for none."""
    return day_words(value) if value else ""


@register.filter
def told(event: ContractEvent, packages: Mapping[str, str] | None = None) -> str:
    """What happened, as a sentence; `packages` names the packages by their code."""
    return event_words.told(event, packages)
