"""The words of every event of a ticket, found by its verb: a table for the desk, and one for customers.

The desk's words name people, rungs and clocks. The customer's name what it means for them and never an internal state
(direction §16); a verb that is missing there is none of theirs: notes, assignments, alarms of a line. Pure over rows
that were fetched already: nothing here asks the database or the clock.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from contracts.models import TicketKind
from contracts.price_words import day_words
from contracts.publishing import Beyond
from sla import words
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Whom
from tickets import choosing
from tickets.durations import spent_words
from tickets.models import Event, link_words


class Told(NamedTuple):
    """`what` happened in a few words, `more` the reason or text that came with it ("" for none)."""

    what: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """What an event says of itself, and the zone in which its moments are told."""

    details: Mapping[str, Any]
    by: User | None
    at: datetime
    zone: tzinfo

    def text(self, name: str) -> str:
        """A text of the details; "" for none, or for what is no text."""
        value = self.details.get(name)
        return value if isinstance(value, str) else ""

    def values(self, *names: str) -> dict[str, Any]:
        """The details of these names, to be filled in; "" for none."""
        return {name: self.details.get(name, "") for name in names}

    def moment(self, name: str) -> str:
        return _moment(self.details.get(name), self.zone)

    @property
    def reason(self) -> str:
        return self.text("reason")

    @property
    def change(self) -> dict[str, Any]:
        return self.values("from", "to")

    @property
    def took(self) -> bool:
        """Whether who answered took the ticket by it."""
        return self.details.get("took") is True

    @property
    def short_name(self) -> dict[str, str]:
        """Who did it, as the desk calls them."""
        return {"name": self.by.short_name if self.by else _("the system")}

    @property
    def full_name(self) -> dict[str, str]:
        """Who did it, as customers know them."""
        return {"name": self.by.full_name if self.by else ""}


def for_desk(event: Event) -> Told:
    """An event in an engineer's words. An unknown verb is shown by its name rather than hidden."""
    it = Happened(event.details, event.by, event.at, words.MOSCOW)
    told = DESK_WORDS.get(event.verb)
    return told(it) if told else Told(event.verb, it.reason)


def for_customer(event: Event) -> Told | None:
    """An event in words for the customer, in their zone; None for what is none of theirs."""
    told = CUSTOMER_WORDS.get(event.verb)
    return told(Happened(event.details, event.by, event.at, timezone.get_current_timezone())) if told else None


def to_line(number: int) -> str:
    """«на вторую линию»: where a request goes."""
    return {
        1: _("to the first line"),
        2: _("to the second line"),
        3: _("to the third line"),
        4: _("to the fourth line"),
    }[number]


def whom(code: str) -> str:
    """Whom an escalation calls in, as the label of the role."""
    return str(Whom(code).label) if code in Whom.values else code


def why_assigned(details: Mapping[str, Any], *, at: datetime) -> str:
    """Why this person, in one line; "" where a person chose without being offered anybody."""
    away, why = details.get("away"), details.get("why")
    said = [_("%(name)s is away") % {"name": away}] if isinstance(away, str) and away else []
    return "; ".join([*said, *(choosing.reasons(why, at=at) if why else [])])


# Individually agreed deadlines (domain §4.2): the same words for both sides, each in its own zone.


def _deadline(it: Happened) -> dict[str, str]:
    return {
        "name": it.text("proposed_by"),
        "other": it.text("answered_by"),
        "from": it.moment("from"),
        "to": it.moment("to"),
    }


def _deadline_proposed(it: Happened) -> Told:
    return Told(_("%(name)s proposed another deadline: %(from)s → %(to)s") % _deadline(it), it.reason)


def _deadline_agreed(it: Happened) -> Told:
    what = _("another deadline agreed, %(from)s → %(to)s: proposed by %(name)s, accepted by %(other)s") % _deadline(it)
    if it.details.get("missed"):
        what += "; " + _("the deadline before had been missed and stays so")
    return Told(what + _by_letter(it), it.reason)


