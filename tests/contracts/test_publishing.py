"""Releases go to exactly the customers whose licences they concern, with a register (domain §1.2, §6)."""

from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.refusals import Forbidden, Refused
from contracts import publishing, signing
from contracts.models import ContractEvent, Licence, ReleaseFile, ReleaseNotice, ReleasePublication
from mail import outbound
from mail.models import OutgoingLetter
from tests.factories import (
    MOSCOW,
    CustomerFactory,
    LicenceFactory,
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
    contract_of,
    observer_of,
)
from tests.moments import november, tuesday

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def a_publication(version="9.0", by=None, **fields):
    """A draft with one file, of the product that every customer of the factories owns at 7.8.4."""
    by = by or a_lead(4)
    words = {"kind": "release", "notes_ru": "Новое", **fields}
    product = words.pop("product", None) or ReleaseFactory().product
    made = publishing.prepare(product, version=version, by=by, at=tuesday(9), **words)
    publishing.add_file(made, kind="program", name="setup.zip", content=BytesIO(b"program"), by=by)
    return made


def published(*args, at=None, **fields):
    return publishing.publish(a_publication(*args, **fields), by=a_lead(4), at=at or tuesday(10))


def told(publication):
    return [notice.customer for notice in publication.notices.order_by("customer")]


# The audience, one row a case


def plain(customer):
    pass


def licence_ended(customer):
    customer.licences.update(ends_on=date(2026, 11, 16))


def licence_ends_today(customer):
    customer.licences.update(ends_on=date(2026, 11, 17))


def licence_of_the_future(customer):
    customer.licences.update(ends_on=date(2026, 11, 16))
    LicenceFactory(customer=customer, starts_on=date(2026, 11, 18))


def licence_of_another_product(customer):
    customer.licences.update(ends_on=date(2026, 11, 16))
    LicenceFactory(customer=customer, release__product__code="other", release__product__name="Other")


def newer_installed(customer):
    customer.licences.update(release=ReleaseFactory(version="9.0.1"))


def same_installed(customer):
    customer.licences.update(release=ReleaseFactory(version="9.0"))


def of_ten(customer):
    customer.licences.update(release=ReleaseFactory(version="8.10"))


def nobody_knows_what_is_installed(customer):
    customer.licences.update(release=None)


def two_licences(customer):
    LicenceFactory(customer=customer)


def one_new_one_old(customer):
    LicenceFactory(customer=customer, release=ReleaseFactory(version="9.1"))


def terminated(customer):
    signing.terminate(contract_of(customer), by=a_contract_admin(), on=date(2026, 11, 1), reason="x", at=november(1, 9))


def without_a_contact(customer):
    customer.contacts.update(ends_at=tuesday(9))


def contact_who_left(customer):
    person = contact_of(customer)
    person.is_active = False
    person.save()


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        (plain, True),
        (licence_ended, False),
        (licence_ends_today, True),
        (licence_of_the_future, False),
        (licence_of_another_product, False),
        (newer_installed, False),
        (same_installed, False),
        (of_ten, True),
        (nobody_knows_what_is_installed, True),
        (two_licences, True),
        (one_new_one_old, True),
        (terminated, False),
        (without_a_contact, False),
        (contact_who_left, False),
    ],
)
def test_audience_is_exactly_whom_it_concerns(change, is_told):
    customer = a_customer()
    change(customer)

    publication = published()

    assert told(publication) == ([customer] if is_told else [])


@pytest.mark.parametrize(
    ("owned", "for_which", "is_told"),
    [
        ("on-site", "", True),
        ("on-demand", "", True),
        ("on-site", "on-site", True),
        ("on-demand", "on-site", False),
        ("on-site", "on-demand", False),
        ("on-demand", "on-demand", True),
    ],
)
def test_audience_is_of_the_deployment(owned, for_which, is_told):
    customer = a_customer("basic", deployment=owned)

    assert told(published(deployment=for_which)) == ([customer] if is_told else [])


