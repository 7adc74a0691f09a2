"""A ladder as a form: a row for each rung, its scope, and the days of the preview (domain §4.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts.models import Package, PromiseKind
from sla.ladder import Step
from sla.ladders import RUNGS, LadderRefused, problems_of
from sla.models import Whom

OF_A_RUNG = ("percent", "whom", "within", "quiet_from", "quiet_to")
LONGEST = 366  # days of a preview


@dataclass
class RungRow:
    """The fields of one rung, and its number from 1."""

    number: int
    percent: forms.BoundField
    whom: forms.BoundField
    within: forms.BoundField
    quiet_from: forms.BoundField
    quiet_to: forms.BoundField


class LadderForm(forms.Form):
    """`steps` is its value once it is valid; the rules are `ladders.problems_of`. An empty row is no rung."""

    use_required_attribute = False

    first = forms.DateField(
        label=_("Compare with the days from"),
        help_text=_("Promises that began on these days, Moscow."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Name the first day."), "invalid": _("Write the day as 2027-01-31.")},
    )
    last = forms.DateField(
        label=_("to, with the last day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Name the last day."), "invalid": _("Write the day as 2027-01-31.")},
    )

    def __init__(self, *args: Any, rows: int, is_new: bool = False, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = min(rows, RUNGS)
        self.today = today
        self.is_new = is_new
        self.steps: list[Step] = []
        self.row_of: list[int] = []  # of each step, the row that it was written in
        if is_new:
            self._add_scope()
        for number in range(self.rows):
            self._add_rung(number)

    def _add_scope(self) -> None:
        packages = [(str(package.pk), package.name) for package in Package.objects.order_by("position", "code")]
        self.fields["kind"] = forms.ChoiceField(label=_("Promise"), choices=PromiseKind.choices)
        self.fields["package"] = forms.ChoiceField(
            label=_("Package"), choices=[("", _("any package")), *packages], required=False
        )
        self.fields["priority"] = forms.ChoiceField(
            label=_("Priority"),
            choices=[("", _("any priority")), *[(str(number), str(number)) for number in (1, 2, 3, 4)]],
            required=False,
        )

    def _add_rung(self, number: int) -> None:
        named = {"n": number + 1}
        whole = {"invalid": gettext("Rung %(n)d: write a whole number.") % named}
        hour = {"invalid": gettext("Rung %(n)d: write the hour as 22:00.") % named}
        digits = {"inputmode": "numeric", "size": "4"}
        self.fields[f"percent_{number}"] = forms.IntegerField(
            label=gettext("Rung %(n)d: percent of the time") % named,
            required=False,
            widget=forms.TextInput(digits),
            error_messages=whole,
        )
        self.fields[f"whom_{number}"] = forms.ChoiceField(
            label=gettext("Rung %(n)d: calls in") % named,
            required=False,
            choices=[("", "—"), *Whom.choices],
            error_messages={"invalid_choice": gettext("Rung %(n)d: choose whom it calls in.") % named},
        )
        self.fields[f"within_{number}"] = forms.IntegerField(
            label=gettext("Rung %(n)d: minutes to say “I have it”") % named,
            required=False,
            widget=forms.TextInput(digits),
            error_messages=whole,
        )
        for side, label, example in (
            ("quiet_from", _("Rung %(n)d: letters are quiet from"), "22:00"),
            ("quiet_to", _("Rung %(n)d: to"), "08:00"),
        ):
            self.fields[f"{side}_{number}"] = forms.TimeField(
                label=label % named,
                required=False,
                input_formats=["%H:%M", "%H"],
                widget=forms.TimeInput({"placeholder": example, "size": "5"}, format="%H:%M"),
                error_messages=hour,
            )

    def rung_rows(self) -> list[RungRow]:
        return [RungRow(number + 1, *[self[f"{name}_{number}"] for name in OF_A_RUNG]) for number in range(self.rows)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last:
            if last < first:
                self.add_error("last", gettext("The last day lies before the first."))
            elif (last - first).days >= LONGEST:
                self.add_error("last", gettext("At most a year at once."))
            elif first > self.today:
                self.add_error("first", gettext("These days are still to come."))
        for number in range(self.rows):
            self._read_rung(number, cleaned)
        self.add_problems(problems_of(self.steps))
        return cleaned

    def _read_rung(self, number: int, cleaned: Mapping[str, Any]) -> None:
        names = {name: f"{name}_{number}" for name in OF_A_RUNG}
        if not any(self.data.get(self.add_prefix(name), "").strip() for name in names.values()):
            return
        values: dict[str, Any] = {name: cleaned.get(key) for name, key in names.items()}
        named = {"n": number + 1}
        if values["percent"] is None and names["percent"] not in self.errors:
            self.add_error(names["percent"], gettext("Rung %(n)d: write the percent.") % named)
        if not values["whom"] and names["whom"] not in self.errors:
            self.add_error(names["whom"], gettext("Rung %(n)d: choose whom it calls in.") % named)
        quiet = self._read_quiet(values["quiet_from"], values["quiet_to"], names, named)
        if all(name not in self.errors for name in names.values()):
            self.steps.append(Step(values["percent"], values["whom"], values["within"], quiet))
            self.row_of.append(number)

    def _read_quiet(
        self, since: time | None, until: time | None, names: Mapping[str, str], named: Mapping[str, int]
    ) -> tuple[time, time] | None:
        if since is not None and until is not None:
            return since, until
        if (since is None) != (until is None):
            missing = names["quiet_from"] if since is None else names["quiet_to"]
            if missing not in self.errors:
                self.add_error(missing, gettext("Rung %(n)d: quiet hours have a beginning and an end.") % named)
        return None

    def add_problems(self, problems: Sequence[Any]) -> None:
        """The reasons of `LadderRefused`, each at the field that it is about."""
        for problem in problems:
            if problem.rung is not None and problem.field:
                row = self.row_of[problem.rung]
                said = gettext("Rung %(n)d: %(problem)s") % {"n": row + 1, "problem": problem.message}
                self.add_error(f"{problem.field}_{row}", said)
            elif not self.errors or problem.field:
                self.add_error(problem.field if problem.field in self.fields else None, problem.message)

    def refuse(self, refusal: LadderRefused) -> None:
        self.add_problems(refusal.problems)

    @property
    def package(self) -> Package | None:
        chosen = self.cleaned_data.get("package")
        return Package.objects.get(pk=chosen) if chosen else None

    @property
    def priority(self) -> int | None:
        chosen = self.cleaned_data.get("priority")
        return int(chosen) if chosen else None

    def written(self) -> list[tuple[str, str]]:
        """Everything that was typed, for the hidden fields of the preview."""
        return [("rows", str(self.rows)), *[(name, self.data.get(name, "")) for name in self.fields]]


def initial_of(steps: Sequence[Step]) -> dict[str, Any]:
    """The rungs as the form's first values."""
    found: dict[str, Any] = {}
    for number, step in enumerate(steps):
        quiet_from, quiet_to = step.quiet or (None, None)
        values = (step.percent, step.whom, step.within, quiet_from, quiet_to)
        found |= {f"{name}_{number}": value for name, value in zip(OF_A_RUNG, values, strict=True)}
    return found


def without_row(data: Mapping[str, str], rows: int, gone: int) -> dict[str, str]:
    """What was typed, with one row taken out and those below it moved up. Pure."""
    moved = {name: value for name, value in data.items() if name.rpartition("_")[0] not in OF_A_RUNG}
    kept = [number for number in range(rows) if number != gone]
    for new, old in enumerate(kept):
        moved |= {f"{name}_{new}": data.get(f"{name}_{old}", "") for name in OF_A_RUNG}
    return moved
