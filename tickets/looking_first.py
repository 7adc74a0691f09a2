"""What may answer before a request is sent: articles and known errors of the own products (domain §6)."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from contracts import text_search
from contracts.models import Customer
from contracts.signing import moscow_day
from knowledge import search
from knowledge.models import Article
from tickets.models import Defect, SolvedFirst

ARTICLES, ERRORS = 4, 3  # shown at most
READ = 50  # known errors of a company's products that are looked through


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found; `words` as they were asked."""

    words: str
    articles: list[Article]
    defects: list[Defect]

    def __bool__(self) -> bool:
        return bool(self.articles or self.defects)


def find(text: str, user: User, customer: Customer, *, at: datetime) -> Answers:
    """The published articles and the known errors of the customer's products that these words may mean."""
    words = text.replace("\0", " ").strip()[: text_search.LONGEST]
    articles, query = search.find(words, user, limit=ARTICLES, public_only=True, any_word=True)
    defects = []
    if query:
        known = Defect.objects.known_errors_for(customer, on=moscow_day(at))[:READ]
        texts = [(defect, f"{defect.known_error_ru} {defect.known_error_en}") for defect in known]
        defects = [defect for defect, known_error in texts if text_search.finds(known_error, query)][:ERRORS]
    return Answers(words, articles, defects)


def solved(
    *, person: User, words: str, at: datetime, article: Article | None = None, defect: Defect | None = None
) -> None:
    """Counts “this solved it” once a person and answer; the last words stand."""
    SolvedFirst.objects.update_or_create(
        person=person, article=article, defect=defect, defaults={"words": words.replace("\0", " ")[:200], "at": at}
    )
