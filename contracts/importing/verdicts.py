"""What is said of a row: the verdict, everything that is wrong with it, what would change."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from contracts.models import ImportRow
from contracts.money import euro

Verdict = ImportRow.Verdict


@dataclass(frozen=True)
class Remark:
    """A sentence about one field of a row. Kept as the English words and the values, so that it reads in any language.

    `text` is a msgid marked by `gettext_noop`; `field` a code of `columns`, "" for the row as a whole.
    """

    field: str
    text: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def words(self) -> str:
        """The sentence in the active language; `cost` among the values is an amount of EUR."""
        values = {name: euro(Decimal(value)) if name == "cost" else value for name, value in self.values.items()}
        return _(self.text) % values if values else _(self.text)

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "text": self.text, "values": self.values}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Remark":
        return cls(kept["field"], kept["text"], kept["values"])


@dataclass(frozen=True)
class Change:
    """What a row would change in what is recorded: a field with its old and new value as plain text, "" for none."""

    field: str
    old: str
    new: str


@dataclass
class Checked:
    """A row with its verdict: `problems` are all the reasons why it is bad, not the first; `warnings` stop nothing."""

    number: int
    cells: dict[str, str]
    surplus: int = 0
    problems: list[Remark] = dataclasses.field(default_factory=list)
    warnings: list[Remark] = dataclasses.field(default_factory=list)
    changes: list[Change] = dataclasses.field(default_factory=list)
    is_new: bool = False

    @property
    def verdict(self) -> str:
        if self.problems:
            return Verdict.BAD
        if self.is_new:
            return Verdict.NEW
        return Verdict.CHANGED if self.changes else Verdict.SAME

    @property
    def is_good(self) -> bool:
        """Whether an import writes it."""
        return self.verdict in {Verdict.NEW, Verdict.CHANGED}

    def refuse(self, field: str, text: str, **values: Any) -> None:
        """One more reason against the row."""
        self.problems.append(Remark(field, text, values))

    def warn(self, field: str, text: str, **values: Any) -> None:
        self.warnings.append(Remark(field, text, values))

    def change(self, field: str, old: object, new: object) -> None:
        """Writes down a change, unless it is none."""
        before, after = ("" if value is None else str(value) for value in (old, new))
        if before != after:
            self.changes.append(Change(field, before, after))