def _deadline_refused(it: Happened) -> Told:
    what = _("%(other)s did not agree to the deadline %(to)s") % _deadline(it)
    return Told(what + _by_letter(it), it.text("words"))


def _deadline_withdrawn(it: Happened) -> Told:
    return Told(_("%(other)s withdrew the proposed deadline %(to)s") % _deadline(it))


def _deadline_lapsed(it: Happened) -> Told:
    if it.details.get("why") == "passed":
        return Told(_("nobody answered the proposed deadline %(to)s in time: it lapsed") % _deadline(it))
    return Told(_("the proposed deadline %(to)s lapsed with the promise that it was for") % _deadline(it))


DEADLINES: dict[str, Callable[[Happened], Told]] = {
    "deadline_proposed": _deadline_proposed,
    "deadline_agreed": _deadline_agreed,
    "deadline_refused": _deadline_refused,
    "deadline_withdrawn": _deadline_withdrawn,
    "deadline_lapsed": _deadline_lapsed,
}


def _by_letter(it: Happened) -> str:
    return "; " + _("signed by the link of the letter") if it.details.get("by_letter") else ""


# The desk's words


def _opened(it: Happened) -> Told:
    entered = it.short_name | it.values("line", "priority")
    if it.details.get("call"):
        return Told(
            _("%(name)s spoke with the customer and wrote it down, line %(line)s, priority %(priority)s") % entered
        )
    return Told(_("received, line %(line)s, priority %(priority)s") % entered)


def _assigned(it: Happened) -> Told:
    what = _("chosen by the system: %(to)s") if it.details.get("automatic") else _("assigned to %(to)s")
    return Told(what % it.change, why_assigned(it.details, at=it.at))


def _assignment_undone(it: Happened) -> Told:
    back_to = _("assignment taken back: %(to)s") if it.change["to"] else _("assignment taken back: nobody")
    return Told(back_to % it.change)


def _handed_over(it: Happened) -> Told:
    times = it.details.get("bounces") or 0
    what = _("line %(from)s → %(to)s") % it.change
    if not times:
        return Told(what)
    return Told(what, ngettext("came back %(count)d time", "came back %(count)d times", times) % {"count": times})


def _restore_contested(it: Happened) -> Told:
    what = _("the customer says service is not back, priority %(from)s → %(to)s") % it.change
    return Told(what + _void(it), it.reason)


def _reclassified(it: Happened) -> Told:
    parts = []
    if it.details.get("from") != it.details.get("to"):
        change = {"from": it.details.get("from"), "to": it.details.get("to")}
        parts.append(_("priority %(from)s → %(to)s") % change)
    if it.details.get("kind_to") in TicketKind.values:
        parts.append(_("now: %(kind)s") % {"kind": TicketKind(it.details["kind_to"]).label})
    return Told((", ".join(parts) or _("classified anew")) + _void(it), it.reason)


def _terms_applied(it: Happened) -> Told:
    what = _("terms of the package from %(day)s applied") % {"day": _day(it.details.get("to"))}
    return Told("; ".join([what, *_terms_moved(it)]), it.reason)


def _calendar_applied(it: Happened) -> Told:
    return Told("; ".join([_("counted by the changed calendar"), *_terms_moved(it)]), it.reason)


def _priority_set(it: Happened) -> Told:
    return Told(_("the customer set priority %(from)s → %(to)s") % it.change + _void(it), it.reason)


def _declined(it: Happened) -> Told:
    return Told(_("declined: outside support (§%(clause)s)") % {"clause": it.details.get("clause", "1.7.2")})


def _undelivered(it: Happened) -> Told:
    letter = {"subject": it.text("subject"), "address": it.text("address")}
    return Told(_("the letter “%(subject)s” did not reach %(address)s") % letter, it.text("said"))


def _link(it: Happened) -> dict[str, Any]:
    kind = link_words(it.details["kind"], is_source=it.details["source"]) if it.details.get("kind") else ""
    return {**it.values("number"), "kind": kind}


