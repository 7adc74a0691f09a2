"""What a person wrote this time, and what their mail program carried along. Pure: text in, two texts out.

Nothing is thrown away: what is not the reply is returned as `quoted`, for the page to fold. Where the two cannot be
told apart the text stays in the reply: a quote shown twice annoys, a sentence hidden harms.
"""

import re

MARKER = "-- reply above this line / ответ выше этой строки --"

_MAX_LINE = 1_000  # longer lines are no headers and no attributions
_MAX_ATTRIBUTION_LINES = 6
_MAX_ATTRIBUTION = 600
_MAX_SIGNATURE_LINES = 12
_MAX_CLOSING_LINES = 3


def split_reply(text: str) -> tuple[str, str]:
    """(reply, quoted) of the text of a letter, both stripped of empty lines at the ends.

    Folded into `quoted`: what stands below our marker, the quote below "… wrote:" (Gmail, Apple Mail, Thunderbird,
    Yandex, Mail.ru, in the languages of `_WROTE`), below a header block or "Original Message" (Outlook), lines marked
    with ">" above or below the reply, and the signature. Kept in the reply: quoted lines that are answered one by one,
    a forwarded message, and a letter that is nothing but a quote of unknown origin.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kinds = _kinds(lines)
    if not any(kind == _TEXT and line.strip() for kind, line in zip(kinds, lines, strict=True)) and not _is_carried(
        lines
    ):
        return text.strip("\n").rstrip(), ""
    kinds = _keep_answered(lines, kinds)
    kinds = _fold_signature(lines, kinds)
    reply = [line.rstrip() for kind, line in zip(kinds, lines, strict=True) if kind == _TEXT]
    quoted = [line.rstrip() for kind, line in zip(kinds, lines, strict=True) if kind != _TEXT]
    return _without_empty_ends(reply), _without_empty_ends(quoted)


# What a line is: written now, quoted with a mark, "… wrote:", or below the point where everything is old.
_TEXT, _QUOTE, _ATTRIBUTION, _OLD = "text", "quote", "attribution", "old"


def _without_empty_ends(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n").rstrip()


# --- what mail programs write ----------------------------------------------------------------------------------------

_QUOTED = re.compile(r"[ \t\xa0]{0,3}(?:>|[A-ZА-ЯЁ]{1,3}>(?:[ >]|$)|\|\s?>)")
_MARKER = re.compile(r"reply above this line|ответ выше этой строки", re.I)
_DIVIDER = re.compile(r"[ \t]*(?:[-_=*~#]{2}|[—–]|ᐧ)[-_=*~#—–\s]*$")

_ORIGINAL = re.compile(
    r"[ \t]*-{2,}\s*(?:original message|reply message|исходное сообщение|оригинальное сообщение|исходное письмо"
    r"|вихідне повідомлення|оригінальне повідомлення|ursprüngliche nachricht|message d['’]origine|message original"
    r"|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|oprindelig meddelelse"
    r"|opprinnelig melding|ursprungligt meddelande|wiadomość oryginalna|oryginalna wiadomość|původní zpráva"
    r"|原始邮件|原始郵件|元のメッセージ)\s*-{2,}[ \t]*$",
    re.I,
)
_FORWARDED = re.compile(
    r"[ \t]*(?:-{2,}\s*(?:forwarded message|пересылаемое сообщение|перенаправленное сообщение|пересланное сообщение"
    r"|переслане повідомлення|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato"
    r"|doorgestuurd bericht|wiadomość przekazana)\s*-{2,}"
    r"|begin forwarded message:|начало переадресованного сообщения:)[ \t]*$",
    re.I,
)

_WROTE = re.compile(
    r"(?:\b(?:wrote|writes|написала?|написал\(а\)|пишет|писала?|писал\(а\)|писали|пише|написав|написала|schrieb|geschrieben"
    r"|a écrite?|a écrit|écrit|escribió|escribio|ha scritto|scrisse|escreveu|schreef|geschreven|skrev|napisała?"
    r"|napisał\(a\)|napsala?|kirjoitti|yazdı|написа)\b|(?:写道|寫道|書きました|のメッセージ))",
    re.I,
)
_WROTE_LAST = re.compile(_WROTE.pattern + r"[\s:：-]{1,5}$", re.I)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|янв|фев|мар|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек|січ|лют|бер|кві"
    r"|тра|чер|лип|сер|вер|жов|лис|гру|janv|févr|mars|avr|mai|juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott"
    r"|sty|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|styc|okt|mrt|mei|mär|dez|fev|out|nov|septembre|novembre)"
)
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\d{4}年|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"
    rf"|\b\d{{1,2}}\.?[\s-]{{1,3}}(?:de\s|of\s)?{_MONTH}|\b{_MONTH}[^\W\d_]{{0,8}}\.?\s{{1,3}}\d{{1,2}}\b",
    re.I,
)
_TIME = re.compile(r"\b\d{1,2}[:.]\d\d\b")
_EMAIL = re.compile(r"[^\s@<>()\[\]\"']{1,100}@[^\s@<>()\[\]\"']{2,100}")
_ATTRIBUTION_ENDS = re.compile(r"(?:[:：]|-{2,})[ \t\xa0]*$")
# "---- Ivan Petrov wrote ----", as some telephones put it.
_DASHED = re.compile(r"[ \t]*-{3,}\s?.{1,150}?-{3,}[ \t]*$")
# The attribution on the same line as the end of the reply.
_ON_ONE_LINE = re.compile(r"(?:[ \t]*-{3,}[ \t]*|[ \t]+)(?=On [A-Z0-9][^\n]{8,250}wrote:[ \t]*$)")

_HEADER_NAMES = {
    "from": "from|от|от кого|від|von|de|da|van|od|fra|från|lähettäjä|kimden|发件人|寄件者|差出人",
    "date": (
        "sent|date|received|отправлено|дата|надіслано|gesendet|datum|envoyé|fecha|enviado|enviado el|enviada em"
        "|data|inviato|verzonden|wysłano|data wysłania|sendt|dato|skickat|odesláno|lähetetty|tarih"
        "|发送时间|日期|日付|送信日時"
    ),
    "to": (
        "to|cc|bcc|reply-to|кому|копия|копія|ответить|an|kopie|à|a|para|aan|do|dw|komu|til|kopi|till|kopia|risposta"
        "|vastaanottaja|kime|收件人|抄送|宛先"
    ),
    "subject": (
        "subject|тема|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|emne|ämne|předmět|aihe|konu|主题|主旨|件名"
    ),
}
_HEADER = re.compile(
    r"[ \t\xa0]{0,8}(?:\*|\*\*|__)?(?:" + "|".join(f"(?P<{role}>{names})" for role, names in _HEADER_NAMES.items())
    # The bold mark may close before or after the colon.
    + r")(?:\*{1,2})?[ \t\xa0]?(?:：|:)(?:\*{1,2})?(?:[ \t\xa0]+|(?=\S)|$)",
    re.I,
)  # fmt: skip
_HEADER_ON_ONE_LINE = re.compile(r"[ \t]*\*?From:\*? ?\S.{0,200}\s\*?(?:Date|Sent):", re.I)

_MOBILE_SIGNATURE = re.compile(
    r"[ \t]*[<(]*(?:"
    r"(?:sent|posted) (?:from|via|with|by) (?!.*,(?! (?:please|sorry))).{1,80}"
    r"|from my (?:iphone|ipad|phone|mobile).{0,30}|get \[?outlook for .{1,80}|.{1,30} from mobile"
    r"|отправлено (?:с|из|через|от)\s.{1,80}|послано (?:с|из)\s.{1,80}|надіслано (?:з|із|через)\s.{1,80}"
    r"|envoyé (?:depuis|de) .{1,60}|von mein.{1,40}gesendet.{0,20}|gesendet (?:von|mit) .{1,60}"
    r"|diese nachricht wurde von .{1,60} gesendet.?|enviado (?:desde|do) .{1,60}|inviato da .{1,60}"
    r"|verzonden (?:met|vanaf) .{1,60}|wysłane z .{1,60}|skickat från .{1,60}|從我的 .{1,30} 傳送|发自我的.{1,30}"
    r")[>)]*\s*",
    re.I,
)
_SIGNATURE_MARK = re.compile(r"[ \t]*(?:--|—|–|_{5,}|-{5,})[ \t\xa0]*$")
_CLOSING = re.compile(
    r"(?:(?:best|kind|warm|with)?\s*(?:regards|wishes)|thanks|thank you|cheers|sincerely|yours|br\b|rgds"
    r"|с уважением|спасибо|благодар|с наилучшими|всего доброго|з повагою|дякую|viele grüße|mit (?:freundlichen|lieben)"
    r"|cordialement|merci|saludos|gracias|cordiali saluti|grazie|met vriendelijke|pozdraw|atenciosamente|obrigad)",
    re.I,
)
_LINK = re.compile(r"[<(\[]?(?:https?://|www\.|mailto:)\S*|[<(\[]?\S+@\S+")


# --- finding what is old ---------------------------------------------------------------------------------------------


def _kinds(lines: list[str]) -> list[str]:
    kinds = [_TEXT] * len(lines)
    at = 0
    has_text = False  # above the line looked at
    while at < len(lines):
        line = lines[at]
        step = 1
        if len(line) > _MAX_LINE:
            kinds[at] = _QUOTE if line.lstrip(" \t").startswith(">") else _TEXT
        elif _QUOTED.match(line):
            kinds[at] = _QUOTE
        elif _FORWARDED.match(line):
            break  # what was forwarded is what the person wants read
        elif has_text and _starts_old_part(lines, at):
            kinds[at:] = [_OLD] * (len(lines) - at)
            _fold_dividers_above(lines, kinds, at)
            break
        elif (cut := _ON_ONE_LINE.search(line)) and line[: cut.start()].strip() and _next_is_quote(lines, at + 1):
            lines[at : at + 1] = [line[: cut.start()], line[cut.start() :]]
            kinds[at : at + 1] = [_TEXT, _ATTRIBUTION]
            step = 2
        elif length := _attribution_length(lines, at):
            is_sure = _is_sure_attribution(" ".join(line.strip() for line in lines[at : at + length]))
            if _next_is_quote(lines, at + length) or (is_sure and not has_text):
                # With nothing above it and nothing quoted below it, the new text must be below.
                kinds[at : at + length] = [_ATTRIBUTION] * length
            elif is_sure:
                kinds[at:] = [_OLD] * (len(lines) - at)
                break
            step = length
        has_text = has_text or any(kinds[one] == _TEXT and _is_written(lines[one]) for one in range(at, at + step))
        at += step
    return _join_broken_quotes(lines, kinds)


def _is_written(line: str) -> bool:
    return bool(line.strip()) and not _DIVIDER.match(line)


def _starts_old_part(lines: list[str], at: int) -> bool:
    line = lines[at]
    return bool(_MARKER.search(line) or _ORIGINAL.match(line) or _is_header_block(lines, at))


def _is_header_block(lines: list[str], at: int) -> bool:
    """Whether From, Sent, To, Subject begin here: all four, or fewer with an address or a date among them, so that a
    form somebody filled in ("Date: …, Subject: …") is not taken for one."""
    if _HEADER_ON_ONE_LINE.match(lines[at]) and _EMAIL.search(lines[at]) and _DATE.search(lines[at]):
        return True
    first = _HEADER.match(lines[at])
    if not first or first.lastgroup not in ("from", "date"):
        return False
    roles: list[str] = []
    proof = ""
    gap = 0
    for line in lines[at : at + 14]:
        match = _HEADER.match(line[:_MAX_LINE])
        if match:
            roles.append(str(match.lastgroup))
            proof += line[match.end() :][:300] + "\n"
            gap = 0
        elif not line.strip():
            gap += 1
            if gap > 1:
                break
        elif roles[-1] in ("to", "subject", "from") and not gap:
            gap += 1  # a folded value
        else:
            break
    different = set(roles)
    if len(different) == 4:
        return True
    has_address = bool(_EMAIL.search(proof))
    if len(different) == 3:
        return has_address or (roles[0] == "from" and bool(_DATE.search(proof)))
    return len(different) == 2 and has_address


def _attribution_length(lines: list[str], at: int) -> int:
    """How many lines, from here, make up one "On …, … wrote:"; 0 for none."""
    if not lines[at].strip():
        return 0
    joined = ""
    for length in range(1, _MAX_ATTRIBUTION_LINES + 1):
        if at + length > len(lines):
            return 0
        line = lines[at + length - 1]
        # A line may begin with the ">" that closes an address.
        is_mark = _QUOTED.match(line) and joined.count("<") <= joined.count(">")
        if len(line) > _MAX_LINE or is_mark:
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > _MAX_ATTRIBUTION:
            return 0
        if _ATTRIBUTION_ENDS.search(joined) and _is_attribution(joined):
            return 0 if _begins_later(lines[at : at + length], joined) else length
        if length > 1 and not line.strip() and not _DATE.search(joined):
            return 0
    return 0


def _begins_later(window: list[str], joined: str) -> bool:
    """Whether the same date, time, verb and address are found without the first line: then that one is the reply's."""
    below = [line.strip() for line in window[1:]]
    while below and not below[0]:
        below = below[1:]
    rest = " ".join(below)
    if not rest or rest.startswith(("<", '"', ">")):
        return False
    clues = (_DATE, _TIME, _WROTE, _EMAIL)
    return all(bool(clue.search(rest)) == bool(clue.search(joined)) for clue in clues)


