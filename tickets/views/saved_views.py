"""Pages of the queue's filters and saved views. Each is a page of its own; htmx takes the panel of filters alone."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import desk_only, person
from accounts.models import Role, User
from accounts.refusals import Refused
from tickets import saved_views
from tickets.forms.views import ViewForm
from tickets.models import SavedView
from tickets.queue import Queue, glance, next_to_take
from tickets.queue.address import KNOWN
from tickets.queue.filters import chips_on, customers_named, in_words, names_of, place_words
from tickets.queue.filters import panel as choices
from tickets.views.answers import SeeOther
from tickets.views.desk import list_context

LONG = 8  # choices of a filter, from which on they stand in columns and can be looked for


def came_from(request: HttpRequest, user: User) -> Queue:
    """The queue that `from` names, a saved view with its filters."""
    queue = Queue.from_tail(request.GET.get("from", "") or request.POST.get("from", ""))
    return queue.opened(glance(user, timezone.now(), queue).tails)


@desk_only
@require_safe
def panel(request: HttpRequest) -> HttpResponse:
    """Everything that can be ticked. With `apply` the way on to the queue that was ticked together.

    A company is found by its name: one that fits is taken, of several one is ticked; for none the panel says so.
    """
    user = person(request)
    queue = before = came_from(request, user)
    typed = request.GET.get("company", "").strip()
    found = customers_named(typed)
    applied = "apply" in request.GET
    if applied:
        for name in KNOWN:
            queue = queue.having(name, request.GET.getlist(name))
        if len(found) == 1:
            queue = queue.having("customer", [*queue.values("customer"), str(found[0].pk)])
        if len(found) == 1 or not typed:
            return SeeOther(reverse("desk:queue") + queue.tail)
    context = {
        "from": before.tail,
        "filters": choices(queue, user, found if len(found) != 1 else ()),
        "typed": typed,
        "unknown": bool(typed) and not found,
        "several": len(found) > 1,
        "long": LONG,
    }
    if applied:  # not understood: asked again with the list behind, as it was
        now = timezone.now()
        behind = list_context(request, user, before, now)
        behind["panel"] = render_to_string("desk/_filter_panel.html", context, request)
        behind["nearest"] = next_to_take(user, before, behind["page"], now)
        return render(request, "desk/queue.html", behind | {"wrong": not found}, status=422)
    part = bool(request.htmx) and not request.htmx.boosted  # type: ignore[attr-defined]
    return render(request, "desk/_filter_panel.html" if part else "desk/filter.html", context)


# Saved views


def seen_by(user: User) -> "list[SavedView]":
    """Own ones, and those that are shared with the person; the manager sees all that are shared."""
    mine = Q(owner=user) | Q(shared="desk") | Q(shared="line", line__in=user.lines.all())
    if user.role == Role.SUPPORT_MANAGER:
        mine |= ~Q(shared="me")
    return list(SavedView.objects.filter(mine).select_related("owner", "line").distinct()[:200])


def one(user: User, slug: str) -> SavedView:
    """Somebody else's own view answers as a missing one."""
    view = get_object_or_404(SavedView.objects.select_related("owner", "line"), slug=slug)
    if view.owner_id != user.pk and view.pk not in {seen.pk for seen in seen_by(user)}:
        raise Http404
    return view


@desk_only
@require_safe
def views(request: HttpRequest) -> HttpResponse:
    """All views that the person sees, to open, change or remove."""
    user = person(request)
    queues = {view: Queue.from_tail(view.tail) for view in seen_by(user)}
    own, names = glance(user, timezone.now()).own, names_of(queues.values())
    told = [(view, saved_views.may_change(view, user), in_words(kept, own, names)) for view, kept in queues.items()]
    return render(request, "desk/views.html", {"views": told})


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def new_view(request: HttpRequest) -> HttpResponse:
    """The filters of `from` get a name."""
    user = person(request)
    queue = came_from(request, user)
    form = ViewForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            view = saved_views.save_view(
                by=user, name=said["name"], tail=queue.whole.tail, shared=said["shared"], line=said["line"]
            )
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("View saved: %(name)s") % {"name": view.name})
            return SeeOther(reverse("desk:view", args=[view.slug]))
    return _form_page(request, form, queue, None, refusal)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Another name, other readers; with `from` also other filters."""
    user = person(request)
    view = one(user, slug)
    if not saved_views.may_change(view, user):
        raise Http404
    kept = {"name": view.name, "shared": view.shared, "line": view.line_id, "position": view.position}
    form = ViewForm(request.POST or None, initial=kept)
    refusal = None
    queue = came_from(request, user) if "from" in {**request.GET, **request.POST} else Queue.from_tail(view.tail)
    if request.method == "POST" and form.is_valid():
        try:
            saved_views.change_view(view, by=user, tail=queue.whole.tail, **form.cleaned_data)
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("View changed"))
            return SeeOther(reverse("desk:view", args=[slug]))
    return _form_page(request, form, queue, view, refusal)


def _form_page(
    request: HttpRequest, form: ViewForm, queue: Queue, view: SavedView | None, refusal: Refused | None
) -> HttpResponse:
    status = refusal.status if refusal else 422 if form.is_bound and not form.is_valid() else 200
    own = glance(person(request), timezone.now()).own
    context = {
        "form": form,
        "view": view,
        "queue": queue,
        "place": place_words(queue, own),
        "filters": chips_on(queue, names_of([queue])),
        "from": queue.whole.tail,
        "refusal": refusal,
    }
    return render(request, "desk/view_form.html", context, status=status)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Asked once, then gone; tickets stay."""
    user = person(request)
    view = one(user, slug)
    if not saved_views.may_change(view, user):
        raise Http404
    if request.method == "POST":
        saved_views.remove_view(view, by=user)
        messages.success(request, _("View removed: %(name)s") % {"name": view.name})
        return SeeOther(reverse("desk:views"))
    return render(request, "desk/view_removal.html", {"view": view})
