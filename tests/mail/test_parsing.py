"""What a raw message says: the corpus of 500 real letters, 24 attacks, and the rules one by one."""

import json
import random
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mail.filenames import MAX_FILENAME, clean_filename
from mail.html_text import html_to_text
from mail.parsing import MAX_SUBJECT, Letter, TicketToken, parse_letter
from mail.quoting import split_reply

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
NOT_HERE = "the shared cases are not here: ../shared/cases"

needs_corpus = pytest.mark.skipif(not (CASES / "mail" / "manifest.json").exists(), reason=NOT_HERE)
needs_attacks = pytest.mark.skipif(not (CASES / "attack_mail" / "manifest.json").exists(), reason=NOT_HERE)

# (file, key of the manifest): why ours is otherwise.
DISAGREED = {
    ("chatwoot/in_reply_to.eml", "in_reply_to"): "the peer prefers References; both headers are kept apart here",
    ("chatwoot/multiple_attachments.eml", "attachment_count"): "15 is the peer's limit; the letter carries 30",
    ("django-helpdesk/quoted_printable.eml", "attachment_count"): "the peer saves the HTML body as a file",
    ("mail-mime-parser/m0018.eml", "attachment_count"): "uuencoded text outside MIME stays text, as it was sent",
    ("mail-mime-parser/m1009.eml", "attachment_count"): "a text file with a name is a file, also when inline",
    ("mail-mime-parser/m1015.eml", "attachment_count"): "a text file with a name is a file, also when inline",
    ("mail-mime-parser/m1016.eml", "attachment_count"): "a text file with a name is a file, also when inline",
    ("mail-mime-parser/m4008.eml", "attachment_count"): "the peer's test is of an unverified signature; ours reads it",
    ("mail-mime-parser/m4008.eml", "has_html"): "the peer's test is of an unverified signature; ours reads it",
    ("mail-mime-parser/m0022.eml", "has_html"): "there is an HTML body; the peer's test names none because it is empty",
    ("mail-mime-parser/m0010.eml", "from_email"): "two From headers: nobody is the author (attack mail-2from)",
    ("mail-mime-parser/m0010.eml", "from_name"): "two From headers: nobody is the author (attack mail-2from)",
    ("mail-mime-parser/m1011.eml", "subject"): "UTF-7 in a raw header is a way past filters; it stays as sent",
    ("sisimai/lhost-fml-02.eml", "is_bounce"): "a mailing list refuses a member; automatic, but no delivery failed",
    ("sisimai/lhost-fml-03.eml", "is_bounce"): "a mailing list's loop alarm; automatic, but no delivery failed",
    ("sisimai/rb-issue-368-bug.eml", "is_bounce"): "it is a bounce; the peer's test records that it was not decoded",
}


def _letter(*lines: str | bytes) -> Letter:
    return parse_letter(b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines))


def _assert_fit_for_the_database(letter: Letter) -> None:
    lines = [letter.subject, letter.from_name, letter.from_address, letter.message_id, letter.in_reply_to]
    lines += [*letter.references, *letter.to_addresses, *letter.cc_addresses]
    for attachment in letter.attachments:
        lines += [attachment.filename, attachment.content_type, attachment.content_id]
        assert 0 < len(attachment.filename) <= MAX_FILENAME
        assert not set(attachment.filename) & set('/\\:<>"|?*')
        assert isinstance(attachment.payload, bytes)
    for line in lines:
        assert not any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in line), repr(line)
    for text in [letter.text, letter.html, *lines]:
        assert "\0" not in text
        text.encode("utf-8")  # no lone surrogate
    assert len(letter.subject) <= MAX_SUBJECT
    assert letter.from_address or any("From" in problem or "header" in problem for problem in letter.problems)
    assert letter.sent_at is None or letter.sent_at.tzinfo is UTC
    hash(letter)


# --- the corpus -------------------------------------------------------------------------------------------------------