def _merged_in(it: Happened) -> Told:
    what = _("№ %(number)s merged into this request") % it.values("number")
    promises = [_timed(kind, old, new) for kind, old, new in _promises(it)]
    return Told("; ".join([what, *promises]), it.text("subject"))


def _time_logged(it: Happened) -> Told:
    return Told(_("time spent: %(time)s") % {"time": spent_words(it.details.get("minutes", 0))}, it.text("note"))


def _time_corrected(it: Happened) -> Told:
    change = {side: spent_words(it.details.get(side, 0)) for side in ("from", "to")}
    return Told(_("time of %(whose)s corrected: %(from)s → %(to)s") % {**it.values("whose"), **change}, it.text("note"))


def _defect_released(it: Happened) -> Told:
    what = _("the fix of the defect is out: %(release)s") % it.values("release")
    return Told(what, beyond_words(it.text("beyond"), it.details.get("versions") or []))


def beyond_words(why: str, versions: Collection[str]) -> str:
    """Why a customer cannot have a release (`contracts.publishing.Beyond`), for the desk; "" where they can."""
    have = {"versions": ", ".join(versions)}
    return {
        Beyond.STEP: _("not for this customer: it is not installed over their version %(versions)s") % have,
        Beyond.HAS: _("not for this customer: they have version %(versions)s") % have,
        Beyond.OTHERWISE: _(
            "not for this customer: no licence that it is for, no contract with new versions, or nobody to tell"
        ),
    }.get(why, "")


DESK_WORDS: dict[str, Callable[[Happened], Told]] = {
    "opened": _opened,
    "accepted": lambda it: Told(_("taken by %(name)s") % it.short_name),
    "assigned": _assigned,
    "assignment_undone": _assignment_undone,
    "asked_customer": lambda it: Told(_("asked the customer, waiting for the answer")),
    "stopped_waiting": lambda it: Told(_("not waiting for the answer any more")),
    "handed_over": _handed_over,
    "returned": lambda it: Told(_("returned, line %(from)s → %(to)s") % it.change, it.reason),
    "taken_back": lambda it: Told(_("hand-over taken back, line %(from)s → %(to)s") % it.change),
    # These stand in the conversation as messages; said so where one hears what others did in the meantime.
    "replied": lambda it: Told(_("answered the customer, and took it") if it.took else _("answered the customer")),
    "told": lambda it: Told(_("told the customer")),
    "customer_replied": lambda it: Told(_("the customer wrote")),
    "defect_attached": lambda it: Told(_("defect attached"), it.text("title")),
    "defect_released": _defect_released,
    "major_declared": lambda it: Told(_("declared a major incident by %(name)s") % it.short_name, it.text("title")),
    "major_coordinator": lambda it: Told(
        _("leads the major incident from now on: %(name)s") % it.values("name"), it.text("title")
    ),
    "major_linked": lambda it: Told(_("linked to a major incident"), it.text("title")),
    "major_left": lambda it: Told(_("taken out of the major incident"), it.text("title")),
    "restored": lambda it: Told(_("service restored, priority %(from)s → %(to)s") % it.change, it.text("workaround")),
    "restore_contested": _restore_contested,
    "reclassified": _reclassified,
    **DEADLINES,
    "terms_applied": _terms_applied,
    "calendar_applied": _calendar_applied,
    "priority_set": _priority_set,
    "priority_proposed": lambda it: Told(_("the customer asks for priority %(to)s") % it.change, it.reason),
    "resolved": lambda it: Told(_("solved by %(name)s") % it.short_name),
    "reopened": lambda it: Told(_("in work again")),
    "contact_changed": lambda it: Told(_("responsible contact: %(from)s → %(to)s") % it.change, it.reason),
    "linked": lambda it: Told(_("link: %(kind)s № %(number)s") % _link(it)),
    "unlinked": lambda it: Told(_("no longer linked: %(kind)s № %(number)s") % _link(it)),
    "merged": lambda it: Told(_("merged into № %(number)s: the conversation goes on there") % it.values("number")),
    "merged_in": _merged_in,
    "time_logged": _time_logged,
    "time_corrected": _time_corrected,
    "confirmed": lambda it: Told(_("the customer confirmed the solution: closed")),
    "closed_silent": lambda it: Told(_("closed after five working days of silence")),
    "withdrawn": lambda it: Told(_("withdrawn by the customer")),
    "declined": _declined,
    "contested": lambda it: Told(_("the customer contests the decline")),
    "escalated": lambda it: Told(_("the customer called in: %(whom)s") % {"whom": whom(it.text("whom"))}, it.reason),
    "called_in": lambda it: Told(
        _("%(name)s called in: %(whom)s") % (it.short_name | {"whom": whom(it.text("whom"))}), it.reason
    ),
    "acknowledged": lambda it: Told(_("%(name)s has the escalation") % it.short_name),
    "escalation_answered": lambda it: Told(_("%(name)s answered the escalation") % it.short_name, it.text("answer")),
    "undelivered": _undelivered,
    "rated": lambda it: Told(_("rated %(score)s of 5") % it.values("score"), it.text("comment")),
}


