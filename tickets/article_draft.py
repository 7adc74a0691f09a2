"""A solved ticket as the draft of an article, without the customer's data (domain §6); a person reads it first."""

import re

from django.utils.translation import gettext as _

from knowledge.models import Article
from tickets.models import Message, Ticket

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LINK = re.compile(r"\b(?:https?://|www\.)\S+|\\\\[\w.-]+\\\S*", re.IGNORECASE)
NUMBERS = re.compile(r"(?<![\w.])(?:\+?\d[\d\s()-]{8,}\d|\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")  # phones, IP addresses
QUOTES = "«»\"'"
LEGAL_FORMS = {"ооо", "оао", "зао", "пао", "ао", "ип", "гк", "ltd", "llc", "inc", "gmbh", "sia", "oy", "as"}


def without_customer(text: str, ticket: Ticket, names: set[str]) -> str:
    """The text without addresses, links, phones, the ticket's number, the customer's name and the people's `names`."""
    hidden = "…"
    for pattern in (ADDRESS, LINK, NUMBERS):
        text = pattern.sub(hidden, text)
    text = text.replace(str(ticket.number), hidden)
    parts = [part.strip(QUOTES + ",.()") for part in ticket.customer.name.split()]
    company = {part for part in parts if len(part) > 2 and part.lower() not in LEGAL_FORMS}
    words = company | {part for name in names for part in name.split() if len(part) > 2}
    for word in sorted({ticket.customer.name, *words}, key=len, reverse=True):
        stem = re.escape(word[: max(len(word) - 1, 3)]) if word.isalpha() else re.escape(word)
        text = re.sub(rf"(?<!\w){stem}\w{{0,3}}(?!\w)", hidden, text, flags=re.IGNORECASE)
    return re.sub(rf"(?:{hidden}\s*){{2,}}", f"{hidden} ", text)


def draft_of(ticket: Ticket) -> Article:
    """An unsaved internal article: the question as the customer put it, and the answer that solved it."""
    said = list(ticket.messages.filter(kind=Message.Kind.PUBLIC).select_related("author").order_by("created_at", "pk"))
    names = {message.author.full_name for message in said} | {ticket.contact.full_name}
    question = next((message.body for message in said if not message.by_vendor), "")
    solved = (
        ticket.events.filter(verb="resolved", message__isnull=False).select_related("message").order_by("-at").first()
    )
    answer = (
        solved.message.body
        if solved and solved.message
        else next((one.body for one in reversed(said) if one.by_vendor), "")
    )
    parts = [
        (_("What happens"), question),
        (_("What to do"), answer),
        (_("Workaround"), ticket.workaround),
    ]
    body = "\n\n".join(f"## {heading}\n\n{without_customer(text, ticket, names)}" for heading, text in parts if text)
    return Article(
        title=without_customer(ticket.subject, ticket, names)[:200],
        body=body or ticket.subject,
        language=ticket.language,
        product=ticket.product,
        release=ticket.release if ticket.release and ticket.release.product_id == ticket.product_id else None,
        audience=Article.Audience.INTERNAL,
    )
