"""Addresses of the queue: read leniently, written in one way, filters that add up."""

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from tickets.queue import Queue
from tickets.queue.address import HORIZONS, KNOWN, LINES, STATES

VALUES = st.sampled_from(
    [*STATES, *HORIZONS, *LINES, "me", "nobody", "premium", "basic", "17", "x&y=ё?", "0", "\0", ""]
)
PAIRS = st.lists(st.tuples(st.sampled_from([*KNOWN, "after", "show", "unheard"]), VALUES), max_size=12)


def query(pairs: list[tuple[str, str]]) -> QueryDict:
    found = QueryDict(mutable=True)
    for name, value in pairs:
        found.appendlist(name, value)
    return found


@given(place=st.sampled_from(["", "my", "1", "4"]), pairs=PAIRS)
def test_what_is_written_reads_as_the_same_queue(place: str, pairs: list[tuple[str, str]]) -> None:
    queue = Queue.read(place, query(pairs))

    assert Queue.from_tail(queue.tail) == queue


def test_several_values_of_a_filter_and_several_filters_add_up() -> None:
    queue = Queue.read("2", QueryDict("package=premium&package=business&priority=1&assignee=nobody"))

    assert queue.tail == "l/2/?assignee=nobody&package=business&package=premium&priority=1"
    assert queue.without("package", "business").tail == "l/2/?assignee=nobody&package=premium&priority=1"


def test_an_old_link_still_shows_a_queue() -> None:
    assert Queue.from_tail("l/9/?priority=7&state=lost&package=") == Queue()
    assert Queue.from_tail("?state=open").tail == ""


def test_a_view_that_is_gone_leaves_the_plain_queue() -> None:
    assert Queue.from_tail("v/gone/").opened({}) == Queue()


def test_a_view_keeps_its_address_until_a_filter_changes() -> None:
    queue = Queue.from_tail("v/late/").opened({"late": "l/2/?priority=1"})

    assert queue.tail == "v/late/"
    assert queue.having("package", ["premium"]).tail == "l/2/?package=premium&priority=1"


def test_what_is_not_understood_is_kept_to_be_told_until_a_filter_changes() -> None:
    queue = Queue.read("1", QueryDict("company=vetrolog&priority=2&priority=7&show=100&state=open&package="))

    assert queue.unknown == (("company", "vetrolog"), ("priority", "7"))
    assert Queue.from_tail(queue.tail).unknown == queue.unknown
    assert queue.understood.tail == "l/1/?priority=2&show=100"
    assert queue.without("priority").tail == "l/1/"
    assert queue.but(place="my").unknown == ()
    assert Queue.read("", QueryDict("priority=2"), view="late").unknown == (("priority", "2"),)


def test_way_back_begins_at_the_first_row() -> None:
    queue = Queue.read("", QueryDict("state=all&after=77&show=100"))

    assert queue.way_back == "?state=all&show=100"
