"""What a letter is, before it is laid out: who reads it, and its parts (direction §16, §17). Pure but for `link`.

What letters say stands by what they are about: `customer_letters.py`, `desk_letters.py`, `escalation_letters.py` and
the other files of that name, in the language of each reader (`drafts_to`); `event_letters.py` has the table of who is
told of which event of a ticket.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from sla import words
from tickets.models import Event, Ticket


class Reader(NamedTuple):
    """Whom a letter is for: their address, language and zone; `now` is when it is written. None: nobody we know."""

    person: User | None
    address: str
    language: str
    zone: ZoneInfo
    now: datetime

    def moment(self, at: datetime, style: str = "full") -> str:
        return words.both_zones(at, self.zone, self.now, style)


class Said(NamedTuple):
    """Somebody's words: who, what they are, when, and the text as written."""

    name: str
    role: str
    at: str
    text: str
    files: str = ""


class Link(NamedTuple):
    label: str
    url: str


class Hint(NamedTuple):
    """A quiet sentence at the foot, and the link that stands at its end."""

    sentence: str
    link: Link | None = None


@dataclass(frozen=True)
class Letter:
    """What a letter says, before it is laid out by `templates/emails/letter.txt` and `.html`."""

    title: str  # of the subject line: what happened, or what is asked of the reader
    heading: str
    state: str = ""
    promises: list[tuple[str, str]] = field(default_factory=list)  # a sentence, and what it means
    lead: list[str] = field(default_factory=list)
    said: Said | None = None
    facts: list[tuple[str, str]] = field(default_factory=list)
    answers: Said | None = None  # the customer's words that this answers, cut short; no name: the reader's own
    button: Link | None = None
    links: list[Link] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    why: str = ""
    may_reply: bool = False

    @property
    def preview(self) -> str:
        """What a list of letters shows beside the subject: first words and the deadline."""
        first = [self.said.text] if self.said and self.said.text else self.lead
        promised = [sentence for sentence, _meaning in self.promises]
        return " ".join(" ".join([*first[:1], *promised[:1]]).split())[:160]


@dataclass(frozen=True)
class Draft:
    """A letter to one reader about one occasion ("event:17"); the two together make it unique."""

    occasion: str
    reader: Reader
    letter: Letter
    ticket: Ticket | None = None
    kind: str = ""  # of `LetterKind`, where the reader may choose; "" always comes


Audience = Callable[[Event, datetime], list[User]]
Wording = Callable[[Event, Reader], Letter]


def reader_of(person: User, now: datetime) -> Reader:
    return Reader(person, person.email, person.language, ZoneInfo(person.timezone), now)


def drafts_to(
    people: Iterable[User],
    occasion: str,
    wording: Callable[[Reader], Letter | None],
    *,
    now: datetime,
    ticket: Ticket | None = None,
    kind: Callable[[User], str] = lambda person: "",
) -> list[Draft]:
    """A letter about one occasion to each of these people, worded in the language of each; None: nothing to say.

    `kind` says of a person which of their choices it is under; "" always comes.
    """
    drafts = []
    for person in people:
        reader = reader_of(person, now)
        with translation.override(reader.language):
            letter = wording(reader)
        if letter is not None:
            drafts.append(Draft(occasion, reader, letter, ticket, kind(person)))
    return drafts


def link(name: str, *arguments: object) -> str:
    """The whole address of one of our pages, for a letter."""
    return settings.SITE_URL + reverse(name, args=arguments)
