"""What the three kinds have in common: reading the cells of a row, companies by name, rows that say the same."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.utils.translation import gettext_noop

from contracts.importing.reading import Row
from contracts.importing.values import SPACES, Unclear, shown, text
from contracts.importing.verdicts import Checked
from contracts.models import Customer

T = TypeVar("T")


def begin(row: Row) -> Checked:
    """A row before anything is known of it, but for cells that stand beyond the headings."""
    checked = Checked(row.number, row.cells, row.surplus)
    if row.surplus:
        checked.refuse(
            "",
            gettext_noop("The row has more cells than the table has headings: a delimiter stands inside a cell."),
        )
    return checked


def value(checked: Checked, code: str, read: Callable[[str], T]) -> T | None:
    """The value of a cell; None where it is empty or, after a reason is written down, cannot be read."""
    cell = checked.cells.get(code, "")
    if not cell:
        return None
    try:
        return read(cell)
    except Unclear as unclear:
        checked.refuse(code, unclear.text, **unclear.values)
        return None


def needed(checked: Checked, code: str, read: Callable[[str], T]) -> T | None:
    """The value of a cell that may not be empty."""
    if not checked.cells.get(code, ""):
        checked.refuse(code, gettext_noop("The cell is empty and must not be."))
        return None
    return value(checked, code, read)


def words(at_most: int) -> Callable[[str], str]:
    """Reads a cell of text that is at most so many characters long."""
    return lambda cell: text(cell, at_most=at_most)


def key(name: str) -> str:
    """A name as names are compared: whatever its case and spaces."""
    return SPACES.sub(" ", name).strip().casefold()


def companies(names: Iterable[str], *, lock: bool) -> dict[str, list[Customer]]:
    """The customers so named, by `key`. Two statements, however many. `lock`: nobody signs for them meanwhile."""
    wanted = {key(name) for name in names}
    found = [pk for pk, name in Customer.objects.order_by("pk").values_list("pk", "name") if key(name) in wanted]
    customers = Customer.objects.filter(pk__in=found).order_by("pk")
    # A table of their own order, always the same, so that two who lock never wait for each other.
    customers = customers.select_for_update(of=("self",)) if lock else customers
    by_name: dict[str, list[Customer]] = defaultdict(list)
    for customer in customers.select_related("csm"):
        by_name[key(customer.name)].append(customer)
    return by_name


def company(checked: Checked, by_name: dict[str, list[Customer]]) -> Customer | None:
    """The one customer that the row names; None, with the reason written down, for none or several."""
    name = checked.cells.get("company", "")
    found = by_name.get(key(name), []) if name else []
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        checked.refuse(
            "company", gettext_noop("%(count)d companies have this name but for case and spaces."), count=len(found)
        )
    elif name and not any(problem.field == "company" for problem in checked.problems):
        checked.refuse(
            "company",
            gettext_noop("There is no company “%(name)s”: import the customers first."),
            name=shown(name),
        )
    return None


def refuse_repeats(rows: Iterable[tuple[Checked, Any, Any]], field: str) -> None:
    """Rows with one key: repeats of the first are bad; where they contradict each other all are, nothing is guessed.

    Each row comes with its key (None: not known, let be) and with what it says.
    """
    by_key: dict[Any, list[tuple[Checked, Any]]] = defaultdict(list)
    for checked, own, says in rows:
        if own is not None:
            by_key[own].append((checked, says))
    for same in by_key.values():
        (first, said), *others = same
        if all(says == said for _checked, says in others):
            for checked, _says in others:
                checked.refuse(field, gettext_noop("Row %(row)d says the same already."), row=first.number)
        else:
            for checked, _says in same:
                numbers = [other.number for other, _ in same if other is not checked]
                checked.refuse(
                    field,
                    gettext_noop("The file says something else of this in row %(rows)s: leave the one that is right."),
                    rows=", ".join(str(number) for number in numbers[:5]) + (" …" if len(numbers) > 5 else ""),
                )
