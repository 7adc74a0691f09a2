"""Several querysets read by one statement: what a page or a verb needs from many small tables costs one way there.

`AtOnce` puts querysets together once in a process; PostgreSQL answers each as a JSON list, whose rows become the
objects of the models again. What differs from call to call stands in the querysets as `Given("name")`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Expression, QuerySet
from django.db.models.query import get_related_populators
from django.utils.dateparse import parse_duration

ARGUMENTS = 100  # PostgreSQL's functions take no more: a queryset has at most so many columns

Row = list[Any]


class Given(Expression):
    """A value that is given when the statement is run, by its name."""

    def __init__(self, name: str, output_field: models.Field) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


def key(name: str) -> Given:
    return Given(name, models.BigIntegerField())


def moment(name: str) -> Given:
    return Given(name, models.DateTimeField())


def day(name: str) -> Given:
    return Given(name, models.DateField())


class AtOnce:
    """The querysets that `reads` makes, by name. They are compiled at the first use: `reads` is called once.

    Querysets of models, with `select_related`, without `prefetch_related`. Only their values differ between two calls.
    """

    def __init__(self, reads: Callable[[], Mapping[str, QuerySet[Any]]]) -> None:
        self._reads = reads
        self._compiled: tuple[str, tuple[Any, ...], dict[str, _Read]] | None = None

    def read(self, **given: Any) -> dict[str, list[Any]]:
        """The objects of each queryset, in its order. One statement."""
        sql, params, reads = self._compiled or self._compile()
        values = [given[value.name] if isinstance(value, Given) else value for value in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            answer = cursor.fetchone()
        return {name: list(read.objects(rows)) for (name, read), rows in zip(reads.items(), answer, strict=True)}

    def _compile(self) -> tuple[str, tuple[Any, ...], "dict[str, _Read]"]:
        reads = {name: _Read(queryset) for name, queryset in self._reads().items()}
        sql = "SELECT " + ", ".join(read.sql for read in reads.values())
        self._compiled = sql, tuple(value for read in reads.values() for value in read.params), reads
        return self._compiled


class Prepared:
    """A `values_list` that is put together and compiled once: only its `Given` values differ between two calls."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        self._converters = self._compiler.get_converters([column[0] for column in self._compiler.select])

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """One statement."""
        values = [given[value.name] if isinstance(value, Given) else value for value in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            found = cursor.fetchall()
        return list(map(tuple, self._compiler.apply_converters(found, self._converters))) if self._converters else found


class Counts:
    """How many each of some querysets finds; put together and compiled once. With a `cap` no further than it + 1.

    Rows are counted, or what a queryset of `values` has of them.
    """

    def __init__(self, querysets: Callable[[], Mapping[str, QuerySet[Any]]], cap: int | None = None) -> None:
        self._querysets = querysets
        self._cap = cap
        self._compiled: tuple[str, list[Any], list[str]] | None = None

    def read(self, **given: Any) -> dict[str, int]:
        """One statement."""
        sql, params, names = self._compiled or self._compile()
        values = [given[value.name] if isinstance(value, Given) else value for value in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return dict(zip(names, cursor.fetchone(), strict=True))

    def _compile(self) -> tuple[str, list[Any], list[str]]:
        querysets = self._querysets()
        rows = [one if one.query.values_select else one.values("pk") for one in querysets.values()]
        more = None if self._cap is None else self._cap + 1
        told = [one.order_by()[:more].query.sql_with_params() for one in rows]
        sql = "SELECT " + ", ".join(f"(SELECT count(*) FROM ({one}) few)" for one, _params in told)
        self._compiled = sql, [value for _one, params in told for value in params], list(querysets)
        return self._compiled


class _Read:
    """One queryset: its part of the statement, and how its rows become objects."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        inner, self.params = compiler.as_sql()
        told = [_Column(column[0].output_field) for column in compiler.select]
        if len(told) > ARGUMENTS:
            raise ValueError(f"{queryset.model.__name__}: more than {ARGUMENTS} columns.")
        names = [f"c{number}" for number in range(len(told))]
        shown = ", ".join(column.sql(name) for column, name in zip(told, names, strict=True))
        self.sql = f"(SELECT coalesce(json_agg(json_build_array({shown})), '[]') FROM ({inner}) r({', '.join(names)}))"
        self._readers = [(place, column.read) for place, column in enumerate(told) if column.read is not None]
        self._converters = compiler.get_converters([column[0] for column in compiler.select])
        self._compiler = compiler
        self._model = compiler.klass_info["model"]
        fields = compiler.klass_info["select_fields"]
        self._first, self._last = fields[0], fields[-1] + 1
        self._names = [column[0].target.attname for column in compiler.select[self._first : self._last]]
        self._related = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self._annotations = dict(compiler.annotation_col_map or {})

    def objects(self, rows: Iterable[Row]) -> Iterator[Any]:
        readers = self._readers
        for row in rows:
            for place, read in readers:
                if row[place] is not None:
                    row[place] = read(row[place])
        if self._converters:
            rows = self._compiler.apply_converters(rows, self._converters)
        for row in rows:
            one = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._first : self._last])
            for related in self._related:
                related.populate(row, one)
            for name, place in self._annotations.items():
                setattr(one, name, row[place])
            yield one


class _Column:
    """How a column goes through JSON and comes back as what the driver would have given. `read` None: it is itself."""

    def __init__(self, field: models.Field) -> None:
        self._as_text = isinstance(field, models.JSONField | models.DecimalField | models.DurationField)
        self.read = _reader(field)

    def sql(self, name: str) -> str:
        return f"{name}::text" if self._as_text else name


def _reader(field: models.Field) -> Callable[[Any], Any] | None:
    if isinstance(field, models.DateTimeField):  # before a day, which it is too
        return datetime.fromisoformat
    if isinstance(field, models.DateField):
        return date.fromisoformat
    if isinstance(field, models.TimeField):
        return time.fromisoformat
    if isinstance(field, models.DurationField):
        return parse_duration
    if isinstance(field, models.DecimalField):
        return field.to_python
    if isinstance(field, ArrayField):
        return _spans
    if isinstance(field, models.BinaryField | models.UUIDField):
        raise TypeError(f"{field} does not come back from JSON.")
    return None


def _spans(told: list[str]) -> list[DateTimeTZRange]:
    """Ranges of moments as PostgreSQL writes them: ["2026-01-01 10:00:00+00","2026-01-01 11:00:00+00")."""
    return [_span(one) for one in told]


def _span(told: str) -> DateTimeTZRange:
    lower, upper = (part.strip('"') for part in told[1:-1].split(","))
    return DateTimeTZRange(
        datetime.fromisoformat(lower) if lower else None,
        datetime.fromisoformat(upper) if upper else None,
        told[0] + told[-1],
    )
