"""What a raw message says. Pure: bytes in, a `Letter` out; no Django, no database, no clock.

Mail is written by strangers, so nothing here trusts it: reading never raises, never takes long, and never guesses who
wrote. Where a letter is odd, it is read as far as it can be and `Letter.problems` says what was odd.

The standard library finds the parts (`compat32`: `policy.default` raises UnicodeDecodeError on some real mail);
headers, addresses, character sets and file names are read here, because each of them is where hostile mail attacks.
"""

import binascii
import codecs
import hashlib
import mimetypes
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.feedparser import BytesFeedParser
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import unquote_to_bytes

MAX_BYTES = 40 * 1024 * 1024
MAX_TEXT = 1_000_000  # characters, of the text and of the HTML
MAX_TAGS = 10_000  # nh3 is quadratic in the depth of nesting; so many open tags cost it a second
MAX_HEADER = 20_000  # characters of one header that are looked at
MAX_HEADERS = 1_000
MAX_SUBJECT = 250
MAX_NAME = 150
MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3
MAX_MESSAGE_ID = 250
MAX_REFERENCES = 50
MAX_RECIPIENTS = 200
MAX_FILENAME = 120
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
    from_name, from_address = _author(headers.get("from", []), charset, problems)
    body = _Body(problems)
    if getattr(message, "unread", False):
        body.attachments.append(_whole(raw))
    else:
        body.read(message)
    subject = _one_line(_decode_words(_unfold(first("subject")), charset), MAX_SUBJECT)
    message_id = _message_id(headers, problems)
    references = _ids(first("references"))
    replied_to = _ids(first("in-reply-to"))
    to_addresses = _recipients(headers.get("to", []))
    cc_addresses = _recipients(headers.get("cc", []))
    delivered_to = _recipients([*headers.get("delivered-to", []), *headers.get("x-original-to", [])])
    results = tuple(_one_line(_unfold(value), 1000) for value in headers.get("authentication-results", [])[:20])
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


# --- texts and character sets ---------------------------------------------------------------------------------------

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# Turn the reading direction round: "gpj.exe" shown as "exe.jpg".
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CHARSETS = {
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
}
# Codecs that are not character sets; some of them are quadratic.
_NOT_CHARSETS = {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"}
_SINGLE_BYTE = re.compile(r"cp125|koi8|iso8859|mac")
_ASCII = {"", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default", "8bit", "7bit", "binary"}


def _clean(text: str) -> str:
    """Without what PostgreSQL refuses (NUL, surrogates) and what no reader sees; lines end in LF; NFC."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub("", text))


def _one_line(text: str, limit: int) -> str:
    """`text` on one line, without direction marks, at most `limit` characters."""
    text = _DIRECTION.sub("", _clean(_CONTROLS.sub(" ", text[: limit * 20])))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _decode(content: bytes, charset: str) -> str:
    """`content` in `charset`; where the label is missing, unknown or wrong, the likeliest reading. Never raises."""
    label = charset.split("*")[0].strip(" \t\"'").lower()
    if label in _ASCII:
        return _guess(content)
    try:
        codec = codecs.lookup(_CHARSETS.get(label, label)).name
        if codec.replace("_", "-") in _NOT_CHARSETS:
            return _guess(content)
        b"".decode(codec)
    except (LookupError, ValueError):  # unknown, not of text, or no name at all
        return _guess(content)
    # UTF-8 announced as something else is the wrong label seen most.
    if _SINGLE_BYTE.match(codec) and _is_surely_utf8(content):
        return content.decode("utf-8")
    return content.decode(codec, "replace")


def _is_surely_utf8(content: bytes) -> bool:
    """Whether this is UTF-8 whatever its label says: three letters in a row look so by chance only in made-up text."""
    try:
        return len(content) - len(content.decode("utf-8")) >= 3
    except UnicodeDecodeError:
        return False


def _guess(content: bytes) -> str:
    """Unlabelled bytes: UTF-8, else one of the two Cyrillic charsets if they make words, else replacement signs."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        sample = content[:20_000]
    high = sum(byte >= 0xC0 for byte in sample)
    other = sum(0x80 <= byte < 0xC0 for byte in sample)
    latin = len(re.findall(rb"[A-Za-z]", sample))
    if high >= 4 and high > 4 * other and high > latin:
        # Both put letters at 0xC0–0xFF; windows-1251 has the small ones above 0xE0, KOI8-R below.
        small_above = sum(byte >= 0xE0 for byte in sample)
        return content.decode("cp1251" if small_above * 2 >= high else "koi8-r", "replace")
    if high and not other and latin > 2 * high:
        return content.decode("cp1252")  # "Frösche": nothing in 0x80–0x9F, so every byte has a letter
    return content.decode("utf-8", "replace")


# --- headers --------------------------------------------------------------------------------------------------------


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


def _unfold(value: str) -> str:
    return re.sub(r"[\r\n]+(?=[ \t])", "", value).replace("\r", " ").replace("\n", " ")


_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*)*)\?=")


