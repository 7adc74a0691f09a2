"""Saving, sharing, changing and removing views of the queue (direction §4, §5)."""

import secrets

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import DESK_ROLES, Role, User
from accounts.refusals import Forbidden
from tickets.models import SavedView
from tickets.queue import Queue
from tickets.workflow import NotAllowed

Shared = SavedView.Shared


def may_change(view: SavedView, user: User) -> bool:
    """Its owner, the support manager where others see it, and the lead of the line that it is shared with."""
    if view.owner_id == user.pk:
        return True
    if view.shared == Shared.ME:
        return False
    if user.role == Role.SUPPORT_MANAGER:
        return True
    leads = user.role == Role.LINE_LEAD and view.shared == Shared.LINE
    return leads and user.lines.filter(pk=view.line_id).exists()


def _only_who_may(view: SavedView, user: User) -> None:
    if not may_change(view, user):
        raise Forbidden(_("Only its owner, the lead of its line or the support manager changes a shared view."), "")


@transaction.atomic
def save_view(*, by: User, name: str, tail: str, shared: str = Shared.ME, line: int | None = None) -> SavedView:
    """The filters of a queue's address under a name. `NotAllowed` where the person has a view of that name."""
    if by.role not in DESK_ROLES:
        raise Forbidden
    view = SavedView(owner=by, slug=_slug(name))
    view.position = SavedView.objects.filter(owner=by).count()
    return _keep(view, name=name, tail=tail, shared=shared, line=line)


@transaction.atomic
def change_view(
    view: SavedView, *, by: User, name: str, tail: str, shared: str, line: int | None, position: int
) -> SavedView:
    """Another name, other filters, other readers, another place in the list; its address stays."""
    view = SavedView.objects.select_for_update().get(pk=view.pk)
    _only_who_may(view, by)
    view.position = position
    return _keep(view, name=name, tail=tail, shared=shared, line=line)


@transaction.atomic
def remove_view(view: SavedView, *, by: User) -> None:
    """Its address shows the plain queue from then on."""
    _only_who_may(view, by)
    view.delete()


def _keep(view: SavedView, *, name: str, tail: str, shared: str, line: int | None) -> SavedView:
    view.name = " ".join(name.split())[:60]
    if not view.name:
        raise NotAllowed(_("Give the view a name."))
    queue = Queue.from_tail(tail)
    view.tail = queue.whole.tail if not queue.view else view.tail
    view.shared = shared
    view.line_id = line if shared == Shared.LINE else None
    if shared == Shared.LINE and line is None:
        raise NotAllowed(_("Choose the line that sees the view."))
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        if "saved_view_name_once" in str(error):
            raise NotAllowed(_("You have a view of that name already.")) from error
        raise
    return view


def _slug(name: str) -> str:
    plain = slugify(name)[:60]
    if plain and plain != "new" and not SavedView.objects.filter(slug=plain).exists():
        return plain
    return "-".join(filter(None, [plain, secrets.token_hex(3)]))