# The customer's words


def _opened_to_customer(it: Happened) -> Told:
    return Told(
        _("%(name)s spoke with you and wrote it down") % it.full_name if it.details.get("call") else _("Received")
    )


def _passed_to_customer(it: Happened) -> Told | None:
    return Told(_("Passed %(line)s") % {"line": to_line(it.details["to"])}) if _has_line(it) else None


def _given_back_to_customer(it: Happened) -> Told | None:
    return Told(_("Given back %(line)s") % {"line": to_line(it.details["to"])}) if _has_line(it) else None


def _has_line(it: Happened) -> bool:
    return it.details.get("to") in {1, 2, 3, 4}


def _restore_contested_to_customer(it: Happened) -> Told:
    return Told(_("You wrote that service is not back: priority %(to)s again") % it.change + _void(it))


def _reclassified_to_customer(it: Happened) -> Told | None:
    """Another kind alone is the desk's own."""
    moved = it.details.get("from") != it.details.get("to")
    if not moved and not it.details.get("agreed_void"):
        return None
    what = _("Priority %(from)s → %(to)s") % it.change if moved else _("Classified anew")
    return Told(what + _void(it))


def _terms_applied_to_customer(it: Happened) -> Told | None:
    moved = _terms_moved(it)
    what = _("The promised times are counted by other terms")
    return Told("; ".join([what, *moved]), it.reason) if moved else None


def _calendar_applied_to_customer(it: Happened) -> Told | None:
    moved = _terms_moved(it, only=CUSTOMER_PROMISES)
    what = _("The promised times are counted by other hours")
    return Told("; ".join([what, *moved]), it.reason) if moved else None


def _priority_set_to_customer(it: Happened) -> Told:
    return Told(_("You set priority %(from)s → %(to)s") % it.change + _void(it), it.reason)


def _priority_proposed_to_customer(it: Happened) -> Told:
    return Told(_("You asked for priority %(to)s: an engineer decides") % it.change, it.reason)


def _defect_released_to_customer(it: Happened) -> Told:
    what = _("The defect is fixed in %(release)s") % it.values("release")
    return Told(what, " ".join(unreached(it.details)[:2]))


def unreached(details: Mapping[str, Any]) -> list[str]:
    """Why the release that brings the fix is not among the customer's own, and what to do; none where it is there."""
    have = {"versions": ", ".join(details.get("versions") or [])}
    told = {
        Beyond.STEP: [
            _("This release cannot be installed directly over the version that your company has (%(versions)s).")
            % have,
            _("Write to us in this request, and we will tell you how to get there."),
            _("As soon as it can be installed, it stands among your releases, and you get a letter."),
        ],
        Beyond.HAS: [_("Your company has version %(versions)s already: there is nothing to install.") % have],
        Beyond.OTHERWISE: [
            _("This release is not among those for your company now."),
            _("Write to us in this request if you need it: we will tell you what is to be done."),
        ],
    }
    return told.get(details.get("beyond", ""), [])


def _rated_to_customer(it: Happened) -> Told:
    return Told(_("You rated the work %(score)s of 5") % it.values("score"), it.text("comment"))