def _is_attribution(joined: str) -> bool:
    if _DASHED.match(joined):
        return bool(_WROTE.search(joined))
    has_date, has_time = bool(_DATE.search(joined)), bool(_TIME.search(joined))
    has_verb, has_email = bool(_WROTE.search(joined)), bool(_EMAIL.search(joined))
    if has_verb:
        return has_date or has_email or has_time
    # Yandex, Mail.ru and Gmail in Russian name the date and the address, and no verb.
    return has_date and has_time and has_email and bool(re.match(r"[^\w]{0,3}(?:\w{2,12},\s*)?\d", joined))


def _is_sure_attribution(joined: str) -> bool:
    """Sure enough to fold what follows although nothing marks it as a quote."""
    if _DASHED.match(joined):
        return True
    # "… wrote to us as follows:" is somebody telling a story; the verb must be the last word, or an address be there.
    return bool(
        _DATE.search(joined) and (_EMAIL.search(joined) or (_TIME.search(joined) and _WROTE_LAST.search(joined)))
    )


def _next_is_quote(lines: list[str], at: int) -> bool:
    for line in lines[at : at + 4]:
        if line.strip():
            return bool(_QUOTED.match(line))
    return False


def _fold_dividers_above(lines: list[str], kinds: list[str], at: int) -> None:
    """The rule that a mail program draws above the old part belongs to it."""
    above = at - 1
    while above >= 0 and (not lines[above].strip() or _DIVIDER.match(lines[above])):
        above -= 1
    for position in range(above + 1, at):
        kinds[position] = _OLD


