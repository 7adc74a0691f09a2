"""The outbox: what happened becomes letters, and letters go to the mail server (domain §4.5).

Two steps, each safe to repeat, to run at once in many processes and to be killed at any point:

1. `write_letters` takes the rows that nobody was told of (events, escalations, held requests, events of contracts) and
   writes their letters in the transaction that marks them as told. An occasion is written to an address once, whoever
   drains it.
2. `send_letters` takes one letter in hand (committed, so that nobody else sends it meanwhile), hands it over, and notes
   what came of it. If the database is away at that moment, it keeps the answer and notes it when the database is back.
   Only a sender killed between the server's yes and the note leaves a letter in doubt, one at most. SMTP has no
   question to ask about it, and losing it is worse: it goes out again when its time in hand is over, under the same
   Message-ID, by which mailboxes and mail programs know it, and the log names it.

What a letter says stands in `mail/…_letters.py`, a file for each body of knowledge.
"""

import logging
import secrets
import smtplib
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from contracts.models import ContractEvent, ReleaseNotice, ReleaseReminder
from mail import (
    choices,
    contract_letters,
    deadline_letters,
    escalation_letters,
    event_letters,
    held_letters,
    release_letters,
    statement_letters,
)
from mail.letters import Draft, Link, link
from mail.models import OutgoingLetter
from mail.undelivered import tell_the_desk
from sla.models import Escalation
from sla.statements import MonthlyStatement, StatementAnswer, StatementCorrection
from tickets.models import Event, HeldRequest

log = logging.getLogger(__name__)

BATCH = 100
ANSWERS_A_DAY = 3  # to one address about held requests: two machines that answer each other stop here
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=5)
# A letter in a sender's hands is nobody else's for so long: five answers of a slow server at EMAIL_TIMEOUT, and NOTED.
IN_HAND = timedelta(minutes=3)
NOTED_WITHIN = 60.0  # seconds that a sender waits for a database that is away, to note what it has handed over
DIGEST = "digest:"
CONTRACT_EVENT = "contract_event:"  # occasions that have no ticket and answer nobody

Source = tuple[models.QuerySet, Callable[[Any, datetime], list[Draft]]]


# Writing


def write_letters(now: datetime, *, batch: int = BATCH) -> int:
    """Writes the letters of everything that nobody was told of yet; returns how many. `now` is aware.

    A row whose letters cannot be written is logged and left for the next round; it does not stop the others.
    """
    sources: tuple[Source, ...] = (
        (
            Event.objects.select_related(
                "ticket__customer", "ticket__assignee", "ticket__owner", "ticket__follows", "by", "message__author"
            ),
            deadline_letters.of_event,
        ),
        (
            Escalation.objects.select_related(
                "ticket__customer",
                "ticket__assignee",
                "person",
                "raised_by",
                "answer_clock",
                "instead_of",
                "commitment__ticket__customer",
                "commitment__calendar_version",
                # In quiet hours the escalation stands and its letter waits (domain §4.4).
            ).filter(models.Q(letter_after__isnull=True) | models.Q(letter_after__lte=now)),
            escalation_letters.of_escalation,
        ),
        (
            HeldRequest.objects.select_related("customer", "sender", "settled_by", "about"),
            held_letters.of_held,
        ),
        (
            ContractEvent.objects.select_related(
                "customer__csm", "contract__customer", "contract__terms__package", "by"
            ),
            contract_letters.of_contract_event,
        ),
        (MonthlyStatement.objects.select_related("customer__csm"), statement_letters.of_statement),
        (
            StatementAnswer.objects.select_related("statement__customer__csm", "line", "by"),
            statement_letters.of_answer,
        ),
        (
            StatementCorrection.objects.select_related("statement__customer", "line", "by"),
            statement_letters.of_correction,
        ),
        (
            ReleaseNotice.objects.select_related("customer", "publication__release__product"),
            release_letters.of_notice,
        ),
        (
            ReleaseReminder.objects.select_related("notice__customer", "notice__publication__release__product"),
            release_letters.of_reminder,
        ),
    )
    return _tell_of_missed(now, batch) + sum(_drain(rows, drafts_of, now, batch) for rows, drafts_of in sources)


