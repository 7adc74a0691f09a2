"""The command palette (direction §9): what can be done with the open ticket, and where one can go, by a few letters.

A page is found by its words in either language, and by the same keys on the other keyboard.

Everything in it is a link that the person may follow; an action leads to its form on the ticket's page, where the rules
are asked again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import BOARD_ROLES, DESK_ROLES, Line, Role, User
from contracts.models import Customer
from contracts.text_search import in_other_layout
from tickets import moves, workflow
from tickets.models import Ticket

AT_MOST = 12
OF_A_CUSTOMER = 4
LONGEST = 80  # characters of a question


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the palette. `opens` is the id of a menu on the ticket's page, `presses` its key, "" for none.

    `clicks` chooses a control that stands on every page, `url` being where the same is done without a script; `words`
    are others that it is found by.
    """

    label: str
    hint: str
    url: str
    icon: str
    opens: str = ""
    presses: str = ""
    clicks: str = ""
    words: tuple[str, ...] = field(default=(), compare=False)


def results(user: User, question: str, ticket: Ticket | None = None) -> list[Found]:
    """At most twelve, best first: a ticket by its number, then what begins with the words, then what holds them."""
    asked = question.replace("\0", "").strip()[:LONGEST]
    offered = [*actions(user, ticket), *pages(user)]
    if not asked:
        return offered[:AT_MOST]
    fitting = that_fit(asked, offered)
    found = [*by_number(user, asked), *fitting, *by_customer(user, asked)][:AT_MOST]
    other = in_other_layout(asked) if not found else ""
    return that_fit(other, offered)[:AT_MOST] if other else found


def that_fit(asked: str, offered: Iterable[Found]) -> list[Found]:
    """The best first, those that fit equally as they were offered."""
    ranked = [(min(rank(asked, text) for text in (found.label, *found.words)), found) for found in offered]
    return [found for how_well, found in sorted(ranked, key=lambda row: row[0]) if how_well < MISSES]


MISSES = 9


def rank(asked: str, label: str) -> int:
    """How well a label answers: 0 begins with it, 1 a word does, 2 holds it, MISSES not at all; ё is е."""
    wanted, text = folded(asked), folded(label)
    if text.startswith(wanted):
        return 0
    if any(word.startswith(wanted) for word in text.split()) or f" {wanted}" in text:
        return 1
    return 2 if wanted in text else MISSES


def folded(text: str) -> str:
    return text.casefold().replace("ё", "е")


