"""Several querysets read by one statement: what a page or a verb needs from many small tables costs one way there.

`AtOnce` puts querysets together once in a process; PostgreSQL answers each as a JSON list, whose rows become the
objects of the models again. What differs from call to call stands in the querysets as `Given("name")`.

On a connection that outlives the request (CONN_MAX_AGE) the server plans such a statement once, too: see `execute`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Expression, Lookup, QuerySet
from django.db.models.query import get_related_populators
from django.utils.dateparse import parse_duration
from psycopg import RawCursor
from psycopg.sql import Literal
from psycopg.types.numeric import Int8

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


class OneOf(Lookup):
    """Whether an expression is one of many keys that are given: `filter(OneOf(F("pk"), keys("wanted")))`."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        one, first = self.process_lhs(compiler, connection)
        many, rest = self.process_rhs(compiler, connection)
        return f"{one} = ANY({many})", (*first, *rest)


def keys(name: str) -> Given:
    return Given(name, ArrayField(models.BigIntegerField()))


def execute(sql: str, given: Mapping[str, Any]) -> list[Any]:
    """The rows of a statement that is asked again and again, word for word, with other values by name.

    Planning costs a page of the desk more of the database than the answers do. Where the connection stays, the server
    keeps the statement and its plan (`plan_once`).
    """
    ours: Any = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up at each touch
    if ours.settings_dict["CONN_MAX_AGE"] == 0:
        with ours.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall()
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    ours.connection.prepare_threshold = 0  # for cursors that bind in the server: Django's own never do
    theirs, names = _by_number(sql)
    binding: Any = RawCursor
    with ours.wrap_database_errors, ours._prepare_cursor(binding(ours.connection)) as cursor:
        # A key is a bigint however small it is: else there is a plan for each size, and a cast that makes it look dear.
        values = map(given.__getitem__, names)
        cursor.execute(theirs, [Int8(value) if type(value) is int else value for value in values])
        return cursor.fetchall()


@lru_cache(maxsize=1024)
def _by_number(sql: str) -> tuple[str, tuple[str, ...]]:
    """A statement with its values by name, as the server takes it: by number, and the names in the order of these.

    The driver reads a statement of more than 4096 characters anew each time; this one it takes as it is.
    """
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return _VALUE.sub(place, sql), tuple(names)


_VALUE = re.compile(r"%%|%\((\w+)\)s")


def plan_once(connection: Any, **_signal: Any) -> None:
    """For the signal `connection_created`: what is prepared on a connection that stays is planned once, without values.

    Left to itself PostgreSQL plans the frame of the desk anew for each page: it guesses that a person has more open
    requests than they do. Nothing here leans on values: a constant of a queryset stands in its statement, what is given
    are keys and moments. Statements that Django sends itself are not prepared, and are planned as ever.
    """
    if connection.settings_dict["CONN_MAX_AGE"] != 0:
        with connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")


def _with_names(sql: str, params: Sequence[Any]) -> str:
    """The statement with its constants in it; what is given later stands by its name, with its type."""
    connection.ensure_connection()
    first, *parts = sql.split("%s")
    found = [first]
    for value, part in zip(params, parts, strict=True):
        if isinstance(value, Given):
            found.append(f"%({value.name})s::{value.output_field.db_type(connection)}")
        else:
            found.append(Literal(value).as_string(connection.connection).replace("%", "%%"))
        found.append(part)
    return "".join(found)


class AtOnce:
    """The querysets that `reads` makes, by name. They are compiled at the first use: `reads` is called once.

    Querysets of models, with `select_related`, without `prefetch_related`. Only their values differ between two calls.
    """

    def __init__(self, reads: Callable[[], Mapping[str, QuerySet[Any]]]) -> None:
        self._reads = reads
        self._compiled: tuple[str, dict[str, _Read]] | None = None

    def read(self, **given: Any) -> dict[str, list[Any]]:
        """The objects of each queryset, in its order. One statement."""
        sql, reads = self._compiled or self._compile()
        (answer,) = execute(sql, given)
        return {name: list(read.objects(rows)) for (name, read), rows in zip(reads.items(), answer, strict=True)}

    def _compile(self) -> tuple[str, "dict[str, _Read]"]:
        reads = {name: _Read(queryset) for name, queryset in self._reads().items()}
        sql = "SELECT " + ", ".join(read.sql for read in reads.values())
        self._compiled = _with_names(sql, [value for read in reads.values() for value in read.params]), reads
        return self._compiled


class Prepared:
    """A `values_list` that is put together and compiled once: only its `Given` values differ between two calls."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql = ""
        try:
            self._sql = _with_names(*self._compiler.as_sql())
        except EmptyResultSet:  # Django sees that nothing can be found
            return
        self._converters = self._compiler.get_converters([column[0] for column in self._compiler.select])

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        """One statement."""
        if not self._sql:
            return []
        found = execute(self._sql, given)
        return list(map(tuple, self._compiler.apply_converters(found, self._converters))) if self._converters else found


class Counts:
    """How many each of some querysets finds; put together and compiled once. With a `cap` no further than it + 1.

    Rows are counted, or what a queryset of `values` has of them.
    """

    def __init__(self, querysets: Callable[[], Mapping[str, QuerySet[Any]]], cap: int | None = None) -> None:
        self._querysets = querysets
        self._cap = cap
        self._compiled: tuple[str, list[str]] | None = None

    def read(self, **given: Any) -> dict[str, int]:
        """One statement."""
        sql, names = self._compiled or self._compile()
        (counts,) = execute(sql, given)
        return dict(zip(names, counts, strict=True))

    def _compile(self) -> tuple[str, list[str]]:
        querysets = self._querysets()
        rows = [one if one.query.values_select else one.values("pk") for one in querysets.values()]
        more = None if self._cap is None else self._cap + 1
        told = [_or_nothing(one.order_by()[:more]) for one in rows]
        sql = "SELECT " + ", ".join(f"(SELECT count(*) FROM ({one}) few)" for one, _params in told)
        self._compiled = _with_names(sql, [value for _one, params in told for value in params]), list(querysets)
        return self._compiled


def _or_nothing(queryset: QuerySet[Any]) -> tuple[str, Sequence[Any]]:
    try:
        return queryset.query.sql_with_params()
    except EmptyResultSet:
        return "SELECT WHERE false", ()


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
