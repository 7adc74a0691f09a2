"""Two people at once: one contract is signed once, and two contracts of one customer never both (domain §2)."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.utils import translation

from contracts import signing
from contracts.models import Contract
from tests.factories import SIGNED_AT, CustomerFactory, LicenceFactory, a_contact, a_contract_admin, a_draft


def at_once(*verbs: Callable[[], object]) -> list[str]:
    """What became of each: "done", or the words of the refusal."""
    start, said = threading.Barrier(len(verbs)), []

    def run(verb: Callable[[], object]) -> None:
        try:
            start.wait()
            with translation.override("en"):
                verb()
            said.append("done")
        except signing.NotSigned as refused:
            said.append(refused.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@pytest.fixture
def customer(catalogue_again):
    customer = CustomerFactory()
    a_contact(customer, since=SIGNED_AT)
    LicenceFactory(customer=customer, starts_on=date(2025, 1, 1))
    return customer


def test_a_draft_that_four_people_sign_at_once_is_signed_once(customer):
    draft = a_draft(customer, "basic")
    people = [a_contract_admin() for _number in range(4)]

    said = at_once(*[lambda by=by: signing.activate(draft, by=by, at=SIGNED_AT) for by in people])

    assert said.count("done") == 1
    assert draft.events.filter(verb="signed").count() == 1
    assert draft.lines.count() == 1


def test_of_two_drafts_for_the_same_days_signed_at_once_one_stands(customer):
    drafts, by = [a_draft(customer, code) for code in ("basic", "premium")], a_contract_admin()

    said = at_once(*[lambda draft=draft: signing.activate(draft, by=by, at=SIGNED_AT) for draft in drafts])

    assert said.count("done") == 1
    assert any("two contracts never overlap" in words for words in said)
    assert Contract.objects.filter(customer=customer, state=Contract.State.ACTIVE).count() == 1


def test_a_contract_terminated_twice_at_once_ends_once(customer):
    by = a_contract_admin()
    contract = signing.activate(a_draft(customer, "basic"), by=by, at=SIGNED_AT)

    said = at_once(*[lambda: signing.terminate(contract, by=by, at=SIGNED_AT, reason="Both agreed")] * 3)

    assert said.count("done") == 1
    assert contract.events.filter(verb="terminated").count() == 1
