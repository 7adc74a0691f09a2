"""The customer's first page: what waits for them, what is promised, what their support is (direction §4)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.access import person
from contracts.signing import moscow_day
from tickets import portal_page
from tickets.models import Defect, State, Ticket

PAGE = 50
KNOWN_ERRORS = 5


def home(request: HttpRequest) -> HttpResponse:
    """The customer's first page: what waits for them, what is promised, what their support is (direction §4)."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    company = portal_page.company_of(person(request), now=now)
    if company is None:
        return render(request, "portal/nowhere.html")
    tickets = Ticket.objects.visible_to(person(request))
    opened = list(portal_page.with_calls(tickets.open()).by_deadline()[: PAGE + 1])
    waiting = [ticket for ticket in opened if ticket.state == State.AWAITING_CUSTOMER]
    questions = portal_page.last_questions(waiting)
    to_check = tickets.filter(state=State.RESOLVED).count()
    context = {
        "company": company,
        "support": portal_page.support_of(company, now=now, zone=zone),
        "read_only": "" if company.may_write else portal_page.read_only_words(company),
        "proposals": portal_page.waiting_proposals(tickets, now=now, zone=zone),
        "waiting": [(ticket, questions.get(ticket.pk)) for ticket in waiting],
        "held": portal_page.waiting_letters(person(request), may_decide=company.may_write),
        "rows": portal_page.rows(opened[:PAGE], now=now, zone=zone),
        "more": len(opened) > PAGE,
        "known_errors": Defect.objects.known_errors_for(company.customer, on=moscow_day(now))[:KNOWN_ERRORS],
        "to_check": to_check,
        "to_check_words": ngettext(
            "%(count)d request is solved and waits for your check",
            "%(count)d requests are solved and wait for your check",
            to_check,
        )
        % {"count": to_check},
    }
    return render(request, "portal/home.html", context)