def _as_a_sentence(told: Callable[[Happened], Told]) -> Callable[[Happened], Told]:
    """The words of both sides, with the capital letter that a customer's line begins with."""

    def sentence(it: Happened) -> Told:
        what, more = told(it)
        return Told(what[:1].upper() + what[1:], more)

    return sentence


CUSTOMER_WORDS: dict[str, Callable[[Happened], Told | None]] = {
    "opened": _opened_to_customer,
    "accepted": lambda it: Told(_("In the hands of %(name)s") % it.full_name),
    "asked_customer": lambda it: Told(_("We are waiting for your answer")),
    "stopped_waiting": lambda it: Told(_("We go on without waiting")),
    "handed_over": _passed_to_customer,
    "returned": _given_back_to_customer,
    "taken_back": _given_back_to_customer,
    "defect_attached": lambda it: Told(_("Recorded as a defect of the product")),
    "defect_released": _defect_released_to_customer,
    "restored": lambda it: Told(_("Service is back, priority %(from)s → %(to)s") % it.change),
    "restore_contested": _restore_contested_to_customer,
    "reclassified": _reclassified_to_customer,
    **{verb: _as_a_sentence(told) for verb, told in DEADLINES.items()},
    "terms_applied": _terms_applied_to_customer,
    "calendar_applied": _calendar_applied_to_customer,
    "priority_set": _priority_set_to_customer,
    "priority_proposed": _priority_proposed_to_customer,
    "resolved": lambda it: Told(_("Solved")),
    "reopened": lambda it: Told(_("In work again")),
    "contact_changed": lambda it: Told(_("%(to)s speaks for your company from now on") % it.change),
    "merged": lambda it: Told(_("Merged into № %(number)s") % it.values("number")),
    "merged_in": lambda it: Told(_("№ %(number)s was merged into this request") % it.values("number")),
    "confirmed": lambda it: Told(_("You confirmed the solution")),
    "closed_silent": lambda it: Told(_("Closed: nothing was heard for five working days")),
    "withdrawn": lambda it: Told(_("You withdrew the request")),
    "declined": lambda it: Told(_("Outside support")),
    "contested": lambda it: Told(_("You contested that: in work again")),
    "escalated": lambda it: Told(_("You called in: %(whom)s") % {"whom": whom(it.text("whom"))}, it.reason),
    "acknowledged": lambda it: Told(_("%(name)s looks into your escalation") % it.full_name),
    "escalation_answered": lambda it: Told(_("%(name)s answered your escalation") % it.full_name),
    "rated": _rated_to_customer,
}


# What several of them say


def _void(it: Happened) -> str:
    """What a change of the priority did to an agreed deadline; "" where there was none."""
    if not it.details.get("agreed_void"):
        return ""
    return "; " + _("the agreed deadline %(moment)s no longer holds") % {"moment": it.moment("agreed_void")}


def _promises(it: Happened) -> list[tuple[str, str, str]]:
    """(kind, the moment before, the moment now) of every promise that the event names."""
    return [
        (one["kind"], _moment(one["from"], it.zone), _moment(one["to"], it.zone))
        for one in it.details.get("promises", ())
    ]


def _timed(kind: str, old: str, new: str) -> str:
    """“reaction Thu 19 Nov, 14:10 → Thu 19 Nov, 12:10”."""
    return _("%(promise)s: %(from)s → %(to)s") % {"promise": words.promise(kind), "from": old, "to": new}


def _terms_moved(it: Happened, only: Collection[str] | None = None) -> list[str]:
    """Each deadline that other terms or hours moved (§4), in words; `only` of these kinds."""
    return [_timed(kind, old, new) for kind, old, new in _promises(it) if old != new and (only is None or kind in only)]


def _moment(written: str | None, zone: tzinfo) -> str:
    if not written:
        return _("no deadline")
    at = datetime.fromisoformat(written)
    return words.moment(at, zone, at, "date")


def _day(written: object) -> str:
    return day_words(date.fromisoformat(written)) if isinstance(written, str) and written else ""
