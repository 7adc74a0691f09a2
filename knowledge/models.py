"""Articles, what was sent to review, and whom they helped (domain §6). Only `knowledge/editing.py` changes one."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import DESK_ROLES, STAFF_ROLES

if TYPE_CHECKING:
    from accounts.models import User


class ArticleQuerySet(models.QuerySet["Article"]):
    def readable_by(self, user: "User") -> "ArticleQuerySet":
        """Published ones: the public to everybody who is signed in, the internal to the vendor's people."""
        found = self.filter(published__isnull=False).exclude(state=Article.State.ARCHIVED)
        return found if user.role in STAFF_ROLES else found.filter(audience=Article.Audience.PUBLIC)

    def worked_on_by(self, user: "User") -> "ArticleQuerySet":
        """Whoever works at the desk works on every article; nobody else on any."""
        return self.all() if user.role in DESK_ROLES else self.none()


class Article(FSMModelMixin, models.Model):
    """`title` and `body` are what its writers work on; its readers read `published` until another version is."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("article", "draft")
        REVIEW = "review", pgettext_lazy("article", "in review")
        PUBLISHED = "published", pgettext_lazy("article", "published")
        ARCHIVED = "archived", pgettext_lazy("article", "archived")

    class Audience(models.TextChoices):
        PUBLIC = "public", _("customers and partners")
        INTERNAL = "internal", _("only we")

    slug = models.SlugField(_("address"), max_length=120, unique=True)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), max_length=100_000)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="ru")
    product = models.ForeignKey(
        "contracts.Product", models.PROTECT, null=True, blank=True, related_name="articles", verbose_name=_("product")
    )
    release = models.ForeignKey(
        "contracts.Release", models.PROTECT, null=True, blank=True, related_name="articles", verbose_name=_("release")
    )
    audience = models.CharField(_("for whom"), max_length=10, choices=Audience.choices, default=Audience.PUBLIC)
    state = FSMField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT, protected=True)
    author: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="articles", verbose_name=_("author")
    )
    published: "models.OneToOneField[ArticleVersion | None]" = models.OneToOneField(
        "knowledge.ArticleVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("published")
    )
    created_at = models.DateTimeField(_("written at"))
    changed_at = models.DateTimeField(_("last change"))

    objects: ClassVar = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering: ClassVar = ["-changed_at", "-pk"]
        indexes: ClassVar = [
            # The writers' list, last changed first, keyset (knowledge/views/writing.py).
            models.Index(F("changed_at").desc(), F("id").desc(), name="article_last_changed"),
            # The readers' list of a product by key (knowledge/views/reading.py).
            models.Index("product", "id", name="article_of_product"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "review", "published", "archived"]), name="article_state_known"
            ),
            models.CheckConstraint(condition=Q(audience__in=["public", "internal"]), name="article_audience_known"),
            models.CheckConstraint(condition=~Q(title="") & ~Q(body=""), name="article_says_something"),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published__isnull=False), name="article_published_has_version"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    # The table of moves. Bodies are empty: the meaning stands in the verb of `editing`.

    @transition(state, source=State.DRAFT, target=State.REVIEW)
    def send_to_review(self) -> None: ...

    @transition(state, source=State.REVIEW, target=State.DRAFT)
    def send_back(self) -> None: ...

    @transition(state, source=State.REVIEW, target=State.PUBLISHED)
    def publish(self) -> None: ...

    @transition(state, source=[State.PUBLISHED, State.ARCHIVED], target=State.DRAFT)
    def revise(self) -> None: ...

    @transition(state, source=[State.DRAFT, State.REVIEW, State.PUBLISHED], target=State.ARCHIVED)
    def archive(self) -> None: ...


class ArticleVersion(models.Model):
    """What was sent to review, as it was: published by somebody else than who sent it, or given back with a reason."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="versions", verbose_name=_("article"))
    number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"))
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("sent by")
    )
    at = models.DateTimeField(_("sent at"))
    reviewer: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewer")
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    returned_at = models.DateTimeField(_("given back at"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    document = SearchVectorField(editable=False, null=True)  # written by the database (migration 0001_articles)

    class Meta:
        verbose_name = _("version of an article")
        verbose_name_plural = _("versions of articles")
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            # Every search in articles: WHERE document @@ query (knowledge/search.py).
            GinIndex(fields=["document"], name="article_words"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "number"], name="article_version_once"),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | (Q(reviewer__isnull=False) & ~Q(reviewer=F("by"))),
                name="article_published_by_another",
            ),
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True) | (Q(reviewer__isnull=False) & ~Q(reason="")),
                name="article_returned_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"


class Vote(models.Model):
    """Whether an article helped a person: one answer a person, the last one counts."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="votes", verbose_name=_("article"))
    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person")
    )
    helped = models.BooleanField(_("helped"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "person"], name="vote_once_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.helped}"
