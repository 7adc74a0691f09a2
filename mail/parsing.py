"""What a raw message says. Pure: bytes in, a `Letter` out; no Django, no database, no clock.

Mail is written by strangers, so nothing here trusts it: reading never raises, never takes long, and never guesses who
wrote. Where a letter is odd, it is read as far as it can be and `Letter.problems` says what was odd.

The standard library finds the parts (`compat32`: `policy.default` raises UnicodeDecodeError on some real mail);
headers, addresses, character sets and file names are read here, because each of them is where hostile mail attacks.
"""

import binascii
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.feedparser import BytesFeedParser
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from mail.addresses import MAX_HEADER, author, recipients
from mail.charsets import base64_octets, clean, decode, decode_words, guess, octets_of, one_line, unfold
from mail.filenames import clean_filename
from mail.html_text import MAX_TEXT, html_to_text

MAX_BYTES = 40 * 1024 * 1024
MAX_TAGS = 10_000  # nh3 is quadratic in the depth of nesting; so many open tags cost it a second
MAX_HEADERS = 1_000
MAX_SUBJECT = 250
MAX_MESSAGE_ID = 250
MAX_REFERENCES = 50
MAX_ATTACHMENTS = 100
MAX_DEPTH = 20
MAX_CONTAINERS = 100
# The library tries every open boundary on every line: this many tries are about two seconds.
MAX_BOUNDARY_TRIES = 5_000_000


@dataclass(frozen=True)
class Attachment:
    """One file of a letter. `content_id` is what an HTML body's `cid:` link names, "" for none. Nothing is unpacked."""

    filename: str
    content_type: str
    payload: bytes
    content_id: str = ""
    is_inline: bool = False


@dataclass(frozen=True)
class TicketToken:
    """A claim that the letter belongs to a ticket; `token` is unproved until compared with the ticket's own.

    Written as `<ticket.10471.TOKEN.anything@host>` in Message-IDs and `support+10471.TOKEN@host` in addresses.
    Relays may change the case of an address, so the token is given in lower case: compare it so.
    """

    number: int
    token: str


