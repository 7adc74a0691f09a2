"""Articles at a ticket: found for the answer, and drafted from what was solved (domain §6)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import desk_only, person
from contracts import text_search
from knowledge import editing, search
from knowledge.markdown import beginning
from tickets import article_draft, workflow
from tickets.models import State, Ticket

SHOWN = 8


def _found(request: HttpRequest, number: int) -> Ticket:
    visible = Ticket.objects.visible_to(person(request)).select_related("customer", "contact", "product", "release")
    return get_object_or_404(visible, number=number)


@desk_only
@require_safe
def articles(request: HttpRequest, number: int) -> HttpResponse:
    """Articles for `?q=`, by default for the ticket's subject; for an answer only those that the customer may read."""
    ticket, user = _found(request, number), person(request)
    q = request.GET.get("q", "").replace("\0", " ").strip()[: text_search.LONGEST]
    asked = q or ticket.subject
    found, query = search.find(
        asked, user, ticket.product, SHOWN, public_only=request.GET.get("kind") != "note", any_word=not q
    )
    rows = []
    for article in found:
        version = article.published
        assert version is not None  # `readable_by`
        address = request.build_absolute_uri(reverse("kb:article", args=[article.slug]))
        short = beginning(version.body, 200)
        rows.append((article, text_search.marked(version.title, query), short, f"{version.title}\n{address}\n{short}"))
    template = "desk/_articles_found.html" if request.headers.get("HX-Request") else "desk/articles.html"
    return render(request, template, {"ticket": ticket, "q": q, "rows": rows})


@require_POST
@desk_only
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """Makes a draft of an article of a solved ticket; the person reads it first of all."""
    ticket = _found(request, number)
    if ticket.state not in {State.RESOLVED, State.CLOSED}:
        raise workflow.NotAllowed(_("An article is made of what is solved."), "6")
    article = editing.write(article_draft.draft_of(ticket), by=person(request), at=timezone.now())
    messages.success(request, _("A draft for us alone. Read it: no data of the customer may stay."))
    response = redirect("kb_desk:edit", slug=article.slug)
    response.status_code = 303
    return response