def _facts(letter: Letter, expected: dict) -> dict:
    """What the letter says for the keys of the manifest that mean something here."""
    facts = {
        "subject": letter.subject,
        "from_email": letter.from_address,
        "from_name": letter.from_name,
        "in_reply_to": letter.in_reply_to or None,
        "references": list(letter.references),
        "attachment_count": len(letter.attachments),
        "has_html": bool(letter.html),
        "is_bounce": letter.is_bounce,
        "is_auto_reply": letter.is_automatic,
        "is_vacation": letter.is_automatic and not letter.is_bounce,
        "is_feedback_report": letter.is_automatic and not letter.is_bounce,
        "is_report": letter.is_automatic,
        "body_empty": letter.text == "",
        "body_text": letter.text.strip(),
        "attachments": [{"name": attachment.filename} for attachment in letter.attachments],
        "charset_trap": "\ufffd" not in letter.subject + letter.text,
    }
    if "body_contains" in expected:
        both = " ".join((letter.text + html_to_text(letter.html)).split())
        facts["body_contains"] = [part for part in expected["body_contains"] if part in both]
    if "body_text_prefix" in expected:
        facts["body_text_prefix"] = letter.text[: len(expected["body_text_prefix"])]
    if "has_quote" in expected:
        facts["has_quote"] = expected["has_quote"] if expected["has_quote"] in letter.text else ""
    if "date" in expected and letter.sent_at:
        moment = datetime.fromisoformat(expected["date"])
        facts["date"] = expected["date"] if letter.sent_at == moment else letter.sent_at.isoformat()
    if "reply_text" in expected:
        # Whether the signature belongs to the reply is a matter of taste.
        reply = split_reply(letter.text)[0]
        facts["reply_text"] = expected["reply_text"] if expected["reply_text"].startswith(reply) and reply else reply
    return facts


@needs_corpus
def test_parse_letter_reads_the_corpus_as_the_peers_do():
    messages = json.loads((CASES / "mail" / "manifest.json").read_text(encoding="utf-8"))["messages"]
    differences, checked, slowest = {}, 0, 0.0
    for message in messages:
        raw = (CASES / "mail" / message["file"]).read_bytes()
        started = time.process_time()
        letter = parse_letter(raw)
        slowest = max(slowest, time.process_time() - started)
        _assert_fit_for_the_database(letter)
        assert not any("could not be read" in problem for problem in letter.problems), message["file"]
        expected = message.get("expected", {})
        facts = _facts(letter, expected)
        for key in expected.keys() & facts.keys():
            checked += 1
            wanted = " ".join(expected[key].split()) if key == "subject" else expected[key]
            if facts[key] != wanted:
                differences[message["file"], key] = (facts[key], wanted)

    agreed = checked - len(differences)
    print(
        f"\nmail corpus: {len(messages)} letters, {agreed} of {checked} facts ({agreed / checked:.1%}), {slowest:.2f} s"
    )
    assert slowest < 2
    assert {key: found for key, found in differences.items() if key not in DISAGREED} == {}
    assert DISAGREED.keys() - differences.keys() == set()


@needs_corpus
def test_parse_letter_survives_broken_pieces_of_the_corpus():
    """Random damage, the same on every run: cut, spliced and flipped letters."""
    chance = random.Random(20260101)
    files = sorted((CASES / "mail").glob("*/*.eml"))
    letters = [path.read_bytes()[:20_000] for path in chance.sample(files, 150)]
    for raw in letters:
        other = chance.choice(letters)
        damaged = bytearray(raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :])
        for _ in range(30):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        started = time.process_time()

        letter = parse_letter(bytes(damaged))

        assert time.process_time() - started < LONG
        _assert_fit_for_the_database(letter)
        split_reply(letter.text)


# --- the attacks ------------------------------------------------------------------------------------------------------


# Seconds of CPU: what grows with the square of a letter takes minutes, what is well takes one on a busy machine.
LONG = 6


def _attack(name: str) -> Letter:
    started = time.process_time()
    letter = parse_letter((CASES / "attack_mail" / f"{name}.eml").read_bytes())
    assert time.process_time() - started < LONG
    _assert_fit_for_the_database(letter)
    return letter


@needs_attacks
def test_parse_letter_reads_every_attack_without_taking_long():
    names = [path.stem for path in sorted((CASES / "attack_mail").glob("*.eml"))]

    assert len([_attack(name) for name in names]) == 24


@needs_attacks
def test_attack_of_two_authors_has_no_author():
    letter = _attack("two-from")

    assert (letter.from_address, letter.from_name) == ("", "")
    assert "several From headers" in letter.problems


