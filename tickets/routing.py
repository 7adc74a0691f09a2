"""Where a ticket goes and who is called: topic to line, role to person, and the working days of silence."""

from datetime import datetime

from accounts.models import Absence, Role, User
from contracts import entitlement
from contracts.terms import WORKING_DAY
from sla.callees import Callees, Place
from sla.models import Calendar
from tickets.models import Ticket

# The line that a request enters whose topic names none (domain §3.3). Handing over to line 4 needs a defect; a request
# that its topic sends there gets one from line 4 itself.
FIRST_LINE = 1
WORKING_DAYS = "working-days"  # the code of the calendar that counts working days (domain §1.5)


def working_days_after(at: datetime, days: int) -> datetime:
    """The moment after so many working days (nine working hours each, domain §1.5)."""
    calendar = Calendar.objects.get(code=WORKING_DAYS).version_at(at).working_calendar()
    return calendar.add(at, days * WORKING_DAY)


def person_for(ticket: Ticket, whom: str) -> User | None:
    """Who stands behind a rung for this ticket now; None means everybody of that role (domain §4.4).

    Where the package has no dedicated CSM the support manager stands in.
    """
    if whom == "assignee":
        return ticket.assignee
    if whom == "csm":
        csm = ticket.customer.csm if entitlement.includes(ticket.contract, "csm", at=ticket.opened_at) else None
        return csm if csm is not None and csm.is_active else _first(Role.SUPPORT_MANAGER)
    if whom == "line_lead":
        return User.objects.filter(role=Role.LINE_LEAD, lines=ticket.line_id, is_active=True).order_by(
            "pk"
        ).first() or _first(Role.SUPPORT_MANAGER)
    if whom == "support_manager":
        return _first(Role.SUPPORT_MANAGER)
    if whom == "top_management":
        return _first(Role.TOP_MANAGEMENT)
    return None


def person_here(ticket: Ticket, whom: str, at: datetime) -> tuple[User | None, User | None]:
    """(who is called at this moment, in whose stead): as `person_for`, but who is away is stood in for (§4.4)."""
    wanted = person_for(ticket, whom)
    if wanted is None or not Absence.objects.at(at).filter(user=wanted).exists():
        return wanted, None
    place = Place(ticket.line_id, ticket.assignee_id, ticket.terms_id, ticket.contract_id, ticket.customer.csm_id)
    called, instead_of = Callees(at).person(place, whom)
    if called is None or instead_of is None:
        return wanted, None
    people = User.objects.in_bulk([called, instead_of])
    return people[called], people[instead_of]


def _first(role: str) -> User | None:
    return User.objects.filter(role=role, is_active=True).order_by("pk").first()
