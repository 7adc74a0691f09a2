"""The contract's life in pages: who may see and do what, live quotes, refusals in words, sums that add up (§1, §2)."""

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import User
from contracts import signing
from contracts.models import (
    ContactChange,
    Contract,
    ContractClause,
    CoverageGap,
    Customer,
    RenewalOffer,
)
from tests.contracts.conftest import TODAY
from tests.factories import (
    CustomerFactory,
    LicenceFactory,
    ReleaseFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
    package,
    top,
    topic,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

DAY = timedelta(days=1)
HOME, LIST, NEW = "/c/", "/c/contracts/", "/c/contracts/new/"


def as_(person: User) -> Client:
    person.language = "en"
    person.save(update_fields=["language"])
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def signer() -> User:
    return a_contract_admin()


@pytest.fixture
def signs(signer: User) -> Client:
    return as_(signer)


def a_company(**licence: Any) -> Customer:
    """A company that can be signed for: a contact, and a licence of an official release."""
    customer = CustomerFactory()
    a_contact(customer, since=datetime(2020, 1, 1, tzinfo=signing.refusals.CONTRACT_ZONE))
    LicenceFactory(customer=customer, **{"starts_on": date(2020, 1, 1), "cost": Decimal("38400.00"), **licence})
    return customer


def a_ready_draft(signer: User, code: str = "premium", **term: Any) -> Contract:
    term = {"starts_on": TODAY, **term}
    return a_draft(a_company(), code, by=signer, at=timezone.now(), **term)


def signed(contract: Contract, signer: User) -> Contract:
    return signing.activate(contract, by=signer, at=timezone.now())


def term(starts_on: date = TODAY, ends_on: date | None = None, code: str = "premium", **more: Any) -> dict[str, Any]:
    ends_on = ends_on or signing.drafts.pricing.anniversary(starts_on, 1) - DAY
    return {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat(), "package": code, **more}


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


# Who may


def test_only_readers_of_contracts_enter() -> None:
    contract = contract_of(a_customer())
    pages = [HOME, LIST, "/c/contracts/export.csv", *_pages(contract)]

    for outsider in (an_engineer(), contact_of(contract.customer), a_member(contract.customer)):
        client = as_(outsider)
        assert {client.get(page).status_code for page in pages} == {403}
    assert {Client().get(page).status_code for page in pages} == {302}


def _pages(contract: Contract) -> list[str]:
    return [
        reverse("contracts:contract", args=[contract.pk]),
        reverse("contracts:document", args=[contract.pk, "en"]),
    ]


@pytest.mark.parametrize("reader", [a_manager, top])
def test_managers_read_every_contract_and_find_no_buttons(reader: Any) -> None:
    contract = contract_of(a_customer())
    client = as_(reader())

    for page in (HOME, LIST, *_pages(contract)):
        answer = client.get(page)
        assert answer.status_code == 200
        if "document" not in page:
            assert b"/end/" not in answer.content
            assert b"/c/contracts/new/" not in answer.content


def test_a_csm_reads_own_customers_and_another_ones_is_missing() -> None:
    csm = a_csm()
    mine, other = contract_of(a_customer(csm=csm)), contract_of(a_customer(csm=a_csm()))
    client = as_(csm)

    assert [client.get(page).status_code for page in _pages(mine)] == [200, 200]
    assert [client.get(page).status_code for page in _pages(other)] == [404, 404]
    listed = client.get(LIST).content.decode()
    assert mine.number in listed
    assert other.number not in listed
    assert other.number not in b"".join(client.get("/c/contracts/export.csv").streaming_content).decode()  # type: ignore[attr-defined]


def test_readers_do_nothing() -> None:
    contract = contract_of(a_customer())
    verbs = ["sign", "end_contract", "renew", "add_clause", "change_draft"]

    for reader in (a_manager(), top(), contract.customer.csm):
        client = as_(reader)
        answers = [client.post(reverse(f"contracts:{verb}", args=[contract.pk])) for verb in verbs]
        assert {answer.status_code for answer in answers} == {403}
        assert client.get(NEW).status_code == 403


def test_an_address_that_is_none_is_missing_or_refused(signs: Client) -> None:
    contract = contract_of(a_customer())

    assert signs.get("/c/contracts/99999999999999999999/").status_code == 404
    assert signs.get(f"/c/contracts/{contract.pk}/document/de/").status_code == 404
    for query in ("?state=nonsense", "?after=x", "?after=2026-01-01_", "?before=2026-13-01_1", "?after=2026-01-01_²"):
        assert signs.get(LIST + query).status_code == 400, query
    for query in ("?customer=x", "?customer=99999999999999999999", "?customer=²"):
        assert signs.get(NEW + query).status_code == 400, query
    assert signs.get(NEW + "?customer=999999").status_code == 404
    assert signs.get(HOME + "?whole=nonsense").status_code == 400


# Home


def test_home_says_that_all_is_settled(signs: Client) -> None:
    assert "All settled" in signs.get(HOME).content.decode()


def test_home_tells_what_waits(signs: Client, signer: User) -> None:
    ready = a_ready_draft(signer)
    broken = a_draft(CustomerFactory(), by=signer, starts_on=TODAY, at=timezone.now())
    ends = signed(a_ready_draft(signer, starts_on=TODAY - timedelta(days=300)), signer)
    gap = CoverageGap.objects.create(
        customer=CustomerFactory(), starts_on=TODAY - timedelta(days=9), noticed_at=timezone.now()
    )
    asked = a_company()
    ContactChange.objects.create(
        customer=asked, user=a_member(asked), starts_at=timezone.now(), reason="ill",
        asked_by=contact_of(asked, timezone.now()), asked_at=timezone.now(),
    )  # fmt: skip

    page = signs.get(HOME).content.decode()

    for words in (ready.number, broken.number, ends.number, str(gap.customer), str(asked)):
        assert words in page
    assert "can be signed" in page
    assert "2 conditions fail" in page
    assert "10 days" in page
    assert "waits for us" in page


def test_home_tells_what_customers_answered(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer, starts_on=TODAY - timedelta(days=300)), signer)
    signing.offer_renewals(at=timezone.now())
    offer = signing.latest_offer(contract)
    assert offer is not None
    contact = contact_of(contract.customer, timezone.now())

    signing.answer_renewal(offer, accepted=True, words="", by=contact, at=timezone.now(), total=offer.total)
    assert f"accepted {offer.successor.number}" in signs.get(HOME).content.decode()

    RenewalOffer.objects.update(answer="declined", words="Too dear")
    page = signs.get(HOME).content.decode()
    assert f"declined {offer.successor.number}" in page
    assert "Too dear" in page
    assert "Call them" in page

    signed(offer.successor, signer)
    assert offer.successor.number not in signs.get(HOME).content.decode()