@needs_attacks
def test_attack_with_a_cyrillic_letter_in_the_address_has_no_author():
    letter = _attack("smtputf8-homoglyph")

    assert letter.from_address == ""
    assert "the address in From mixes alphabets, as a forged one does" in letter.problems


@needs_attacks
def test_attack_through_line_breaks_in_the_subject_leaves_one_line():
    assert _attack("crlf-subject").subject == "Hi Bcc: all@victims.example X-Evil: 1"


@needs_attacks
def test_attack_through_file_names_leaves_plain_labels():
    names = [attachment.filename for attachment in _attack("filename-traversal").attachments]

    assert names[:4] == ["settings.py", "x.dll", "x", "x.bat"]
    assert "line1 line2.txt" in names
    assert not any(name.startswith(".") or ".." in name for name in names)


@needs_attacks
def test_attack_by_script_in_a_picture_is_no_picture():
    (picture,) = _attack("svg-as-jpeg").attachments

    assert picture.content_type == "application/octet-stream"


@needs_attacks
def test_attack_by_deep_parts_is_kept_whole_as_a_file():
    letter = _attack("mime-depth")

    assert [attachment.filename for attachment in letter.attachments] == ["letter.eml"]
    assert (letter.from_address, letter.subject) == ("a@b.example", "deep")


@needs_attacks
def test_attack_by_nul_and_undecodable_bytes_leaves_text():
    nul, surrogates = _attack("nul-bytes"), _attack("surrogates")

    assert (nul.subject, nul.message_id) == ("nul byte", "nul@b.example")
    assert nul.text.startswith("body")
    assert surrogates.text == "Привет"


@needs_attacks
@pytest.mark.parametrize(("name", "is_bounce"), [("vacation", False), ("null-sender", True), ("sso-code", False)])
def test_attack_by_a_machine_is_known_as_automatic(name, is_bounce):
    letter = _attack(name)

    assert (letter.is_automatic, letter.is_bounce) == (True, is_bounce)


@needs_attacks
def test_attack_with_foreign_references_claims_no_ticket_by_token():
    for name in ("stranger-references", "agent-token-forgery", "plus-address-token-guess", "cc-spoof"):
        assert _attack(name).ticket_tokens == ()
    assert _attack("cc-spoof").problems == ("the sender's domain disowns the letter (DMARC failed)",)


@needs_attacks
def test_attack_by_zip_is_stored_as_it_came():
    (archive,) = _attack("zip-bomb").attachments

    assert (archive.filename, archive.payload[:2]) == ("docs.zip", b"PK")


@needs_attacks
def test_letter_without_message_id_has_a_fingerprint():
    letter = _attack("no-message-id")

    assert letter.message_id == ""
    assert len(letter.fingerprint) == 64


# --- the author -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "name", "address"),
    [
        ("Ivan@Romashka.Example", "", "ivan@romashka.example"),
        ("Ivan Petrov <ivan@x.example>", "Ivan Petrov", "ivan@x.example"),
        ('"Petrov, Ivan" <ivan@x.example>', "Petrov, Ivan", "ivan@x.example"),
        ("ivan@x.example (Ivan Petrov)", "Ivan Petrov", "ivan@x.example"),
        ("=?utf-8?b?0JjQstCw0L0=?= <ivan@x.example>", "Иван", "ivan@x.example"),
        ("=?koi8-r?q?=E9=D7=C1=CE?= =?koi8-r?q?_=F0=2E?= <ivan@x.example>", "Иван П.", "ivan@x.example"),
        ("Иван <ivan@x.example>", "Иван", "ivan@x.example"),
        ("иван@почта.рф", "", "иван@почта.рф"),
    ],
)
def test_from_is_one_name_and_one_address(header, name, address):
    letter = _letter(f"From: {header}", "", "x")

    assert (letter.from_name, letter.from_address) == (name, address)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "<>",
        "nobody",
        "a@x.example, b@x.example",
        "a@x.example)b@y.example",
        "a@x.example(c)b@y.example",
        "<a@x.example><b@y.example>",
        "<a@x.example> <b@y.example>",
        "a@x.example <b@y.example",
        '"a@x.example" b@y.example',
        "a b@x.example",
        "a@@x.example",
        "a@x..example",
        "a@x.example\0",
        "\u212aate@x.example",
        "ｋate@x.example",
        "а@x.example, <b@x.example>",
        "раypal@x.example",
    ],
)
def test_from_that_can_be_read_in_two_ways_is_nobody(header):
    letter = _letter(f"From: {header}", "", "x")

    assert letter.from_address == ""
    assert any("From" in problem for problem in letter.problems)


