"""Who looks at a ticket and who writes in it now (direction §10): told by the browsers, forgotten by itself.

No row of the database: a heartbeat every 15 seconds goes over the wire, and what is 45 seconds old is over.
"""

from dataclasses import asdict, dataclass

from accounts.models import User
from sla import wire

FADES_AFTER = 45  # seconds
STATES = ("looking", "writing", "gone")


@dataclass(frozen=True, slots=True)
class Present:
    """One person at one ticket. `state` is looking or writing."""

    n: int
    by: int
    state: str
    name: str
    full: str

    def as_json(self) -> dict[str, str | int]:
        return asdict(self)


def heard(number: int, user: User, state: str) -> None:
    """A heartbeat of this person's browser: is at the ticket, or has just left it ("gone")."""
    wire.tell_presence(
        {"n": number, "by": user.pk, "state": state, "name": user.given_name, "full": user.full_name},
        kept_for=FADES_AFTER,
    )


def read(fields: wire.Fields) -> Present:
    """A heartbeat as it came over the wire."""
    return Present(int(fields["n"]), int(fields["by"]), str(fields["state"]), str(fields["name"]), str(fields["full"]))


def present() -> list[Present]:
    """Everybody at every ticket now; nobody while Valkey is away."""
    latest: dict[tuple[int, int], Present] = {}
    for fields in wire.recent_presence(within=FADES_AFTER):
        one = read(fields)
        latest[one.n, one.by] = one
    return [one for one in latest.values() if one.state != "gone"]