def _tell_of_missed(now: datetime, batch: int) -> int:
    """The customer hears of a missed promise at once, also while the letter of its rung waits out our quiet hours.

    The row stays untold for its own letter; what is written already is not looked at again.
    """
    told = OutgoingLetter.objects.filter(
        occasion=Concat(models.Value("missed:"), Cast(models.OuterRef("commitment"), models.CharField()))
    )
    quiet = Escalation.objects.filter(
        notified_at__isnull=True,
        letter_after__gt=now,
        percent__gte=escalation_letters.MISSED,
        commitment__stopped_at__isnull=True,
    ).filter(~models.Exists(told))
    written = 0
    for call in quiet.select_related("ticket__customer", "commitment__calendar_version").order_by("pk")[:batch]:
        try:
            with transaction.atomic():
                written += write(escalation_letters.of_missed(call, now), now)
        except Exception:  # one that cannot be put into words never stops the rest
            log.exception("the letter of the missed promise of escalation %s could not be written", call.pk)
    return written


def _drain(rows: models.QuerySet, drafts_of: Callable, now: datetime, batch: int) -> int:
    written = 0
    unwritable: list[int] = []
    while True:
        with transaction.atomic():
            waiting = rows.filter(notified_at__isnull=True).exclude(pk__in=unwritable).order_by("pk")
            taken = list(waiting.select_for_update(of=("self",), skip_locked=True)[:batch])
            told = []
            for row in taken:
                try:
                    with transaction.atomic():
                        written += write(drafts_of(row, now), now)
                except Exception:  # one occasion that cannot be put into words never stops the rest
                    log.exception("letters of %s %s could not be written", row._meta.label, row.pk)
                    unwritable.append(row.pk)
                else:
                    told.append(row.pk)
            rows.model._default_manager.filter(pk__in=told).update(notified_at=now)
        if len(taken) < batch:
            return written


def write(drafts: Iterable[Draft], now: datetime) -> int:
    """Queues letters, the one place that does: once an occasion and address, and only what its reader wants now."""
    wanted = choices.wanted(drafts)
    rows = [_row(draft, now) for draft in wanted if not _is_answered_enough(draft, now)]
    OutgoingLetter.objects.bulk_create(rows, ignore_conflicts=True)
    return OutgoingLetter.objects.filter(message_id__in=[row.message_id for row in rows]).count() if rows else 0


def _is_answered_enough(draft: Draft, now: datetime) -> bool:
    if not draft.occasion.startswith("held:"):
        return False
    lately = OutgoingLetter.objects.filter(
        address=draft.reader.address, occasion__startswith="held:", written_at__gt=now - timedelta(days=1)
    )
    return lately.count() >= ANSWERS_A_DAY


def _row(draft: Draft, now: datetime) -> OutgoingLetter:
    """The letter as it will be sent: text, its HTML twin and the headers that tie it to the conversation."""
    in_reply_to, references = _thread(draft)
    with translation.override(draft.reader.language):
        subject = _subject(draft)
        context = {
            "letter": draft.letter,
            "language": draft.reader.language,
            "subject": subject,
            "quiet": _quiet_link(draft),
        }
        text = render_to_string("emails/letter.txt", context)
        html = render_to_string("emails/letter.html", context)
    return OutgoingLetter(
        occasion=draft.occasion,
        person=draft.reader.person,
        address=draft.reader.address,
        kind=draft.kind,
        ticket=draft.ticket,
        message_id=_new_message_id(draft),
        in_reply_to=in_reply_to,
        references=references,
        subject=subject,
        text=text.strip() + "\n",
        html=html,
        written_at=now,
        # Where no mail server is known the letter stays here for good: a server configured later would send old news.
        next_try_at=now if settings.EMAIL_HOST else None,
    )


def _quiet_link(draft: Draft) -> Link | None:
    """The foot's link to fewer letters; none under what always comes."""
    if not draft.kind or draft.reader.person is None:
        return None
    if draft.kind in choices.MAY_BE_TURNED_OFF:
        address = settings.SITE_URL + choices.address_of(draft.reader.person, draft.kind)
        return Link(_("Turn such letters off"), address)
    return Link(_("Choose which letters come"), link("me_mail"))


def _subject(draft: Draft) -> str:
    number = f"[№ {draft.ticket.number}] " if draft.ticket is not None else ""
    about = f": {draft.letter.heading}" if draft.letter.heading != draft.letter.title else ""
    line = " ".join(f"{number}{draft.letter.title}{about}".split())
    return line if len(line) <= 200 else line[:199].rstrip() + "…"


