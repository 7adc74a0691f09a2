"""Search in articles, within what a person may read (domain §6); words are read by `contracts.text_search`."""

from django.db.models import BooleanField, Case, ExpressionWrapper, Q, Value, When

from accounts.models import User
from contracts import text_search
from contracts.models import Product
from knowledge.models import Article

MOST = 200  # of the finds that are put in order


def find(
    text: str,
    user: User,
    product: Product | None = None,
    limit: int = 20,
    *,
    public_only: bool = False,
    any_word: bool = False,
) -> tuple[list[Article], str]:
    """The best articles for `text` that this person may read, and the query as it was understood (for marking).

    First those with the words in the title, of the product asked about, in the person's language; then the newest.
    `public_only`: only what customers may read too (for answers to them). `any_word`: a long text is a description, not
    a query; an article with some of its words is worth a look.
    """
    asked = text_search.read(text)
    query = text_search.prepare(asked)
    if not query:
        other = text_search.in_other_layout(asked.text)
        query = text_search.prepare(text_search.read(other)) if other else ""
    if not query:
        return [], ""
    found = _ordered(query, user, product, limit, public_only)
    if not found and (other := text_search.in_other_layout(asked.text)):
        instead = text_search.prepare(text_search.read(other))
        found = _ordered(instead, user, product, limit, public_only) if instead else []
        query = instead if found else query
    if not found and any_word and " & " in query:
        query = query.replace(" & ", " | ")
        found = _ordered(query, user, product, limit, public_only)
    return found, query


def _ordered(query: str, user: User, product: Product | None, limit: int, public_only: bool) -> list[Article]:
    articles = Article.objects.readable_by(user).filter(published__document__finds=query)
    if public_only:
        articles = articles.filter(audience=Article.Audience.PUBLIC)
    fits = Case(When(product=product, then=Value(2)), When(product=None, then=Value(1)), default=Value(0))
    in_title = text_search.weighted(query, "A")
    keys = articles.annotate(
        titled=ExpressionWrapper(Q(published__document__finds=in_title), BooleanField()),
        fits=fits if product else Value(0),
        own=ExpressionWrapper(Q(language=user.language), BooleanField()),
    ).order_by("-titled", "-fits", "-own", "-published__published_at", "-pk")
    return list(keys.select_related("published", "product", "release")[: min(limit, MOST)])
