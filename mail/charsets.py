"""Bytes of unknown or wrong label to text: character sets, RFC 2047 words, what PostgreSQL refuses. Pure."""

import binascii
import codecs
import re
import unicodedata

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


def clean(text: str) -> str:
    """Without what PostgreSQL refuses (NUL, surrogates) and what no reader sees; lines end in LF; NFC."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return unicodedata.normalize("NFC", _CONTROLS.sub("", text))


def one_line(text: str, limit: int) -> str:
    """`text` on one line, without direction marks, at most `limit` characters."""
    text = _DIRECTION.sub("", clean(_CONTROLS.sub(" ", text[: limit * 20])))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def decode(content: bytes, charset: str) -> str:
    """`content` in `charset`; where the label is missing, unknown or wrong, the likeliest reading. Never raises."""
    label = charset.split("*")[0].strip(" \t\"'").lower()
    if label in _ASCII:
        return guess(content)
    try:
        codec = codecs.lookup(_CHARSETS.get(label, label)).name
        if codec.replace("_", "-") in _NOT_CHARSETS:
            return guess(content)
        b"".decode(codec)
    except (LookupError, ValueError):  # unknown, not of text, or no name at all
        return guess(content)
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


def guess(content: bytes) -> str:
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


def unfold(value: str) -> str:
    return re.sub(r"[\r\n]+(?=[ \t])", "", value).replace("\r", " ").replace("\n", " ")


_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*)*)\?=")


def decode_words(value: str, charset: str = "") -> str:
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
    return "".join(decode(content, label) if label else eight_bit(content, charset) for content, label in pieces)


def _word_bytes(encoding: str, content: str) -> bytes:
    octets = content.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return base64_octets(octets)
    return binascii.a2b_qp(octets.replace(b"\n", b""), header=True)


def base64_octets(octets: bytes) -> bytes:
    octets = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.replace(b"-", b"+").replace(b"_", b"/"))
    octets = octets[: len(octets) - (len(octets) % 4 == 1)]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def eight_bit(content: bytes, charset: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return decode(content, charset)


def octets_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