@pytest.mark.parametrize(("from_version", "is_told"), [("7.8.4", True), ("8.0", False)])
def test_patch_is_for_the_versions_that_it_names(from_version, is_told):
    customer = a_customer()

    publication = published(kind="patch", from_versions=[ReleaseFactory(version=from_version)])

    assert told(publication) == ([customer] if is_told else [])


def test_customer_without_a_contract_is_not_told():
    customer = CustomerFactory()
    LicenceFactory(customer=customer)
    a_member(customer)

    assert told(published()) == []


@pytest.mark.parametrize(("older", "newer"), [("7.9", "7.10"), ("7.8", "7.8.4"), ("7.8.4", "8"), ("7.8.4", "7.8.4.1")])
def test_versions_are_ordered_by_their_numbers(older, newer):
    assert publishing.version_key(older) < publishing.version_key(newer)


# Once


def test_later_licence_is_told_on_the_next_look_and_nobody_twice():
    early = a_customer()
    late = a_customer()
    late.licences.update(ends_on=date(2026, 11, 16))
    publication = published()

    LicenceFactory(customer=late, starts_on=date(2026, 11, 20))
    counts = [publishing.look_again(at=at) for at in (november(19, 10), november(20, 10), november(20, 11))]

    assert counts == [0, 1, 0]
    assert told(publication) == [early, late]


def test_draft_tells_nobody():
    a_customer()
    a_publication()

    assert publishing.look_again(at=tuesday(11)) == 0