def test_a_name_that_shows_another_address_is_a_problem():
    letter = _letter('From: "boss@x.example" <a@evil.example>', "", "x")

    assert letter.from_address == "a@evil.example"
    assert "the name in From shows another address" in letter.problems


def test_recipients_are_read_once_each():
    letter = _letter("From: a@x.example", "To: S <s@d.example>, team: b@x.example, S@D.example;", "Cc: c@x.example", "")

    assert letter.to_addresses == ("s@d.example", "b@x.example")
    assert letter.cc_addresses == ("c@x.example",)


# --- subject, date, thread --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"=?UTF-8?B?0J7RgtGH0ZHRgg==?=", "Отчёт"),
        (b"=?UTF-8?B?0J7RgtGH0Q==?=\r\n =?UTF-8?B?kdGC?=", "Отчёт"),  # a letter cut between two words
        (b"=?windows-1251?Q?=CE=F2=F7=B8=F2?= =?utf-8*ru?q?_2?=", "Отчёт 2"),
        (b"=?koi8-r?B?7w==?= x =?koi8-r?B?7w==?=", "О x О"),
        ("Отчёт".encode(), "Отчёт"),
        ("Отчёт открыт".encode("cp1251"), "Отчёт открыт"),
        ("Отчёт открыт".encode("koi8-r"), "Отчёт открыт"),
        (b"=?no-such-charset?Q?abc?= =?punycode?Q?abc?=", "abcabc"),
        (b"=?utf-8?B?!!!!?= =?utf-8?B?0?=", ""),
        (b"folded\r\n\tsubject", "folded subject"),
        (b"a\x0bb\xe2\x80\xaec", "a bc"),
        (b"x" * 2000, "x" * (MAX_SUBJECT - 1) + "…"),
    ],
)
def test_subject_is_one_decoded_line(header, subject):
    assert _letter("From: a@x.example", b"Subject: " + header, "", "x").subject == subject


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Fri, 12 Apr 2024 15:30:00 +0300", datetime(2024, 4, 12, 12, 30, tzinfo=UTC)),
        ("12 Apr 2024 15:30:00 -0000", datetime(2024, 4, 12, 15, 30, tzinfo=UTC)),
        ("Fri, 12 Apr 2024 15:30:00", datetime(2024, 4, 12, 15, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("Fri, 99 Apr 2024 15:30:00 +0300", None),
        ("Fri, 12 Apr 2024 15:30:00 +9999999999", None),
        ("Fri, 12 Apr 1904 15:30:00 +0300", None),
        ("", None),
    ],
)
def test_sent_at_is_utc_or_none(header, moment):
    assert _letter("From: a@x.example", f"Date: {header}", "", "x").sent_at == moment


def test_tokens_come_from_the_answered_letter_the_thread_and_the_address():
    letter = _letter(
        "From: a@x.example",
        "To: Support <support+10471.ABCDef12@desk.example>",
        "Delivered-To: support+7.zzzzzzzz@desk.example",
        "In-Reply-To: <ticket.10471.abcdef12.55@desk.example>",
        "References: <other@x.example>\r\n <ticket.10471.abcdef12@desk.example> <ticket.9.k2345678.1@desk.example>",
        "Subject: Re: [=?utf-8?b?4oSW?= 10471] x",
        "",
        "x",
    )

    assert letter.ticket_tokens == (
        TicketToken(10471, "abcdef12"),
        TicketToken(9, "k2345678"),
        TicketToken(7, "zzzzzzzz"),
    )
    assert letter.subject_number == 10471
    assert letter.in_reply_to == "ticket.10471.abcdef12.55@desk.example"
    assert len(letter.references) == 3


@pytest.mark.parametrize(
    ("subject", "number"),
    [("[№ 10471] x", 10471), ("Re: [#10471]", 10471), ("[# 1]", 1), ("№ 10471", None), ("[#" + "9" * 30 + "]", None)],
)
def test_subject_number_is_in_brackets(subject, number):
    assert _letter("From: a@x.example", f"Subject: {subject}", "", "x").subject_number == number


