"""Articles for their writers: the list, an article with its moves and versions, and its form with a preview."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import desk_only, person
from accounts.places import place_of
from accounts.refusals import Refused
from knowledge import editing
from knowledge.forms import ArticleForm
from knowledge.markdown import to_html
from knowledge.models import Article

PAGE = 50


def _to(article: Article) -> HttpResponse:
    response = redirect("kb_desk:article", slug=article.slug)
    response.status_code = 303
    return response


def _found(request: HttpRequest, slug: str) -> Article:
    articles: QuerySet[Article] = Article.objects.worked_on_by(person(request))
    return get_object_or_404(articles.select_related("published", "product", "release", "author"), slug=slug)


@desk_only
@require_safe
def articles(request: HttpRequest) -> HttpResponse:
    """What is worked on, the last changed first; `?state=review` is what waits for a reader.

    A link whose place cannot be read shows the first page and says so.
    """
    listed = Article.objects.worked_on_by(person(request)).select_related("product", "author")
    state = request.GET.get("state", "")
    state = state if state in Article.State.values else ""
    if state:
        listed = listed.filter(state=state)
    after = request.GET.get("after", "")
    place = place_of(after)
    if place is not None:
        at, key = place
        listed = listed.filter(Q(changed_at__lt=at) | Q(changed_at=at, pk__lt=key))
    found = list(listed.order_by("-changed_at", "-pk")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "articles": found[:PAGE],
        "states": Article.State.choices,
        "state": state,
        "more": f"{last.changed_at.isoformat()}_{last.pk}" if last else "",
        "from_start": bool(after) and place is None,
    }
    return render(request, "knowledge/desk_articles.html", context)


@desk_only
@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """The text that is worked on, what may be done with it, and its versions."""
    return _show(request, _found(request, slug))


def _show(request: HttpRequest, found: Article, refusal: Refused | None = None) -> HttpResponse:
    versions = list(found.versions.select_related("by", "reviewer"))
    user = person(request)
    sent = versions[0] if versions and found.state == Article.State.REVIEW else None
    context = {
        "article": found,
        "html": to_html(found.body),
        "versions": versions,
        "votes": found.votes.aggregate(yes=Count("pk", filter=Q(helped=True)), no=Count("pk", filter=Q(helped=False))),
        "may_publish": sent is not None and user.pk not in {sent.by_id, found.author_id},
        "refusal": refusal,
    }
    return render(request, "knowledge/desk_article.html", context, status=refusal.status if refusal else 200)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new article."""
    return _form(request, Article(language=person(request).language), editing.write)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A draft's form; an article that is no draft says so on its page."""
    found = _found(request, slug)
    if found.state != Article.State.DRAFT:
        return _to(found)
    return _form(request, found, editing.rewrite)


def _form(request: HttpRequest, article: Article, verb: Callable[..., Article]) -> HttpResponse:
    form = ArticleForm(request.POST if request.method == "POST" else None, instance=article)
    refusal = None
    preview = ""
    status = 200
    if request.method == "POST":
        if not form.is_valid():
            status = 422
        elif "preview" in request.POST:
            preview = to_html(form.cleaned_data["body"])
        else:
            try:
                return _to(verb(form.save(commit=False), by=person(request), at=timezone.now()))
            except Refused as refused:
                refusal, status = refused, refused.status
    slug = article.slug if article.pk else ""
    context = {"form": form, "slug": slug, "preview": preview, "refusal": refusal}
    return render(request, "knowledge/form.html", context, status=status)


VERBS: dict[str, tuple[Callable[..., Any], str | Promise]] = {
    "review": (editing.send_to_review, gettext_lazy("Sent to review: somebody else reads it and publishes it")),
    "return": (editing.send_back, gettext_lazy("Given back with the reason")),
    "publication": (editing.publish, gettext_lazy("Published")),
    "revision": (editing.revise, gettext_lazy("Taken back into work; what is published stays readable")),
    "archive": (editing.archive, gettext_lazy("Taken from its readers")),
}


@require_POST
@desk_only
def act(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One move of an article; refused, its page says why."""
    found = _found(request, slug)
    verb, done = VERBS[name]
    said = {"reason": request.POST.get("reason", "").replace("\0", "")[:2000]} if name == "return" else {}
    try:
        verb(found, by=person(request), at=timezone.now(), **said)
    except editing.NotPublished as refusal:
        return _show(request, _found(request, slug), refusal)
    messages.success(request, _(str(done)))
    return _to(found)