def _new_message_id(draft: Draft) -> str:
    """An id of our own. Only a customer's letter carries the ticket's token: it is what their answer is known by."""
    domain = settings.SUPPORT_ADDRESS.rpartition("@")[2]
    unique = secrets.token_hex(6)  # short, so that the header fits a line: some programs do not unfold it
    if draft.ticket is None:
        kind = "held"
        if draft.occasion.startswith(CONTRACT_EVENT):
            kind = "contract"
        elif draft.occasion.startswith(statement_letters.OCCASIONS):
            kind = "month"
        elif draft.occasion.startswith(release_letters.OCCASIONS):
            kind = "release"
        elif draft.occasion.startswith(DIGEST):
            kind = "digest"
        return f"{kind}.{unique}@{domain}"
    if not draft.letter.may_reply:
        return f"desk.{draft.ticket.number}.{unique}@{domain}"
    return f"ticket.{draft.ticket.number}.{draft.ticket.token}.{unique}@{domain}"


def _thread(draft: Draft) -> tuple[str, str]:
    """(In-Reply-To, References): the letter that this answers, and the first of the conversation with this reader."""
    if draft.occasion.startswith((CONTRACT_EVENT, DIGEST, *statement_letters.OCCASIONS, *release_letters.OCCASIONS)):
        return "", ""  # a conversation of its own: nobody wrote before it
    if draft.ticket is None:
        held = HeldRequest.objects.get(pk=int(draft.occasion.partition(":")[2]))
        came = held.letters.exclude(message_id__contains="sha256:").values_list("message_id", flat=True).first()
        return (came, f"<{came}>") if came and draft.reader.address == held.sender_address else ("", "")
    earlier = list(
        OutgoingLetter.objects.filter(ticket=draft.ticket, address=draft.reader.address)
        .order_by("pk")
        .values_list("message_id", flat=True)
    )
    theirs = None
    if draft.letter.may_reply:
        theirs = (
            draft.ticket.messages.filter(by_vendor=False, message_id__isnull=False)
            .order_by("-pk")
            .values_list("message_id", flat=True)
            .first()
        )
    answered = theirs or (earlier[-1] if earlier else "")
    chain = dict.fromkeys(one for one in (*earlier[:1], *earlier[-1:], answered) if one)
    return answered, " ".join(f"<{one}>" for one in chain)


def mark_history_notified(before: datetime) -> int:
    """Marks everything that happened before this moment as told, without letters; returns how many rows.

    For an installation that is filled with past events (demo data, an import): nobody wants a year of letters at once.
    What another process has in hand is passed over: two that mark the same at once would wait for each other.
    """
    return sum(
        _mark(rows, at, before)
        for rows, at in (
            (Event.objects, "at"),
            (Escalation.objects, "created_at"),
            (HeldRequest.objects, "received_at"),
            (ContractEvent.objects, "at"),
            (MonthlyStatement.objects, "closed_at"),
            (StatementAnswer.objects, "at"),
            (StatementCorrection.objects, "at"),
            (ReleaseNotice.objects, "told_at"),
            (ReleaseReminder.objects, "at"),
        )
    )


@transaction.atomic
def _mark(rows: models.Manager[Any], at: str, before: datetime) -> int:
    old = rows.filter(notified_at__isnull=True, **{f"{at}__lt": before})
    return rows.filter(pk__in=old.select_for_update(skip_locked=True).values("pk")).update(notified_at=models.F(at))


# Sending


def send_letters(now: datetime) -> int:
    """Hands the letters that are due to the mail server, one by one; returns how many it took.

    Sends nothing where no server is configured (`EMAIL_HOST`). A letter that the server refuses for good (5xx) keeps
    the reason and is not tried again; any other trouble of a letter is tried again after 1, 2, 4 … minutes, at most
    6 hours apart, for five days. When the server itself cannot be reached, the round ends and letters wait a minute.
    """
    if not settings.EMAIL_HOST:
        return 0
    server = EmailBackend()  # by name: what a test run or a console backend would do is not sending
    began = time.monotonic()
    sent = 0
    try:
        server.open()
        while (letter := _take_in_hand(now, now + timedelta(seconds=time.monotonic() - began))) is not None:
            sent += _hand_over(letter, now, server)
    except (OSError, smtplib.SMTPException):
        log.warning("the mail server %s:%s cannot be used now", settings.EMAIL_HOST, settings.EMAIL_PORT, exc_info=True)
    finally:
        _close(server)
    return sent