def _decode_words(value: str, charset: str = "") -> str:
    """An unfolded header with its RFC 2047 words decoded; raw 8-bit text is read as UTF-8 or in `charset`."""
    pieces: list[tuple[bytes, str]] = []
    end, after_word = 0, False
    for match in _ENCODED_WORD.finditer(value):
        between = value[end : match.start()]
        if between and not (after_word and between.isspace()):
            pieces.append((between.encode("utf-8", "surrogateescape"), ""))
        label, content = match[1].lower(), _word_bytes(match[2], match[3])
        # A character may be cut between two words of one charset: decode them together.
        if after_word and pieces[-1][1] == label:
            pieces[-1] = (pieces[-1][0] + content, label)
        else:
            pieces.append((content, label))
        end, after_word = match.end(), True
    if value[end:]:
        pieces.append((value[end:].encode("utf-8", "surrogateescape"), ""))
    return "".join(_decode(content, label) if label else _eight_bit(content, charset) for content, label in pieces)


def _word_bytes(encoding: str, content: str) -> bytes:
    octets = content.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return _base64(octets)
    return binascii.a2b_qp(octets.replace(b"\n", b""), header=True)


def _base64(octets: bytes) -> bytes:
    octets = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.replace(b"-", b"+").replace(b"_", b"/"))
    octets = octets[: len(octets) - (len(octets) % 4 == 1)]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def _eight_bit(content: bytes, charset: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(content, charset)


def _parameter(header: str, name: str) -> str:
    """A plain parameter of a structured header ("" if missing), as sent."""
    match = re.search(rf';\s*{name}\s*=\s*(?:"([^"]*)"|([^\s;"]+))', _unfold(header[:4000]), re.I)
    return (match[1] if match[1] is not None else match[2]) if match else ""


def _message_id(headers: dict[str, list[str]], problems: list[str]) -> str:
    values = headers.get("message-id", [])
    ids = _ids(values[0]) if values else ()
    if not ids:
        problems.append("no usable Message-ID")
    return ids[0] if ids else ""


def _ids(value: str) -> tuple[str, ...]:
    """The message ids in a header, without brackets: the first and the last ones where there are too many."""
    value = _unfold(value)
    found = re.findall(r"<([^<>]*)>", value) or value.split()
    found = [re.sub(r"\s+", "", _one_line(one, MAX_HEADER)).strip("<>,") for one in found]
    ids = list(dict.fromkeys(one for one in found if 0 < len(one) <= MAX_MESSAGE_ID))
    return tuple(ids if len(ids) <= MAX_REFERENCES else ids[:1] + ids[1 - MAX_REFERENCES :])


def _sent_at(value: str, problems: list[str]) -> datetime | None:
    try:
        moment = parsedate_to_datetime(_one_line(_unfold(value), 200))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        problems.append("no readable Date")
        return None
    if not 1980 <= moment.year <= 2200:
        problems.append("no readable Date")
        return None
    return moment


# --- addresses ------------------------------------------------------------------------------------------------------


def _author(values: list[str], charset: str, problems: list[str]) -> tuple[str, str]:
    """The one author; nobody where there are two, or where a look-alike letter would pass one off for another."""
    if len(values) != 1:
        problems.append("several From headers" if values else "no From header")
        return "", ""
    mailboxes = _mailboxes(values[0], charset)
    if len(mailboxes) != 1:
        problems.append("several addresses in From" if mailboxes else "no address in From")
        return "", ""
    name, address = mailboxes[0]
    if not address:
        problems.append("no usable address in From")
    elif _is_lookalike(address):
        problems.append("the address in From mixes alphabets, as a forged one does")
        address = ""
    shown = re.search(r"[^\s@<>\"'()]+@[^\s@<>\"'()]+\.[^\s@<>\"'()]+", name)
    if shown and address and shown[0].lower() != address:
        problems.append("the name in From shows another address")
    return name, address


def _recipients(values: list[str]) -> tuple[str, ...]:
    found = [address for value in values for _, address in _mailboxes(value, "") if address]
    return tuple(dict.fromkeys(found))[:MAX_RECIPIENTS]


def _mailboxes(value: str, charset: str) -> list[tuple[str, str]]:
    """(name, address) of each mailbox in a header; the address is "" where it is not plainly one.

    Written out because `email.utils.getaddresses` finds the wrong address in crafted headers (CVE-2023-27043).
    """
    mailboxes: list[tuple[str, str]] = []
    phrase: list[str] = []  # outside brackets
    comment: list[str] = []
    angles: list[list[str]] = []
    depth, in_quotes, in_angle, escaped = 0, False, False, False

    def flush() -> None:
        outside = "".join(phrase).strip()
        if outside or angles:
            name = outside if angles else "".join(comment)
            address = "".join(angles[0]) if len(angles) == 1 else "" if angles else outside
            name = _one_line(_decode_words(name, charset), MAX_NAME).strip("'\" ")
            mailboxes.append((name, _address(address)))
        for buffer in (phrase, comment, angles):
            buffer.clear()

    for character in _unfold(value[:MAX_HEADER]):
        inside = comment if depth else angles[-1] if in_angle else phrase
        if escaped:
            inside.append(character)
            escaped = False
        elif character == "\\" and (in_quotes or depth):
            escaped = True
        elif in_quotes:
            if character == '"':
                in_quotes = False
            else:
                inside.append(character)
        elif character == "(":
            depth += 1
            if depth == 1:
                inside.append(" ")  # so that a comment never joins two halves of an address
        elif character == ")" and depth:
            depth -= 1
        elif depth:
            comment.append(character)
        elif character == '"':
            in_quotes = True
            if in_angle:
                inside.append('"')  # a quoted local part is refused by _address
        elif character == "<":
            in_angle = True
            angles.append([])
        elif character == ">" and in_angle:
            in_angle = False
        elif character in ",;" and not in_angle:
            flush()
        elif character == ":" and not in_angle:
            phrase.clear()  # the name of a group
        else:
            inside.append(character)
    if in_angle or in_quotes or depth:
        angles.append([])  # never closed: two readings, so none
        angles.append([])
    flush()
    return mailboxes


_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f/]{1,250}")


