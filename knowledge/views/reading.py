"""Articles for their readers: search first, then by product; one article, and whether it helped (domain §6)."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import person
from accounts.models import User
from contracts import text_search
from contracts.models import Product
from knowledge import editing, search
from knowledge.markdown import beginning, to_html
from knowledge.models import Article, Vote

PAGE = 50


def base_of(user: User) -> str:
    """The frame of the person's own part of the house."""
    return "desk/base.html" if user.is_vendor else "portal/base.html"


@require_safe
@login_required
def articles(request: HttpRequest) -> HttpResponse:
    """Finds for `?q=`, else what there is: a product's articles, the last published first, fifty a page."""
    user = person(request)
    q = request.GET.get("q", "").replace("\0", " ").strip()[: text_search.LONGEST]
    products = list(Product.objects.filter(articles__in=Article.objects.readable_by(user)).distinct().order_by("name"))
    product = next((one for one in products if one.code == request.GET.get("product")), None)
    more = ""
    if q:
        found, query = search.find(q, user, product)
    else:
        query, listed = "", Article.objects.readable_by(user).select_related("published", "product", "release")
        if product:
            listed = listed.filter(product=product)
        after = request.GET.get("after", "")
        if after.isdecimal() and len(after) < 18:
            listed = listed.filter(published__lt=int(after))
        found = list(listed.order_by("-published")[: PAGE + 1])
        if len(found) > PAGE:
            found, more = found[:PAGE], str(found[PAGE - 1].published_id)
    context = {
        "base": base_of(user),
        "q": q,
        "products": products,
        "product": product,
        "found": [(article, *_shown(article, query)) for article in found],
        "more": more,
    }
    return render(request, "knowledge/articles.html", context)


def _shown(article: Article, query: str) -> tuple[list[text_search.Piece], list[text_search.Piece]]:
    version = article.published
    assert version is not None  # `readable_by`
    text = beginning(version.body, 4000)
    around = 110 if query and text_search.finds(text, query) else 0
    snippet = text_search.marked(text, query, around=around) if around else [text_search.Piece(beginning(text))]
    return text_search.marked(version.title, query), snippet


def _found(request: HttpRequest, slug: str) -> Article:
    readable = Article.objects.readable_by(person(request)).select_related("published", "product", "release")
    return get_object_or_404(readable, slug=slug)


@require_safe
@login_required
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """The published version."""
    found, user = _found(request, slug), person(request)
    version = found.published
    assert version is not None
    context: dict[str, Any] = {
        "base": base_of(user),
        "article": found,
        "version": version,
        "html": to_html(version.body),
        "voted": Vote.objects.filter(article=found, person=user).first(),
        "may_write": user.works_at_desk,
    }
    return render(request, "knowledge/article.html", context)


@require_POST
@login_required
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    """Yes or no; said again, it is changed."""
    found, said = _found(request, slug), request.POST.get("helped", "")
    if said in {"yes", "no"}:
        editing.vote(found, helped=said == "yes", by=person(request), at=timezone.now())
        messages.success(request, _("Thank you: counted."))
    response = redirect("kb:article", slug=found.slug)
    response.status_code = 303
    return response
