"""The desk: who enters, what the queue shows, and each action with its refusals."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from contracts import entitlement
from sla.sweep import sweep
from tests.factories import (
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tickets import workflow
from tickets.files import download
from tickets.forecasting import known_lines
from tickets.models import Message, State, Ticket

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def engineer() -> User:
    return an_engineer(1, language="en", full_name="Pavel Klimov")


@pytest.fixture
def desk(engineer: User) -> Client:
    return signed_in(engineer)


def a_ticket(**fields: Any) -> Ticket:
    """A request received a moment ago: its clocks run now."""
    return open_ticket(**{"at": timezone.now() - timedelta(minutes=1), **fields})


def address(name: str, ticket: Ticket, query: str = "") -> str:
    return reverse(f"desk:{name}", args=[ticket.number]) + query


def without_tokens(answer: HttpResponse, number: int) -> str:
    """The page without what differs in any two pages: the form tokens, the time of day and its own number."""
    tokens = r'(value|"X-CSRFToken":) ?="?[A-Za-z0-9]{64}"|"[A-Za-z0-9]{64}"'
    text = re.sub(rf'{tokens}|data-now="\d+"|\b\d\d:\d\d\b', "", answer.content.decode())
    return text.replace(str(number), "")


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


# Who enters


@pytest.mark.parametrize("make", [an_engineer, a_lead, a_csm, a_manager])
def test_queue_and_ticket_open_for_the_desk(make: Any) -> None:
    ticket = a_ticket()
    client = signed_in(make())

    answers = [client.get(page).status_code for page in ("/w/", "/w/my/", "/w/l/1/", address("ticket", ticket))]

    assert answers == [200, 200, 200, 200]


@pytest.mark.parametrize("make", [top, a_contract_admin, lambda: contact_of(a_customer())])
def test_queue_is_forbidden_for_others(make: Any) -> None:
    ticket = a_ticket()
    client = signed_in(make())

    answers = [client.get(page).status_code for page in ("/w/", "/w/my/", "/w/l/1/", address("ticket", ticket))]

    assert answers == [403, 403, 403, 403]


def test_customer_is_answered_alike_whether_a_ticket_exists_or_not() -> None:
    foreign = a_ticket()
    client = signed_in(contact_of(a_customer()))

    there = client.get(address("ticket", foreign))
    missing = client.get(reverse("desk:ticket", args=[foreign.number + 1000]))
    posted = [
        client.post(reverse("desk:acceptance", args=[number])).status_code
        for number in (foreign.number, foreign.number + 1000)
    ]

    assert (there.status_code, missing.status_code) == (403, 403)
    assert posted == [403, 403]
    assert without_tokens(there, foreign.number) == without_tokens(missing, foreign.number + 1000)


def test_visitor_is_asked_to_sign_in() -> None:
    answer = Client().get("/w/")

    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=/w/"


def test_unknown_number_and_unknown_line_are_404(desk: Client) -> None:
    answers = [desk.get("/w/t/99999999/"), desk.post("/w/t/99999999/acceptance/"), desk.get("/w/l/5/")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


# The queue


def statements(client: Client, page: str) -> tuple[int, int]:
    """How many rows the page has, and how many statements it costs."""
    client.get(page)  # what a process keeps (calendars, the hours' line) is there from now on
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(page)
    return len(numbers(answer)), len(captured)


@pytest.mark.parametrize("page", ["/w/", "/w/my/", "/w/l/1/", "/w/?state=all"])
def test_queue_costs_the_same_for_one_row_and_for_three(page: str, desk: Client, engineer: User) -> None:
    customer = a_customer()
    workflow.accept(a_ticket(customer=customer), by=engineer, at=timezone.now())
    known_lines(timezone.now())  # read once for some seconds, whatever is shown
    rows, one = statements(desk, page)
    for _row in range(2):
        workflow.accept(a_ticket(customer=customer), by=engineer, at=timezone.now())

    more_rows, three = statements(desk, page)

    assert (rows, more_rows) == (1, 3)
    assert three == one <= 12


def test_ticket_costs_the_same_for_one_message_and_for_three(desk: Client, engineer: User) -> None:
    ticket = a_ticket()
    page = address("ticket", ticket)
    workflow.accept(ticket, by=engineer, at=timezone.now())
    rows, one = statements(desk, page)
    for number in range(2):
        workflow.reply(ticket, by=engineer, body=f"Reply {number}", at=timezone.now())
        a_ticket(customer=ticket.customer)

    more_rows, three = statements(desk, page)

    assert (rows, more_rows) == (1, 3)
    assert three == one


def numbers(answer: HttpResponse) -> list[int]:
    return [int(number) for number in re.findall(r'id="row-(\d+)"', answer.content.decode())]


def test_queue_is_sorted_by_deadline_and_grouped_by_horizon(desk: Client, engineer: User) -> None:
    now = timezone.now()
    customer, basic = a_customer(), a_customer("basic")
    stands = a_ticket(customer=customer, priority=2)
    workflow.ask_customer(stands, by=engineer, body="Which version?", at=now)
    late = a_ticket(customer=customer, at=now - timedelta(days=3))
    no_deadline = a_ticket(customer=basic)
    workflow.accept(no_deadline, by=engineer, at=now)
    soon = a_ticket(customer=customer, priority=1)

    answer = desk.get("/w/")

    assert numbers(answer) == [late.number, soon.number, no_deadline.number, stands.number]
    groups = answer.context["groups"]
    assert [(group.code, group.count) for group in groups if group.code not in {"hour", "today", "later"}] == [
        ("late", 1),
        ("none", 1),
        ("stand", 1),
    ]


def test_queue_begins_with_the_engineers_own_lines(desk: Client) -> None:
    customer = a_customer()
    own = a_ticket(customer=customer)
    other = a_ticket(customer=customer, topic="database")

    assert numbers(desk.get("/w/")) == [own.number]
    assert numbers(desk.get("/w/l/2/")) == [other.number]


def test_tabs_count_open_and_overdue(desk: Client, engineer: User) -> None:
    customer = a_customer()
    a_ticket(customer=customer, at=timezone.now() - timedelta(days=3))
    workflow.accept(a_ticket(customer=customer), by=engineer, at=timezone.now())
    a_ticket(customer=customer, topic="database")

    counted = [(tab.queue.place, tab.count, tab.late) for tab in desk.get("/w/").context["tabs"]]

    assert counted == [("", 2, 1), ("my", 1, 0), ("1", 2, 1), ("2", 1, 0), ("3", 0, 0), ("4", 0, 0)]


def test_first_tab_is_called_by_what_is_in_it(desk: Client) -> None:
    assert "<span>My lines</span>" in desk.get("/w/").content.decode()
    assert "<span>All</span>" in signed_in(a_manager(language="en")).get("/w/").content.decode()


def test_address_that_asks_for_what_is_no_filter_says_so_and_offers_no_all(desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("tickets.queue.address.PAGE", 1)
    customer = a_customer()
    for _row in range(2):
        a_ticket(customer=customer)

    plain, page = (desk.get(address).content.decode() for address in ("/w/", "/w/?company=%3Cb%3E&priority=9"))

    assert "no filter here" not in plain
    assert 'name="all"' in plain
    assert "<code>company=&lt;b&gt;</code>, <code>priority=9</code>" in page
    assert 'name="all"' not in page


def test_filters_add_up_and_stay_in_every_link(desk: Client) -> None:
    premium, basic = a_customer(), a_customer("basic")
    wanted = a_ticket(customer=premium, priority=1)
    a_ticket(customer=premium, priority=3)
    a_ticket(customer=basic, priority=1)

    answer = desk.get("/w/?package=premium&priority=1")
    page = answer.content.decode()

    assert numbers(answer) == [wanted.number]
    assert 'href="/w/my/?package=premium&amp;priority=1"' in page
    assert 'href="/w/?priority=1"' in page  # takes the package off, leaves the priority
    assert f'href="/w/t/{wanted.number}/?from=%3Fpackage%3Dpremium%26priority%3D1"' in page


def test_a_filter_that_was_asked_before_is_asked_anew_for_another_person_line_and_value(
    engineer: User,
) -> None:
    """Statements are kept by the filter (queue/pages.py): none has another reader's lines or another filter's value."""
    first, third = a_ticket(priority=1), a_ticket(priority=3)
    workflow.accept(first, by=engineer, at=timezone.now())
    second = a_ticket(priority=1)
    workflow.hand_over(second, to_line=2, known="Известно", asked="Посмотреть", by=engineer, at=timezone.now())
    here, there = signed_in(engineer), signed_in(an_engineer(2))

    for _twice in range(2):
        assert numbers(here.get("/w/?priority=1")) == [first.number]
        assert numbers(there.get("/w/?priority=1")) == [second.number]
        assert numbers(here.get("/w/?priority=3")) == [third.number]
        assert numbers(there.get("/w/?priority=3")) == []
        assert numbers(here.get("/w/l/2/?priority=1")) == [second.number]
        assert numbers(here.get("/w/?assignee=me")) == [first.number]
        assert numbers(there.get("/w/?assignee=me")) == []
        assert numbers(here.get("/w/?assignee=nobody")) == [third.number]
        assert numbers(here.get("/w/?customer=999999999999")) == []


def test_empty_queue_says_which_emptiness(desk: Client, engineer: User) -> None:
    assert "There have been no requests yet" in desk.get("/w/").content.decode()
    workflow.withdraw(ticket := a_ticket(), by=ticket.contact, at=timezone.now())
    assert "Everything is done here" in desk.get("/w/").content.decode()
    nothing = desk.get("/w/?priority=1").content.decode()
    assert "Nothing fits this filter" in nothing
    assert "Somebody works on every request" not in nothing  # of none that would be said in vain


def test_nonsense_in_the_address_shows_the_plain_queue(desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.get("/w/?state=%00x&priority=9&after=1.99999999999999999999999.x")

    assert numbers(answer) == [ticket.number]


@pytest.mark.parametrize("query", ["", "?state=all"])
def test_rows_of_a_later_page_lead_back_to_the_start(query: str, desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("tickets.queue.address.PAGE", 1)
    customer = a_customer()
    for _row in range(2):
        a_ticket(customer=customer)

    second = desk.get(f"/w/{desk.get(f'/w/{query}').context['more'].tail}")
    [number] = numbers(second)
    old_link = desk.get(f"/w/t/{number}/", {"from": f"{query or '?'}&after=1..1".replace("?&", "?")})

    assert "after" not in re.findall(rf'href="/w/t/{number}/([^"]*)"', second.content.decode())[0]
    assert old_link.context["back"] == f"/w/{query}"


@pytest.mark.parametrize("query", ["", "?state=all"])
def test_pages_follow_each_other_without_gap_or_repeat(
    query: str, desk: Client, engineer: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tickets.queue.address.PAGE", 2)
    premium, basic = a_customer(), a_customer("basic")
    for customer in (premium, premium, basic, basic):
        workflow.accept(a_ticket(customer=customer, priority=2), by=engineer, at=timezone.now())
    for _row in range(3):
        workflow.ask_customer(a_ticket(customer=premium), by=engineer, body="Which version?", at=timezone.now())

    pages, page = [], f"/w/{query}"
    while page:
        answer = desk.get(page)
        pages.append(numbers(answer))
        more = answer.context["more"]
        page = f"/w/{more.tail}" if more else ""

    assert [len(found) for found in pages] == [2, 2, 2, 1]
    assert [number for found in pages for number in found] == numbers_in_order(bool(query))


def numbers_in_order(newest_first: bool) -> list[int]:
    order = Ticket.objects.order_by("-number") if newest_first else Ticket.objects.by_deadline()
    return list(order.values_list("number", flat=True))


def test_nearest_deadline_that_nobody_works_on_is_offered(desk: Client, engineer: User) -> None:
    customer = a_customer()
    workflow.accept(a_ticket(customer=customer, priority=1), by=engineer, at=timezone.now())
    nearest = a_ticket(customer=customer, priority=1)
    a_ticket(customer=customer, priority=3)

    answer = desk.get("/w/")

    assert [desk.get(page).context["nearest"].pk for page in ("/w/", "/w/my/", "/w/?state=all")] == [nearest.pk] * 3
    assert 'action="/w/take/"' in answer.content.decode()


# The ticket


def test_ticket_stands_beside_the_queue_that_one_came_from(desk: Client) -> None:
    customer = a_customer()
    first, second = a_ticket(customer=customer, topic="database"), a_ticket(customer=customer, topic="database")
    a_ticket(customer=customer)

    answer = desk.get(address("ticket", second, "?from=l/2/%3Fpriority%3D3"))

    assert sorted(numbers(answer)) == sorted([first.number, second.number])
    assert 'href="/w/l/2/?priority=3"' in answer.content.decode()  # back


def test_ticket_shows_both_promises_the_route_and_the_notes(desk: Client, engineer: User) -> None:
    ticket = a_ticket(priority=1)
    now = timezone.now()
    workflow.accept(ticket, by=engineer, at=now)
    workflow.note(ticket, by=engineer, body="The dump is taken.", at=now)
    workflow.hand_over(
        ticket, by=engineer, to_line=2, known="It falls.", tried="Restart.", asked="Find out why.", at=now
    )

    answer = desk.get(address("ticket", ticket))
    page = answer.content.decode()

    assert [clock.kind for clock, _forecast, _number in answer.context["promises"]] == ["reaction", "resolution"]
    assert [(stop.number, stop.place) for stop in answer.context["route"]] == [
        (1, "done"),
        (2, "now"),
        (3, "next"),
        (4, "next"),
    ]
    for words in ("The dump is taken.", "Internal note, the customer does not see it", "Restart.", "Find out why."):
        assert words in page


def test_each_move_of_the_status_says_what_it_does_to_the_clock_before_it_is_opened(desk: Client) -> None:
    page = desk.get(address("ticket", a_ticket())).content.decode()

    decline = page.split('id="act-decline"')[1].split("</summary>")[0]
    assert '<span class="hint">The clocks stop. The customer gets your words and can contest them.</span>' in decline


def test_time_on_a_line_that_ended_on_another_day_says_which(desk: Client, engineer: User) -> None:
    now = timezone.now().replace(hour=12, minute=30)  # the same day in Moscow and in UTC
    ticket = open_ticket(at=now - timedelta(days=2))
    workflow.hand_over(ticket, by=engineer, to_line=2, known="K", asked="A", at=now)
    workflow.hand_over(ticket, by=an_engineer(2), to_line=3, known="K", asked="A", at=now + timedelta(minutes=5))

    route = desk.get(address("ticket", ticket)).content.decode().split('class="route"')[1].split("</ol>")[0]

    first, second = (stop.split("<small>")[1].split("</small>")[0] for stop in route.split("</li>")[:2])
    ends = [re.sub("<[^>]+>", "", words).split(", ")[0].split("–")[1] for words in (first, second)]
    assert ends == [f"{now:%a} 15:30", "15:35"]


def test_the_context_names_the_licences_and_the_customers_other_requests(desk: Client) -> None:
    ticket = a_ticket()
    first = desk.get(address("ticket", ticket)).content.decode()
    other = open_ticket(ticket.customer, at=timezone.now())

    page = desk.get(address("ticket", ticket)).content.decode()

    licence = ticket.customer.licences.first()
    assert licence is not None and licence.product.name in page.split("<dt>Licences</dt>")[1].split("</dd>")[0]
    assert "the first request" in first
    assert f'1 open of 1 others</a>, newest <a href="{address("ticket", other)}">' in page


def test_ticket_of_a_package_without_resolution_says_so(desk: Client) -> None:
    page = desk.get(address("ticket", a_ticket(customer=a_customer("basic")))).content.decode()

    assert "lane--none" in page


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (
            "new",
            {
                "acceptance",
                "messages",
                "handover",
                "resolution",
                "decline",
                "classification",
                "escalation",
                "defect",
                "major",
            },
        ),
        (
            "in_progress",
            {
                "messages",
                "handover",
                "resolution",
                "decline",
                "restoration",
                "classification",
                "escalation",
                "defect",
                "major",
            },
        ),
        (
            "awaiting_customer",
            {"messages", "resolution", "waiting", "restoration", "classification", "escalation", "defect", "major"},
        ),
        ("resolved", {"messages", "reopening"}),
        ("closed", {"messages", "follow_up"}),
    ],
)
def test_only_legal_moves_are_offered(state: str, offered: set[str], desk: Client, engineer: User) -> None:
    ticket = a_ticket(priority=1)
    now = timezone.now()
    if state in {"in_progress", "awaiting_customer"}:
        workflow.accept(ticket, by=engineer, at=now)
    if state == "awaiting_customer":
        workflow.ask_customer(ticket, by=engineer, body="Which version?", at=now)
    if state in {"resolved", "closed"}:
        workflow.resolve(ticket, by=engineer, body="Restarted.", at=now)
    if state == "closed":
        workflow.confirm(ticket, by=ticket.contact, at=now)

    assert desk.get(address("ticket", ticket)).context["may"] == offered


def test_a_lead_is_offered_to_assign() -> None:
    lead, engineer = a_lead(1), an_engineer(1)
    ticket = a_ticket()

    answer = signed_in(lead).post(address("assignment", ticket), {"to": engineer.pk})

    assert answer.status_code == 303
    assert again(ticket).assignee == engineer


# What is done with it


def said(ticket: Ticket) -> list[tuple[str, str]]:
    return list(ticket.messages.order_by("pk").values_list("kind", "body"))[1:]


def test_accepting_answers_with_the_ticket_and_says_so(desk: Client, engineer: User) -> None:
    ticket = a_ticket()

    answer = desk.post(address("acceptance", ticket, "?from=my/"), follow=True)

    assert answer.redirect_chain == [(address("ticket", ticket, "?from=my%2F"), 303)]
    assert "Taken into work" in answer.content.decode()
    assert (again(ticket).state, again(ticket).assignee) == (State.IN_PROGRESS, engineer)


@pytest.mark.parametrize(
    ("kind", "state", "message_kind"),
    [
        ("reply", State.IN_PROGRESS, Message.Kind.PUBLIC),
        ("note", State.NEW, Message.Kind.NOTE),
        ("question", State.AWAITING_CUSTOMER, Message.Kind.PUBLIC),
    ],
)
def test_composer_says_it_to_whom_it_says(kind: str, state: str, message_kind: str, desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.post(address("messages", ticket), {"kind": kind, "body": "Which version do you use?", "key": "k1"})

    assert answer.status_code == 303
    assert said(ticket) == [(message_kind, "Which version do you use?")]
    assert again(ticket).state == state


@pytest.mark.parametrize("kind", ["reply", "note", "question"])
def test_double_click_says_it_once(kind: str, desk: Client) -> None:
    ticket = a_ticket()
    typed = {"kind": kind, "body": "Which version do you use?", "key": "one-form"}

    answers = [desk.post(address("messages", ticket), typed).status_code for _click in range(2)]

    assert answers == [303, 303]
    assert len(said(ticket)) == 1


def test_double_click_on_solved_says_it_once(desk: Client) -> None:
    ticket = a_ticket()
    typed = {"body": "Restarted the pool.", "key": "one-form"}

    answers = [desk.post(address("resolution", ticket), typed).status_code for _click in range(2)]

    assert answers == [303, 303]
    assert (len(said(ticket)), again(ticket).state) == (1, State.RESOLVED)


def test_each_form_has_a_key_of_its_own(desk: Client) -> None:
    ticket = a_ticket()

    keys = [
        re.findall(r'name="key" value="([^"]+)"', desk.get(address("ticket", ticket)).content.decode())
        for _look in range(2)
    ]

    assert len(set(keys[0] + keys[1])) == len(keys[0]) + len(keys[1]) == 4


def test_empty_message_is_422_and_keeps_the_choice(desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.post(address("messages", ticket), {"kind": "note", "body": "  ", "key": "k"})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "Write a few words: an empty message says nothing." in page
    assert 'value="note" checked' in page
    assert said(ticket) == []


def test_refused_move_is_409_with_the_rule_and_everything_typed(desk: Client, engineer: User) -> None:
    ticket = a_ticket()
    workflow.accept(ticket, by=engineer, at=timezone.now())
    typed = {"to_line": "4", "known": "Only with 7.8.4.", "tried": "A roll-back.", "asked": "Confirm the defect."}

    answer = desk.post(address("handover", ticket), typed)
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "Line 4 takes a request only with a defect: attach one first." in page
    assert "§3.3" in page
    for words in ("Only with 7.8.4.", "A roll-back.", "Confirm the defect."):
        assert words in page
    assert again(ticket).line_id == 1


def test_move_that_is_legal_no_more_is_409_and_keeps_the_text(desk: Client, engineer: User) -> None:
    ticket = a_ticket()
    workflow.resolve(ticket, by=engineer, body="Restarted.", at=timezone.now())
    workflow.confirm(ticket, by=ticket.contact, at=timezone.now())

    replied = desk.post(address("messages", ticket), {"kind": "reply", "body": "And one thing more", "key": "k"})
    resolved = desk.post(address("resolution", ticket), {"body": "Solved once more", "key": "k2"})

    assert (replied.status_code, resolved.status_code) == (409, 409)
    assert "And one thing more" in replied.content.decode()
    assert "This request is closed: a reply would reach nobody." in replied.content.decode()
    assert "Solved once more" in resolved.content.decode()


def test_htmx_gets_the_pane_the_row_and_what_was_done(desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.post(address("acceptance", ticket), headers={"HX-Request": "true"})
    page = answer.content.decode()

    assert answer.status_code == 200
    assert page.lstrip().startswith('<article class="tk" id="pane"')
    assert f'id="row-{ticket.number}" hx-swap-oob="true"' in page
    assert "Taken into work" in page
    assert "<html" not in page


def test_hand_over_needs_its_words(desk: Client) -> None:
    answer = desk.post(address("handover", a_ticket()), {"to_line": "2", "tried": "A restart."})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "Write what is known: the next line starts from it." in page
    assert "Write what you ask the next line to do." in page
    assert "A restart." in page


def test_the_whole_way_of_a_ticket_through_the_lines(desk: Client, engineer: User) -> None:
    ticket = a_ticket(priority=1)
    second = signed_in(an_engineer(2))

    steps = [
        desk.post(address("acceptance", ticket)),
        desk.post(address("handover", ticket), {"to_line": "2", "known": "It falls.", "asked": "Find out why."}),
        second.post(address("return", ticket), {"reason": "Take a dump first."}),
        desk.post(address("handover", ticket), {"to_line": "2", "known": "Dump taken.", "asked": "Find out why."}),
        second.post(address("acceptance", ticket)),
        second.post(
            address("defect", ticket),
            {"title": "Pool falls", "steps": "Update", "expected": "It runs", "actual": "It falls"},
        ),
        second.post(address("handover", ticket), {"to_line": "4", "known": "A defect.", "asked": "Mend it."}),
        second.post(address("restoration", ticket), {"to_priority": "3", "workaround": "More memory."}),
        second.post(address("classification", ticket), {"priority": "4", "kind": "incident", "reason": "One user."}),
        second.post(address("messages", ticket), {"kind": "question", "body": "Does it run?", "key": "q"}),
        second.post(address("waiting", ticket)),
        second.post(address("resolution", ticket), {"body": "Mended in 7.8.5.", "key": "r"}),
        second.post(address("reopening", ticket), {"reason": "Falls again."}),
    ]

    assert [step.status_code for step in steps] == [303] * len(steps)
    ticket = again(ticket)
    assert (ticket.state, ticket.line_id, ticket.priority) == (State.IN_PROGRESS, 4, 4)
    assert ticket.defect is not None
    assert ticket.owner == engineer


def test_declining_names_the_condition(desk: Client) -> None:
    ticket = a_ticket()

    answer = desk.post(address("decline", ticket), {"reason": "Networks are outside support."}, follow=True)

    assert again(ticket).state == State.DECLINED
    assert "Declined, the customer is told why" in answer.content.decode()


# Files


def test_closed_request_is_followed_up_by_the_desk(desk: Client, engineer: User) -> None:
    ticket = a_ticket(priority=2)
    workflow.resolve(ticket, by=engineer, body="Restarted.", at=timezone.now())
    workflow.confirm(ticket, by=ticket.contact, at=timezone.now())
    assert address("follow_up", ticket) in desk.get(address("ticket", ticket)).content.decode()
    words = {"subject": "The report again", "body": "We saw the same fault in your log.", "key": "k"}

    answers = [desk.post(address("follow_up", ticket), words) for _twice in range(2)]

    made = Ticket.objects.get(follows=ticket)
    assert [answer["Location"] for answer in answers] == [address("ticket", made)] * 2
    assert (made.customer, made.contact, made.product, made.topic, made.priority, made.state, made.subject) == (
        ticket.customer, ticket.contact, ticket.product, ticket.topic, 2, "new", "The report again",
    )  # fmt: skip
    first = made.messages.get()
    assert (first.kind, first.author, first.body) == ("public", engineer, "We saw the same fault in your log.")
    assert {clock.kind for clock in made.commitments.all()} == {clock.kind for clock in ticket.commitments.all()}
    assert again(ticket).state == "closed"


def test_promise_that_came_with_a_merged_request_says_whose_it_was(desk: Client, engineer: User) -> None:
    ticket = a_ticket()
    workflow.accept(ticket, by=engineer, at=timezone.now())
    other = a_ticket(customer=ticket.customer)
    workflow.merge(other, into=again(ticket), by=engineer, at=timezone.now())

    answer = desk.get(address("ticket", ticket))

    promises = [(clock.kind, number) for clock, _forecast, number in answer.context["promises"]]
    assert ("reaction", other.number) in promises
    assert ("reaction", None) in promises
    assert f'<span class="lane__k">Reaction, № {other.number}</span>' in answer.content.decode()


def test_return_shows_its_reason_and_nothing_else(desk: Client, engineer: User) -> None:
    ticket = workflow.accept(a_ticket(), by=engineer, at=timezone.now())
    workflow.hand_over(ticket, by=engineer, to_line=2, known="K", asked="A", at=timezone.now())
    workflow.return_hand_over(ticket, by=an_engineer(2), reason="The log is not there", at=timezone.now())

    page = desk.get(address("ticket", ticket)).content.decode()

    card = page.split("Line 2 → 1, the customer does not see it")[1].split("</dl>")[0]
    assert "<dt>Given back, because</dt><dd>The log is not there</dd>" in card
    assert "<dt>Known</dt>" not in card
    assert "<dt>Asked</dt>" not in card


def test_open_and_merged_requests_are_not_followed_up(desk: Client, engineer: User) -> None:
    ticket = a_ticket()
    other = a_ticket(customer=ticket.customer)
    words = {"subject": "The report again", "body": "The same fault."}

    assert desk.post(address("follow_up", ticket), words).status_code == 409
    workflow.merge(ticket, into=Ticket.objects.get(pk=other.pk), by=engineer, at=timezone.now())
    assert desk.post(address("follow_up", ticket), words).status_code == 409

    assert not Ticket.objects.filter(follows=ticket).exists()


def test_files_come_with_a_message_and_go_out_as_downloads(desk: Client) -> None:
    ticket = a_ticket()
    files = [
        SimpleUploadedFile("log.html", b"<script>alert(1)</script>", "text/html"),
        SimpleUploadedFile("a.txt", b"x"),
    ]

    desk.post(address("messages", ticket), {"kind": "note", "body": "See the log.", "key": "k", "attachments": files})
    note = ticket.messages.get(kind="note")
    stored = list(note.attachments.order_by("pk"))
    page = reverse("desk:file", args=[ticket.number, stored[0].pk])
    answer = desk.get(page)

    assert [file.name for file in stored] == ["log.html", "a.txt"]
    assert answer["Content-Disposition"] == 'attachment; filename="log.html"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert signed_in(top()).get(page).status_code == 200


def test_file_of_another_ticket_or_a_missing_one_is_404(desk: Client) -> None:
    customer = a_customer()
    ticket, other = a_ticket(customer=customer), a_ticket(customer=customer)
    desk.post(
        address("messages", ticket),
        {"kind": "note", "body": "See.", "key": "k", "attachments": [SimpleUploadedFile("a.txt", b"x")]},
    )
    pk = ticket.messages.get(kind="note").attachments.get().pk

    answers = [
        desk.get(reverse("desk:file", args=[number, key])).status_code
        for number, key in ((other.number, pk), (ticket.number, pk + 1000), (99999999, pk))
    ]

    assert answers == [404, 404, 404]


def test_file_of_a_note_is_never_a_customers(desk: Client) -> None:
    ticket = a_ticket()
    desk.post(
        address("messages", ticket),
        {"kind": "note", "body": "See.", "key": "k", "attachments": [SimpleUploadedFile("a.txt", b"x")]},
    )
    pk = ticket.messages.get(kind="note").attachments.get().pk

    with pytest.raises(Http404):
        download(ticket.contact, ticket.number, pk)


def test_file_too_big_is_422_in_words(desk: Client, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 10
    ticket = a_ticket()

    answer = desk.post(
        address("messages", ticket),
        {
            "kind": "reply",
            "body": "See the log.",
            "key": "k",
            "attachments": [SimpleUploadedFile("log.txt", b"x" * 11)],
        },
    )
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "A file can be at most" in page
    assert "See the log." in page
    assert said(ticket) == []


def test_escalations_of_the_ticket_are_shown(desk: Client) -> None:
    ticket = a_ticket(customer=a_customer(csm=a_csm(full_name="Olga Belova")))
    workflow.escalate(ticket, by=ticket.contact, whom="csm", reason="Nothing moves.", at=timezone.now())

    page = desk.get(address("ticket", ticket)).content.decode()

    assert "Nothing moves." in page
    assert "O. Belova" in page


def test_who_was_called_in_acknowledges_from_the_ticket(desk: Client, engineer: User) -> None:
    lead = a_lead(1)
    ticket = a_ticket(priority=1, at=timezone.now() - timedelta(minutes=25))
    sweep(timezone.now())
    for_lead = ticket.escalations.get(whom="line_lead")
    page = reverse("desk:acknowledgement", args=[ticket.number, for_lead.pk])
    other = reverse("desk:acknowledgement", args=[a_ticket().number, for_lead.pk])

    answers = [desk.post(page), signed_in(lead).post(other), signed_in(lead).post(page), signed_in(lead).post(page)]

    for_lead.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403, 404, 303, 409]
    assert for_lead.acknowledged_by == lead
    assert page not in desk.get(address("ticket", ticket)).content.decode()


def test_observer_who_became_contact_is_named(desk: Client) -> None:
    ticket = a_ticket()
    holding = ticket.customer.contacts.get()
    successor = a_member(ticket.customer, full_name="Nina Successor")
    now = timezone.now()
    holding.ends_at = now
    holding.save()
    ticket.customer.contacts.create(user=successor, starts_at=now)

    page = desk.get(address("ticket", ticket)).content.decode()

    assert "no longer the responsible contact" in page
    assert "Nina Successor" in page


def test_the_contract_runs_as_long_as_the_customer_reads_it(desk: Client) -> None:
    """Both days are counted on both sides: the engineer and the customer must not name different numbers."""
    ticket = a_ticket()
    last_day = ticket.contract.ends_on
    days = (last_day - timezone.now().astimezone(entitlement.CONTRACT_ZONE).date()).days + 1

    assert f"{days} day" in desk.get(address("ticket", ticket)).content.decode()
    ticket.contact.language = "en"
    ticket.contact.save(update_fields=["language"])
    home = signed_in(ticket.contact).get("/").content.decode()
    assert f"{days} day" in home
