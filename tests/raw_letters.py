"""Raw letters for tests: one that a person writes, and real ones of the shared cases."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from mail.parsing import parse_letter

CASES = Path(__file__).resolve().parents[1].parent / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not beside this checkout")

REAL = (
    "talon/gmail.eml",
    "talon/outlook.eml",
    "talon/yahoo.eml",
    "chatwoot/only_html.eml",
    "chatwoot/html_and_attachments.eml",
    "chatwoot/mail_with_no_subject.eml",
    "flanker/bilingual-simple.eml",
    "flanker/russian-attachment-yahoo.eml",
    "django-helpdesk/all-special-chars.eml",
    "django-helpdesk/utf-nondecodable.eml",
    "mail-parser/mail_test_1.eml",
    "ruby-mail/attachment_emails-attachment_nonascii_filename.eml",
)


def a_letter(sender: str, text: str = "Не открывается журнал.", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = headers.pop("To", "support@helpdesk.example")
    message["Subject"] = headers.pop("Subject", "Журнал")
    message["Message-ID"] = headers.pop("Message_ID", "<one@customer.example>")
    message["Date"] = "Tue, 17 Nov 2026 09:59:58 +0300"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def sender_of(raw: bytes) -> str:
    return parse_letter(raw).from_address
