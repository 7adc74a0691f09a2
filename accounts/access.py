"""Who may enter which part of the house (domain §7): small decorators, a wrong role is 403."""

from collections.abc import Callable, Collection
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import BOARD_ROLES, CONTRACT_READER_ROLES, DESK_ROLES, SIGNER_ROLES, Role, User


def person(request: HttpRequest) -> User:
    """Who is signed in. For views behind a gate below (or DRF's): an anonymous visitor never comes so far."""
    if not isinstance(request.user, User):
        raise PermissionDenied(_("Sign in first."))
    return request.user


def only(roles: Collection[str]) -> Callable:
    """Lets only people of these roles in; everybody else who is signed in gets 403 with the reason."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if person(request).role not in roles:
                raise PermissionDenied(_("This page belongs to another part of the support desk (domain §7)."))
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return decorate


customer_only = only({Role.CUSTOMER})
desk_only = only(DESK_ROLES)
board_only = only(BOARD_ROLES)
signers_only = only(SIGNER_ROLES)
contract_readers_only = only(CONTRACT_READER_ROLES)
