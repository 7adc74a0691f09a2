"""What one demo ticket is about and how it went, as plain values. Pure: no Django, no clock, no database.

A story is a small play. The customer opens; then turns follow in order, each of which the builder of the demo plays
with the workflow's verb of the same meaning. `walk` is a small picture of the machine of domain §3.2, so that a story
that the workflow would refuse is found by a test and not in the middle of a demo year.

Texts carry slots in braces (`{module}`). `Story.render` fills them from the story's own `slots` (chosen independently),
its `cases` (rows of values that belong together) and from what the builder gives: see `GIVEN`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any

KINDS = ("incident", "service_request", "consultation", "wish")

# The line that a topic enters (domain §3.3): a defect, too, enters the first line, for line 4 takes nothing without one
# on record. `network_os` is outside support (§1.7) and never reaches a line.
TOPIC_LINES = {
    "how_to": 1,
    "service_request": 1,
    "remote_connection": 1,
    "access": 1,
    "wish": 1,
    "network_os": 1,
    "database": 2,
    "web_server": 2,
    "installation": 2,
    "upgrade": 2,
    "import_export": 2,
    "report_setup": 2,
    "process_setup": 2,
    "development": 3,
    "integration": 3,
    "defect": 1,
}

# What the customer answers to the questions of intake, and the priority that follows (domain §1.6 and its decision).
IMPACTS = {
    "nothing_works": 1,
    "main_stopped": 1,  # a main function, and no other way to do it
    "main": 2,
    "auxiliary_stopped": 2,  # an auxiliary function, and no other way to do it
    "auxiliary": 3,
    "cosmetic": 4,
}

# Slots that the builder may fill with what is true of the ticket; the values here stand in where it does not.
GIVEN = {
    "ru": {"contact": "Андрей", "release": "7.8.4", "next_release": "8.0"},
    "en": {"contact": "Martin", "release": "7.8.4", "next_release": "8.0"},
}

# Greetings differ from writer to writer; every story may use them.
COMMON = {
    "ru": {"hello": ("Добрый день.", "Здравствуйте.", "Коллеги, добрый день.", "Приветствую.")},
    "en": {"hello": ("Hello.", "Hi team.", "Good day.", "Hello everybody.")},
}

SLOT = re.compile(r"\{([a-z_]+)\}")

# Who acts in a turn of each kind.
TURNS = {
    "accept": "engineer",
    "reply": "engineer",
    "note": "engineer",
    "ask": "engineer",
    "hand_over": "engineer",
    "send_back": "engineer",
    "restore": "engineer",
    "reclassify": "engineer",
    "defect": "engineer",
    "resolve": "engineer",
    "decline": "engineer",
    "answer": "customer",
    "says": "customer",
    "confirm": "customer",
    "reopen": "customer",
    "escalate": "customer",
    "contest": "customer",
    "withdraw": "customer",
    "rate": "customer",
    "answer_escalation": "manager",
}


@dataclass(frozen=True)
class Turn:
    """One step of a story. `text` is what is written: the reply, the note, the reason or the comment of a rating.

    `line` belongs to hand_over, `priority` to restore and reclassify, `score` (1–5) to rate, `whom` (`csm` or
    `top_management`) to escalate, `known`/`tried`/`asked` to hand_over, the last four to defect.
    """

    kind: str
    text: str = ""
    line: int | None = None
    priority: int | None = None
    score: int | None = None
    whom: str = ""
    known: str = ""
    tried: str = ""
    asked: str = ""
    title: str = ""
    steps: str = ""
    expected: str = ""
    actual: str = ""

    @property
    def side(self) -> str:
        """Who acts: engineer, customer or manager (the person whom the customer escalated to)."""
        return TURNS[self.kind]

    def texts(self) -> dict[str, str]:
        """The fields that hold words, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_WORDS}

    def filled(self, fill: Callable[[str], str]) -> "Turn":
        """The same turn with every text passed through `fill`."""
        words: dict[str, Any] = {name: fill(text) for name, text in self.texts().items()}
        return replace(self, **words)


NOT_WORDS = {"kind", "line", "priority", "score", "whom"}


