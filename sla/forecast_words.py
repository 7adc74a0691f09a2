"""A forecast in words, in the active language: a mark for a row, and a sentence with its reason."""

from datetime import datetime, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.said_once import said_once
from sla import words
from sla.forecast import Forecast, Reason, Verdict


@said_once(256)  # most rows of a list have the same forecast
def mark(found: Forecast) -> str:
    """One or two words beside a chip; "" where the promise will be kept, or its chip says that it is late."""
    if found.verdict == Verdict.KEPT or found.reason == Reason.PAST:
        return ""
    return (
        pgettext("forecast", "at risk") if found.verdict == Verdict.AT_RISK else pgettext("forecast", "will be missed")
    )


def verdict(found: Forecast) -> str:
    """How it ends, as the beginning of a sentence."""
    if found.verdict == Verdict.KEPT:
        return pgettext("forecast", "Forecast: will be kept")
    if found.verdict == Verdict.AT_RISK:
        return pgettext("forecast", "Forecast: at risk")
    return pgettext("forecast", "Forecast: will be missed")


@said_once(256)
def reason(found: Forecast, zone: tzinfo, now: datetime) -> str:
    """Why, as a clause without a full stop: "впереди 7 обращений, при нынешнем темпе дойдём к 16:40"."""

    def told(at: datetime) -> str:
        return words.moment(at, zone, now, "short")

    match found.reason:
        case Reason.PAST:
            return _("the deadline has passed already")
        case Reason.NOBODY if found.somebody_from is not None:
            return _("nobody is on the line until %(moment)s") % {"moment": told(found.somebody_from)}
        case Reason.NOBODY:
            return _("nobody works on this line")
        case Reason.AHEAD if found.expected is not None:
            return ngettext(
                "%(count)d request is ahead, at this pace its turn comes at %(moment)s",
                "%(count)d requests are ahead, at this pace its turn comes at %(moment)s",
                found.ahead,
            ) % {"count": found.ahead, "moment": told(found.expected)}
        case Reason.SLOWEST:
            return ngettext(
                "it took longer than the latest %(count)d",
                "it took longer than each of the latest %(count)d",
                found.seen,
            ) % {"count": found.seen}
        case Reason.PACE:
            return _pace(found) + _about(found, now, told(found.expected) if found.expected else "")
        case Reason.USUAL:
            if found.expected is None or found.expected <= now:
                return _("this line mostly makes it")
            return _("at the line's usual pace it is done at about %(moment)s") % {"moment": told(found.expected)}
        case _:
            return _("somebody is on the line before the deadline")


@said_once(256)
def sentence(found: Forecast, zone: tzinfo, now: datetime) -> str:
    """The whole of it: the verdict, the reason, and whether the data were few."""
    said = _("%(verdict)s: %(reason)s.") % {"verdict": verdict(found), "reason": reason(found, zone, now)}
    if found.is_by_hours_only:
        said += " " + _("Too few requests like this one lately: only hours and queue are considered.")
    return said


def _pace(found: Forecast) -> str:
    return ngettext(
        "of %(count)d that ran as long, %(over)d was not in time",
        "of %(count)d that ran as long, %(over)d were not in time",
        found.over,
    ) % {"count": found.longer, "over": found.over}


def _about(found: Forecast, now: datetime, moment: str) -> str:
    if found.expected is None or found.expected <= now:
        return ""
    return _("; it is expected at about %(moment)s") % {"moment": moment}