def _close(server: EmailBackend) -> None:
    try:
        server.close()
    except (OSError, smtplib.SMTPException):
        log.info("the connection to the mail server was gone before it was closed")


@transaction.atomic
def _take_in_hand(now: datetime, at: datetime) -> OutgoingLetter | None:
    """The next letter that is due `now`, this sender's alone for `IN_HAND` from `at` on; None if there is none."""
    due = OutgoingLetter.objects.filter(sent_at__isnull=True, next_try_at__lte=now).order_by("next_try_at", "pk")
    letter = due.select_for_update(of=("self",), skip_locked=True).first()
    if letter is None:
        return None
    if letter.in_hand_since is not None:
        log.warning("letter %s: its sender ended before it noted an answer, so it may come twice", letter.message_id)
    letter.tries += 1
    letter.in_hand_since, letter.next_try_at = at, at + IN_HAND
    letter.save(update_fields=["tries", "in_hand_since", "next_try_at"])
    return letter


def _hand_over(letter: OutgoingLetter, now: datetime, server: EmailBackend) -> int:
    """Sends the letter in hand: 1 if it was taken, 0 if not. Raises where the server is the trouble."""
    trouble: Exception | None = None
    try:
        server.send_messages([_message(letter)])
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        trouble = error
    except smtplib.SMTPException as error:
        _put_off(letter, now, error)
    except OSError as error:
        trouble = error
    except Exception as error:  # a letter that cannot even be built never stops the rest
        log.exception("letter %s could not be sent", letter.pk)
        _put_off(letter, now, error)
    else:
        letter.sent_at, letter.error, letter.next_try_at = now, "", None
    if trouble is not None:
        letter.error, letter.next_try_at = _reason(trouble), now + FIRST_RETRY
    _note(letter, now)
    if trouble is not None:
        raise trouble
    return 1 if letter.sent_at else 0


def _note(letter: OutgoingLetter, now: datetime) -> None:
    """Writes down what came of a letter in hand, also where the database is away: then as soon as it is back."""
    letter.in_hand_since = None
    until = time.monotonic() + NOTED_WITHIN
    pause = 0.1
    while True:
        try:
            with transaction.atomic():
                letter.save(update_fields=["sent_at", "error", "next_try_at", "in_hand_since"])
                if letter.sent_at is None and letter.next_try_at is None:
                    tell_the_desk(letter, letter.error, at=now)
            return
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > until:
                raise
            log.warning("letter %s waits for the database to be noted", letter.message_id, exc_info=True)
            connection.close()
            time.sleep(pause)
            pause = min(2 * pause, 2.0)


def _put_off(letter: OutgoingLetter, now: datetime, error: Exception) -> None:
    letter.error = _reason(error)
    wait = min(FIRST_RETRY * 2 ** min(letter.tries - 1, 20), LAST_RETRY)
    is_over = _is_refused_for_good(error) or now + wait > letter.written_at + GIVE_UP_AFTER
    letter.next_try_at = None if is_over else now + wait


def _is_refused_for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _words in error.recipients.values()]
        return bool(codes) and all(code >= 500 for code in codes)
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_decoded(said)}" for code, said in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


def _decoded(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _message(letter: OutgoingLetter) -> EmailMultiAlternatives:
    headers = {"Message-ID": f"<{letter.message_id}>"}
    if letter.in_reply_to:
        headers["In-Reply-To"] = f"<{letter.in_reply_to}>"
    if letter.references:
        headers["References"] = letter.references
    if not _is_by_a_person(letter):
        # RFC 3834: a machine wrote it, so no machine answers it.
        headers["Auto-Submitted"] = "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
    if letter.kind in choices.MAY_BE_TURNED_OFF and letter.person is not None:
        # RFC 8058: a mail program turns the kind off by one POST, without a sign-in.
        headers["List-Unsubscribe"] = f"<{settings.SITE_URL}{choices.address_of(letter.person, letter.kind)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    language = letter.person.language if letter.person else settings.LANGUAGE_CODE
    with translation.override(language):
        sender = formataddr((_("Support"), settings.DEFAULT_FROM_EMAIL), charset="utf-8")
    message = EmailMultiAlternatives(letter.subject, letter.text, sender, [letter.address], headers=headers)
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message


def _is_by_a_person(letter: OutgoingLetter) -> bool:
    kind, _colon, key = letter.occasion.partition(":")
    return kind == "event" and Event.objects.filter(pk=int(key), verb__in=event_letters.BY_A_PERSON).exists()
