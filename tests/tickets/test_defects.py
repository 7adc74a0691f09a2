"""The life of a defect, and the workaround that goes to all its requests in one action (domain §3.3)."""

from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.refusals import Forbidden, Refused
from contracts import publishing
from mail import outbound
from mail.models import OutgoingLetter
from tests.factories import (
    LicenceFactory,
    ReleaseFactory,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
)
from tests.moments import tuesday
from tickets import broadcasts, event_words, workflow
from tickets.models import Broadcast, Defect, DefectEvent, Ticket
from tickets.replay import SILENT
from tickets.verification import verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def a_defect(ticket=None, **fields):
    ticket = ticket or open_ticket(product=ReleaseFactory().product)
    words = {"title": "Report is empty", "steps": "Open it", "expected": "Rows", "actual": "Nothing", **fields}
    return workflow.attach_defect(ticket, by=an_engineer(), at=tuesday(10, 1), **words)


def fields_of(form):
    """The fields by name, a hidden one as its page holds it."""
    return [(name, form[name]) for name in form.fields]


def with_workaround(defect, by=None):
    return workflow.edit_defect(
        defect, by=by or a_lead(4), at=tuesday(10, 2), workaround_ru="Откройте заново", workaround_en="Open it again"
    )


def brought_to(state):
    """A defect in this state, by the product's own verbs."""
    defect, by = a_defect(), a_lead(4)
    if state in {"confirmed", "fixed", "released"}:
        defect = workflow.confirm_defect(defect, by=by, at=tuesday(11))
    if state in {"fixed", "released"}:
        release = published_release(defect, by)
        defect = workflow.fix_defect(defect, by=by, at=tuesday(12), fixed_in=release)
    if state == "released":
        workflow.release_defect(defect, by=by, at=tuesday(13))
    if state == "rejected":
        defect = workflow.reject_defect(defect, by=by, reason="As designed", at=tuesday(11))
    return Defect.objects.get(pk=defect.pk)


def published_release(defect, by):
    made = publishing.prepare(defect.product, version="9.0", kind="release", notes_ru="Новое", by=by, at=tuesday(9))
    publishing.add_file(made, kind="program", name="setup.bin", content=BytesIO(b"x"), by=by)
    return publishing.publish(made, by=by, at=tuesday(9)).release


STATES = ("reported", "confirmed", "fixed", "released", "rejected")
NO = None
# Where each verb leads from each state; None: refused, nothing changed.
TABLE = {
    "confirm_defect": ("confirmed", NO, NO, NO, NO),
    "reject_defect": ("rejected", "rejected", NO, NO, NO),
    "fix_defect": (NO, "fixed", NO, NO, NO),
    "release_defect": (NO, NO, "released", NO, NO),
    "reopen_defect": (NO, NO, "confirmed", "confirmed", "reported"),
}
WORDS = {"reject_defect": {"reason": "As designed"}, "reopen_defect": {"reason": "It is back"}}
CELLS = [(verb, state, to) for verb, row in TABLE.items() for state, to in zip(STATES, row, strict=True)]


@pytest.mark.parametrize(("verb", "state", "to"), CELLS)
def test_every_verb_in_every_state(verb, state, to):
    defect = brought_to(state)
    before = defect.events.count()
    call = getattr(workflow, verb)

    if to is None:
        with pytest.raises(Refused):
            call(defect, by=a_lead(4), at=tuesday(15), **WORDS.get(verb, {}))
    else:
        call(defect, by=a_lead(4), at=tuesday(15), **WORDS.get(verb, {}))

    assert Defect.objects.get(pk=defect.pk).state == (to or state)
    assert defect.events.count() == before + (to is not None)


@pytest.mark.parametrize(
    ("make", "may"),
    [
        (lambda: an_engineer(4), True),
        (lambda: an_engineer(3), False),
        (a_lead, True),
        (a_manager, True),
        (a_csm, False),
    ],
)
def test_line_four_leads_and_managers_keep_defects(make, may):
    defect = a_defect()

    if may:
        workflow.confirm_defect(defect, by=make(), at=tuesday(11))
    else:
        with pytest.raises(Forbidden):
            workflow.confirm_defect(defect, by=make(), at=tuesday(11))

    assert Defect.objects.get(pk=defect.pk).state == ("confirmed" if may else "reported")