def test_home_tells_a_licence_that_the_contract_does_not_cover(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)
    LicenceFactory(customer=contract.customer, starts_on=TODAY, cost=Decimal("777.00"))

    page = signs.get(HOME).content.decode()

    assert "Licences that the contract does not cover" in page
    assert "€777.00" in page


def test_a_long_pile_shows_five_and_leads_to_the_whole_list(signs: Client, signer: User) -> None:
    drafts = [a_ready_draft(signer) for _ in range(7)]

    page = signs.get(HOME).content.decode()

    assert sum(f">{draft.number}<" in page for draft in drafts) == 5
    assert "?state=draft" in page


def test_home_asks_the_same_number_of_questions_for_1_and_3_rows(signs: Client, signer: User) -> None:
    def add() -> None:
        a_ready_draft(signer)
        contract = signed(a_ready_draft(signer, starts_on=TODAY - timedelta(days=300)), signer)
        LicenceFactory(customer=contract.customer, starts_on=TODAY)
        CoverageGap.objects.create(customer=CustomerFactory(), starts_on=TODAY, noticed_at=timezone.now())

    add()
    signs.get(HOME)
    one = statements(signs, HOME)
    add()
    add()

    assert statements(signs, HOME) == one


# The list


def test_the_list_filters_by_state_and_finds_by_number_and_customer(signs: Client, signer: User) -> None:
    draft, active = a_ready_draft(signer), signed(a_ready_draft(signer), signer)
    ending = signed(a_ready_draft(signer, starts_on=TODAY - timedelta(days=300)), signer)

    def shown(query: str) -> set[str]:
        page = signs.get(LIST + query).content.decode()
        return {one.number for one in (draft, active, ending) if f">{one.number}<" in page}

    assert shown("") == {active.number, ending.number}
    assert shown("?state=") == {draft.number, active.number, ending.number}
    assert shown("?state=draft") == {draft.number}
    assert shown("?state=active") == {active.number, ending.number}
    assert shown("?state=ending") == {ending.number}
    assert shown("?state=expired") == set()
    assert shown(f"?q={active.number}") == {active.number}
    assert shown("?" + _query(q=draft.customer.name)) == {draft.number}


