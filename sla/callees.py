"""Whom a rung of the ladder calls in: the people of one sweep, who is away, and who stands in (domain §4.4)."""

from datetime import datetime
from typing import NamedTuple

from accounts.models import Absence, Role, User
from contracts.models import ContractClause, PackageTerms
from sla.models import Whom

CALLED = [Role.LINE_LEAD, Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT]


class Place(NamedTuple):
    """Where a ticket stands: what decides whom its rungs call. Primary keys."""

    line: int
    assignee: int | None
    terms: int
    contract: int
    csm: int | None


class Callees:
    """The people that rungs call in at one moment. Read once for a sweep, when the first rung calls somebody."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.is_read = False

    def _read(self) -> None:
        staff = list(
            User.objects.filter(is_active=True, role__in=CALLED)
            .order_by("pk")
            .values_list("pk", "role", "lines__number")
        )
        self.active = {pk for pk, _role, _line in staff}
        self.of_role: dict[str, list[int]] = {}
        self.leads: dict[int, list[int]] = {}
        for pk, role, line in staff:
            people = self.of_role.setdefault(role, [])
            if pk not in people:
                people.append(pk)
            if role == Role.LINE_LEAD and line is not None:
                self.leads.setdefault(line, []).append(pk)
        self.away = dict(Absence.objects.at(self.now).order_by("-starts_at").values_list("user_id", "substitute_id"))
        # The dedicated CSM is a service of the package (domain §1.2), or of a clause.
        self.terms_with_csm = set(PackageTerms.objects.filter(services="csm").values_list("pk", flat=True))
        self.contracts_with_csm = set(
            ContractClause.objects.in_force(self.now).filter(service="csm").values_list("contract", flat=True)
        )
        self.is_read = True

    def person(self, place: Place, whom: str) -> tuple[int | None, int | None]:
        """(who is called, in whose stead); (None, None): everybody of that place (a line's queue, no assignee).

        Where the package has no dedicated CSM, or the line no lead, the support manager stands in (§4.4). Who is away
        is stood in for by their substitute, else by another of the same place, else by the support manager. Raises
        `ValueError` for a rung that calls nobody known.
        """
        if whom == Whom.LINE_QUEUE:
            return None, None
        if not self.is_read:
            self._read()
        managers = self.of_role.get(Role.SUPPORT_MANAGER, [])
        if whom == Whom.ASSIGNEE:
            if place.assignee is None or place.assignee not in self.away:
                return place.assignee, None
            return self._here(place.assignee, self.leads.get(place.line, []) + managers)
        if whom == Whom.LINE_LEAD:
            return self._first(self.leads.get(place.line, []) + managers)
        if whom == Whom.CSM:
            dedicated = place.terms in self.terms_with_csm or place.contract in self.contracts_with_csm
            if dedicated and place.csm in self.active:
                return self._here(place.csm, managers)
            return self._first(managers)
        if whom == Whom.SUPPORT_MANAGER:
            return self._first(managers)
        if whom == Whom.TOP_MANAGEMENT:
            return self._first(self.of_role.get(Role.TOP_MANAGEMENT, []))
        raise ValueError(f"unknown rung: {whom}")

    def _first(self, people: list[int]) -> tuple[int | None, int | None]:
        return self._here(people[0], people[1:]) if people else (None, None)

    def _here(self, wanted: int | None, others: list[int]) -> tuple[int | None, int | None]:
        """The person wanted; who is away is stood in for. Where everybody is away, the person wanted is called."""
        if wanted is None or wanted not in self.away:
            return wanted, None
        substitute = self.away[wanted]
        if substitute is not None and substitute not in self.away:
            return substitute, wanted
        for other in others:
            if other != wanted and other not in self.away:
                return other, wanted
        return wanted, None