def _address(text: str) -> str:
    octets = text.strip().encode("utf-8", "surrogateescape")
    try:
        address = octets.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if not _ADDRESS.fullmatch(address) or len(address) > MAX_ADDRESS or _one_line(address, MAX_ADDRESS) != address:
        return ""
    domain = address.rpartition("@")[2]
    if domain.startswith((".", "-")) or domain.endswith(".") or ".." in domain:
        return ""
    # Only ASCII letters: the Kelvin sign, lowered, would become the Latin k of somebody else's address.
    return "".join(letter.lower() if letter.isascii() else letter for letter in address)


def _is_lookalike(address: str) -> bool:
    """Whether letters of two alphabets stand in one word of the address, or a letter folds into an ASCII one."""
    if address.isascii():
        return False
    for letter in address:
        folded = unicodedata.normalize("NFKC", letter).casefold()
        if not letter.isascii() and (folded != letter.casefold() or any(one.isascii() for one in folded)):
            return True
    for word in re.split(r"[@.]", address):
        alphabets = {unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()}
        if len(alphabets) > 1:
            return True
    return False


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
        return [_one_line(_unfold(value), 200).lower() for value in headers.get(name, [])]

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
    sender = " ".join(_one_line(_unfold(value), 300) for value in headers.get("from", [])[:2])
    returned = [_one_line(_unfold(value), 100) for value in headers.get("return-path", [])]
    by_machine = (
        bool(_MACHINE.match(from_address))
        or bool(re.search(r"mailer-?daemon|postmaster|mail delivery|<>", sender, re.I))
        or any(value in ("<>", "") for value in returned)
    )
    return by_machine and bool(_BOUNCE_SUBJECT.search(subject) or _BOUNCE_TEXT.search(body.text()[:20_000]))