@dataclass(frozen=True)
class Letter:
    """A message as read. Texts hold no NUL and no lone surrogate; single-line fields hold no control character."""

    fingerprint: str  # SHA-256 of the raw bytes: the letter's identity where message_id is ""
    message_id: str = ""  # without angle brackets; "" where missing or unusable
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    from_name: str = ""
    from_address: str = ""  # lower case; exactly one, or "" and `problems` says why
    to_addresses: tuple[str, ...] = ()
    cc_addresses: tuple[str, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None  # aware, UTC; the sender's claim
    text: str = ""
    html: str = ""  # as sent, not cleaned: never show it unsanitised; "" where cleaning it would take long
    attachments: tuple[Attachment, ...] = ()
    is_automatic: bool = False
    is_bounce: bool = False
    subject_number: int | None = None  # from `[№ 10471]` or `[#10471]`: a hint, not a proof
    ticket_tokens: tuple[TicketToken, ...] = ()
    authentication_results: tuple[str, ...] = ()  # the topmost is our own server's, if it writes them
    problems: tuple[str, ...] = ()


def parse_letter(raw: bytes) -> Letter:
    """Read a raw RFC 5322 message. Never raises; what cannot be read is left out and named in `problems`."""
    problems: list[str] = []
    try:
        return _read(raw, _parts_of(raw, problems), problems)
    except Exception as error:  # a mailbox must go on: the email package raises anything at all on hostile input
        problems = [f"the letter could not be read in full ({type(error).__name__})"]
    try:
        return _read(raw, _headers_of(raw), problems)
    except Exception as error:
        problems.append(f"the headers could not be read ({type(error).__name__})")
        return Letter(fingerprint=hashlib.sha256(raw).hexdigest(), attachments=(_whole(raw),), problems=tuple(problems))


# --- taking the message apart ---------------------------------------------------------------------------------------

_LONG_PARAMETERS = re.compile(rb"^(content-(?:type|disposition):[^\n]{4000})[^\n]*(?:\n[ \t][^\n]*)*", re.I | re.M)
_FOLDED_PARAMETERS = re.compile(rb"^content-(?:type|disposition):[^\n]*(?:\n[ \t][^\n]*){20,}", re.I | re.M)
# A boundary folded inside its quotes; the library would look for it with the line break.
_FOLDED_BOUNDARY = re.compile(rb'(boundary="[^"\r\n]{1,200})\r?\n([ \t][^"\r\n]{0,200}")', re.I)
_CONTAINER = re.compile(rb"boundary\*?\d?\*?\s*=|message/(?:rfc822|global|partial)", re.I)


def _parts_of(raw: bytes, problems: list[str]) -> Message:
    if len(raw) > MAX_BYTES:
        problems.append(f"the letter is larger than {MAX_BYTES // 1024 // 1024} MB; only its headers were read")
        return _headers_of(raw[:MAX_BYTES])
    containers = len(_CONTAINER.findall(raw))
    if containers > MAX_CONTAINERS or containers * raw.count(b"\n") > MAX_BOUNDARY_TRIES:
        problems.append("the letter has too many nested parts; only its headers were read")
        return _headers_of(raw)
    # The library's reading of parameters is quadratic in their length.
    raw = _LONG_PARAMETERS.sub(rb"\1", raw)
    raw = _FOLDED_PARAMETERS.sub(lambda match: match[0][:4000].split(b"\n")[0], raw)
    raw = _FOLDED_BOUNDARY.sub(rb"\1\2", raw)
    # Not message_from_bytes: that rewrites CRLF, also inside attachments.
    parser = BytesFeedParser(policy=policy.compat32)
    parser.feed(raw)
    return parser.close()


def _headers_of(raw: bytes) -> Message:
    """The headers alone, with the whole letter as its one attachment when the body is not plain text."""
    ends = [position for position in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n")) if position >= 0]
    head = raw[: min(ends)] if ends else raw[:MAX_HEADER]
    message = BytesHeaderParser(policy=policy.compat32).parsebytes(head + b"\n\n")
    message.unread = True  # type: ignore[attr-defined]
    return message


def _whole(raw: bytes) -> Attachment:
    return Attachment("letter.eml", "message/rfc822", raw)


def _read(raw: bytes, message: Message, problems: list[str]) -> Letter:
    headers = _headers(message, problems)

    def first(name: str) -> str:
        return headers.get(name, [""])[0]

    charset = _parameter(first("content-type"), "charset")
    from_name, from_address = author(headers.get("from", []), charset, problems)
    body = _Body(problems)
    if getattr(message, "unread", False):
        body.attachments.append(_whole(raw))
    else:
        body.read(message)
    subject = one_line(decode_words(unfold(first("subject")), charset), MAX_SUBJECT)
    message_id = _message_id(headers, problems)
    references = _ids(first("references"))
    replied_to = _ids(first("in-reply-to"))
    to_addresses = recipients(headers.get("to", []))
    cc_addresses = recipients(headers.get("cc", []))
    delivered_to = recipients([*headers.get("delivered-to", []), *headers.get("x-original-to", [])])
    results = tuple(one_line(unfold(value), 1000) for value in headers.get("authentication-results", [])[:20])
    if results and re.search(r"\bdmarc\s*=\s*fail\b", results[0], re.I):
        problems.append("the sender's domain disowns the letter (DMARC failed)")
    for defect in sorted({type(defect).__name__ for part in body.parts for defect in part.defects}):
        problems.append(f"malformed MIME: {defect}")
    is_bounce = _is_bounce(headers, body, from_address, subject)
    return Letter(
        fingerprint=hashlib.sha256(raw).hexdigest(),
        message_id=message_id,
        in_reply_to=replied_to[0] if replied_to else "",
        references=references,
        from_name=from_name,
        from_address=from_address,
        to_addresses=to_addresses,
        cc_addresses=cc_addresses,
        subject=subject,
        sent_at=_sent_at(first("date"), problems),
        text=body.text(),
        html=body.html(),
        attachments=tuple(body.attachments),
        is_automatic=is_bounce or _is_automatic(headers, body, from_address, subject),
        is_bounce=is_bounce,
        subject_number=_subject_number(subject),
        ticket_tokens=_ticket_tokens([*replied_to, *reversed(references)], to_addresses + cc_addresses + delivered_to),
        authentication_results=results,
        problems=tuple(dict.fromkeys(problems)),
    )


# --- headers ----------------------------------------------------------------------------------------------------


def _headers(message: Message, problems: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    count = 0
    for name, value in message.raw_items():
        count += 1
        found.setdefault(str(name).strip().lower(), []).append(str(value)[:MAX_HEADER])
        if len(str(value)) > MAX_HEADER:
            problems.append("a header is too long; its end was not read")
    if count > MAX_HEADERS:
        problems.append(f"the letter has more than {MAX_HEADERS} headers")
    for name in ("subject", "date", "message-id", "to", "in-reply-to", "references"):
        if len(found.get(name, [])) > 1:
            problems.append(f"several {name} headers")
    return found


def _parameter(header: str, name: str) -> str:
    """A plain parameter of a structured header ("" if missing), as sent."""
    match = re.search(rf';\s*{name}\s*=\s*(?:"([^"]*)"|([^\s;"]+))', unfold(header[:4000]), re.I)
    return (match[1] if match[1] is not None else match[2]) if match else ""


def _message_id(headers: dict[str, list[str]], problems: list[str]) -> str:
    values = headers.get("message-id", [])
    ids = _ids(values[0]) if values else ()
    if not ids:
        problems.append("no usable Message-ID")
    return ids[0] if ids else ""


def _ids(value: str) -> tuple[str, ...]:
    """The message ids in a header, without brackets: the first and the last ones where there are too many."""
    value = unfold(value)
    found = re.findall(r"<([^<>]*)>", value) or value.split()
    found = [re.sub(r"\s+", "", one_line(one, MAX_HEADER)).strip("<>,") for one in found]
    ids = list(dict.fromkeys(one for one in found if 0 < len(one) <= MAX_MESSAGE_ID))
    return tuple(ids if len(ids) <= MAX_REFERENCES else ids[:1] + ids[1 - MAX_REFERENCES :])


def _sent_at(value: str, problems: list[str]) -> datetime | None:
    try:
        moment = parsedate_to_datetime(one_line(unfold(value), 200))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        problems.append("no readable Date")
        return None
    if not 1980 <= moment.year <= 2200:
        problems.append("no readable Date")
        return None
    return moment


# --- which ticket ---------------------------------------------------------------------------------------------------

_SUBJECT_NUMBER = re.compile(r"\[\s*(?:№|#|No\.?|N)\s*(\d{1,9})\s*\]", re.I)
_TOKEN_ID = re.compile(r"ticket\.(\d{1,9})\.([A-Za-z0-9_-]{6,64})(?:\.[^@\s]*)?@")
_TOKEN_ADDRESS = re.compile(r"[^@+\s]+\+(\d{1,9})\.([A-Za-z0-9_-]{6,64})@")


def _subject_number(subject: str) -> int | None:
    match = _SUBJECT_NUMBER.search(subject)
    return int(match[1]) if match else None


def _ticket_tokens(ids: list[str], addresses: tuple[str, ...]) -> tuple[TicketToken, ...]:
    """Likeliest first: what the letter answers, then the rest of the thread, newest first, then where it was sent."""
    matches = [*map(_TOKEN_ID.match, ids), *map(_TOKEN_ADDRESS.match, addresses)]
    return tuple(dict.fromkeys(TicketToken(int(match[1]), match[2].lower()) for match in matches if match))


# --- machines -------------------------------------------------------------------------------------------------------

_MACHINE = re.compile(r"(?:mailer-?daemon|post_?master|mail-?delivery\S*|bounces?|no-?reply|do-?not-?reply)@", re.I)
_AUTOMATIC_SUBJECT = re.compile(
    r"(?:auto(?:matic|mated)?[ -]?(?:reply|response|respond|answer)|auto:|out of (?:the )?office"
    r"|vacation(?: reply)?:|автоответ|автоматический ответ|автоматическая отправка|вне офиса|нет на рабочем месте"
    r"|automatische antwort|abwesenheit|réponse automatique|respuesta automática|risposta automatica)",
    re.I,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|not deliver|deliver\S* fail"
    r"|delivery (?:status|fail|has failed|delay|report|problem|error|notif|incomplete|unsuccess)"
    r"|fail\S* (?:to )?(?:deliver|mail|notice)|mail (?:delivery|error|system error|could not)"
    r"|returned? (?:mail|message|to sender)|bounce|failure notice|message delayed|unzustellbar"
    r"|не ?доставлен|ошибка доставки|невозможно доставить",
    re.I,
)
_BOUNCE_TEXT = re.compile(
    r"could not be delivered|couldn't be delivered|was not delivered|wasn't delivered|not able to deliver"
    r"|unable to deliver|undeliverable|delivery (?:to|of) .{0,80}fail|did not reach|could not deliver"
    r"|permanent (?:fatal )?error|user unknown|unknown user|mailbox (?:is )?full|no such user|не удалось доставить"
    r"|не может быть доставлено|не доставлено|送信できませんでした",
    re.I,
)


def _is_automatic(headers: dict[str, list[str]], body: "_Body", from_address: str, subject: str) -> bool:
    """Whether a program wrote it (RFC 3834 §5, and what mail servers say instead): never answer it automatically."""

    def values(name: str) -> list[str]:
        return [one_line(unfold(value), 200).lower() for value in headers.get(name, [])]

    return (
        any(not value.startswith("no") or value.startswith("noti") for value in values("auto-submitted"))
        or any(re.match(r"bulk|list|junk|auto", value) for value in values("precedence"))
        or any(re.search(r"all|oof|autoreply", value) for value in values("x-auto-response-suppress"))
        or any(
            name in headers
            for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-failed-recipients", "x-mlserver")
        )
        or any(value in ("<>", "") for value in values("return-path"))
        or bool(_MACHINE.match(from_address))
        or any(re.match("mailer-daemon|mail delivery|postmaster", value.lstrip('"<')) for value in values("from"))
        or body.kind("multipart/report", "message/delivery-status", "message/feedback-report")
        or "message/disposition-notification" in body.content_types
        or bool(_AUTOMATIC_SUBJECT.match(re.sub(r"^(?:(?:re|fwd?|aw)\s*:\s*)+", "", subject, flags=re.I)))
    )


def _is_bounce(headers: dict[str, list[str]], body: "_Body", from_address: str, subject: str) -> bool:
    """Whether a mail server says that a letter of ours did not arrive (or not yet). A spam complaint is no bounce."""
    if body.report_type == "feedback-report" or "message/feedback-report" in body.content_types:
        return False
    if body.report_type == "delivery-status" or "message/delivery-status" in body.content_types:
        return True
    if "x-failed-recipients" in headers:
        return True
    sender = " ".join(one_line(unfold(value), 300) for value in headers.get("from", [])[:2])
    returned = [one_line(unfold(value), 100) for value in headers.get("return-path", [])]
    by_machine = (
        bool(_MACHINE.match(from_address))
        or bool(re.search(r"mailer-?daemon|postmaster|mail delivery|<>", sender, re.I))
        or any(value in ("<>", "") for value in returned)
    )
    return by_machine and bool(_BOUNCE_SUBJECT.search(subject) or _BOUNCE_TEXT.search(body.text()[:20_000]))


# --- the body ----------------------------------------------------------------------------------------------------


@dataclass
class _Block:
    """One stretch of the body, in one or two forms of the same."""

    plain: str = ""
    html: str = ""


class _Body:
    """Walks the parts of a message and sorts them into text, HTML and files."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        self.parts: list[Message] = []
        self.content_types: set[str] = set()
        self.report_type = ""
        self.attachments: list[Attachment] = []
        self.blocks: list[_Block] = []
        self._text: str | None = None

    def read(self, message: Message) -> None:
        if message.get_content_type() == "multipart/report":
            self.report_type = _parameter(_raw(message, "content-type"), "report-type").lower()
        self.blocks = self._blocks(message, depth=0)

    def kind(self, *content_types: str) -> bool:
        return not self.content_types.isdisjoint(content_types)

    def text(self) -> str:
        if self._text is None:
            texts = [block.plain if block.plain.strip() else html_to_text(block.html) for block in self.blocks]
            self._text = self._cut("\n\n".join(text.strip("\n") for text in texts if text.strip()))
        return self._text

    def html(self) -> str:
        html = self._cut("\n".join(block.html for block in self.blocks if block.html.strip()))
        if len(re.findall(r"<[A-Za-z]", html)) > MAX_TAGS:
            self.problems.append("the HTML form has too many tags; only its text was read")
            return ""
        return html

    def _cut(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            self.problems.append("the text is too long; its end was not read")
        return text[:MAX_TEXT]

    def _blocks(self, part: Message, *, depth: int) -> list[_Block]:
        self.parts.append(part)
        content_type = part.get_content_type()
        self.content_types.add(content_type)
        if depth > MAX_DEPTH:
            self.problems.append("the letter has too many nested parts; the inner ones were not read")
            return []
        if content_type.startswith("multipart/") and part.is_multipart():
            children = [
                self._blocks(child, depth=depth + 1)  # type: ignore[arg-type]
                for child in part.get_payload()
                if not (content_type == "multipart/signed" and _is_signature(child))  # type: ignore[arg-type]
            ]
            blocks = [block for child in children for block in child]
            if content_type == "multipart/alternative" and blocks:
                plain = next((block.plain for block in blocks if block.plain.strip()), "")
                return [_Block(plain=plain, html="\n".join(block.html for block in blocks if block.html))]
            return blocks
        return self._leaf(part, content_type)

    def _leaf(self, part: Message, content_type: str) -> list[_Block]:
        disposition = unfold(_raw(part, "content-disposition")).partition(";")[0].strip().lower()
        filename = _filename(part)
        is_file = disposition == "attachment" or bool(filename)
        if content_type in ("text/plain", "text/html") and not is_file:
            text = decode(_payload(part), _parameter(_raw(part, "content-type"), "charset"))
            if content_type == "text/html":
                return [_Block(html=clean(text))]
            if _parameter(_raw(part, "content-type"), "format").lower() == "flowed":
                delete_space = _parameter(_raw(part, "content-type"), "delsp").lower() == "yes"
                text = _unflow(clean(text), delete_space=delete_space)
            return [_Block(plain=clean(text))]
        if content_type.startswith("multipart/"):
            # Announced as parts, but no part was found: whatever stands there is text.
            return [_Block(plain=clean(guess(_payload(part))))]
        self._keep(part, content_type, filename, is_inline=disposition != "attachment")
        return []

    def _keep(self, part: Message, content_type: str, filename: str, *, is_inline: bool) -> None:
        if len(self.attachments) >= MAX_ATTACHMENTS:
            self.problems.append(f"more than {MAX_ATTACHMENTS} attachments; the rest was not read")
            return
        try:
            payload = _payload(part)
        except (UnicodeError, LookupError, ValueError):  # writing a broken letter out again
            self.problems.append("an attached letter is too broken to keep")
            return
        if not _is_such_picture(content_type, payload):
            self.problems.append(f"an attachment says it is {content_type}, and is not")
            content_type = "application/octet-stream"
        content_id = (_ids(_raw(part, "content-id")) or ("",))[0]
        if not filename:
            stem = {"message/rfc822": "letter.eml", "message/delivery-status": "delivery-status.txt"}.get(content_type)
            filename = stem or "attachment" + (mimetypes.guess_extension(content_type) or "")
        if not re.fullmatch(r"[a-z0-9.+_-]{1,60}/[a-z0-9.+_-]{1,80}", content_type):
            content_type = "application/octet-stream"
        self.attachments.append(Attachment(filename, content_type, payload, content_id, is_inline and bool(content_id)))


def _is_signature(part: Message) -> bool:
    return part.get_content_type() in (
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    )


def _raw(part: Message, name: str) -> str:
    for key, value in part.raw_items():
        if str(key).strip().lower() == name:
            return str(value)[:MAX_HEADER]
    return ""


def _payload(part: Message) -> bytes:
    """The decoded bytes of a leaf; the bytes of the message inside, for a message inside a message."""
    if part.is_multipart():
        content = part.get_payload()
        clone = policy.compat32.clone(mangle_from_=False, max_line_length=0)
        return b"\n".join(inner.as_bytes(policy=clone) for inner in content)  # type: ignore[union-attr]
    encoding = _raw(part, "content-transfer-encoding").strip().lower()
    # Without the header the library hands the bytes over as they are; with it, it decodes (and may lose) them.
    del part["Content-Transfer-Encoding"]
    octets = part.get_payload(decode=True) or b""
    if not isinstance(octets, bytes):
        return b""
    if encoding == "base64":
        return base64_octets(octets)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _uudecode(octets)
    return octets


def _uudecode(octets: bytes) -> bytes:
    lines = octets.splitlines()
    start = next((at for at, line in enumerate(lines) if re.match(rb"begin [0-7]{3,4} ", line)), None)
    if start is None:
        return octets
    decoded = []
    for line in lines[start + 1 :]:
        if line.strip() in (b"end", b"", b"`"):
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            return octets
    return b"".join(decoded)


def _unflow(text: str, *, delete_space: bool) -> str:
    """Joins the soft line breaks of `format=flowed` (RFC 3676 §4): a line that ends in a space goes on in the next."""
    lines: list[str] = []
    open_depth = -1  # quote depth of a line that goes on, -1 for none
    for line in text.split("\n"):
        marks = re.match(r">*", line)[0]  # type: ignore[index]
        content = line[len(marks) :].removeprefix(" ")
        if open_depth == len(marks) and content != "-- ":
            lines[-1] += content
        else:
            lines.append(f"{marks} {content}" if marks else content)
        if content.endswith(" ") and content != "-- ":
            open_depth = len(marks)
            if delete_space:
                lines[-1] = lines[-1][:-1]
        else:
            open_depth = -1
    return "\n".join(lines)


_PICTURES = {
    "image/png": (b"\x89PNG",),
    "image/jpeg": (b"\xff\xd8",),
    "image/jpg": (b"\xff\xd8",),
    "image/pjpeg": (b"\xff\xd8",),
    "image/gif": (b"GIF8",),
    "image/webp": (b"RIFF",),
}


def _is_such_picture(content_type: str, payload: bytes) -> bool:
    """False where something else (a script in SVG) calls itself a picture that browsers show."""
    return content_type not in _PICTURES or payload.startswith(_PICTURES[content_type])


# --- names of files ----------------------------------------------------------------------------------------------


def _filename(part: Message) -> str:
    for header, name in (("content-disposition", "filename"), ("content-type", "name")):
        found = _extended_parameter(unfold(_raw(part, header)[:4000]), name)
        if found:
            return clean_filename(found) or "attachment"
    return ""


def _extended_parameter(header: str, name: str) -> str:
    """A parameter in any of its spellings: plain, RFC 2047 words (wrong, common) or RFC 2231 (`name*0*=`)."""
    pieces: dict[int, tuple[bool, str]] = {}
    for match in re.finditer(rf';\s*{name}(\*\d{{1,2}})?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', header, re.I):
        value = re.sub(r'\\(["\\])', r"\1", match[3]) if match[3] is not None else match[4].strip().strip('"')
        if not match[1] and not match[2]:
            plain = decode_words(value)
            if plain.strip():
                pieces.setdefault(-1, (False, plain))
        else:
            pieces.setdefault(int(match[1][1:]) if match[1] else 0, (bool(match[2]), value))
    numbered = [pieces[number] for number in sorted(pieces) if number >= 0]
    if not numbered:
        return pieces[-1][1] if pieces else ""
    charset, octets = "", b""
    for position, (is_encoded, value) in enumerate(numbered):
        if is_encoded and position == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets += unquote_to_bytes(octets_of(value)) if is_encoded else octets_of(value)
    return decode(octets, charset) if charset else decode_words(octets.decode("utf-8", "surrogateescape"))
