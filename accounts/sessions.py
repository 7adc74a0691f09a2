"""Sessions as Django keeps them in the database; the statement that every page begins with is put together once."""

from functools import cache
from typing import Any

from django.contrib.sessions.backends import db
from django.db.models import TextField
from django.utils import timezone

from accounts.at_once import Given, Prepared, moment


class SessionStore(db.SessionStore):
    """Django's own, which makes, compiles and reads a model's query anew for each page."""

    def load(self) -> dict[str, Any]:
        """What the session holds; of one that has run out or never was nothing, and its key is forgotten."""
        found = _data().rows(key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
            return {}
        return self.decode(found[0][0])


@cache
def _data() -> Prepared:
    key: Any = Given("key", TextField())
    now: Any = moment("now")
    rows = db.SessionStore.get_model_class().objects.filter(session_key=key, expire_date__gt=now)
    return Prepared(rows.values_list("session_data"))