def test_a_message_id_too_long_to_keep_is_none():
    letter = _letter("From: a@x.example", f"Message-ID: <{'a' * 300}@x.example>", "", "x")

    assert letter.message_id == ""
    assert "no usable Message-ID" in letter.problems


# --- machines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Precedence: bulk",
        "Precedence: list",
        "Precedence: junk",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
        "Return-Path: <>",
        "Subject: Автоответ: отчёт",
        "Subject: Re: Out of office",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ],
)
def test_a_machine_is_known_by_one_sign(header):
    assert _letter("From: a@x.example", header, "", "x").is_automatic


@pytest.mark.parametrize("header", ["Auto-Submitted: no", "Precedence: first-class", "Return-Path: <a@x.example>"])
def test_a_person_is_not_taken_for_a_machine(header):
    assert not _letter("From: a@x.example", header, "Subject: Автоматика не работает", "", "x").is_automatic


# --- text, HTML, files ------------------------------------------------------------------------------------------------


def _multipart(kind: str, *parts: str) -> Letter:
    head = ["From: a@x.example", "MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="b"', ""]
    return _letter(*head, *[line for part in parts for line in ("--b", part)], "--b--", "")


PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n"


def test_text_is_the_plain_form_of_an_alternative():
    letter = _multipart("alternative", PLAIN + "Привет", HTML + "<p>Привет, <b>HTML</b></p>")

    assert letter.text == "Привет"
    assert letter.html.strip() == "<p>Привет, <b>HTML</b></p>"


def test_text_is_made_from_html_where_the_plain_form_is_empty():
    letter = _multipart("alternative", PLAIN + " ", HTML + "<p>Один</p><ul><li>два</li></ul>три<br>четыре")

    assert letter.text == "Один\n\n- два\n\nтри\nчетыре"


def test_text_of_several_parts_is_joined_and_named_text_is_a_file():
    named = 'Content-Type: text/plain; name="log.txt"\r\nContent-Disposition: inline; filename="log.txt"\r\n\r\n10:15'

    letter = _multipart("mixed", PLAIN + "до", named, HTML + "<p>после</p>")

    assert letter.text == "до\n\nпосле"
    assert [(one.filename, one.payload.strip()) for one in letter.attachments] == [("log.txt", b"10:15")]


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=windows-1251", "Привет".encode("cp1251"), "Привет"),
        ("text/plain; charset=windows-1251", "Привет".encode(), "Привет"),  # mislabelled, the sort seen most
        ("text/plain; charset=no-such", "Привет".encode(), "Привет"),
        ('text/plain; charset="a\'b\0"', "Привет".encode(), "Привет"),
        ("text/plain; charset=unicode_escape", rb"\ud800", r"\ud800"),
        ("text/plain", "Привет всем".encode("koi8-r"), "Привет всем"),
        ("text/plain; charset=utf-8", b"a\0b\xff", "ab\ufffd"),
        ("text/plain; format=flowed", b"one \r\ntwo\r\n> q \r\n> r\r\n-- \r\nme", "one two\n> q r\n-- \nme"),
        ("text/plain; format=flowed; delsp=yes", b"one \r\ntwo", "onetwo"),
        ("multipart/mixed; boundary=b", b"no parts", "no parts"),
    ],
)
def test_text_is_read_in_the_likeliest_charset(content_type, body, text):
    assert _letter("From: a@x.example", f"Content-Type: {content_type}", "", body).text == text


def test_html_text_marks_quotes_names_links_and_drops_scripts():
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body>Смотрите <a href='https://x.example/a'>сюда</a>"
        "<script>alert(1)</script><!-- c --><img alt='схема' src='cid:1'><blockquote>было<blockquote>ещё раньше"
        "</blockquote></blockquote><table><tr><td>а</td><td>б</td></tr></table><pre>x\n  y</pre></body></html>"
    )

    assert html_to_text(html) == ("Смотрите сюда (https://x.example/a)[схема]\n> было\n>> ещё раньше\n\nа б\n\nx\n  y")


