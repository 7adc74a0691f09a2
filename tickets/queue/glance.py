"""What the frame of the desk needs on every page, in one statement whose cost no number of tickets changes.

Counts are capped: PostgreSQL stops after so many entries of a partial index (`ticket_line_queue`, `ticket_my_queue`),
so that a page at a million open tickets costs what it costs at ten thousand. People read "199+" as well as 41 370.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import get_language

from accounts.at_once import execute
from accounts.models import BOARD_ROLES, Role, User
from tickets.queue.address import Queue

CAP = 199  # what a tab counts up to, as filters do: who has more needs no number, and each that is counted costs

# How many are open, and how many of them overdue: these come first in the order of the queue, so one look is enough.
_COUNTED = f"""(SELECT json_build_array(count(*), count(*) FILTER (WHERE NOT clock_paused AND due_at < %(now)s))
      FROM (SELECT clock_paused, due_at FROM tickets_ticket
            WHERE {{of}} AND state IN ('new', 'in_progress', 'awaiting_customer')
            ORDER BY clock_paused, due_at, id LIMIT {CAP + 1}) few)"""


def _counted(of: str) -> str:
    return _COUNTED.format(of=of)


_SQL = f"""
WITH own AS (SELECT line_id FROM accounts_user_lines WHERE user_id = %(me)s)
SELECT
  (SELECT coalesce(json_agg(line_id ORDER BY line_id), '[]') FROM own),
  (SELECT json_agg(json_build_array(number, name_ru, name_en, {_counted("line_id = accounts_line.number")})
      ORDER BY number) FROM accounts_line),
  {_counted("assignee_id = %(me)s")},
  (SELECT coalesce(json_agg(json_build_array(slug, name, tail, owner_id) ORDER BY (owner_id = %(me)s) DESC, position,
      name), '[]') FROM (SELECT * FROM tickets_savedview WHERE owner_id = %(me)s OR shared = 'desk'
      OR shared = 'line' AND (%(manager)s OR line_id IN (SELECT line_id FROM own)) LIMIT 100) seen),
  (SELECT row_to_json(last) FROM (SELECT r.id, r.act, r.state, r.finished_at, u.id AS undone,
      (SELECT count(*) FROM tickets_bulkitem i WHERE i.run_id = r.id AND i.outcome = 'done') AS done,
      (SELECT count(*) FROM tickets_bulkitem i WHERE i.run_id = r.id) AS items
      FROM tickets_bulkrun r LEFT JOIN tickets_bulkrun u ON u.undoes_id = r.id
      WHERE r.by_id = %(me)s ORDER BY r.id DESC LIMIT 1) last),
  CASE WHEN %(board)s THEN (SELECT count(*) FROM sla_escalation WHERE state = 'open'
      AND (person_id = %(me)s OR person_id IS NULL AND whom = %(role)s)) ELSE 0 END,
  (SELECT number FROM contracts_catalogueedition),
"""

# What the filters of a queue may name: planned only where there are filters.
_NAMES = """
  (WITH named AS (SELECT m[1] AS of, m[2]::bigint AS id FROM regexp_matches(%(query)s || coalesce(
      (SELECT '&' || tail FROM tickets_savedview WHERE slug = %(view)s), ''),
      '[?&](customer|assignee)=([1-9][0-9]{0,11})', 'g') m)
  SELECT json_object_agg(of || '=' || code, name) FROM (
      SELECT 'package' AS of, code, CASE WHEN %(english)s THEN name_en ELSE name_ru END AS name FROM contracts_package
      UNION ALL SELECT 'product', code, name FROM contracts_product
      UNION ALL SELECT 'topic', code, CASE WHEN %(english)s THEN name_en ELSE name_ru END FROM contracts_topic
      UNION ALL SELECT 'channel', code, CASE WHEN %(english)s THEN name_en ELSE name_ru END FROM contracts_channel
      UNION ALL SELECT 'customer', id::text, name FROM contracts_customer
        WHERE id IN (SELECT id FROM named WHERE of = 'customer')
      UNION ALL SELECT 'assignee', id::text, full_name FROM accounts_user
        WHERE id IN (SELECT id FROM named WHERE of = 'assignee')) known)
"""


@dataclass(frozen=True, slots=True)
class LineCount:
    """A line with how many are open and overdue, up to `CAP` + 1."""

    number: int
    name: str
    open: int
    late: int


@dataclass(frozen=True, slots=True)
class ViewName:
    """A saved view that this person sees; the support manager sees those of every line (views/saved_views.py)."""

    slug: str
    name: str
    tail: str
    own: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """What the desk shows a person around every page. `last_run` is their last bulk run, None before the first.

    `names` of what a queue's filters may name: {"package=premium": "Премиум", "customer=7": …}; empty for no queue.
    `edition` is that of the catalogue (contracts/kept.py).
    """

    own: tuple[int, ...]
    lines: tuple[LineCount, ...]
    mine: int
    mine_late: int
    views: tuple[ViewName, ...]
    last_run: Mapping[str, Any] | None
    escalations: int
    names: Mapping[str, str]
    edition: int | None

    @property
    def late(self) -> int:
        """Overdue in the person's own lines; in all where they have none."""
        return sum(line.late for line in self.lines if not self.own or line.number in self.own)

    @property
    def tails(self) -> dict[str, str]:
        return {view.slug: view.tail for view in self.views}


def glance(user: User, now: datetime, queue: Queue | None = None) -> Glance:
    """Taken once for a request, with the names for its queue: the person is read anew with each, and keeps it."""
    taken = user.__dict__.get("desk_glance")
    if taken is None:
        taken = user.__dict__["desk_glance"] = look(user, now, queue)
    return taken


def look(user: User, now: datetime, queue: Queue | None = None) -> Glance:
    """One statement."""
    english = (get_language() or "ru").startswith("en")
    names = queue is not None and bool(queue.filters or queue.view)
    (seen,) = execute(
        _SQL + (_NAMES if names else "NULL"),
        {
            "me": user.pk,
            "now": now,
            "board": user.role in BOARD_ROLES,
            "manager": user.role == Role.SUPPORT_MANAGER,
            "role": str(user.role),
            "english": english,
            "query": f"?{urlencode(queue.pairs)}" if queue else "",
            "view": queue.view if queue else "",
        },
    )
    own, lines, (mine, mine_late), views, last_run, escalations, edition, named = seen
    return Glance(
        tuple(own),
        tuple(LineCount(number, en if english else ru, *counts) for number, ru, en, counts in lines or ()),
        mine,
        mine_late,
        tuple(ViewName(slug, name, tail, owner == user.pk) for slug, name, tail, owner in views),
        last_run,
        escalations,
        named or {},
        edition,
    )


def capped(number: int, cap: int = CAP) -> str:
    """A count in words: what was counted no further than the cap is "199+"."""
    return f"{cap}+" if number > cap else str(number)
