"""Who wrote and to whom, as the headers say it: exactly one address or none, never a guess. Pure."""

import re
import unicodedata

from mail.charsets import decode_words, one_line, unfold

MAX_HEADER = 20_000  # characters of one header that are looked at
MAX_NAME = 150
MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3
MAX_RECIPIENTS = 200


def author(values: list[str], charset: str, problems: list[str]) -> tuple[str, str]:
    """The one author; nobody where there are two, or where a look-alike letter would pass one off for another."""
    if len(values) != 1:
        problems.append("several From headers" if values else "no From header")
        return "", ""
    mailboxes = mailboxes_of(values[0], charset)
    if len(mailboxes) != 1:
        problems.append("several addresses in From" if mailboxes else "no address in From")
        return "", ""
    name, address = mailboxes[0]
    if not address:
        problems.append("no usable address in From")
    elif is_lookalike(address):
        problems.append("the address in From mixes alphabets, as a forged one does")
        address = ""
    shown = re.search(r"[^\s@<>\"'()]+@[^\s@<>\"'()]+\.[^\s@<>\"'()]+", name)
    if shown and address and shown[0].lower() != address:
        problems.append("the name in From shows another address")
    return name, address


def recipients(values: list[str]) -> tuple[str, ...]:
    found = [address for value in values for _, address in mailboxes_of(value, "") if address]
    return tuple(dict.fromkeys(found))[:MAX_RECIPIENTS]


def mailboxes_of(value: str, charset: str) -> list[tuple[str, str]]:
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
            name = one_line(decode_words(name, charset), MAX_NAME).strip("'\" ")
            mailboxes.append((name, plain_address(address)))
        for buffer in (phrase, comment, angles):
            buffer.clear()

    for character in unfold(value[:MAX_HEADER]):
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
                inside.append('"')  # a quoted local part is refused by plain_address
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


def plain_address(text: str) -> str:
    octets = text.strip().encode("utf-8", "surrogateescape")
    try:
        address = octets.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if not _ADDRESS.fullmatch(address) or len(address) > MAX_ADDRESS or one_line(address, MAX_ADDRESS) != address:
        return ""
    domain = address.rpartition("@")[2]
    if domain.startswith((".", "-")) or domain.endswith(".") or ".." in domain:
        return ""
    # Only ASCII letters: the Kelvin sign, lowered, would become the Latin k of somebody else's address.
    return "".join(letter.lower() if letter.isascii() else letter for letter in address)


def is_lookalike(address: str) -> bool:
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
