"""Days in words, in the active language. They never ask the clock.

Russian days and months stand in tables of their own, because a sentence needs them in a case that no locale module
gives ("до четверга, 19 ноября").
"""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import get_language

Names = Mapping[str, Sequence[str]]  # by language

WEEKDAYS: Names = {
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
WEEKDAYS_LONG: Names = {  # Russian in the genitive: "до четверга"
    "ru": ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS_SHORT: Names = {
    "ru": ("янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
MONTHS_LONG: Names = {  # Russian in the genitive: "19 ноября"
    "ru": (
        "января", "февраля", "марта", "апреля", "мая", "июня",
        "июля", "августа", "сентября", "октября", "ноября", "декабря",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip


def names(table: Names) -> Sequence[str]:
    """The names of the active language."""
    return table["en" if (get_language() or "ru").startswith("en") else "ru"]


def day_and_month(on: date) -> str:
    """ "19 ноября"; in English "19 Nov"."""
    russian = names(MONTHS_LONG) is MONTHS_LONG["ru"]
    return f"{on.day} {names(MONTHS_LONG if russian else MONTHS_SHORT)[on.month - 1]}"


def day_words(on: date, today: date) -> str:
    """ "пн 30 ноября"; the year only when it is not this one (direction §15)."""
    year = "" if on.year == today.year else f" {on.year}"
    return f"{names(WEEKDAYS)[on.weekday()]} {day_and_month(on)}{year}"
