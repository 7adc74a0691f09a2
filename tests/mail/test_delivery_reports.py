"""Reports of mail servers about letters that did not arrive."""

import pytest

from mail.delivery_reports import MAX_WORDS, Report, read_report
from mail.parsing import parse_letter
from tests.raw_letters import CASES, needs_cases

FULL = b"Action: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 5.2.2 The mailbox\r\n  is full\r\nX: y\r\n"


@pytest.mark.parametrize(
    ("raw", "report"),
    [
        (FULL, Report(True, "552 5.2.2 The mailbox is full")),
        (b"Action: delayed\nDiagnostic-Code: smtp; 451 try later\n", Report(False, "451 try later")),
        (b"Action: delayed\nAction: failed\nStatus: 5.1.1\n", Report(True, "5.1.1")),
        (b"Action: relayed\n", Report(False, "")),
        (b"The mailbox is full.\n", Report(True, "")),
        (b"Action:\nDiagnostic-Code:\n", Report(True, "")),
        (b"diagnostic-code: X-Postfix; unknown\x00 user \xff\n", Report(True, "unknown user \ufffd")),
        (b"Subject: said Action: delayed\n", Report(True, "")),
    ],
)
def test_report_is_read(raw: bytes, report: Report):
    assert read_report(raw) == report


def test_words_are_bounded_and_one_line():
    said = read_report(b"Diagnostic-Code: smtp; " + b"long\r\n " * 100_000).said

    assert len(said) <= MAX_WORDS
    assert "\n" not in said


@needs_cases
def test_bounces_of_real_servers_are_final_and_delays_are_not():
    letters = {path.name: path.read_bytes() for path in (CASES / "mail" / "sisimai").glob("lhost-*.eml")}
    bounces = {name: read_report(raw) for name, raw in letters.items() if parse_letter(raw).is_bounce}
    waiting = {name for name, report in bounces.items() if not report.is_final}

    assert len(bounces) > 50
    for name in waiting:
        assert b"failed" not in letters[name].lower().partition(b"action:")[2][:40], name
    assert len(waiting) < len(bounces) / 10, waiting
    assert sum(bool(report.said) for report in bounces.values()) > len(bounces) / 3