def _query(**words: str) -> str:
    return urlencode(words)


def test_the_list_turns_pages_of_fifty_both_ways(signs: Client, signer: User) -> None:
    customer = a_company()
    numbers = [
        a_draft(
            customer, by=signer, starts_on=TODAY + timedelta(days=n % 7), number=f"N-{n:03}", at=timezone.now()
        ).number
        for n in range(53)
    ]

    first = signs.get(LIST + "?state=draft")
    second = signs.get(LIST + first.context["later"])
    back = signs.get(LIST + second.context["earlier"])

    def on(page: Any) -> list[str]:
        return [contract.number for contract, _left in page.context["rows"]]

    assert len(on(first)) == 50
    assert sorted(on(first) + on(second)) == sorted(numbers)
    assert on(back) == on(first)
    assert not second.context["later"]
    assert not back.context["earlier"]


def test_the_list_asks_the_same_number_of_questions_for_1_and_3_rows(signs: Client, signer: User) -> None:
    signed(a_ready_draft(signer), signer)
    signs.get(LIST)
    one = statements(signs, LIST)
    signed(a_ready_draft(signer), signer)
    a_ready_draft(signer)

    assert statements(signs, LIST) == one


def test_the_export_has_what_the_filter_has_and_no_formulas(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)
    Customer.objects.filter(pk=contract.customer_id).update(name="=1+1")
    a_ready_draft(signer)

    answer = signs.get("/c/contracts/export.csv?state=active")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    rows = list(csv.reader(io.StringIO(body)))
    assert answer["Content-Disposition"] == f'attachment; filename="contracts-{TODAY.isoformat()}.csv"'
    assert len(rows) == 2
    assert rows[1][:3] == [contract.number, "'=1+1", "premium"]
    assert rows[1][-1] == "10000.00"


# A new contract


def test_a_customer_is_found_by_a_part_of_the_name_without_scripts(signs: Client) -> None:
    wanted, other = CustomerFactory(name="ООО «Ветка»"), CustomerFactory(name="ООО «Лист»")

    page = signs.get(NEW + "?" + _query(q="ветка")).content.decode()

    assert f"?customer={wanted.pk}" in page
    assert f"?customer={other.pk}" not in page
    assert "No customer has" in signs.get(NEW + "?q=zzz").content.decode()


def test_the_form_begins_after_what_is_signed_and_shows_every_package_with_its_arithmetic(
    signs: Client, signer: User
) -> None:
    contract = signed(a_ready_draft(signer), signer)

    page = signs.get(f"{NEW}?customer={contract.customer_id}").content.decode()

    assert f'value="{(contract.ends_on + DAY).isoformat()}"' in page
    for words in (
        "€5,760.00",
        "€7,680.00",
        "€10,000.00",
        "15\u00a0% of €38,400.00 = €5,760.00",
        "minimum €10,000.00 applies",
    ):
        assert words in page
    assert "Covers the 1 licence of the customer" in page


def test_the_quote_follows_the_days(signs: Client) -> None:
    customer = a_company()

    page = signs.get(
        "/c/contracts/new/quote/", {"customer": customer.pk, **term(date(2026, 1, 1), date(2027, 12, 31))}
    ).content.decode()

    assert "€11,520.00 for the term, 1 Jan 2026 to 31 Dec 2027" in page
    assert "<html" not in page
    assert 'value="premium" id="package-premium" checked' in page


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "words"),
    [
        ("2026-01-01", "2025-12-31", "before it starts"),
        ("2026-01-01", "2026-12-30", "to 31 Dec 2026 or later; 30 Dec 2026 makes 364 days"),
        ("2026-01-01", "2026-02-30", "Write a day, such as 31.12.2026"),
        ("2026-01-01", "", "Choose a day"),
        ("", "2026-12-31", "Choose a day"),
        ("2026-01-01", "9999-12-31", "too far ahead"),
        ("0001-01-01", "<script>", "Write a day"),
    ],
)
def test_wrong_days_are_told_at_the_field_and_what_was_typed_stays(
    signs: Client, starts_on: str, ends_on: str, words: str
) -> None:
    customer = a_company()
    asked = {"customer": customer.pk, "starts_on": starts_on, "ends_on": ends_on, "package": "business"}

    quoted = signs.get("/c/contracts/new/quote/", asked)
    sent = signs.post(NEW, asked)

    assert words in quoted.content.decode()
    assert '<input type="hidden" name="package" value="business">' in quoted.content.decode()
    assert sent.status_code == 422
    assert words in sent.content.decode()
    assert "<script>" not in sent.content.decode().split("<main")[1]
    assert not customer.contracts.exists()


