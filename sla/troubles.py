"""Promises that the sweep could not read and has set aside: who looks after them, what is wrong, and "look again now".

A trouble stands as long as its promise waits for the hour that `sla/sweep.py` has put it off; once a sweep has read it,
or a verb has stopped it, it is over by itself.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from accounts.at_once import Counts
from accounts.models import BOARD_ROLES, Role, User
from accounts.refusals import Forbidden, Refused
from sla.models import Commitment, SweepTrouble
from sla.sweep import SET_ASIDE_FOR, Swept, sweep_one

LOOK_AFTER = BOARD_ROLES | {Role.ADMIN}


def standing() -> QuerySet[SweepTrouble]:
    """Troubles whose promise is set aside still, the latest row first."""
    return (
        SweepTrouble.objects.filter(
            commitment__stopped_at__isnull=True,
            commitment__paused_at__isnull=True,
            commitment__next_check_at=F("happened_at") + SET_ASIDE_FOR,
        )
        .select_related("commitment__ticket__customer")
        .order_by("-pk")
    )


_standing = Counts(lambda: {"standing": standing()})


def how_many() -> int:
    """How many of these there are."""
    return _standing.read()["standing"]


def look_again(trouble: SweepTrouble, *, by: User, at: datetime) -> bool:
    """The promise is looked at now and not when its hour is over; whether it could be read this time.

    Then the trouble is gone. Raises `Forbidden`, and `Refused` for one that is over already.
    """
    if by.role not in LOOK_AFTER:
        raise Forbidden(_("Those who see the board and the administrator look after the clocks."), "4.5")
    with transaction.atomic():
        row = Commitment.objects.select_for_update().get(pk=trouble.commitment_id)
        if not standing().filter(pk=trouble.pk).exists():
            raise Refused(_("This promise is not set aside any more."), "4.5")
        row.next_check_at = at
        row.save(update_fields=["next_check_at"])
    swept = Swept()
    sweep_one(row.pk, at, swept)
    if swept.set_aside:
        return False
    SweepTrouble.objects.filter(pk=trouble.pk).delete()
    return True


def error_in_words(error: str) -> str:
    """What the kept error means, for people; the error itself stands beside it."""
    if error.startswith("KeyError"):
        return _("A rung of the promise's ladder lacks something that it must say.")
    if error.startswith(("TypeError", "ValueError")):
        return _("The promise's ladder holds something that cannot be read.")
    return _("The database refused to write what follows from the promise's ladder.")