def _join_broken_quotes(lines: list[str], kinds: list[str]) -> list[str]:
    """A link wrapped out of its quote is no answer: mark it as quoted too."""
    quotes = [at for at, kind in enumerate(kinds) if kind == _QUOTE]
    if not quotes:
        return kinds
    for at in range(quotes[0] + 1, quotes[-1]):
        if kinds[at] != _TEXT or not lines[at].strip() or kinds[at - 1] != _QUOTE or kinds[at + 1] != _QUOTE:
            continue
        line, above = lines[at].strip()[:_MAX_LINE], lines[at - 1][-_MAX_LINE:]
        is_rest_of_link = re.search(r"[(<]https?://[^\s)>]*$", above) and " " not in line
        if is_rest_of_link or not re.search(r"\w", _LINK.sub("", line)):
            kinds[at] = _QUOTE
    return kinds


def _is_carried(lines: list[str]) -> bool:
    """Whether a letter without text of its own quotes a known letter, so that the reply is empty indeed."""
    bare = [re.sub(r"^[ \t>|]+", "", line[:_MAX_LINE]) for line in lines[:200]]
    return any(
        _attribution_length(bare, at) or _is_header_block(bare, at) or _MARKER.search(bare[at])
        for at in range(len(bare))
    )


# --- what is answered, and what is signature --------------------------------------------------------------------------