@dataclass(frozen=True)
class Story:
    """One ticket from opening to its end. Only a rendered story (no slots left) is fit to be played.

    `impact` is a key of IMPACTS for incidents and "" otherwise (priority 4, domain §3.4). `product` and `deployment`
    ("on-site", "on-demand") narrow who may tell it; "" means anybody. `pace` "late" says that the words complain of a
    late answer, so that the builder lets it be late. `weight` is how often it is told compared with the others.
    """

    kind: str
    topic: str
    language: str
    impact: str
    subject: str
    opening: str
    turns: tuple[Turn, ...]
    product: str = ""
    deployment: str = ""
    pace: str = "usual"
    weight: float = 1
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    case_names: tuple[str, ...] = ()
    cases: tuple[tuple[str, ...], ...] = ()

    @property
    def priority(self) -> int:
        """Priority at the opening, 1–4."""
        return IMPACTS[self.impact] if self.impact else 4

    @property
    def path(self) -> tuple[int, ...]:
        """The lines that work on it, in order, beginning with the line of its topic."""
        return tuple(_without_repeats(position.line for position in walk(self)))

    @property
    def is_held(self) -> bool:
        """Outside support already at intake (domain §3.5): it becomes a held request, never a ticket on a line."""
        return self.topic == "network_os"

    def subject_variants(self) -> int:
        """How many different subjects the slots can make, leaving out what the builder gives."""
        names = set(SLOT.findall(self.subject))
        total = 1
        for name in names & set(self.slots):
            total *= len(set(self.slots[name]))
        shown = [at for at, name in enumerate(self.case_names) if name in names]
        if shown:
            total *= len({tuple(row[at] for at in shown) for row in self.cases})
        return total

    def render(self, rng: Random, given: Mapping[str, str] | None = None) -> "Story":
        """The story with every slot filled; the same `rng` state and `given` make the same story.

        `given` may hold the keys of GIVEN (the contact's given name, release, next_release).
        """
        values = dict(GIVEN[self.language])
        for name, choices in COMMON[self.language].items():
            values[name] = rng.choice(choices)
        for name in sorted(self.slots):
            values[name] = rng.choice(list(self.slots[name]))
        if self.cases:
            values.update(zip(self.case_names, rng.choice(self.cases), strict=True))
        values.update(given or {})

        def fill(text: str) -> str:
            return SLOT.sub(lambda found: values[found[1]], text)

        return replace(
            self,
            subject=fill(self.subject),
            opening=fill(self.opening),
            turns=tuple(turn.filled(fill) for turn in self.turns),
            slots={},
            case_names=(),
            cases=(),
        )

    def cut(self, count: int) -> "Story":
        """The story as far as its first `count` turns: what an open ticket shows now."""
        return replace(self, turns=self.turns[:count])

    def open_cuts(self) -> list[int]:
        """Every `count` for which `cut(count)` leaves a ticket that still waits for somebody's work or answer."""
        return [count for count, position in enumerate(walk(self)) if position.state in OPEN]


# --- The machine of domain §3.2, small ------------------------------------------------------------

OPEN = ("new", "in_progress", "awaiting_customer")


@dataclass(frozen=True)
class Position:
    """Where a ticket stands between two turns. `taken` is false until somebody of the present line has accepted it."""

    state: str
    line: int
    priority: int
    taken: bool = False
    came_from: int | None = None
    has_defect: bool = False
    escalated: bool = False
    solved: bool = False
    rated: bool = False


class IllegalTurn(ValueError):
    """A turn that the machine would refuse; the message says which and where."""


def walk(story: Story) -> Iterator[Position]:
    """The positions of the ticket: first as opened, then after each turn. Raises IllegalTurn at the first wrong one."""
    position = Position("new", TOPIC_LINES[story.topic], story.priority)
    yield position
    for number, turn in enumerate(story.turns, start=1):
        position = _after(story, turn, position, number)
        yield position