def test_attachment_keeps_its_bytes_and_its_content_id():
    picture = (
        'Content-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <pic@x>\r\n\r\n'
        "iVBORw0KGgo="
    )

    letter = _multipart("related", HTML + '<img src="cid:pic@x">', picture)

    (attachment,) = letter.attachments
    assert (attachment.filename, attachment.content_type) == ("a.png", "image/png")
    assert (attachment.content_id, attachment.is_inline) == ("pic@x", True)
    assert attachment.payload == b"\x89PNG\r\n\x1a\n"


def test_an_attached_letter_is_a_file_and_not_read_into_this_one():
    inner = "Content-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\nSubject: inner\r\n\r\nold text"

    letter = _multipart("mixed", PLAIN + "new text", inner)

    assert letter.text == "new text"
    assert [one.filename for one in letter.attachments] == ["letter.eml"]
    assert b"old text" in letter.attachments[0].payload


@pytest.mark.parametrize(
    ("parameter", "filename"),
    [
        ('filename="отчёт.pdf"', "отчёт.pdf"),
        ('filename="=?utf-8?b?0L7RgtGH0ZHRgi5wZGY=?="', "отчёт.pdf"),
        ("filename*=utf-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf", "отчёт.pdf"),
        ("filename*0*=utf-8''%D0%BE%D1%82;\r\n filename*1*=%D1%87%D1%91%D1%82;\r\n filename*2=.pdf", "отчёт.pdf"),
        ("filename*=no-such''a%FFb%98.pdf", "a\ufffdb\ufffd.pdf"),
        ('filename="a\\"b.pdf"', "a_b.pdf"),
        ("filename=a b.pdf", "a b.pdf"),
    ],
)
def test_filename_is_read_in_every_spelling(parameter, filename):
    part = f"Content-Type: application/pdf\r\nContent-Disposition: attachment; {parameter}\r\n\r\nx"

    assert _multipart("mixed", part).attachments[0].filename == filename


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.bat", "x.bat"),
        ("\0a\r\nb\t.txt", "a b .txt"),
        (".htaccess", "htaccess"),
        ("con.txt", "_con.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("и\u0306.txt", "й.txt"),
        ("я" * 300 + ".docx", "я" * 115 + ".docx"),
        ("a" * 300, "a" * 120),
        ("...", ""),
    ],
)
def test_clean_filename_is_a_safe_label(name, label):
    assert clean_filename(name) == label


# --- size and shape ---------------------------------------------------------------------------------------------------

MANY_PARTS = b"".join(b"--b\r\n\r\nx\r\n" for _ in range(20_000))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\0" * 1000,
        b"From",
        b"no headers at all",
        bytes(range(256)) * 50,
        b"From: " + b"(" * 500_000,
        b"From: " + b"a@x.example," * 50_000,
        b"To: " + b"<" * 500_000,
        b"Subject: " + b"=?utf-8?q?" * 50_000,
        b"References: " + b"<a@b> " * 100_000,
        b"Content-Type: text/plain" + b';a="b' * 200_000 + b"\n\nx",
        b"Content-Type: text/plain" + b';\n a="b' * 100_000 + b"\n\nx",
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 500_000 + b"\n\nx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + MANY_PARTS,
        b"Content-Type: message/rfc822\n\n" * 5_000,
        b"Content-Type: text/html\n\n" + b"<div>" * 200_000,
        b"Content-Type: text/html\n\n" + b"<a href='x" * 100_000,
        b"Content-Type: text/html\n\n" + b"<!--" * 200_000,
        b"Content-Type: text/html\n\n" + b"<b><i>" * 100_000,
        b"Content-Type: text/html\n\n" + b"<blockquote>\n" * 50_000,
        b"Content-Type: text/html\n\n&#" + b"9" * 500_000,
        b"Content-Type: text/html\n\n" + b"<svg>" * 100_000,
        b"Content-Type: text/plain; charset=\xff\xfe\n\nx\xff",
        b"Content-Transfer-Encoding: base64\n\n" + b"=" * 500_000,
        b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + b"\xff" * 500_000,
    ],
    ids=range(26),
)
def test_parse_letter_reads_anything_without_taking_long(raw):
    started = time.process_time()

    letter = parse_letter(raw)

    assert time.process_time() - started < LONG
    _assert_fit_for_the_database(letter)
