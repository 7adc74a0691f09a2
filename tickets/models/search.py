"""What the search looks through (domain §6). Written by triggers of the database alone: nobody can forget it."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

# What is written waits in a list of so many KB that each search reads whole: 4 ms for PostgreSQL's own 4 MB. Whoever
# finds it full puts it in order: 64 KB take 30 ms, where 4 MB take 150; all together it costs the same.
PENDING_KB = 64


class SearchDocument(models.Model):
    """A ticket as the search reads it: A subject and number, B who asked, of what, by which contract, C talk, D files.

    One row a ticket, so that words of the subject and of a reply are found together. Words of internal notes begin with
    `~`, which no customer's query holds; `@c7` says whose ticket it is, so that a company's finds cost as much as
    anybody's. `learned` says whether its words are in `SearchWord`.
    """

    ticket = models.OneToOneField(
        Ticket, models.CASCADE, primary_key=True, related_name="search_document", verbose_name=_("ticket")
    )
    document = SearchVectorField(_("words"))
    learned = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("search document")
        verbose_name_plural = _("search documents")
        indexes: ClassVar = [
            # Every search: WHERE document @@ query (tickets/search.py).
            GinIndex(fields=["document"], name="search_document_words", gin_pending_list_limit=PENDING_KB),
            # What the vocabulary does not have yet: WHERE NOT learned ORDER BY ticket_id (tickets/search_index.py).
            models.Index(fields=["ticket"], name="search_document_new", condition=models.Q(learned=False)),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}"


class SearchWord(models.Model):
    """A word of some ticket's public texts, as it is written there: what a mistyped word is compared with."""

    word = models.CharField(_("word"), max_length=40, primary_key=True)

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("words")
        indexes: ClassVar = [
            # The nearest words of a mistyped one: WHERE word % typed (tickets/spelling.py).
            GinIndex(
                OpClass(F("word"), name="gin_trgm_ops"), name="search_word_alike", gin_pending_list_limit=PENDING_KB
            ),
        ]

    def __str__(self) -> str:
        return self.word
