"""The demo year: who is in it (`people`), what happens (`stories_ru`, `stories_en`, told in the words of `story`), and
how it is made (`company`, `casting`, `year`): by calling the verbs of the house with past moments, so that every clock,
escalation and rating in it is true."""

from helpdesk.demo.people import CUSTOMERS, PARTNERS, STAFF

PASSWORD = "demo-2026-support"  # of every demo sign-in; never used outside a demo


def signins() -> list[tuple[str, str, str]]:
    """(who it is, e-mail, password) of the demo people whom `make run` prints: at least one for every role."""
    rows = []
    for customer in CUSTOMERS:
        for person in customer.people:
            if person.shown:
                contact = any(tenure.person == person for tenure in customer.contacts)
                part = "contact" if contact else "observer"
                rows.append((f"customer, {customer.package}: {part}", person.email, PASSWORD))
    for person in (*STAFF, *PARTNERS):
        if person.shown:
            lines = f" of line {', '.join(str(line) for line in person.lines)}" if person.lines else ""
            rows.append((person.role.replace("_", " ") + lines, person.email, PASSWORD))
    return rows
