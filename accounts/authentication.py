"""Who a session belongs to: allauth's backend; the statement that every page begins with is put together once."""

from functools import cache
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from accounts.at_once import AtOnce, key
from accounts.models import User
from accounts.sessions import person_at_hand


class Backend(AuthenticationBackend):
    """allauth's own, which makes, compiles and reads a model's query anew for each page."""

    def get_user(self, user_id: Any) -> User | None:
        """The person of this key; None where there is none, or where they may no longer sign in."""
        person = person_at_hand(user_id) or next(iter(_people().read(me=user_id)["people"]), None)
        return person if person is not None and self.user_can_authenticate(person) else None


@cache
def _people() -> AtOnce:
    return AtOnce(lambda: {"people": User.objects.filter(pk=key("me"))})