def test_a_customer_without_licences_gets_no_draft_and_hears_why(signs: Client) -> None:
    customer = CustomerFactory()

    sent = signs.post(NEW, term(customer=customer.pk))

    assert sent.status_code == 422
    assert "there is nothing to support" in sent.content.decode()
    assert not customer.contracts.exists()


def test_a_package_is_chosen(signs: Client) -> None:
    customer = a_company()

    for code, words in (("", "Choose a package"), ("gold", "Choose one of the packages")):
        sent = signs.post(NEW, term(customer=customer.pk, code=code))
        assert sent.status_code == 422
        assert words in sent.content.decode()


def test_a_draft_is_made_once_however_often_it_is_sent(signs: Client) -> None:
    customer = a_company()

    first, second = (signs.post(NEW, term(customer=customer.pk)) for _ in range(2))

    made = customer.contracts.get()
    assert first["Location"] == second["Location"] == f"/c/contracts/{made.pk}/"
    assert made.state == Contract.State.DRAFT


def test_recalculating_without_scripts_saves_nothing(signs: Client) -> None:
    customer = a_company()

    answer = signs.post(NEW, term(date(2026, 1, 1), date(2027, 12, 31), customer=customer.pk, recalculate="1"))

    assert "€11,520.00 for the term" in answer.content.decode()
    assert not customer.contracts.exists()


def test_a_draft_is_changed_and_keeps_what_was_typed_when_refused(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)
    address = reverse("contracts:change_draft", args=[contract.pk])

    refused = signs.post(address, term(TODAY, TODAY + DAY, "basic"))
    changed = signs.post(address, term(TODAY + DAY, code="basic"))

    contract = Contract.objects.get(pk=contract.pk)
    assert refused.status_code == 422
    assert f'value="{(TODAY + DAY).isoformat()}"' in refused.content.decode()
    assert changed.status_code == 302
    assert (contract.terms.package.code, contract.starts_on) == ("basic", TODAY + DAY)


def test_a_signed_contract_is_not_changed(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)

    answer = signs.post(reverse("contracts:change_draft", args=[contract.pk]), term(code="basic"))

    assert answer.status_code == 409
    assert "stays as it was signed" in answer.content.decode()


# The page, the checklist, the signature


def test_the_checklist_names_every_condition_that_fails_and_where_it_is_mended(signs: Client, signer: User) -> None:
    customer = CustomerFactory()
    LicenceFactory(customer=customer, release=None, product=ReleaseFactory().product, starts_on=TODAY)
    contract = a_draft(customer, by=signer, starts_on=TODAY, at=timezone.now())

    page = signs.get(f"/c/contracts/{contract.pk}/").content.decode()

    assert "2 conditions fail" in page
    assert "no responsible contact" in page
    assert "The installed version of" in page
    assert f"/c/customers/{customer.pk}/#people" in page
    assert f"/c/customers/{customer.pk}/#licences" in page


def test_a_draft_that_was_changed_in_another_tab_is_not_signed_unseen(signs: Client, signer: User) -> None:
    draft = a_ready_draft(signer)
    address = reverse("contracts:contract", args=[draft.pk])
    old = signs.get(address).context["seen"]
    draft.customer.licences.update(cost=Decimal("77000.00"))

    refused = signs.post(reverse("contracts:sign", args=[draft.pk]), {"seen": old})
    signed = signs.post(reverse("contracts:sign", args=[draft.pk]), {"seen": signs.get(address).context["seen"]})

    assert refused.status_code == 409
    assert (old != "", signed.status_code) == (True, 302)
    draft.refresh_from_db()
    assert draft.state == "active"