def _after(story: Story, turn: Turn, was: Position, number: int) -> Position:
    def need(true: object, why: str) -> None:
        if not true:
            raise IllegalTurn(f"{story.subject!r}, turn {number} ({turn.kind}): {why}; the ticket was {was}")

    working = was.state == "in_progress" and was.taken
    match turn.kind:
        case "accept":
            need(was.state == "new" or (was.state == "in_progress" and not was.taken), "already taken")
            return replace(was, state="in_progress", taken=True)
        case "note":
            need(was.state in OPEN, "not open")
            return was
        case "reply":
            need(working, "nobody works on it")
            return was
        case "ask":
            need(working, "nobody works on it")
            return replace(was, state="awaiting_customer")
        case "answer":
            need(was.state == "awaiting_customer", "no question was asked")
            return replace(was, state="in_progress")
        case "says":
            need(was.state in ("new", "in_progress"), "not open, or a question waits for its answer")
            return was
        case "hand_over":
            need(working, "nobody works on it")
            need(turn.line in (1, 2, 3, 4) and turn.line != was.line, "not another line")
            need(turn.line != 4 or was.has_defect, "line 4 takes nothing without a defect (domain §3.3)")
            return replace(was, line=turn.line or was.line, taken=False, came_from=was.line)
        case "send_back":
            need(was.state == "in_progress" and not was.taken and was.came_from, "was not handed over")
            # Whoever passed it on has it again at once.
            return replace(was, line=was.came_from or was.line, came_from=was.line, taken=True)
        case "defect":
            need(working, "nobody works on it")
            need(not was.has_defect, "has a defect already")
            return replace(was, has_defect=True)
        case "restore":
            need(working, "nobody works on it")
            need(story.kind == "incident", "only an incident is restored")
            need(was.priority in (1, 2) and turn.priority in (3, 4), "only from 1 or 2 to 3 or 4 (domain §3.4)")
            return replace(was, priority=turn.priority or was.priority)
        case "reclassify":
            need(working, "nobody works on it")
            need(turn.priority in (1, 2, 3, 4) and turn.priority != was.priority, "not another priority")
            return replace(was, priority=turn.priority or was.priority)
        case "resolve":
            need(working, "nobody works on it")
            return replace(was, state="resolved", solved=True)
        case "confirm":
            need(was.state == "resolved", "not resolved")
            return replace(was, state="closed")
        case "reopen":
            need(was.state == "resolved", "not resolved")
            return replace(was, state="in_progress")
        case "decline":
            need(was.state in ("new", "in_progress"), "neither new nor in progress")
            return replace(was, state="declined")
        case "contest":
            need(was.state == "declined", "not declined")
            return replace(was, state="in_progress")
        case "withdraw":
            need(was.state in OPEN, "not open")
            return replace(was, state="closed")
        case "escalate":
            need(was.state in OPEN, "not open")
            need(not was.escalated, "an escalation is open already")
            need(turn.whom in ("csm", "top_management"), "whom?")
            return replace(was, escalated=True)
        case "answer_escalation":
            need(was.escalated, "no escalation is open")
            return replace(was, escalated=False)
        case "rate":
            need(was.state in ("resolved", "closed"), "still open")
            need(was.solved and not was.rated, "never resolved, or rated already")
            need(turn.score in (1, 2, 3, 4, 5), "a rating is 1 to 5")
            return replace(was, rated=True)
    raise IllegalTurn(f"{story.subject!r}, turn {number}: no such kind of turn: {turn.kind}")


def _with_acceptances(topic: str, turns: Iterable[Turn]) -> Iterator[Turn]:
    """Whoever begins to work on a ticket accepts it first: put in the turns that the writer of a story left unsaid."""
    taken = False
    for turn in turns:
        works = turn.side == "engineer" and turn.kind not in ("accept", "send_back", "decline", "note")
        if works and not taken:
            yield Turn("accept")
        if turn.kind == "hand_over":
            taken = False
        elif turn.side == "engineer" and turn.kind not in ("decline", "note"):
            taken = True
        yield turn


def _without_repeats(lines: Iterable[int]) -> Iterator[int]:
    last = None
    for line in lines:
        if line != last:
            yield line
        last = line


# --- The words in which stories are written -------------------------------------------------------


def tell(
    language: str,
    kind: str,
    topic: str,
    impact: str,
    subject: str,
    opening: str,
    *turns: Turn,
    product: str = "",
    deployment: str = "",
    pace: str = "usual",
    weight: float = 1,
    cases: tuple[str, Sequence[Sequence[str]]] | None = None,
    **slots: Sequence[str],
) -> Story:
    """A story of one language. `cases` is ("name name …", rows); any other keyword is a slot with its values."""
    names, rows = cases or ("", ())
    return Story(
        kind=kind,
        topic=topic,
        language=language,
        impact=impact,
        subject=subject,
        opening=opening,
        turns=tuple(_with_acceptances(topic, turns)),
        product=product,
        deployment=deployment,
        pace=pace,
        weight=weight,
        slots={name: tuple(values) for name, values in slots.items()},
        case_names=tuple(names.split()),
        cases=tuple(tuple(row) for row in rows),
    )