def actions(user: User, ticket: Ticket | None) -> Iterable[Found]:
    """What is legal with the ticket that is open, in the words of its buttons."""
    if ticket is None:
        return
    waiting = ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).last()
    receives = waiting is None or workflow.receives(ticket, waiting, by=user, at=timezone.now())
    may = moves.offered(ticket, user, waiting=waiting, receives=receives)
    page, hint = reverse("desk:ticket", args=[ticket.number]), f"№ {ticket.number}"
    kinds = moves.says(ticket) if "messages" in may else []
    for kind, label, icon, key in (
        ("reply", _("Reply to the customer"), "send", "R"),
        ("note", _("Internal note"), "lock", "N"),
    ):
        if kind in kinds:
            yield Found(label, hint, f"{page}#composer", icon, presses=key)
    for name in ("acceptance", *moves.BUTTONS, *moves.OF_STATUS, *moves.REST):
        if name in may:
            move = moves.MOVES[name]
            opens, key = ("", "T") if name == "acceptance" else (f"act-{name}", move.key)
            yield Found(str(move.label), hint, f"{page}#{opens or 'pane'}", move.icon, opens, key)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the house: `may` says who enters it; `also` are words of either language that people ask for it by."""

    label: str | Promise
    to: str
    icon: str
    may: Callable[[User], bool]
    also: str | Promise = ""
    clicks: str = ""


def _of(roles: Iterable[str]) -> Callable[[User], bool]:
    allowed = frozenset(roles)
    return lambda user: user.role in allowed


def _at_desk(user: User) -> bool:
    return user.works_at_desk


def _anybody(user: User) -> bool:
    return True


DESK_OR_BOARD = _of(DESK_ROLES | BOARD_ROLES)

SECTIONS = (
    Section(gettext_lazy("New request"), "desk:intake", "plus", _at_desk, gettext_lazy("create, call, intake")),
    Section(gettext_lazy("Major"), "desk:majors", "zap", DESK_OR_BOARD, gettext_lazy("major incidents, outages")),
    Section(gettext_lazy("Shifts"), "desk:shift", "users", _at_desk, gettext_lazy("who is on the line, load")),
    Section(
        gettext_lazy("Shifts by week"), "desk:shift_week", "calendar-clock", _at_desk, gettext_lazy("week, roster")
    ),
    Section(gettext_lazy("Defects"), "desk:defects", "bug", _at_desk, gettext_lazy("bugs, faults")),
    Section(gettext_lazy("Releases"), "desk:releases", "package", DESK_OR_BOARD, gettext_lazy("versions, files")),
    Section(gettext_lazy("Macros"), "desk:macros", "zap", _at_desk, gettext_lazy("templates of answers")),
    Section(gettext_lazy("My bulk acts"), "desk:bulk", "history", _at_desk, gettext_lazy("bulk runs, many at once")),
    Section(gettext_lazy("All views"), "desk:views", "list-filter", _at_desk, gettext_lazy("saved views, filters")),
    Section(gettext_lazy("Search"), "desk:search", "search", _at_desk, gettext_lazy("find requests")),
    Section(gettext_lazy("Articles"), "kb:articles", "book-open", _anybody, gettext_lazy("knowledge base")),
    Section(
        gettext_lazy("Articles to write"),
        "kb_desk:articles",
        "book-open",
        _at_desk,
        gettext_lazy("drafts of articles"),
    ),
    Section(gettext_lazy("New article"), "kb_desk:new", "plus", _at_desk, gettext_lazy("write an article")),
    Section(
        gettext_lazy("Absences"), "promises:absences", "calendar-clock", _anybody, gettext_lazy("holidays, I am away")
    ),
    Section(gettext_lazy("Hours"), "promises:calendars", "calendar-clock", _anybody, gettext_lazy("calendars")),
    Section(gettext_lazy("Ladder"), "promises:ladders", "siren", _anybody, gettext_lazy("who is called when")),
    Section(gettext_lazy("Simulator"), "promises:simulator", "gauge", _anybody, gettext_lazy("deadlines, what if")),
    Section(gettext_lazy("Board"), "manage:board", "gauge", _of(BOARD_ROLES), gettext_lazy("departures, figures")),
    Section(gettext_lazy("Escalations"), "manage:escalations", "siren", _of(BOARD_ROLES)),
    Section(
        gettext_lazy("Statements"),
        "manage:statements",
        "chart-column",
        _of({Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT}),
        gettext_lazy("months, promises kept"),
    ),
    Section(gettext_lazy("Contracts"), "contracts:home", "handshake", lambda user: user.reads_contracts),
    Section(gettext_lazy("Letters"), "outbox", "mail", _anybody, gettext_lazy("mail, outbox")),
    Section(
        gettext_lazy("Dark or light theme"),
        "me",
        "moon",
        _anybody,
        gettext_lazy("colours, night"),
        clicks="[data-theme-form] button",
    ),
    Section(
        gettext_lazy("Other language"),
        "me",
        "languages",
        _anybody,
        gettext_lazy("in English, in Russian"),
        clicks=".tools .lang",
    ),
    Section(gettext_lazy("Your settings"), "me", "settings", _anybody, gettext_lazy("profile, password, time zone")),
    Section(gettext_lazy("Keyboard"), "desk:keys", "keyboard", _anybody, gettext_lazy("keys, shortcuts")),
)


@lru_cache(maxsize=128)
def _words(place: int) -> tuple[str, ...]:
    """What a section is called and asked for by, in every language."""
    section, told = SECTIONS[place], []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            told += [str(section.label), *str(section.also).split(", ")]
    return tuple(told)


def pages(user: User) -> Iterable[Found]:
    """The queues and the sections that this person may enter."""
    if user.works_at_desk:
        own = pgettext("queue", "My lines") if user.lines.exists() else pgettext("queue", "All")
        yield Found(_("Queue"), own, reverse("desk:queue"), "inbox", words=(own, "queue", "очередь", "my lines"))
        yield Found(_("My queue"), "", reverse("desk:my"), "inbox", words=("my queue", "mine", "мои обращения"))
        for line in Line.objects.order_by("number"):
            label = _("Line %(number)d: %(name)s") % {"number": line.pk, "name": line.name}
            also = (f"line {line.pk}: {line.name_en}", f"линия {line.pk}: {line.name_ru}", line.name_en, line.name_ru)
            yield Found(label, _("queue of the line"), reverse("desk:line", args=[line.pk]), "inbox", words=also)
    for place, section in enumerate(SECTIONS):
        if section.may(user):
            found = Found(str(section.label), "", reverse(section.to), section.icon, clicks=section.clicks)
            yield replace(found, words=_words(place))


def by_number(user: User, asked: str) -> list[Found]:
    """The ticket of exactly this number, with or without its sign."""
    digits = asked.lstrip("№# ").strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18 or not user.works_at_desk:
        return []
    found = Ticket.objects.visible_to(user).select_related("customer").filter(number=int(digits))
    return [of_ticket(ticket) for ticket in found]


def by_customer(user: User, asked: str) -> list[Found]:
    """Customers of this name whose pages the person may read, and the customer's open tickets by deadline."""
    if len(asked) < 2:
        return []
    customers = Customer.objects.visible_to(user).filter(name__icontains=asked).order_by("name")[:OF_A_CUSTOMER]
    found = [
        Found(customer.name, _("customer"), reverse("contracts:customer", args=[customer.pk]), "building-2")
        for customer in customers
    ]
    if user.works_at_desk:
        tickets = Ticket.objects.visible_to(user).open().filter(customer__name__icontains=asked)
        found += [of_ticket(ticket) for ticket in tickets.select_related("customer").by_deadline()[:OF_A_CUSTOMER]]
    return found


def of_ticket(ticket: Ticket) -> Found:
    page = reverse("desk:ticket", args=[ticket.number])
    return Found(f"№ {ticket.number} {ticket.subject}", ticket.customer.name, page, "message-square")