def test_signing_is_refused_with_every_reason_at_once(signs: Client, signer: User) -> None:
    customer = CustomerFactory()
    LicenceFactory(customer=customer, release=None, product=ReleaseFactory().product, starts_on=date(2020, 1, 1))
    contract = a_draft(customer, by=signer, starts_on=date(2021, 1, 1), at=timezone.now())

    answer = signs.post(reverse("contracts:sign", args=[contract.pk]))

    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Not signed: 3 conditions fail" in page
    assert all(f"(§{section})" in page for section in ("1.7.1", "1.7.4", "2"))
    assert Contract.objects.get(pk=contract.pk).state == Contract.State.DRAFT


def test_a_draft_is_signed_once_and_the_second_person_hears_why_not(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)
    address = reverse("contracts:sign", args=[contract.pk])

    first, again = signs.post(address), signs.post(address)
    other = as_(a_contract_admin()).post(address)

    kept = Contract.objects.get(pk=contract.pk)
    assert (first.status_code, again.status_code, other.status_code) == (302, 302, 409)
    assert "Only a draft is activated" in other.content.decode()
    assert kept.signed_by == signer
    assert kept.events.filter(verb="signed").count() == 1


def test_the_price_adds_up_on_the_page(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)
    LicenceFactory(customer=contract.customer, deployment="on-demand", cost=Decimal("1999.99"), starts_on=TODAY)

    page = signs.get(f"/c/contracts/{contract.pk}/").context["page"]

    assert [line.amount for line in page.lines] == [Decimal("9696.97"), Decimal("303.03")]
    assert page.yearly == page.quote.yearly == Decimal("10000.00")


def test_an_added_licence_stands_with_its_part_in_words(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer, starts_on=TODAY - timedelta(days=165)), signer)
    licence = LicenceFactory.build(
        customer=contract.customer, product=ReleaseFactory().product, release=ReleaseFactory(), starts_on=TODAY,
        cost=Decimal("10000.00"),
    )  # fmt: skip
    line = signing.add_licence(licence, by=signer, at=timezone.now())
    assert line is not None

    answer = signs.get(f"/c/contracts/{contract.pk}/")

    assert "200 of 365 days of the contract year left" in answer.content.decode()
    assert "200/365 × €2,500.00 = €1,369.86" in answer.content.decode()
    assert answer.context["page"].whole == Decimal("11369.86")


def test_the_page_asks_the_same_number_of_questions_for_1_and_3_rows(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer, starts_on=TODAY), signer)
    address = f"/c/contracts/{contract.pk}/"

    def add() -> None:
        licence = LicenceFactory.build(
            customer=contract.customer, product=ReleaseFactory().product, release=ReleaseFactory(), starts_on=TODAY
        )
        signing.add_licence(licence, by=signer, at=timezone.now())
        clause = ContractClause(contract=contract, text_ru="Слова", text_en="Words", topic=topic("network_os"))
        signing.add_clause(clause, by=signer, at=timezone.now())

    add()
    signs.get(address)
    one = statements(signs, address)
    add()
    add()

    assert statements(signs, address) == one


# The document


def test_a_draft_is_shown_as_a_pdf_with_its_mark_and_not_kept(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)

    answer = signs.get(f"/c/contracts/{contract.pk}/document/en/")

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="contract-{contract.number}-draft-en.pdf"'
    assert contract.number in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert not contract.documents.exists()


def test_a_signed_document_is_kept_and_its_hash_is_shown(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)

    first, second = (signs.get(f"/c/contracts/{contract.pk}/document/ru/").content for _ in range(2))

    kept = contract.documents.get()
    assert first == second == bytes(kept.body)
    assert kept.sha256 in signs.get(f"/c/contracts/{contract.pk}/").content.decode()


# The end, the renewal, clauses


def test_the_end_is_told_before_it_is_done(signs: Client, signer: User) -> None:
    customer = a_customer(starts_on=TODAY - timedelta(days=30))
    contract = contract_of(customer)
    open_ticket(customer, at=timezone.now())

    told = signs.get(f"/c/contracts/{contract.pk}/end/preview/?on={TODAY + DAY}").content.decode()

    assert "covered to the end of" in told
    assert "1 open request keeps its promises" in told
    assert "a coverage gap" in told
    assert "A day from today" in signs.get(f"/c/contracts/{contract.pk}/end/preview/?on=x").content.decode()