def reply(text: str) -> Turn:
    """An engineer writes to the customer."""
    return Turn("reply", text)


def note(text: str) -> Turn:
    """An engineer writes for colleagues only."""
    return Turn("note", text)


def ask(text: str) -> Turn:
    """An engineer asks, and the ticket waits for the customer."""
    return Turn("ask", text)


def answer(text: str) -> Turn:
    """The customer answers the question; the work goes on."""
    return Turn("answer", text)


def says(text: str) -> Turn:
    """The customer writes unasked."""
    return Turn("says", text)


def hand_over(line: int, known: str, tried: str, asked: str) -> Turn:
    """To another line, with the note of domain §3.3."""
    return Turn("hand_over", line=line, known=known, tried=tried, asked=asked)


def send_back(reason: str) -> Turn:
    """The receiving line does not accept the hand-over."""
    return Turn("send_back", reason)


def restore(priority: int, workaround: str) -> Turn:
    """Service is back by a workaround; the priority falls to 3 or 4."""
    return Turn("restore", workaround, priority=priority)


def reclassify(priority: int, reason: str) -> Turn:
    """The priority was wrong."""
    return Turn("reclassify", reason, priority=priority)


def defect(title: str, steps: str, expected: str, actual: str) -> Turn:
    """A fault of the product is put on record, which opens the way to line 4."""
    return Turn("defect", title=title, steps=steps, expected=expected, actual=actual)


def resolve(text: str) -> Turn:
    """Solved, with what was done."""
    return Turn("resolve", text)


def confirm() -> Turn:
    """The customer agrees that it is solved; without a word, as the button has none."""
    return Turn("confirm")


def reopen(reason: str) -> Turn:
    """The customer says that it is not solved."""
    return Turn("reopen", reason)


def rate(score: int, comment: str = "") -> Turn:
    """The customer's rating, 1–5."""
    return Turn("rate", comment, score=score)


def escalate(reason: str, whom: str = "csm") -> Turn:
    """The customer calls in the CSM or top management (domain §4.4)."""
    return Turn("escalate", reason, whom=whom)


def answer_escalation(text: str) -> Turn:
    """The answer that the customer sees and that closes the escalation."""
    return Turn("answer_escalation", text)


def decline(reason: str) -> Turn:
    """Outside support, with the condition named (domain §1.7)."""
    return Turn("decline", reason)


def contest(reason: str) -> Turn:
    """The customer does not agree that it is outside support."""
    return Turn("contest", reason)


def withdraw(reason: str) -> Turn:
    """The customer takes the request back."""
    return Turn("withdraw", reason)


# --- Dealing stories out --------------------------------------------------------------------------


class Deck:
    """Deals rendered stories: the least told first (by weight); no subject twice while a suitable one is left untold.

    Deterministic by `rng`.
    """

    def __init__(self, rng: Random, stories: Iterable[Story]) -> None:
        self.rng = rng
        self.stories = [story for story in stories if not story.is_held]
        self.told = [0] * len(self.stories)
        self.subjects: set[str] = set()

    def deal(self, suits: Callable[[Story], bool], given: Mapping[str, str] | None = None) -> Story:
        """A rendered story among those that suit. Raises LookupError when none suits."""
        suitable = [at for at, story in enumerate(self.stories) if suits(story)]
        if not suitable:
            raise LookupError("no story suits")
        self.rng.shuffle(suitable)
        suitable.sort(key=lambda at: self.told[at] / self.stories[at].weight)
        for at in suitable:
            for _ in range(self.stories[at].subject_variants() * 3):
                told = self.stories[at].render(self.rng, given)
                if told.subject not in self.subjects:
                    self.subjects.add(told.subject)
                    self.told[at] += 1
                    return told
        # All are told (a demo of many thousands): a desk hears the same thing twice, too.
        self.told[suitable[0]] += 1
        return self.stories[suitable[0]].render(self.rng, given)