def test_release_needs_a_published_release():
    by = a_lead(4)
    defect = workflow.confirm_defect(a_defect(), by=by, at=tuesday(11))
    defect = workflow.fix_defect(defect, by=by, at=tuesday(12))

    with pytest.raises(Refused, match="Say first in which release"):
        workflow.release_defect(defect, by=by, at=tuesday(13))
    workflow.name_release(defect, by=by, fixed_in=ReleaseFactory(version="9.1"), at=tuesday(13))
    with pytest.raises(Refused, match=r"Release 9\.1 is not published yet"):
        workflow.release_defect(defect, by=by, at=tuesday(13))


def test_release_of_another_product_is_refused():
    by = a_lead(4)
    defect = workflow.confirm_defect(a_defect(), by=by, at=tuesday(11))

    with pytest.raises(Refused, match="another product"):
        workflow.fix_defect(
            defect, by=by, at=tuesday(12), fixed_in=ReleaseFactory(product__code="other", product__name="Other")
        )


@pytest.mark.parametrize(("version", "may"), [("7.6", False), ("8.0.2", False), ("8.0.10", True), ("8.1", True)])
def test_fix_goes_out_in_a_later_version_than_the_one_it_was_found_in(client, version, may):
    by = a_lead(4)
    found_in, release = ReleaseFactory(version="8.0.2"), ReleaseFactory(version=version)
    defect = a_defect(open_ticket(product=found_in.product, release=found_in))
    defect = workflow.confirm_defect(defect, by=by, at=tuesday(11))
    client.force_login(by)

    offered = client.get(reverse("desk:defect_page", args=[defect.pk])).content.decode()
    sent = client.post(reverse("desk:defect_fix", args=[defect.pk]), {"fixed_in": release.pk})

    assert (f'<option value="{release.pk}"' in offered) is may
    assert sent.status_code == (303 if may else 422)
    if not may:
        with pytest.raises(Refused, match=r"found in 8\.0\.2"):
            workflow.fix_defect(defect, by=by, at=tuesday(12), fixed_in=release)


def test_history_of_a_defect_is_never_changed():
    defect = a_defect()

    with pytest.raises(IntegrityError), transaction.atomic():
        DefectEvent.objects.filter(defect=defect).update(verb="else")


def test_rejected_defect_is_not_attached():
    defect = workflow.reject_defect(a_defect(), by=a_lead(4), reason="As designed", at=tuesday(11))

    with pytest.raises(Refused, match="rejected"):
        workflow.attach_defect(open_ticket(), by=an_engineer(), defect=defect, at=tuesday(11))


# The workaround for all


def test_workaround_goes_to_every_open_request_in_its_own_language_and_to_no_other():
    russian, english, closed = (open_ticket(language=code) for code in ("ru", "en", "ru"))
    defect = a_defect(russian)
    for ticket in (english, closed):
        workflow.attach_defect(ticket, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    workflow.withdraw(closed, by=contact_of(closed.customer), at=tuesday(10, 4))
    stranger = open_ticket()
    by = a_lead(4)
    defect = with_workaround(defect, by)

    sent = workflow.push_workaround(defect, by=by, at=tuesday(11))
    broadcasts.advance(sent, at=tuesday(11), seconds=None)

    said = [[message.body for message in ticket.messages.filter(by_vendor=True)] for ticket in (russian, english)]
    assert said == [["Откройте заново"], ["Open it again"]]
    assert [ticket.messages.filter(by_vendor=True).count() for ticket in (closed, stranger)] == [0, 0]
    assert list(sent.items.values_list("ticket", "outcome")) == [(russian.pk, "told"), (english.pk, "told")]
    assert Broadcast.objects.get().finished_at == tuesday(11)


def test_workaround_ends_the_reaction_and_takes_no_request():
    ticket = open_ticket()
    by = a_lead(4)
    defect = with_workaround(a_defect(ticket), by)

    broadcasts.advance(workflow.push_workaround(defect, by=by, at=tuesday(11)), at=tuesday(11), seconds=None)

    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.state, ticket.assignee) == ("new", None)
    assert ticket.commitments.get(kind="reaction").ending == "met"


