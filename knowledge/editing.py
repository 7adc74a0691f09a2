"""What is done with an article: written, reviewed, published by somebody else, revised, archived (domain §6).

Each verb takes who (`by`) and when (`at`, aware), locks the article's row and works in one transaction. Raises
`NotPublished` for a move that the article's state or a rule refuses, `Forbidden` for who does not work at the desk.
"""

import re
import unicodedata
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from knowledge.models import Article, ArticleVersion, Vote

RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
LATIN = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".replace("-", "").split(" ")
LETTERS = dict(zip(RUSSIAN, LATIN, strict=True))
WORK = ("title", "body", "language", "product", "release", "audience")


class NotPublished(Refused):
    """A rule of the articles refuses this move, now."""


def _only_desk(by: User) -> None:
    if not by.works_at_desk:
        raise Forbidden()


def _locked(article: Article) -> Article:
    return Article.objects.select_for_update(of=("self",), no_key=True).get(pk=article.pk)


def _move(article: Article, name: str) -> None:
    before = article.get_state_display()
    try:
        getattr(article, name)()
    except TransitionNotAllowed as error:
        raise NotPublished(_("This article is “%(state)s”: that cannot be done now.") % {"state": before}) from error


def _sent(article: Article) -> ArticleVersion:
    """The version that is in review."""
    return article.versions.select_for_update().latest("number")


def slug_of(title: str) -> str:
    """The words of a title as an address: Latin letters, digits, hyphens; "article" where nothing is left."""
    latin = "".join(LETTERS.get(letter, letter) for letter in title.lower())
    plain = unicodedata.normalize("NFKD", latin).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].strip("-") or "article"


@transaction.atomic
def write(article: Article, *, by: User, at: datetime) -> Article:
    """Writes a new article (unsaved and valid) down as a draft under an address of its own."""
    _only_desk(by)
    base = article.slug or slug_of(article.title)
    taken = set(Article.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    article.slug = next(slug for n in range(len(taken) + 1) if (slug := f"{base}-{n + 1}" if n else base) not in taken)
    article.author, article.created_at, article.changed_at = by, at, at
    article.save()
    return article


@transaction.atomic
def rewrite(article: Article, *, by: User, at: datetime) -> Article:
    """Saves what was changed in a draft. What is in review or published is not changed under its readers' eyes."""
    _only_desk(by)
    now = _locked(article)
    if now.state != Article.State.DRAFT:
        raise NotPublished(
            _("This article is “%(state)s”: take it back into work first.") % {"state": now.get_state_display()}
        )
    for name in WORK:
        setattr(now, name, getattr(article, name))
    now.changed_at = at
    now.save()
    return now


@transaction.atomic
def send_to_review(article: Article, *, by: User, at: datetime) -> Article:
    """Asks somebody else to read it: what they read is kept as a version."""
    _only_desk(by)
    article = _locked(article)
    _move(article, "send_to_review")
    last = article.versions.order_by("-number").first()
    ArticleVersion.objects.create(
        article=article, number=last.number + 1 if last else 1, title=article.title, body=article.body, by=by, at=at
    )
    article.changed_at = at
    article.save()
    return article


@transaction.atomic
def send_back(article: Article, *, reason: str, by: User, at: datetime) -> Article:
    """Gives it back to its writers with the reason."""
    _only_desk(by)
    if not reason.strip():
        raise NotPublished(_("Say what is to be changed."))
    article = _locked(article)
    _move(article, "send_back")
    version = _sent(article)
    version.reviewer, version.returned_at, version.reason = by, at, reason.strip()
    version.save(update_fields=["reviewer", "returned_at", "reason"])
    article.changed_at = at
    article.save()
    return article


@transaction.atomic
def publish(article: Article, *, by: User, at: datetime) -> Article:
    """Readers read the reviewed version from now on. Never by who sent it: four eyes see more."""
    _only_desk(by)
    article = _locked(article)
    _move(article, "publish")
    version = _sent(article)
    if version.by_id == by.pk or article.author_id == by.pk:
        raise NotPublished(_("Somebody else publishes it: not who wrote it or sent it to review."))
    version.reviewer, version.published_at = by, at
    version.save(update_fields=["reviewer", "published_at"])
    article.published, article.changed_at = version, at
    article.save()
    return article


@transaction.atomic
def revise(article: Article, *, by: User, at: datetime) -> Article:
    """Takes a published or archived article back into work; what is published stays readable meanwhile."""
    _only_desk(by)
    article = _locked(article)
    if article.state == Article.State.ARCHIVED:
        article.published = None  # it was taken from its readers: only another review brings it back
    _move(article, "revise")
    article.changed_at = at
    article.save()
    return article


@transaction.atomic
def archive(article: Article, *, by: User, at: datetime) -> Article:
    """Takes it from its readers; its versions stay."""
    _only_desk(by)
    article = _locked(article)
    _move(article, "archive")
    article.changed_at = at
    article.save()
    return article


def vote(article: Article, *, helped: bool, by: User, at: datetime) -> None:
    """Whether it helped. A person counts once: the last answer."""
    Vote.objects.update_or_create(article=article, person=by, defaults={"helped": helped, "at": at})
