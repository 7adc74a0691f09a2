"""A calendar as a form: the whole of it as text that a person can read, change and paste (domain §4)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts.price_words import day_words
from sla import words
from sla.calendars import WEEK, Edit, NotEdited, Problem, ranges, spans_words, weekday
from sla.ics import BYTES

LONGEST_RANGE = 366
TEXT = 60_000  # characters of the days


class CalendarForm(forms.Form):
    """`as_edit` is its value; the rules are `sla.calendars.problems_of`. Nothing here is written."""

    use_required_attribute = False

    timezone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("Whose clocks the hours are of, as Europe/Moscow."),
        error_messages={"required": _("Name the time zone.")},
    )
    holidays = forms.CharField(
        label=_("Days off"),
        required=False,
        max_length=TEXT,
        help_text=_("A day or a range a line: 2027-01-01 or 2027-01-01 – 2027-01-08."),
        widget=forms.Textarea({"rows": 10, "spellcheck": "false"}),
    )
    overrides = forms.CharField(
        label=_("Days with own hours"),
        required=False,
        max_length=TEXT,
        help_text=_("A day and its hours a line: 2027-02-20 09:00–18:00. A worked weekend day, a short day."),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )
    valid_from = forms.DateField(
        label=_("Holds from"),
        required=False,
        help_text=_("The beginning of a day in Moscow; empty: from the decision on."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Write the day as 2027-01-31.")},
    )
    reason = forms.CharField(
        label=_("Why the calendar changes"),
        max_length=1000,
        help_text=_("Customers whose running requests you move read it."),
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": _("Write why the calendar changes: the customers read it.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day in WEEK:
            self.fields[f"day_{day}"] = forms.CharField(
                label=weekday(int(day)),
                required=False,
                max_length=200,
                widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
            )

    def week(self) -> list[forms.BoundField]:
        """The fields of Monday to Sunday, for the template."""
        return [self[f"day_{day}"] for day in WEEK]

    def as_edit(self) -> Edit:
        """The edit as typed, after `is_valid`. What cannot be read stays in it as text, for `problems_of` to say."""
        values = self.cleaned_data
        day = values.get("valid_from")
        return Edit(
            timezone=values.get("timezone", "").strip(),
            weekly_hours={key: read_hours(values.get(f"day_{key}", "")) for key in WEEK},
            holidays=read_days(values.get("holidays", "")),
            overrides=read_own_days(values.get("overrides", "")),
            valid_from=datetime.combine(day, time(0), words.MOSCOW) if day else None,
        )

    def add_problems(self, problems: Sequence[Problem]) -> None:
        """Each refusal at its field; those of the whole above the form."""
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.message)


def initial_of(edit: Edit, reason: str = "") -> dict[str, Any]:
    """An edit as the form shows it."""
    values: dict[str, Any] = {
        "timezone": edit.timezone,
        "holidays": "\n".join(first if first == last else f"{first} – {last}" for first, last in ranges(edit.holidays)),
        "overrides": "\n".join(
            f"{day} {spans_words(spans)}".rstrip() for day, spans in sorted((edit.overrides or {}).items())
        ),
        "valid_from": edit.valid_from.astimezone(words.MOSCOW).date() if edit.valid_from else None,
        "reason": reason,
    }
    return values | {f"day_{day}": spans_words(edit.weekly_hours.get(day) or ()) for day in WEEK}


def read_hours(text: str) -> list[list[str]]:
    """ "9:00-13:00, 14:00–18:00" as pairs of "HH:MM"; what cannot be read stays a pair that no rule accepts."""
    spans = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    return [[_clock(side) for side in re.split(r"\s*[-–—−]\s*", span, maxsplit=1)] for span in spans]


def _clock(text: str) -> str:
    found = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?", text)
    return f"{int(found[1]):02d}:{found[2] or '00'}" if found else text


def _iso(text: str) -> str:
    """The day as ISO; "31.12.2026" is read too. Anything else as it is."""
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else text


def read_days(text: str) -> list[str]:
    """Days and ranges, a line or a comma each, as ISO days in order; a range too long or reversed stays as text."""
    days: set[str] = set()
    for part in re.split(r"[\n,;]", text):
        if not (line := part.strip()):
            continue
        sides = [_iso(side) for side in re.split(r"\s*(?:–|—|\.\.|\s-\s)\s*", line, maxsplit=1)]
        try:
            first, last = (date.fromisoformat(sides[0]), date.fromisoformat(sides[-1]))
        except ValueError:
            days.add(line)
            continue
        length = (last - first).days + 1
        if 1 <= length <= LONGEST_RANGE:
            days |= {(first + timedelta(number)).isoformat() for number in range(length)}
        else:
            days.add(line)
    return sorted(days)


def read_own_days(text: str) -> Mapping[str, list[list[str]]]:
    """ "2027-02-20 09:00–18:00" a line; a day without hours is closed."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"[\n;]", text):
        if not (line := part.strip()):
            continue
        day, _space, hours = line.partition(" ")
        found[_iso(day)] = read_hours(hours)
    return found


class ToolsForm(forms.Form):
    """What the buttons beside the days need: a range, a year, a file. Each is read only by its own button."""

    use_required_attribute = False

    first = forms.DateField(
        label=_("First day"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _("Write the day as 2027-01-31.")},
    )
    last = forms.DateField(
        label=_("Last day"),
        required=False,
        help_text=_("Empty: the first day alone."),
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _("Write the day as 2027-01-31.")},
    )
    year = forms.IntegerField(
        label=_("Year"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={"invalid": _("Write the year as 2027.")},
    )
    file = forms.FileField(
        label=_("iCalendar file (.ics)"),
        required=False,
        help_text=_("Whole days of the year above are proposed, at most 1 MB."),
        widget=forms.FileInput({"accept": ".ics,text/calendar"}),
    )

    def range(self) -> tuple[date, date]:
        """The days chosen. Raises `NotEdited`."""
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first is None:
            raise NotEdited([Problem("first", gettext("Name the first day."))])
        return first, last or first

    def chosen_year(self) -> int:
        """The year chosen. Raises `NotEdited`."""
        year = self.cleaned_data.get("year")
        if year is None or not 2000 <= year <= 2100:
            raise NotEdited([Problem("year", gettext("Write the year as 2027."))])
        return year

    def data_of_file(self) -> bytes:
        """What was sent, never more than one byte above the limit. Raises `NotEdited` where nothing was."""
        sent = self.cleaned_data.get("file")
        if sent is None:
            raise NotEdited([Problem("file", gettext("Choose an .ics file."))])
        return sent.read(BYTES + 1)

    def add_problems(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.message)


def days_words(days: Sequence[tuple[date, str]]) -> list[str]:
    """Proposed days with their names: "12 Jun 2027, Russia Day"."""
    return [f"{day_words(day)}, {name}" if name else day_words(day) for day, name in days]
