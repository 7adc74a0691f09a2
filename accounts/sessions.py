"""Sessions as Django keeps them in the database; every page begins with one statement, put together once.

With the session comes the person whom allauth has on record for it: `whose` passes them on to the backend that is asked
for the person of the page (accounts/authentication.py). Who is meant is said by the session alone, as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import TextField
from django.utils import timezone

from accounts.at_once import AtOnce, Given, moment
from accounts.models import User


class SessionStore(db.SessionStore):
    """Django's own, which makes, compiles and reads a model's query anew for each page."""

    person: User | None = None  # as they stood when the session was read

    def load(self) -> dict[str, Any]:
        """What the session holds; of one that has run out or never was nothing, and its key is forgotten."""
        found = _session().read(key=self.session_key, now=timezone.now())
        if not found["sessions"]:
            self._session_key = None
            return {}
        self.person = next(iter(found["people"]), None)
        return self.decode(found["sessions"][0].session_data)


@cache
def _session() -> AtOnce:
    key: Any = Given("key", TextField())
    now: Any = moment("now")
    sessions = db.SessionStore.get_model_class().objects.filter(session_key=key, expire_date__gt=now)
    owner = UserSession.objects.filter(session_key=key).values("user")
    return AtOnce(lambda: {"sessions": sessions.only("session_data"), "people": User.objects.filter(pk__in=owner)})


_read: ContextVar[SessionBase | None] = ContextVar("session whose person is asked for", default=None)


@contextmanager
def whose(session: SessionBase) -> Iterator[None]:
    """While it is asked whose this session is, and no longer, `person_at_hand` knows the person that came with it."""
    token = _read.set(session)
    try:
        yield
    finally:
        _read.reset(token)


def person_at_hand(key: Any) -> User | None:
    """The person of this key where they came with the session that is asked about; given once, then to be read anew."""
    session = _read.get()
    if not isinstance(session, SessionStore) or session.person is None or str(session.person.pk) != str(key):
        return None
    person, session.person = session.person, None
    return person