# --- the body -------------------------------------------------------------------------------------------------------


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
        disposition = _unfold(_raw(part, "content-disposition")).partition(";")[0].strip().lower()
        filename = _filename(part)
        is_file = disposition == "attachment" or bool(filename)
        if content_type in ("text/plain", "text/html") and not is_file:
            text = _decode(_payload(part), _parameter(_raw(part, "content-type"), "charset"))
            if content_type == "text/html":
                return [_Block(html=_clean(text))]
            if _parameter(_raw(part, "content-type"), "format").lower() == "flowed":
                delete_space = _parameter(_raw(part, "content-type"), "delsp").lower() == "yes"
                text = _unflow(_clean(text), delete_space=delete_space)
            return [_Block(plain=_clean(text))]
        if content_type.startswith("multipart/"):
            # Announced as parts, but no part was found: whatever stands there is text.
            return [_Block(plain=_clean(_guess(_payload(part))))]
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


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


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
        return _base64(octets)
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


# --- file names -----------------------------------------------------------------------------------------------------


def _filename(part: Message) -> str:
    for header, name in (("content-disposition", "filename"), ("content-type", "name")):
        found = _extended_parameter(_unfold(_raw(part, header)[:4000]), name)
        if found:
            return clean_filename(found) or "attachment"
    return ""


def _extended_parameter(header: str, name: str) -> str:
    """A parameter in any of its spellings: plain, RFC 2047 words (wrong, common) or RFC 2231 (`name*0*=`)."""
    pieces: dict[int, tuple[bool, str]] = {}
    for match in re.finditer(rf';\s*{name}(\*\d{{1,2}})?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', header, re.I):
        value = re.sub(r'\\(["\\])', r"\1", match[3]) if match[3] is not None else match[4].strip().strip('"')
        if not match[1] and not match[2]:
            plain = _decode_words(value)
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
        octets += unquote_to_bytes(_octets(value)) if is_encoded else _octets(value)
    return _decode(octets, charset) if charset else _decode_words(octets.decode("utf-8", "surrogateescape"))


_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


def clean_filename(name: str) -> str:
    """`name` as a label that is safe to show and to save: no path, no control or direction marks, NFC, at most
    MAX_FILENAME characters with the extension kept; "" where nothing is left."""
    name = re.split(r"[/\\]", _one_line(name, 2000))[-1]
    name = re.sub("[\u200b-\u200d\u2060\u00ad]", "", name)  # seen by nobody: two names would look the same
    name = re.sub(r"^[A-Za-z]:", "", name)
    name = re.sub(r'[<>:"|?*\u2028\u2029]', "_", name).strip(" .")
    if _RESERVED.match(name):
        name = "_" + name
    if len(name) > MAX_FILENAME:
        stem, dot, extension = name.rpartition(".")
        keep = dot + extension if stem and len(extension) <= 10 else ""
        name = name[: MAX_FILENAME - len(keep)].rstrip(" .") + keep
    return name


# --- HTML to text ---------------------------------------------------------------------------------------------------

