"""The rules of webinars: who plans, who sees, seats that are never exceeded (domain §5, §7)."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts.refusals import Forbidden
from success import webinars
from success.models import Registration, Webinar
from success.webinars import Full, NotAllowed, Plan
from tests.factories import (
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    top,
)
from tests.moments import tuesday

pytestmark = pytest.mark.django_db

NOW = tuesday(10)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def told(**fields):
    """An hour tomorrow, for everybody."""
    plain = {"title": "First steps", "about": "Cards and lists", "starts_at": NOW + DAY, "minutes": 60}
    return Plan(**{**plain, "host": fields.pop("host", None) or an_engineer(), **fields})


def a_webinar(by=None, **fields):
    return webinars.plan(told(**fields), by=by or a_manager(), at=NOW)


def seen_by(user, at=NOW):
    return list(Webinar.objects.visible_to(user, on=at.date()).order_by("pk"))


# Who plans


@pytest.mark.parametrize("make", [a_csm, a_manager])
def test_csm_and_support_manager_plan(make):
    webinar = webinars.plan(told(), by=make(), at=NOW)

    assert (webinar.ends_at, webinar.minutes) == (NOW + DAY + timedelta(hours=1), 60)


@pytest.mark.parametrize("make", [an_engineer, a_lead, top, a_contract_admin, lambda: contact_of(a_customer())])
def test_nobody_else_plans_changes_or_calls_off(make):
    webinar, other = a_webinar(), make()

    for verb in (
        lambda: webinars.plan(told(), by=other, at=NOW),
        lambda: webinars.change(webinar, told(), by=other, at=NOW),
        lambda: webinars.call_off(webinar, reason="No", by=other, at=NOW),
        lambda: webinars.publish_recording(webinar, recording_url="", materials="", by=other, at=NOW + 2 * DAY),
    ):
        with pytest.raises(Forbidden):
            verb()


def test_csm_plans_an_individual_webinar_for_own_customers_only():
    csm = a_csm()
    own, foreign = a_customer(csm=csm), a_customer()

    assert webinars.plan(told(customer=own), by=csm, at=NOW).customer == own
    with pytest.raises(Forbidden, match="own portfolio"):
        webinars.plan(told(customer=foreign), by=csm, at=NOW)
    webinar = a_webinar(customer=foreign)
    with pytest.raises(Forbidden, match="own portfolio"):
        webinars.call_off(webinar, reason="No", by=csm, at=NOW)
    assert list(Webinar.objects.kept_by(csm)) == [own.webinars.get()]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"starts_at": NOW}, "still to come"),
        ({"minutes": 0}, "between a minute and eight hours"),
        ({"minutes": 481}, "between a minute and eight hours"),
        ({"seats": 0}, "at least one seat"),
        ({"title": " "}, "has a title"),
        ({"join_url": "http://example.com"}, "begins with https"),
        ({"join_url": "https://example.com/a b"}, "begins with https"),
    ],
)
def test_plan_that_cannot_be_is_refused_in_words(fields, words):
    with pytest.raises(NotAllowed, match=words):
        a_webinar(**fields)

    assert not Webinar.objects.exists()


def test_host_is_somebody_of_ours():
    for host in (contact_of(a_customer()), an_engineer(is_active=False)):
        with pytest.raises(NotAllowed, match="somebody of ours"):
            a_webinar(host=host)


# Who sees


def test_customers_see_what_is_for_everybody_for_their_products_and_for_them():
    customer = a_customer()
    service, sales = ReleaseFactory(product=ProductFactory(code="service", name="Service")), ProductFactory()
    everybody = a_webinar()
    own_product = a_webinar(products=(sales, service.product))
    other_product = a_webinar(products=(service.product,))
    individual = a_webinar(customer=customer)
    foreign = a_webinar(customer=a_customer())

    assert seen_by(contact_of(customer)) == seen_by(observer_of(customer)) == [everybody, own_product, individual]
    assert foreign not in seen_by(contact_of(customer))
    LicenceFactory(customer=customer, release=service)
    assert other_product in seen_by(contact_of(customer))


def test_licence_that_is_over_shows_nothing_but_what_was_signed_up_for():
    customer = a_customer()
    contact = contact_of(customer)
    webinar, other = a_webinar(products=(ProductFactory(),)), a_webinar(products=(ProductFactory(),))
    webinars.sign_up(webinar, by=contact, at=NOW)
    customer.licences.update(ends_on=NOW.date() - DAY)

    assert seen_by(contact) == [webinar]
    assert other not in seen_by(contact)


def test_person_without_a_company_and_people_of_ours_see_none_of_it():
    a_webinar()

    assert [seen_by(one) for one in (UserFactory(), UserFactory(partner=True), an_engineer(), a_csm())] == [[]] * 4


# Signing up and off


def test_signing_up_twice_is_one_seat_and_signing_off_frees_it():
    customer = a_customer()
    contact, observer = contact_of(customer), observer_of(customer)
    webinar = a_webinar(seats=1)
    first = webinars.sign_up(webinar, by=contact, at=NOW)

    assert webinars.sign_up(webinar, by=contact, at=NOW) == first
    with pytest.raises(Full):
        webinars.sign_up(webinar, by=observer, at=NOW)
    webinars.sign_off(webinar, by=contact, at=NOW)
    webinars.sign_off(webinar, by=contact, at=NOW)
    webinars.sign_up(webinar, by=observer, at=NOW)
    assert [row.person for row in webinar.registrations.active()] == [observer]
    assert webinar.registrations.count() == 2


def test_nobody_signs_up_for_what_is_called_off_over_or_of_another_company():
    contact = contact_of(a_customer())
    called_off, over, foreign = a_webinar(), a_webinar(), a_webinar(customer=a_customer())
    webinars.call_off(called_off, reason="The host is ill", by=a_manager(), at=NOW)

    with pytest.raises(NotAllowed, match="called off"):
        webinars.sign_up(called_off, by=contact, at=NOW)
    for verb in (webinars.sign_up, webinars.sign_off):
        with pytest.raises(NotAllowed, match="is over"):
            verb(over, by=contact, at=over.ends_at)
        with pytest.raises(Forbidden):
            verb(foreign, by=contact, at=NOW)
        with pytest.raises(Forbidden):
            verb(over, by=an_engineer(), at=NOW)
    assert not Registration.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_last_seat_goes_to_one_of_those_who_want_it_at_once(catalogue_again):
    customer = a_customer()
    people = [a_member(customer) for _ in range(6)]
    webinar = a_webinar(seats=2)
    begin, answers = Barrier(len(people)), []

    def want(person):
        try:
            begin.wait(10)
            answers.append(type(webinars.sign_up(webinar, by=person, at=NOW)))
        except Full:
            answers.append(Full)
        finally:
            connection.close()

    threads = [Thread(target=want, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(answers, key=str) == sorted([Registration] * 2 + [Full] * 4, key=str)
    assert webinar.registrations.active().count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_person_who_presses_twice_at_once_has_one_seat(catalogue_again):
    contact = contact_of(a_customer())
    webinar = a_webinar()
    begin, made = Barrier(2), []

    def press():
        try:
            begin.wait(10)
            made.append(webinars.sign_up(webinar, by=contact, at=NOW).pk)
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (len(made), len(set(made)), webinar.registrations.count()) == (2, 1, 1)


# Changing and calling off


def test_change_keeps_who_has_signed_up_and_counts_the_edition():
    contact = contact_of(a_customer())
    webinar = a_webinar()
    webinars.sign_up(webinar, by=contact, at=NOW)

    changed = webinars.change(webinar, told(title="Second steps", seats=1), by=a_csm(), at=NOW)

    assert (changed.title, changed.seats, changed.edition) == ("Second steps", 1, 1)
    assert [row.person for row in changed.registrations.active()] == [contact]


def test_change_is_refused_where_it_would_break_a_promise():
    customer = a_customer()
    by, host = a_manager(), an_engineer()
    webinar = a_webinar(host=host, seats=5)
    for person in (contact_of(customer), observer_of(customer)):
        webinars.sign_up(webinar, by=person, at=NOW)

    with pytest.raises(NotAllowed, match="2 people have signed up"):
        webinars.change(webinar, told(host=host, seats=1), by=by, at=NOW)
    with pytest.raises(NotAllowed, match="for whom the webinar is"):
        webinars.change(webinar, told(host=host, customer=customer), by=by, at=NOW)
    with pytest.raises(NotAllowed, match="for whom the webinar is"):
        webinars.change(webinar, told(host=host, products=(ProductFactory(),)), by=by, at=NOW)
    with pytest.raises(NotAllowed, match="moved before it begins"):
        webinars.change(webinar, told(host=host, starts_at=NOW - DAY), by=by, at=NOW)
    with pytest.raises(NotAllowed, match="moved before it begins"):
        webinars.change(webinar, told(host=host, starts_at=NOW + 2 * DAY), by=by, at=webinar.starts_at)
    with pytest.raises(NotAllowed, match="over already"):
        webinars.change(webinar, told(host=host, minutes=5), by=by, at=webinar.starts_at + timedelta(minutes=10))
    with pytest.raises(NotAllowed, match="is over"):
        webinars.change(webinar, told(host=host), by=by, at=webinar.ends_at)
    assert Webinar.objects.get().edition == 0


def test_calling_off_needs_a_reason_and_happens_once():
    webinar, by = a_webinar(), a_csm()

    with pytest.raises(NotAllowed, match="Write why"):
        webinars.call_off(webinar, reason="  ", by=by, at=NOW)
    off = webinars.call_off(webinar, reason="The host is ill", by=by, at=NOW)
    with pytest.raises(NotAllowed, match="called off"):
        webinars.call_off(webinar, reason="Again", by=by, at=NOW)

    assert (off.reason, off.cancelled_by, off.edition) == ("The host is ill", by, 1)


def test_recording_comes_when_it_is_over_materials_may_come_before():
    webinar, by = a_webinar(), a_csm()
    recording = "https://video.example.com/1"

    with pytest.raises(NotAllowed, match="when the webinar is over"):
        webinars.publish_recording(webinar, recording_url=recording, materials="", by=by, at=NOW)
    with pytest.raises(NotAllowed, match="one a line"):
        webinars.publish_recording(webinar, recording_url="", materials="ftp://example.com", by=by, at=NOW)
    written = " https://example.com/1.pdf   The slides \n\nhttps://example.com/2"
    before = webinars.publish_recording(webinar, recording_url="", materials=written, by=by, at=NOW)
    kept = webinars.publish_recording(
        webinar, recording_url=recording, materials=before.materials, by=by, at=NOW + 2 * DAY
    )

    assert kept.recording_url == recording
    assert kept.listed_materials == [
        ("https://example.com/1.pdf", "The slides"),
        ("https://example.com/2", "https://example.com/2"),
    ]


# What the database refuses, whoever asks


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"ends_at": NOW + DAY}, "webinar_ends_after_start"),
        ({"ends_at": NOW + 2 * DAY}, "webinar_within_eight_hours"),
        ({"seats": 0}, "webinar_seats_positive"),
        ({"join_url": "http://example.com"}, "webinar_joined_by_https"),
        ({"recording_url": "javascript:alert(1)"}, "webinar_recording_by_https"),
        ({"materials": "https://example.com\njavascript:alert(1)"}, "webinar_materials_by_https"),
        ({"title": ""}, "webinar_says_something"),
        ({"language": "xx"}, "webinar_language_known"),
        ({"cancelled_at": NOW}, "webinar_called_off_with_reason"),
        ({"reason": "Because"}, "webinar_called_off_with_reason"),
    ],
)
def test_database_refuses_a_webinar_that_must_not_be(fields, constraint):
    webinar = a_webinar()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Webinar.objects.filter(pk=webinar.pk).update(**fields)


def test_database_refuses_a_second_seat_of_one_person():
    contact = contact_of(a_customer())
    row = webinars.sign_up(a_webinar(), by=contact, at=NOW)

    with pytest.raises(IntegrityError, match="registration_once"), transaction.atomic():
        Registration.objects.create(webinar=row.webinar, person=contact, at=NOW)
    with pytest.raises(IntegrityError, match="registration_off_after_on"), transaction.atomic():
        Registration.objects.filter(pk=row.pk).update(cancelled_at=NOW - DAY)
