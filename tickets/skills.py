"""Which products the people of a line know: read as a table, written by the lead (domain §3.3, §7)."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.planning import people_of, planned_by
from accounts.refusals import Forbidden
from tickets.models import Skill


def known_by(people: list[User]) -> dict[tuple[int, int], int]:
    """(person, product) → level 1 to 3."""
    rows = Skill.objects.filter(user__in=people).values_list("user", "product", "level")
    return {(person, product): level for person, product, level in rows}


@transaction.atomic
def set_skills(line: int, levels: Mapping[tuple[int, int], int], *, by: User) -> None:
    """(person, product) → level, 0 for none, of people of this line. Raises `Forbidden` for who does not lead it."""
    if line not in planned_by(by):
        raise Forbidden(_("Skills are written by the lead of the line and by the support manager."))
    own = set(people_of([line]).values_list("pk", flat=True))
    for (person, product), level in levels.items():
        if person not in own:
            continue
        if level:
            Skill.objects.update_or_create(user_id=person, product_id=product, defaults={"level": level})
        else:
            Skill.objects.filter(user=person, product=product).delete()