_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"}
_LINES = {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "address", "center", "caption"}
_DROPPED = {"script", "style", "title", "template", "object", "svg", "math", "iframe", "select", "textarea"}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_ATTRIBUTE = re.compile(r"""\b(href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
MAX_QUOTE_MARKS = 10


def html_to_text(html: str) -> str:
    """Readable text of an HTML body: paragraphs, lists, links as `text (address)`, quotes as `> ` lines. For reading
    and for `quoting.split_reply`; it is not safe to show as HTML.

    Written out because both parsers at hand are quadratic on hostile HTML: the standard one on unclosed tags, nh3 in
    the depth of nesting (200 000 open tags: five minutes). Every step here goes forward.
    """
    html = html[:MAX_TEXT]
    writer = _TextWriter()
    absent: set[str] = set()  # dropped elements that are never closed below
    at = 0
    while at < len(html):
        start = html.find("<", at)
        if start < 0:
            start = len(html)
        writer.add(html[at:start])
        if start == len(html):
            break
        tag = _TAG.match(html, start)
        if html.startswith("<!--", start):
            end = html.find("-->", start)
            at = end + 3 if end >= 0 else len(html)
        elif not tag and html[start + 1 : start + 2] not in ("!", "?", "/"):
            writer.add("<")
            at = start + 1
        else:
            end = html.find(">", start)
            if end < 0:
                break
            at = end + 1
            if tag:
                at = _read_tag(html, tag, at, writer, absent)
    return _clean(writer.text())


def _read_tag(html: str, tag: re.Match[str], after: int, writer: "_TextWriter", absent: set[str]) -> int:
    """Writes what the tag means; the position to go on from."""
    name = tag[2].lower()
    if tag[1]:
        writer.close(name)
    elif name in _DROPPED:
        if name not in absent:
            closing = re.compile(f"</{name}", re.I).search(html, after)
            if closing:
                return closing.start()
            absent.add(name)
    else:
        writer.open(name, html[tag.end() : after - 1][:4000] if name in ("a", "img") else "")
    return after


def _unescape(content: str) -> str:
    # The library raises on a character number of more than 4300 digits.
    return unescape(re.sub(r"&#[xX]?[0-9A-Fa-f]{9,}", "", content))


class _TextWriter:
    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []  # quote depth, text
        self.line: list[str] = []
        self.depth = 0
        self.preformatted = 0
        self.link: tuple[str, int] | None = None  # address, where its text begins in the line

    def open(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self.end_line(keep_empty=True)
        elif tag == "hr":
            self.end_line()
            self.line.append("----------")
            self.end_line()
        elif tag == "blockquote":
            self.end_line()
            self.depth += 1
        elif tag in _PARAGRAPHS:
            self.blank_line()
            self.preformatted += tag == "pre"
        elif tag in _LINES:
            self.end_line()
            if tag == "li":
                self.line.append("- ")
        elif tag in ("td", "th"):
            if self.line:
                self.line.append(" ")
        elif tag in ("a", "img"):
            found = {
                match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(attributes)
            }
            if tag == "a":
                self.link = (_unescape(found.get("href", "")).strip(), len(self.line))
            elif _unescape(found.get("alt", "")).strip():
                self.line.append(f"[{' '.join(_unescape(found['alt']).split())}]")

    def close(self, tag: str) -> None:
        if tag == "blockquote":
            self.end_line()
            self.depth = max(0, self.depth - 1)
        elif tag in _PARAGRAPHS:
            self.blank_line()
            self.preformatted = max(0, self.preformatted - (tag == "pre"))
        elif tag in _LINES:
            self.end_line()
        elif tag == "a" and self.link:
            address, start = self.link
            self.link = None
            label = "".join(self.line[start:]).strip()
            if address.lower().startswith(("http://", "https://")) and (not label or label.rstrip("/") not in address):
                self.line.append(f" ({address})" if label else address)

    def add(self, content: str) -> None:
        content = _unescape(content)
        if self.preformatted:
            *whole, last = content.replace("\r\n", "\n").split("\n")
            for line in whole:
                self.line.append(line)
                self.end_line(keep_empty=True)
            self.line.append(last)
            return
        content = re.sub(r"[ \t\n\r\f]+", " ", content)
        if content.startswith(" ") and (not self.line or self.line[-1].endswith(" ")):
            content = content[1:]
        if content:
            self.line.append(content)

    def end_line(self, *, keep_empty: bool = False) -> None:
        text = "".join(self.line).replace("\xa0", " ").rstrip()
        if text or keep_empty:
            self.lines.append((min(self.depth, MAX_QUOTE_MARKS), text))
        self.line.clear()
        if self.link:
            self.link = (self.link[0], 0)

    def blank_line(self) -> None:
        self.end_line()
        if self.lines and self.lines[-1][1]:
            self.lines.append((min(self.depth, MAX_QUOTE_MARKS), ""))

    def text(self) -> str:
        self.end_line()
        text = "\n".join((">" * depth + " " + line).rstrip() if depth else line for depth, line in self.lines)
        return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")