def test_workaround_restores_where_service_was_lost_and_the_request_is_in_work():
    hurt, mild = open_ticket(priority=1), open_ticket(priority=3)
    for ticket in (hurt, mild):
        workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 1))
    by = a_lead(4)
    defect = a_defect(hurt)
    workflow.attach_defect(mild, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    defect = with_workaround(defect, by)

    sent = workflow.push_workaround(defect, by=by, at=tuesday(11), restores=True)
    broadcasts.advance(sent, at=tuesday(11), seconds=None)

    assert list(sent.items.values_list("outcome", flat=True)) == ["restored", "told"]
    assert Ticket.objects.get(pk=hurt.pk).priority == 3


def test_words_in_one_language_only_are_sent_as_they_are():
    ticket = open_ticket(language="en")
    by = a_lead(4)
    defect = workflow.edit_defect(a_defect(ticket), by=by, at=tuesday(10, 2), workaround_ru="Откройте заново")

    broadcasts.advance(workflow.push_workaround(defect, by=by, at=tuesday(11)), at=tuesday(11), seconds=None)

    message = ticket.messages.get(by_vendor=True)
    assert (message.body, message.language) == ("Откройте заново", "ru")


def test_killed_job_goes_on_where_it_stopped_and_says_nothing_twice():
    tickets = [open_ticket() for _number in range(3)]
    by = a_lead(4)
    defect = a_defect(tickets[0])
    for ticket in tickets[1:]:
        workflow.attach_defect(ticket, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    sent = workflow.push_workaround(with_workaround(defect, by), by=by, at=tuesday(11))

    broadcasts.carry_out_one(sent, at=tuesday(11))  # and the worker is killed here
    assert list(broadcasts.at_work()) == [sent]
    broadcasts.advance(sent, at=tuesday(12), seconds=None)
    broadcasts.advance(sent, at=tuesday(13), seconds=None)

    assert [ticket.messages.filter(by_vendor=True).count() for ticket in tickets] == [1, 1, 1]
    assert list(broadcasts.at_work()) == []


def test_request_that_was_closed_meanwhile_is_left_with_the_reason_and_stops_nobody():
    tickets = [open_ticket(), open_ticket()]
    by = a_lead(4)
    defect = a_defect(tickets[0])
    workflow.attach_defect(tickets[1], by=an_engineer(), defect=defect, at=tuesday(10, 3))
    sent = workflow.push_workaround(with_workaround(defect, by), by=by, at=tuesday(11))
    workflow.withdraw(tickets[0], by=contact_of(tickets[0].customer), at=tuesday(11, 1))

    broadcasts.advance(sent, at=tuesday(11, 2), seconds=None)

    assert list(sent.items.values_list("outcome", "why")) == [
        ("skipped", "This request is closed: a reply would reach nobody. Open a follow-up instead."),
        ("told", ""),
    ]


def test_second_click_sends_nothing_more():
    by = a_lead(4)
    defect = with_workaround(a_defect(), by)

    first, second = (workflow.push_workaround(defect, by=by, at=tuesday(11), key="one") for _click in (0, 1))

    assert first == second
    assert Broadcast.objects.count() == 1


def test_same_words_go_to_a_request_once_and_a_request_linked_later_still_gets_them():
    tickets = [open_ticket(), open_ticket(language="en")]
    by = a_lead(4)
    defect = a_defect(tickets[0])
    defect = workflow.edit_defect(defect, by=by, at=tuesday(10, 2), workaround_ru="Откройте заново")
    workflow.attach_defect(tickets[1], by=an_engineer(), defect=defect, at=tuesday(10, 3))

    def push(at):
        sent = workflow.push_workaround(defect, by=by, at=at, key=f"press {at}")
        broadcasts.advance(sent, at=at, seconds=None)
        return [item.ticket for item in sent.items.order_by("pk")]

    assert push(tuesday(11)) == tickets
    with pytest.raises(Refused, match="have had this workaround since 11:00"):
        push(tuesday(12))
    later = open_ticket()
    workflow.attach_defect(later, by=an_engineer(), defect=defect, at=tuesday(12))
    assert push(tuesday(13)) == [later]
    defect = workflow.edit_defect(defect, by=by, at=tuesday(14), workaround_en="Open it again")
    assert push(tuesday(14)) == [tickets[1]]
    defect = workflow.edit_defect(defect, by=by, at=tuesday(15), workaround_ru="Закройте и откройте")
    assert push(tuesday(15)) == [tickets[0], later]
    said = [[message.body for message in one.messages.filter(by_vendor=True)] for one in tickets]
    assert said == [["Откройте заново", "Закройте и откройте"], ["Откройте заново", "Open it again"]]


def test_page_says_who_has_had_the_workaround_and_refuses_the_stale_button_in_place(client):
    by = a_lead(4, language="en")
    ticket = open_ticket(language="en")
    defect = workflow.edit_defect(a_defect(ticket), by=by, at=tuesday(10, 2), workaround_ru="Откройте заново")
    client.force_login(by)
    address, button = reverse("desk:defect_page", args=[defect.pk]), "Send the workaround to"

    before = client.get(address).content.decode()
    client.post(reverse("desk:defect_workaround", args=[defect.pk]), {"key": "one"})
    after = client.get(address).content.decode()
    stale = client.post(reverse("desk:defect_workaround", args=[defect.pk]), {"key": "two"})

    assert f"{button} 1 open request" in before
    assert "There is no English text: 1 request in English gets the Russian one." in before
    assert button not in after
    assert "The workaround was sent to the 1 open request" in after
    assert stale.status_code == 409
    assert "nothing is sent twice" in stale.content.decode()
    assert f"<h1>{defect.title}</h1>" in stale.content.decode()
    assert ticket.messages.filter(by_vendor=True).count() == 1


def test_nobody_writes_over_the_texts_that_a_colleague_changed_meanwhile(client):
    colleague, by = a_lead(4, full_name="Anna First"), a_lead(4, language="en")
    defect = workflow.confirm_defect(a_defect(), by=by, at=tuesday(11))
    client.force_login(by)
    page = client.get(reverse("desk:defect_page", args=[defect.pk]))
    seen = {name: field.value() or "" for name, field in fields_of(page.context["forms"]["texts"])}
    workflow.edit_defect(defect, by=colleague, at=tuesday(12), workaround_en="Restart it", steps="Open, then save")

    mine = {**seen, "workaround_en": "Clear the cache", "known_error_en": "The list stays empty"}
    refused = client.post(reverse("desk:defect_texts", args=[defect.pk]), mine)
    asked = Defect.objects.get()
    again = {name: field.value() for name, field in fields_of(refused.context["forms"]["texts"])}
    client.post(reverse("desk:defect_texts", args=[defect.pk]), again)

    assert refused.status_code == 409
    assert "Anna First changed the same texts in the meantime" in refused.content.decode()
    assert (asked.workaround_en, asked.known_error_en) == ("Restart it", "")
    assert (again["workaround_en"], again["known_error_en"]) == ("Clear the cache", "The list stays empty")
    kept = Defect.objects.get()
    assert (kept.workaround_en, kept.known_error_en, kept.steps) == (
        "Clear the cache", "The list stays empty", "Open, then save"
    )  # fmt: skip


def test_what_only_the_colleague_changed_stays(client):
    by = a_lead(4, language="en")
    defect = workflow.confirm_defect(a_defect(), by=by, at=tuesday(11))
    client.force_login(by)
    page = client.get(reverse("desk:defect_page", args=[defect.pk]))
    seen = {name: field.value() or "" for name, field in fields_of(page.context["forms"]["texts"])}
    workflow.edit_defect(defect, by=a_lead(4), at=tuesday(12), workaround_en="Restart it")

    answer = client.post(reverse("desk:defect_texts", args=[defect.pk]), {**seen, "known_error_en": "It stays empty"})

    kept = Defect.objects.get()
    assert answer.status_code == 303
    assert (kept.workaround_en, kept.known_error_en) == ("Restart it", "It stays empty")


def test_texts_and_release_are_kept_and_no_promise(client):
    by = a_lead(4, language="ru")
    defect = with_workaround(a_defect(), by)
    client.force_login(by)
    texts = dict.fromkeys(workflow.defects.TEXTS, "Слова")

    page = client.post(reverse("desk:defect_texts", args=[defect.pk]), texts, follow=True).content.decode()

    assert "Сохранено" in page
    assert "Выполнено в срок" not in page


def test_page_asks_before_the_linked_requests_are_told_of_a_fix_that_is_out(client):
    by = a_lead(4, language="en")
    defect = a_defect()
    made = published_release(defect, by)
    workflow.fix_defect(workflow.confirm_defect(defect, by=by, at=tuesday(11)), by=by, at=tuesday(12), fixed_in=made)
    client.force_login(by)

    page = client.get(reverse("desk:defect_page", args=[defect.pk])).content.decode()

    assert 'data-confirm="Tell 1 linked request that the fix is out? It cannot be taken back."' in page


# What the release brings


def test_publication_releases_the_defects_and_every_linked_request_and_its_contact_hear_of_it():
    by = a_lead(4)
    defect = a_defect()
    closed = open_ticket()
    workflow.attach_defect(closed, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    workflow.withdraw(closed, by=contact_of(closed.customer), at=tuesday(10, 4))
    made = publishing.prepare(defect.product, version="9.0", kind="release", notes_ru="Новое", by=by, at=tuesday(11))
    publishing.add_file(made, kind="program", name="setup.bin", content=BytesIO(b"x"), by=by)
    defect = workflow.confirm_defect(defect, by=by, at=tuesday(11))
    workflow.fix_defect(defect, by=by, at=tuesday(12), fixed_in=made.release)
    outbound.mark_history_notified(tuesday(13))

    _publication, told = workflow.publish_release(made, by=by, at=tuesday(14))
    for one in told:
        broadcasts.advance(one, at=tuesday(14), seconds=None)
    outbound.write_letters(tuesday(14, 1))

    assert Defect.objects.get().state == "released"
    linked = Ticket.objects.filter(defect=defect).order_by("pk")
    assert [ticket.events.filter(verb="defect_released").count() for ticket in linked] == [1, 1]
    letters = OutgoingLetter.objects.filter(occasion__startswith="event:", subject__contains="Дефект исправлен")
    assert {letter.person for letter in letters} == {contact_of(ticket.customer) for ticket in linked}
    assert "defect_released" in SILENT


def told_of_the_fix(change, *, from_version="8.0.2"):
    """A ticket of a customer who stands on 7.8.4, and another one's; the fix is out for `from_version` in 8.2.1."""
    by = a_lead(4)
    ticket = open_ticket(a_customer(language="en"), product=ReleaseFactory().product)
    change(ticket.customer)
    given = open_ticket(a_customer(language="en"))
    given.customer.licences.update(release=ReleaseFactory(version=from_version))
    defect = a_defect(ticket)
    workflow.attach_defect(given, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    defect = workflow.confirm_defect(defect, by=by, at=tuesday(11))
    limits = {"from_versions": [ReleaseFactory(version=from_version)]}
    made = publishing.prepare(
        defect.product, version="8.2.1", kind="release", notes_ru="Новое", by=by, at=tuesday(11), **limits
    )
    publishing.add_file(made, kind="program", name="setup.bin", content=BytesIO(b"x"), by=by)
    workflow.fix_defect(defect, by=by, at=tuesday(12), fixed_in=made.release)
    outbound.mark_history_notified(tuesday(13))
    made, told = workflow.publish_release(made, by=by, at=tuesday(14))
    for one in told:
        broadcasts.advance(one, at=tuesday(14), seconds=None)
    outbound.write_letters(tuesday(14, 1))
    return made, ticket, given


def letter_to(ticket):
    return OutgoingLetter.objects.get(person=contact_of(ticket.customer), subject__contains="The defect is fixed").text


def stays(customer):
    pass


def has_newer(customer):
    customer.licences.update(release=ReleaseFactory(version="9.0"))


def licence_ended(customer):
    customer.licences.update(ends_on=tuesday(9).date().replace(day=16))


@pytest.mark.parametrize(
    ("change", "why", "on_the_desk"),
    [
        (
            stays,
            "This release cannot be installed directly over the version that your company has (7.8.4).",
            "not for this customer: it is not installed over their version 7.8.4",
        ),
        (
            has_newer,
            "Your company has version 9.0 already: there is nothing to install.",
            "not for this customer: they have version 9.0",
        ),
        (
            licence_ended,
            "This release is not among those for your company now.",
            "not for this customer: no licence that it is for, no contract with new versions, or nobody to tell",
        ),
    ],
)
def test_no_customer_is_told_of_a_release_that_they_cannot_have(client, change, why, on_the_desk):
    made, ticket, given = told_of_the_fix(change)
    address = f"/releases/{made.pk}/"

    hears, cannot = " ".join(letter_to(given).split()), " ".join(letter_to(ticket).split())

    assert [notice.customer for notice in made.notices.all()] == [given.customer]
    assert address in hears
    assert "cannot be installed" not in hears
    assert why in cannot
    assert "/releases/" not in cannot
    event = ticket.events.get(verb="defect_released")
    assert event_words.for_desk(event).more == on_the_desk
    assert event_words.for_customer(event).more.startswith(why)
    assert event_words.for_desk(given.events.get(verb="defect_released")).more == ""
    client.force_login(a_lead(4, language="en"))
    page = client.get(reverse("desk:release", args=[made.pk])).content.decode()
    assert on_the_desk in page
    assert f"№ {ticket.number}<" in page
    assert f"№ {given.number}<" not in page


def test_customer_comes_from_the_request_to_the_release_once_it_is_theirs(client):
    made, ticket, given = told_of_the_fix(stays)
    link = f'<a href="{reverse("releases:release", args=[made.pk])}">The defect is fixed in {made}</a>'

    def page(of):
        client.force_login(contact_of(of.customer))
        return client.get(reverse("portal:ticket", args=[of.number])).content.decode()

    assert link in page(given)
    assert link not in page(ticket)
    assert "cannot be installed directly" in page(ticket)
    ticket.customer.licences.update(release=ReleaseFactory(version="8.0.2"))
    publishing.look_again(at=tuesday(16))
    assert link in page(ticket)
    assert "cannot be installed directly" not in page(ticket)


def test_known_errors_are_those_of_products_licensed_now():
    by = a_lead(4)
    customer, other = a_customer(), a_customer()
    LicenceFactory(
        customer=other, release__product__code="other", release__product__name="Other", starts_on=tuesday(9).date()
    )
    defect = a_defect()
    assert list(Defect.objects.known_errors_for(customer, on=tuesday(9).date())) == []

    defect = workflow.confirm_defect(defect, by=by, at=tuesday(11))
    assert list(Defect.objects.known_errors_for(customer, on=tuesday(9).date())) == []
    workflow.edit_defect(defect, by=by, at=tuesday(11), known_error_ru="Отчёт пуст")
    foreign = Defect.objects.create(
        title="t",
        product=other.licences.get(product__code="other").product,
        steps="s",
        expected="e",
        actual="a",
        known_error_ru="Чужое",
        reported_by=by,
        reported_at=tuesday(9),
    )
    workflow.confirm_defect(foreign, by=by, at=tuesday(11))

    assert list(Defect.objects.known_errors_for(customer, on=tuesday(9).date())) == [defect]
    assert list(Defect.objects.known_errors_for(other, on=tuesday(9).date())) == [foreign, defect]


# Pages


@pytest.mark.parametrize("name", ["desk:defects", "desk:defect_page"])
def test_pages_cost_the_same_for_one_and_three(client, django_assert_num_queries, name):
    client.force_login(a_lead(4))
    defect = a_defect()
    address = reverse(name, args=[defect.pk] if name.endswith("page") else [])
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(address)
    for _number in range(2):
        workflow.attach_defect(open_ticket(), by=an_engineer(), defect=defect, at=tuesday(10, 3))
        a_defect()

    with django_assert_num_queries(len(one)):
        assert client.get(address).status_code == 200


def test_workaround_is_sent_from_the_page(client):
    by = a_lead(4)
    defect = with_workaround(a_defect(), by)
    client.force_login(by)

    answer = client.post(reverse("desk:defect_workaround", args=[defect.pk]), {"key": "k"})

    assert (answer.status_code, answer.url) == (303, reverse("desk:defect_page", args=[defect.pk]))
    assert defect.tickets.get().messages.filter(by_vendor=True).count() == 1


def test_engineer_of_another_line_reads_and_is_offered_nothing(client):
    defect = with_workaround(a_defect())
    client.force_login(an_engineer(1))

    page = client.get(reverse("desk:defect_page", args=[defect.pk])).content.decode()

    assert "Open it again" in page
    assert 'method="post" action="/w/defects' not in page
    assert client.post(reverse("desk:defect_confirmation", args=[defect.pk])).status_code == 403


def test_defect_is_found_by_its_title_and_attached(client):
    defect = a_defect(title="Print form loses signatures")
    ticket = open_ticket()
    client.force_login(an_engineer())

    page = client.get(reverse("desk:find_defect", args=[ticket.number]), {"q": "signatures print"}).content.decode()
    client.post(reverse("desk:defect", args=[ticket.number]), {"defect": defect.pk})

    assert "Print form loses signatures" in page
    assert Ticket.objects.get(pk=ticket.pk).defect == defect


def test_what_was_told_is_recomputed_from_the_events_alone():
    by = a_lead(4)
    new, in_work = open_ticket(priority=1), open_ticket(priority=2)
    workflow.accept(in_work, by=an_engineer(), at=tuesday(10, 1))
    defect = a_defect(new)
    workflow.attach_defect(in_work, by=an_engineer(), defect=defect, at=tuesday(10, 3))
    sent = workflow.push_workaround(with_workaround(defect, by), by=by, at=tuesday(10, 20), restores=True)
    broadcasts.advance(sent, at=tuesday(10, 20), seconds=None)
    workflow.accept(new, by=an_engineer(), at=tuesday(10, 25))

    assert list(verify(Ticket.objects.all(), clock=lambda: tuesday(10, 30))) == []
