"""`manage.py receive_mail`: one line for each letter, and an exit code that a mail server understands."""

import io
import os
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from mail.models import InboundLetter
from tests.factories import a_contact, a_customer, contact_of
from tests.raw_letters import CASES, REAL, a_letter, needs_cases, sender_of
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Any:
    with translation.override("en"):
        yield


def receive_mail(*files: object) -> str:
    out = io.StringIO()
    call_command("receive_mail", *map(str, files), stdout=out, stderr=out)
    return out.getvalue()


def test_receive_mail_prints_what_became_of_each_file(tmp_path: Path):
    contact = contact_of(a_customer())
    (tmp_path / "a.eml").write_bytes(a_letter(contact.email, Message_ID="<a@customer.example>"))
    (tmp_path / "b.eml").write_bytes(a_letter("who@else.example", Message_ID="<b@customer.example>"))
    (tmp_path / "c.eml").write_bytes(a_letter(contact.email, Auto_Submitted="auto-replied", Message_ID="<c@c.example>"))

    printed = receive_mail(tmp_path / "a.eml", tmp_path / "b.eml", tmp_path / "c.eml").splitlines()

    assert printed[0] == f"{tmp_path}/a.eml: {word('ticket')} № {Ticket.objects.get().number}"
    assert printed[1].startswith(f"{tmp_path}/b.eml: {word('held')} (")
    assert printed[2].startswith(f"{tmp_path}/c.eml: {word('ignored')} (")
    assert len(printed) == 3


def word(outcome: str) -> str:
    return str(InboundLetter.Outcome(outcome).label)


def test_receive_mail_reads_a_letter_from_the_standard_input(monkeypatch: pytest.MonkeyPatch):
    contact = contact_of(a_customer())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(a_letter(contact.email))))

    printed = receive_mail("-")

    assert printed == f"-: {word('ticket')} № {Ticket.objects.get().number}\n"


def test_receive_mail_fails_where_one_letter_failed_and_takes_the_others(tmp_path: Path, settings: Any):
    contact = contact_of(a_customer())
    with_file = EmailMessage()
    with_file["From"], with_file["Message-ID"] = contact.email, "<png@customer.example>"
    with_file.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    (tmp_path / "bad.eml").write_bytes(with_file.as_bytes())
    (tmp_path / "good.eml").write_bytes(a_letter(contact.email))
    (tmp_path / "full").write_text("a file where the folder should be")
    settings.MEDIA_ROOT = tmp_path / "full"

    with pytest.raises(CommandError):
        receive_mail(tmp_path / "bad.eml", tmp_path / "missing.eml", tmp_path / "good.eml")

    assert {letter.message_id: letter.outcome for letter in InboundLetter.objects.all()} == {
        "png@customer.example": "failed",
        "one@customer.example": "ticket",
    }


@needs_cases
def test_receive_mail_takes_real_letters_of_a_contact():
    files = [CASES / "mail" / name for name in REAL]
    for address in {sender_of(file.read_bytes()) for file in files}:
        customer = a_customer("basic")
        customer.contacts.all().delete()
        a_contact(customer, email=address)

    printed = receive_mail(*files)

    assert [line.partition(": ")[2].partition(" №")[0] for line in printed.splitlines()] == [word("ticket")] * len(REAL)
    assert Ticket.objects.count() == len(REAL)
    assert os.linesep not in "".join(ticket.subject for ticket in Ticket.objects.all())