def test_database_keeps_one_row_a_customer():
    a_customer()
    notice = published().notices.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        ReleaseNotice.objects.create(
            publication=notice.publication, customer=notice.customer, contact=notice.contact, told_at=tuesday(11)
        )


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_tell_once(catalogue_again):
    a_customer()
    publication = published()
    ReleaseNotice.objects.all().delete()
    start, done = Barrier(2), []

    def look():
        start.wait()
        done.append(publishing.look_again(at=tuesday(11)))
        connection.close()

    threads = [Thread(target=look) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(done) == 2
    assert publication.notices.count() == 1


def test_each_gets_one_letter_in_the_own_language():
    russian, english_one = a_customer(language="ru"), a_customer(language="en")
    publication = published(notes_en="What is new")
    for _round in range(2):
        outbound.write_letters(tuesday(10, 1))

    letters = OutgoingLetter.objects.filter(occasion__startswith="release:").order_by("pk")
    assert [letter.person for letter in letters] == [contact_of(russian), contact_of(english_one)]
    assert [letter.subject for letter in letters] == [
        f"Новый релиз: {publication.release}",
        f"New release: {publication.release}",
    ]
    assert "Новое" in letters[0].text
    assert "What is new" in letters[1].text


def test_reminder_goes_to_those_who_have_not_installed_once_a_day():
    waits, has = a_customer(), a_customer()
    publication = published()
    publishing.mark_installed(publication.notices.get(customer=has), by=contact_of(has), at=tuesday(11))
    outbound.mark_history_notified(tuesday(12))

    counts = [publishing.remind(publication, by=a_lead(4), at=at) for at in (november(18, 9), november(18, 10))]
    outbound.write_letters(november(18, 11))

    assert counts == [1, 0]
    letter = OutgoingLetter.objects.get(occasion__startswith="release_reminder:")
    assert letter.person == contact_of(waits)


# Preparing


@pytest.mark.parametrize(
    ("make", "may"),
    [(lambda: an_engineer(4), True), (lambda: an_engineer(1), False), (a_manager, True), (a_csm, False)],
)
def test_who_publishes(make, may):
    draft, by = a_publication(), make()

    if may:
        assert publishing.publish(draft, by=by, at=tuesday(10)).published_by == by
    else:
        with pytest.raises(Forbidden):
            publishing.publish(draft, by=by, at=tuesday(10))


def test_file_keeps_its_size_and_sum():
    file = a_publication().files.get()

    assert (file.name, file.size) == ("setup.zip", 7)
    assert file.sha256 == sha256(b"program").hexdigest()


def test_published_release_stays_as_it_was():
    publication = published()

    with pytest.raises(Refused, match="published already"):
        publishing.add_file(publication, kind="papers", name="x", content=BytesIO(b"x"), by=a_lead(4))
    with pytest.raises(Refused, match="published already"):
        publishing.remove_file(publication.files.get(), by=a_lead(4))
    with pytest.raises(Refused, match="published already"):
        publishing.publish(publication, by=a_lead(4), at=tuesday(11))


def test_release_without_a_file_is_not_published():
    made = publishing.prepare(
        ReleaseFactory().product, version="9.0", kind="release", notes_ru="x", by=a_lead(4), at=tuesday(9)
    )

    with pytest.raises(Refused, match="at least one file"):
        publishing.publish(made, by=a_lead(4), at=tuesday(10))


def test_release_is_prepared_once():
    a_publication()

    with pytest.raises(Refused, match="already"):
        a_publication()


def test_draft_is_changed_until_it_is_published():
    draft = a_publication()
    words = {"version": "9.1", "kind": "patch", "notes_ru": "Другое", "notes_en": "Other", "deployment": "on-site"}
    old = ReleaseFactory(version="8.0")

    draft = publishing.change(draft, **words, from_versions=[old], released_on=date(2026, 12, 1), by=a_lead(4))

    draft = ReleasePublication.objects.get(pk=draft.pk)
    assert (draft.release.version, draft.release.released_on) == ("9.1", date(2026, 12, 1))
    assert (draft.kind, draft.notes_ru, draft.notes_en, draft.deployment) == ("patch", "Другое", "Other", "on-site")
    assert list(draft.from_versions.all()) == [old]
    assert draft.files.count() == 1
    publishing.publish(draft, by=a_lead(4), at=tuesday(10))
    with pytest.raises(Refused, match="published already"):
        publishing.change(draft, **words, by=a_lead(4))
    with pytest.raises(Refused, match="published already"):
        publishing.remove(draft, by=a_lead(4))


@pytest.mark.parametrize(
    ("version", "says"), [("7.8.4", r"There is version 7\.8\.4"), ("9.5", "There is version"), ("x", "has numbers")]
)
def test_draft_takes_no_version_that_is_there(version, says):
    ReleaseFactory()
    a_publication("9.5")
    draft = a_publication()

    with pytest.raises(publishing.WrongVersion, match=says):
        publishing.change(draft, version=version, kind="release", notes_ru="Новое", by=a_lead(4))

    assert ReleasePublication.objects.get(pk=draft.pk).release.version == "9.0"


def test_version_on_which_licences_stand_keeps_its_number():
    draft = a_publication()
    a_customer().licences.update(release=draft.release)

    with pytest.raises(publishing.WrongVersion, match=r"Licences stand on version 9\.0"):
        publishing.change(draft, version="9.1", kind="release", notes_ru="Новое", by=a_lead(4))


@pytest.mark.django_db(transaction=True)
def test_draft_is_removed_with_its_files(catalogue_again):
    draft = a_publication()
    file = draft.files.get().file
    release = draft.release

    publishing.remove(draft, by=a_lead(4))

    assert not ReleasePublication.objects.exists()
    assert not file.storage.exists(file.name)
    assert a_publication().release == release
    with pytest.raises(Refused, match="taken away meanwhile"):
        publishing.publish(draft, by=a_lead(4), at=tuesday(10))


@pytest.mark.parametrize("make", [a_csm, lambda: an_engineer(1)])
def test_others_neither_change_nor_remove_a_draft(make):
    draft, by = a_publication(), make()

    with pytest.raises(Forbidden):
        publishing.change(draft, version="9.1", kind="release", notes_ru="x", by=by)
    with pytest.raises(Forbidden):
        publishing.remove(draft, by=by)


# The customer


def test_installed_moves_the_licences_that_it_concerns_and_no_other():
    customer = a_customer()
    newer = LicenceFactory(customer=customer, release=ReleaseFactory(version="9.5"))
    publication = published()

    notice = publishing.mark_installed(publication.notices.get(), by=contact_of(customer), at=tuesday(12))

    assert (notice.installed_at, notice.installed_by) == (tuesday(12), contact_of(customer))
    versions = dict(Licence.objects.filter(customer=customer).values_list("pk", "release__version"))
    assert versions.pop(newer.pk) == "9.5"
    assert list(versions.values()) == ["9.0"]
    assert ContractEvent.objects.filter(customer=customer, verb="licence_changed").count() == 1
    assert publishing.look_again(at=tuesday(13)) == 0


def test_observer_does_not_say_installed():
    customer = a_customer()
    publication = published()

    with pytest.raises(Forbidden, match="responsible contact"):
        publishing.mark_installed(publication.notices.get(), by=observer_of(customer), at=tuesday(12))


# Pages. The factories' contracts are of 2026: a page asks for the moment that it is.


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def served(now):
    """A customer of now, told of a release."""
    customer = a_customer(starts_on=(now - timedelta(days=30)).date())
    return customer, published(at=now)


@pytest.mark.parametrize("who", [contact_of, observer_of])
def test_people_of_the_customer_read_and_download_and_the_register_counts(client, served, now, who):
    customer, publication = served
    person = who(customer, now)
    client.force_login(person)

    page = client.get(reverse("releases:release", args=[publication.pk]))
    files = [
        client.get(reverse("releases:file", args=[publication.pk, publication.files.get().pk])) for _time in (1, 2)
    ]

    assert page.status_code == 200
    assert [b"".join(answer.streaming_content) for answer in files] == [b"program"] * 2
    notice = publication.notices.get()
    assert (notice.downloads, notice.first_downloaded_by) == (2, person)


def test_release_that_does_not_concern_the_company_answers_as_a_missing_one(client, served):
    _customer, publication = served
    stranger = a_customer()
    stranger.licences.update(release=ReleaseFactory(version="9.5"))
    client.force_login(contact_of(stranger))
    file = publication.files.get()

    answers = [
        client.get(reverse("releases:release", args=[publication.pk])),
        client.get(reverse("releases:file", args=[publication.pk, file.pk])),
        client.post(reverse("releases:installed", args=[publication.pk])),
        client.get(reverse("releases:release", args=[999_999])),
        client.get(reverse("releases:file", args=[999_999, file.pk])),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert publication.notices.get().downloads == 0
    assert str(publication.release) not in client.get(reverse("releases:releases")).content.decode()


def test_file_of_another_release_is_not_given_out(client, served, now):
    customer, publication = served
    draft = a_publication("9.9")
    client.force_login(contact_of(customer, now))

    answer = client.get(reverse("releases:file", args=[publication.pk, draft.files.get().pk]))

    assert answer.status_code == 404


def test_contact_says_installed_on_the_page(client, served, now):
    customer, publication = served
    client.force_login(contact_of(customer, now))

    answer = client.post(reverse("releases:installed", args=[publication.pk]))

    assert (answer.status_code, answer.url) == (302, reverse("releases:release", args=[publication.pk]))
    assert customer.licences.get().release.version == "9.0"


def test_release_is_prepared_and_published_on_the_pages(client, now):
    customer = a_customer(starts_on=(now - timedelta(days=30)).date())
    product = ReleaseFactory().product
    client.force_login(an_engineer(4))
    form = {"product": product.pk, "version": "9.0", "kind": "patch", "deployment": "", "notes_ru": "Новое"}

    made = client.post(reverse("desk:release_new"), form)
    publication = ReleasePublication.objects.get()
    upload = BytesIO(b"program")
    upload.name = "setup.zip"
    client.post(reverse("desk:release_files", args=[publication.pk]), {"kind": "program", "file": upload})
    before = client.get(reverse("desk:release", args=[publication.pk])).content.decode()
    client.post(reverse("desk:release_publication", args=[publication.pk]))
    after = client.get(reverse("desk:release", args=[publication.pk])).content.decode()
    csv = b"".join(client.get(reverse("desk:release_csv", args=[publication.pk])).streaming_content).decode()

    assert made.status_code == 303
    assert ReleaseFile.objects.get().name == "setup.zip"
    assert customer.name in before
    assert customer.name in after
    assert customer.name in csv
    assert told(publication) == [customer]


FORM = {"kind": "patch", "deployment": "on-site", "only_from": "7.8.4", "notes_ru": "Долгий текст", "notes_en": "Long"}


@pytest.mark.parametrize("name", ["desk:release_new", "desk:release_edit"])
def test_version_that_is_taken_is_said_at_its_field_and_nothing_typed_is_lost(client, name):
    taken = published()
    draft = a_publication("9.5")
    client.force_login(an_engineer(4))
    form = FORM | {"product": taken.release.product_id, "version": "9.0", "released_on": "2026-12-24"}
    ReleaseFactory()

    answer = client.post(reverse(name, args=[draft.pk] if name.endswith("edit") else []), form)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"version"}
    assert all(f'value="{typed}"' in page for typed in ("9.0", "7.8.4", "2026-12-24"))
    assert "Долгий текст" in page
    assert ReleasePublication.objects.count() == 2


def test_draft_is_changed_and_removed_on_the_pages(client):
    draft = a_publication(from_versions=[ReleaseFactory()])
    client.force_login(an_engineer(4))
    address, edit = reverse("desk:release", args=[draft.pk]), reverse("desk:release_edit", args=[draft.pk])

    shown = client.get(edit).content.decode()
    changed = client.post(edit, FORM | {"version": "9.0.1"})
    after = client.get(address).content.decode()
    removed = client.post(reverse("desk:release_removal", args=[draft.pk]))

    assert 'value="7.8.4"' in shown
    assert (changed.status_code, changed.url) == (303, address)
    assert "9.0.1" in after
    assert edit in after
    assert (removed.status_code, removed.url) == (303, reverse("desk:releases"))
    assert client.get(address).status_code == 404


def test_draft_that_a_colleague_changed_is_not_written_over_unknowingly(client):
    draft = a_publication()
    client.force_login(an_engineer(4, language="en"))
    address = reverse("desk:release_edit", args=[draft.pk])
    form = client.get(address).context["form"]
    seen = {name: value or "" for name, value in form.initial.items() if name != "product"}
    theirs = {"version": draft.release.version, "kind": draft.kind, "notes_ru": "Словами коллеги"}
    publishing.change(draft, **theirs, by=an_engineer(4))

    refused = client.post(address, {**seen, "notes_ru": "Моими словами"})

    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Not kept yet</h2>" in page
    assert "A colleague has changed this draft since you opened it" in page
    assert "Моими словами</textarea>" in page
    assert ReleasePublication.objects.get(pk=draft.pk).notes_ru == "Словами коллеги"

    again = {**seen, "notes_ru": "Моими словами", "was": refused.context["form"]["was"].value()}
    assert client.post(address, again).status_code == 303
    assert client.post(address, again).status_code == 303  # a double click says the same once more
    assert ReleasePublication.objects.get(pk=draft.pk).notes_ru == "Моими словами"


def test_published_release_offers_no_change(client):
    publication = published()
    client.force_login(an_engineer(4))
    address = reverse("desk:release", args=[publication.pk])

    page = client.get(address).content.decode()

    assert reverse("desk:release_edit", args=[publication.pk]) not in page
    assert client.get(reverse("desk:release_edit", args=[publication.pk])).url == address
    answer = client.post(reverse("desk:release_edit", args=[publication.pk]), FORM | {"version": "9.0.1"})
    assert answer.status_code == 409
    assert client.post(reverse("desk:release_removal", args=[publication.pk])).status_code == 409


def test_page_says_what_the_publication_does_before_it_is_done(client, now):
    for language in ("ru", "en", "en"):
        a_customer(starts_on=(now - timedelta(days=30)).date(), language=language)
    draft = a_publication()
    client.force_login(an_engineer(4, language="en"))
    address = reverse("desk:release", args=[draft.pk])

    page = client.get(address).content.decode()
    publishing.change(draft, version="9.0", kind="release", notes_ru="Новое", notes_en="New", by=a_lead(4))
    both = client.get(address).content.decode()

    assert "Publish and tell 3 customers</button>" in page
    assert 'data-confirm="Publish it now and tell 3 customers? It cannot be taken back."' in page
    assert "What is new stands in Russian only: 2 customers read English" in page
    assert "Russian only" not in both


def test_publication_without_a_file_is_refused_at_its_button(client):
    draft = publishing.prepare(
        ReleaseFactory().product, version="9.0", kind="release", notes_ru="x", by=a_lead(4), at=tuesday(9)
    )
    client.force_login(an_engineer(4, language="en"))
    says = "Add at least one file: there is nothing to download yet."

    page = client.get(reverse("desk:release", args=[draft.pk])).content.decode()
    answer = client.post(reverse("desk:release_publication", args=[draft.pk]))

    assert says in page
    assert ">Publish" not in page
    assert answer.status_code == 409
    assert f'<p class="err" role="alert">{says}</p>' in answer.content.decode()


def test_register_says_when_each_was_last_reminded(client, served, now):
    customer, publication = served
    publishing.remind(publication, by=a_lead(4), at=now)
    client.force_login(a_lead(4, language="ru"))

    page = client.get(reverse("desk:release", args=[publication.pk])).content.decode()
    with translation.override("ru"):
        answer = client.get(reverse("desk:release_csv", args=[publication.pk]))
        head, row = (line.split(";") for line in b"".join(answer.streaming_content).decode().splitlines())

    assert "последнее напоминание" in page
    assert head[1:] == [
        "Ответственное лицо", "Оповещён", "Последнее напоминание", "Скачали", "Кто скачал", "Скачиваний", "Установлено",
        "Кто отметил установку",
    ]  # fmt: skip
    assert row[0].strip('"') == customer.name
    assert row[3] == f"{now.astimezone(MOSCOW):%Y-%m-%d %H:%M}"


def test_register_asks_before_it_reminds_and_offers_it_to_nobody_twice_a_day(client, served, now):
    _customer, publication = served
    address = reverse("desk:release", args=[publication.pk])
    client.force_login(a_lead(4, language="en"))

    before = client.get(address).content.decode()
    client.post(reverse("desk:release_reminders", args=[publication.pk]))
    after = client.get(address).content.decode()

    assert 'data-confirm="Send a reminder to 1 customer who has not said “installed”?"' in before
    assert "Remind 1 customer who has not installed it</button>" in before
    assert "1 customer is reminded" in after
    assert "All others were reminded today" in after
    assert "who has not installed it</button>" not in after


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Vladivostok"])
def test_reminder_is_one_a_day_of_moscow_wherever_it_is_sent_from(zone):
    a_customer()
    publication, by = published(), a_lead(4)

    with timezone.override(ZoneInfo(zone)):
        counts = [publishing.remind(publication, by=by, at=at) for at in (november(18, 20), november(19, 9))]

    assert counts == [1, 1]


@pytest.mark.parametrize("name", ["releases:releases", "desk:releases", "desk:release"])
def test_pages_cost_the_same_for_one_and_three(client, django_assert_num_queries, now, name):
    customer = a_customer(starts_on=(now - timedelta(days=30)).date())
    publication = published(at=now)
    client.force_login(contact_of(customer, now) if name.startswith("releases:") else a_lead(4))
    address = reverse(name, args=[publication.pk] if name == "desk:release" else [])
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for number in range(2):
        a_customer(starts_on=(now - timedelta(days=30)).date())
        published(f"9.{number + 1}", at=now)
    publishing.look_again(at=now)

    with django_assert_num_queries(len(one)):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(("make", "status"), [(a_lead, 200), (a_csm, 200), (lambda: UserFactory(partner=True), 403)])
def test_register_is_read_by_the_desk(client, make, status):
    client.force_login(make())

    assert client.get(reverse("desk:releases")).status_code == status