def _keep_answered(lines: list[str], kinds: list[str]) -> list[str]:
    """Quoted lines with answers below them stay in the reply, for an answer alone says nothing.

    One quote with the reply below it is folded: that is how people who answer at the bottom write. So is one quote
    between a reply and its closing words.
    """
    stretches: list[tuple[str, int, int]] = []  # kind, first, end; empty lines belong to what is above them
    for at, kind in enumerate(kinds):
        # Nothing but the lines of one mail program's quote: the line that introduces it belongs to it.
        group = _QUOTE if kind == _ATTRIBUTION else kind
        if stretches and (stretches[-1][0] == group or (group == _TEXT and not lines[at].strip())):
            stretches[-1] = (stretches[-1][0], stretches[-1][1], at + 1)
        else:
            stretches.append((group, at, at + 1))
    texts = [place for place, (kind, first, end) in enumerate(stretches) if kind == _TEXT and _says(lines[first:end])]
    quotes = [place for place, (kind, _, _) in enumerate(stretches) if kind == _QUOTE]
    if not texts or not quotes:
        return kinds
    answered = [place for place in quotes if place < texts[-1]]
    last = stretches[texts[-1]]
    if len(answered) == 1 and (answered[0] < texts[0] or _is_closing(lines[last[1] : last[2]])):
        answered = []
    kept = list(kinds)
    for place in answered:
        for at in range(stretches[place][1], stretches[place][2]):
            if kinds[at] == _QUOTE:
                kept[at] = _TEXT
    # Empty lines go with what is above them.
    for kind, first, end in stretches:
        for at in range(first, end):
            if not lines[at].strip() and kinds[at] == _TEXT and kind == _QUOTE:
                kept[at] = kept[at - 1] if kept[at - 1] != _ATTRIBUTION else _ATTRIBUTION
    return kept