def test_a_contract_is_terminated_with_its_last_day_and_reason(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)
    address = reverse("contracts:end_contract", args=[contract.pk])

    asked = signs.post(address, {"on": (TODAY + DAY).isoformat(), "reason": "Kept", "recalculate": "1"})
    assert "covered to the end of" in asked.content.decode()
    assert "Kept" in asked.content.decode()
    empty = signs.post(address, {"on": TODAY.isoformat(), "reason": " "})
    outside = signs.post(address, {"on": (TODAY - DAY).isoformat(), "reason": "They leave"})
    done = signs.post(address, {"on": TODAY.isoformat(), "reason": "They leave"})
    again = signs.post(address, {"on": TODAY.isoformat(), "reason": "They leave"})

    contract = Contract.objects.get(pk=contract.pk)
    assert (empty.status_code, outside.status_code, done.status_code, again.status_code) == (422, 409, 302, 409)
    assert "They leave" in outside.content.decode()
    assert (contract.state, contract.terminated_on) == (Contract.State.TERMINATED, TODAY)


def test_a_draft_is_given_up_with_a_reason(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)
    address = reverse("contracts:end_contract", args=[contract.pk])

    assert "Discard draft" in signs.get(address).content.decode()
    assert signs.post(address, {"reason": ""}).status_code == 422
    assert signs.post(address, {"reason": "They think again"}).status_code == 302
    page = signs.get(f"/c/contracts/{contract.pk}/").content.decode()
    assert "given up" in page
    assert "Draft discarded: They think again" in page


def test_a_contract_is_renewed_once(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)
    address = reverse("contracts:renew", args=[contract.pk])

    first, second = signs.post(address), signs.post(address)

    successor = Contract.objects.get(predecessor=contract)
    assert first["Location"] == second["Location"] == f"/c/contracts/{successor.pk}/"
    assert successor.starts_on == contract.ends_on + DAY


def test_a_draft_is_not_renewed(signs: Client, signer: User) -> None:
    answer = signs.post(reverse("contracts:renew", args=[a_ready_draft(signer).pk]))

    assert answer.status_code == 409
    assert "draft a new one" in answer.content.decode()


def test_a_clause_of_a_contract_in_force_holds_from_its_moment_on(signs: Client, signer: User) -> None:
    contract = signed(a_ready_draft(signer), signer)
    address = reverse("contracts:add_clause", args=[contract.pk])

    refused = signs.post(address, {"text_ru": "Сети включены", "text_en": "", "kind": "reaction", "minutes": "0"})
    done = signs.post(address, {"text_ru": "Сети включены", "text_en": "Networks too", "topic": "network_os"})

    assert refused.status_code == 422
    for words in ("words in both languages", "Say at which priority", "Сети включены"):
        assert words in refused.content.decode()
    assert done.status_code == 302
    clause = contract.clauses.get()
    assert clause.starts_at is not None
    assert "agreed later, holds since" in signs.get(f"/c/contracts/{contract.pk}/").content.decode()

    ended = reverse("contracts:end_clause", args=[contract.pk, clause.pk])
    assert signs.post(ended).status_code == 302
    assert signs.post(ended).status_code == 409
    assert " · ended" in signs.get(f"/c/contracts/{contract.pk}/").content.decode()


def test_a_clause_of_another_contract_is_missing(signs: Client, signer: User) -> None:
    contract, other = a_ready_draft(signer), a_ready_draft(signer)
    clause = signing.add_clause(
        ContractClause(contract=other, text_ru="Слова", text_en="Words"), by=signer, at=timezone.now()
    )

    assert signs.post(reverse("contracts:end_clause", args=[contract.pk, clause.pk])).status_code == 404


def test_the_log_turns_to_what_happened_before(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)
    for _ in range(55):
        signing.record("draft_changed", customer=contract.customer, contract=contract, by=signer, at=timezone.now())

    first = signs.get(f"/c/contracts/{contract.pk}/").context["page"]
    older = signs.get(f"/c/contracts/{contract.pk}/?before={first.older_log}").context["page"]

    assert (len(first.log), len(older.log), older.older_log) == (50, 6, None)
    assert signs.get(f"/c/contracts/{contract.pk}/?before=x").status_code == 400


def test_premium_is_named_by_the_package_in_the_log(signs: Client, signer: User) -> None:
    contract = a_ready_draft(signer)

    page = signs.get(f"/c/contracts/{contract.pk}/").content.decode()

    assert f"package “{package('premium').name_en}”" in page
