"""The contract as a document: A4 pages with its whole arithmetic, what it includes, how soon, who (domain §1, §2).

`contract_pdf` only reads. How a page looks, and that no text can break it, is `paper`.
"""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from contracts.document import conditions, paper, parties, price, promises
from contracts.document.reading import Reading
from contracts.models import Contract

LANGUAGES = ("ru", "en")


def contract_pdf(contract: Contract, *, language: str, at: datetime) -> bytes:
    """The contract in one language, "ru" or "en", as a PDF; money in EUR, days and moments of Moscow.

    A signed contract with `at` no later than its signature is the document that was signed: its first lines and clauses
    only, and no later end. With a later `at` it holds all that was added since, and how it ended. Otherwise `at` tells
    only as of when a draft is shown. The same rows give the same bytes. Raises `ValueError` for another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"Contracts are written in {', '.join(LANGUAGES)}, not in {language!r}.")
    with translation.override(language):
        reading = Reading(contract, at)
        name = _("Support contract № %(number)s") % {"number": contract.number}
        sheet = paper.Sheet(settings.VENDOR_NAME, name, contract.customer.name, reading.mark, reading.ghost)
        story = [
            *parties.head(reading, name),
            *parties.subject(reading),
            *price.price(reading),
            *promises.matrix(reading),
            *promises.hours(reading),
            *promises.targets(reading),
            *conditions.conditions(reading),
            *conditions.clauses(reading),
            parties.people_and_signatures(reading),
        ]
        return paper.pdf(story, sheet, language=language, subject=contract.customer.name)