def _says(lines: list[str]) -> bool:
    """Whether these lines say anything: not only rules, and not only a signature below its mark."""
    filled = [line for line in lines if line.strip()]
    return bool(filled) and not _SIGNATURE_MARK.match(filled[0]) and not all(_DIVIDER.match(line) for line in filled)


def _is_closing(lines: list[str]) -> bool:
    filled = [line.strip() for line in lines if line.strip()]
    return len(filled) <= _MAX_CLOSING_LINES and bool(_CLOSING.match(filled[0]))


def _fold_signature(lines: list[str], kinds: list[str]) -> list[str]:
    """Folds rules and "Sent from my …" at the end of the reply, and a signature below its mark. If that leaves
    nothing, nothing is folded."""
    written = [at for at, kind in enumerate(kinds) if kind == _TEXT and lines[at].strip()]
    end = _without_trailers(lines, written)
    for place in range(max(0, end - _MAX_SIGNATURE_LINES - 1), end):
        below = written[place + 1 : end]
        is_short = all(len(lines[at]) <= 100 and not _QUOTED.match(lines[at]) for at in below)
        if _SIGNATURE_MARK.match(lines[written[place]]) and is_short and place:
            end = _without_trailers(lines, written[:place])
            break
    if end == 0:
        return kinds
    folded = list(kinds)
    for at in range(written[end - 1] + 1, len(kinds)):
        if folded[at] == _TEXT:
            folded[at] = _OLD
    return folded


def _without_trailers(lines: list[str], written: list[int]) -> int:
    end = len(written)
    while end and (
        _DIVIDER.match(lines[written[end - 1]]) or _MOBILE_SIGNATURE.fullmatch(lines[written[end - 1]][:_MAX_LINE])
    ):
        end -= 1
    return end
