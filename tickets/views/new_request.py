"""A new request of a customer: what answers first, what is promised, the draft, and the sending (domain §3.5, §6).

A refused one shows its page again with the reason and what was typed: 422 for what was left out or misspelt, 409 for
what a rule refuses.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import person
from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts import entitlement
from contracts.entitlement import NotCovered
from contracts.models import TicketKind, Topic
from contracts.signing import moscow_day
from knowledge.models import Article
from tickets import drafts, files, looking_first, portal_page, promise_words, request_draft, workflow
from tickets.forms.portal import NewRequestForm, clean_key
from tickets.models import Defect, HeldRequest, PendingFile, Ticket
from tickets.views.composer import taken_in, wants_json
from tickets.views.portal_gate import customers, ticket_of, to

HELD_ONCE_WITHIN = timedelta(days=1)
SENT_AGAIN_WITHIN = timedelta(minutes=15)  # the same words from the same person are the same request so long


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def new(request: HttpRequest) -> HttpResponse:
    """A new request: every choice shows its promise before it is sent; what is not included is said before, too."""
    now = timezone.now()
    company = portal_page.company_of(person(request), now=now)
    if company is None:
        return render(request, "portal/nowhere.html")
    if not company.may_write:
        return render(request, "portal/read_only.html", {"words": portal_page.read_only_words(company)}, status=403)
    if company.contract is None:
        return _new_without_contract(request, company)
    topics = portal_page.topics_of(company.contract, at=now)
    form_of: dict[str, Any] = {
        "topics": topics,
        "licences": portal_page.licences_of(company.customer, now=now),
        "groups": (
            _("Included in your support"),
            _("Not in your package (%(package)s)") % {"package": company.contract.terms.package.name},
            pgettext("topics", "Outside support"),
        ),
    }
    if request.method != "POST":
        draft, kept_at = request_draft.of(person(request))
        form = NewRequestForm(initial={**draft}, **form_of)
        return _new_page(request, company, form, from_draft=bool(draft), kept_at=kept_at)
    form = NewRequestForm(request.POST, request.FILES, **form_of)
    if "look" in request.POST:
        return _looked(request, company, form_of)
    if not form.is_valid():
        return _new_page(request, company, form, status=422)
    try:
        if (again := _sent_just_now(person(request), company, form)) is not None:
            messages.info(request, _("You sent this already: it is request № %(number)s.") % {"number": again.number})
            return to(again)
        with transaction.atomic():
            ticket = _open(person(request), company, form)
            request_draft.discard(person(request))
    except NotCovered as refusal:
        if "hold" in request.POST:
            return _held(request, company, form, refusal)
        return _new_page(request, company, form, status=refusal.status, refusal=refusal)
    except Forbidden:
        raise
    except Refused as refusal:
        return _new_page(request, company, form, status=refusal.status, refusal=refusal)
    told = promise_words.tell(
        ticket_of(request, ticket.number), now=timezone.now(), zone=timezone.get_current_timezone()
    )
    messages.success(
        request,
        _("Request № %(number)s is received. %(promise)s.") % {"number": ticket.number, "promise": told.sentence},
    )
    return to(ticket)


def _looked(request: HttpRequest, company: portal_page.Company, form_of: dict[str, Any]) -> HttpResponse:
    """The same form with what may answer before it is sent, for who has no scripts. What was typed is kept."""
    request_draft.keep(person(request), request.POST.dict(), at=timezone.now())
    form = NewRequestForm(initial={**request.POST.dict()}, **form_of)
    answers = looking_first.find(request.POST.get("subject", ""), person(request), company.customer, at=timezone.now())
    return _new_page(request, company, form, answers=answers)


def _sent_just_now(user: User, company: portal_page.Company, form: NewRequestForm) -> Ticket | None:
    """The open request that says the same, sent a moment ago: somebody went back and sent it again.

    A form drawn anew has another key, so the words decide; a file that was not sent then makes it another request.
    """
    sent = form.cleaned_data
    names = {upload.name for upload in files.uploads(sent["files"])}
    names |= {row.name for row in drafts.files_of(None, user) if row.pk in sent["pending"]}
    alike = Ticket.objects.open().filter(
        customer=company.customer,
        contact=user,
        subject=sent["subject"],
        kind=sent["kind"],
        topic=sent["topic"],
        opened_at__gt=timezone.now() - SENT_AGAIN_WITHIN,
    )
    for ticket in alike.order_by("-pk")[:5]:
        first = ticket.messages.order_by("pk").first()
        if first is None or first.body != (sent["body"].strip() or sent["subject"]):
            continue
        if names <= set(first.attachments.values_list("name", flat=True)):
            return ticket
    return None


def _open(user: User, company: portal_page.Company, form: NewRequestForm) -> Ticket:
    """Opens the ticket of this form; the key makes two clicks on one form one ticket (`workflow.send_request`)."""
    sent = form.cleaned_data
    installation = sent["installation"]
    return workflow.send_request(
        customer=company.customer,
        by=user,
        subject=sent["subject"],
        body=sent["body"],
        at=timezone.now(),
        channel=portal_page.PORTAL,
        kind=sent["kind"],
        topic=sent["topic"],
        priority=form.priority,
        product=installation.product if installation else None,
        release=installation.release if installation else None,
        language=user.language,
        files=files.uploads(sent["files"]),
        pending=sent["pending"],
        key=clean_key(form),
    )


def _new_page(
    request: HttpRequest,
    company: portal_page.Company,
    form: NewRequestForm,
    *,
    status: int = 200,
    refusal: Refused | None = None,
    from_draft: bool = False,
    kept_at: datetime | None = None,
    answers: looking_first.Answers | None = None,
) -> HttpResponse:
    user, now, zone = person(request), timezone.now(), timezone.get_current_timezone()
    assert company.contract is not None
    drafts.keep_files(None, request.FILES.getlist("files"), person=user, at=now)
    if request.method == "POST":  # the page goes on with the draft that it was sent from
        kept_at = request_draft.of(user)[1]
    context = {
        "form": form,
        "company": company,
        "support": portal_page.support_of(company, now=now, zone=zone),
        "choices": portal_page.choices_of(company.contract, now=now, zone=zone),
        "question": portal_page.question_offer(company.contract, now=now, zone=zone),
        "impact": form["impact"].value() or "",
        "kind": form["kind"].value() or TicketKind.INCIDENT,
        "refusal": refusal,
        "may_hold": isinstance(refusal, NotCovered),
        "pending": drafts.files_of(None, user),
        "largest_file": settings.ATTACHMENT_MAX_BYTES,
        "from_draft": from_draft,
        "kept_at": kept_at.isoformat() if kept_at else "",
        "answers": answers,
    }
    return render(request, "portal/new.html", context, status=status)


def _new_without_contract(request: HttpRequest, company: portal_page.Company) -> HttpResponse:
    """No contract is in force: the request is recorded and put before the contract administrator (domain §2)."""
    assert company.no_contract is not None
    context: dict[str, Any] = {"company": company, "refusal": company.no_contract}
    if request.method != "POST":
        return render(request, "portal/new_held.html", {**context, "form": NewRequestForm()})
    form = NewRequestForm({**request.POST.dict(), "kind": TicketKind.CONSULTATION}, request.FILES)
    if not form.is_valid():
        return render(request, "portal/new_held.html", {**context, "form": form}, status=422)
    return _held(request, company, form, company.no_contract)


def _held(
    request: HttpRequest, company: portal_page.Company, form: NewRequestForm, refusal: NotCovered
) -> HttpResponseRedirect:
    user, sent = person(request), form.cleaned_data
    given = [*files.uploads(sent["files"]), *drafts.as_uploads(None, sent["pending"], person=user)]
    hold_once(user, company, sent["subject"], sent["body"], refusal, given)
    request_draft.discard(user)
    said = {"subject": sent["subject"], "words": refusal.message}
    messages.warning(request, _("We have recorded “%(subject)s”. %(words)s") % said)
    response = redirect("home")
    response.status_code = 303
    return response


@transaction.atomic
def hold_once(
    user: User,
    company: portal_page.Company,
    subject: str,
    body: str,
    refusal: NotCovered,
    uploads: Iterable[workflow.Upload] = (),
) -> HeldRequest:
    """Records a request that cannot become a ticket now. The same words twice within a day are one request.

    The person's row is locked meanwhile, so that two clicks at the same instant are told apart from two requests.
    """
    User.objects.select_for_update().get(pk=user.pk)
    now = timezone.now()
    earlier = HeldRequest.objects.filter(
        sender=user, subject=subject, body=body, settled_at__isnull=True, received_at__gt=now - HELD_ONCE_WITHIN
    ).first()
    if earlier is not None:
        return earlier
    reasons = HeldRequest.Reason
    return workflow.hold(
        reason=refusal.reason if refusal.reason in reasons.values else reasons.NOT_IN_PACKAGE,
        words=refusal.message,
        subject=subject,
        body=body,
        at=now,
        channel=portal_page.PORTAL,
        customer=company.customer,
        sender=user,
        files=uploads,
    )


@require_safe
@customers
def new_promises(request: HttpRequest) -> HttpResponse:
    """The promised times of every choice as they are now, for a page that stands open (htmx, once a minute)."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    company = portal_page.company_of(person(request), now=now)
    if company is None or company.contract is None or not company.may_write:
        raise Http404
    context = {
        "choices": portal_page.choices_of(company.contract, now=now, zone=zone),
        "question": portal_page.question_offer(company.contract, now=now, zone=zone),
        "oob": True,
    }
    return render(request, "portal/_promises.html", context)


@require_safe
@customers
def new_entitlement(request: HttpRequest) -> HttpResponse:
    """What the contract says of the chosen topic, before anything is sent (htmx, when the topic changes)."""
    now = timezone.now()
    company = portal_page.company_of(person(request), now=now)
    if company is None or company.contract is None or not company.may_write:
        raise Http404
    topic = Topic.objects.select_related("service").filter(pk=request.GET.get("topic", "")).first()
    answer = entitlement.check(company.contract, channel=portal_page.PORTAL, topic=topic, at=now) if topic else None
    return render(request, "portal/_entitlement.html", {"answer": answer})


def _company(request: HttpRequest) -> portal_page.Company:
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write:
        raise Http404
    return company


@require_safe
@customers
def look(request: HttpRequest) -> HttpResponse:
    """The list of what may answer (`?q=`), while somebody types: a fragment."""
    found = looking_first.find(request.GET.get("q", ""), person(request), _company(request).customer, at=timezone.now())
    return render(request, "portal/_look.html", {"answers": found})


@require_POST
@customers
def solved(request: HttpRequest) -> HttpResponse:
    """“This solved it”: counted, the draft is gone, no request is sent."""
    user, company, now = person(request), _company(request), timezone.now()
    kind, _sep, key = request.POST.get("solved", "").partition("-")
    if not (key.isascii() and key.isdigit() and len(key) < 18):
        raise Http404
    words = request.POST.get("subject", "")
    if kind == "article":
        found = get_object_or_404(
            Article.objects.readable_by(user).filter(audience=Article.Audience.PUBLIC), pk=int(key)
        )
        looking_first.solved(person=user, words=words, at=now, article=found)
    else:
        known = Defect.objects.known_errors_for(company.customer, on=moscow_day(now))
        looking_first.solved(person=user, words=words, at=now, defect=get_object_or_404(known, pk=int(key)))
    request_draft.discard(user)
    messages.success(request, _("Good: no request was sent. We counted that the answer helped."))
    response = redirect("home")
    response.status_code = 303
    return response


@require_POST
@customers
def draft(request: HttpRequest) -> HttpResponse:
    """Keeps what is being written (204), or with `discard` throws it away and shows an empty form.

    409 where another window of the same person has kept something else since. `Draft-At` names the draft that is kept.
    """
    _company(request)
    if "discard" in request.POST:
        request_draft.discard(person(request))
        messages.success(request, _("The draft is thrown away."))
        response = redirect("portal:new")
        response.status_code = 303
        return response
    base = moment_or_none(request.POST.get("base", ""))
    try:
        kept_at = request_draft.keep(
            person(request), request.POST.dict(), at=timezone.now(), base=base, knows_base="base" in request.POST
        )
    except request_draft.Elsewhere as elsewhere:
        return HttpResponse(elsewhere.message, status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204, headers={"Draft-At": kept_at.isoformat() if kept_at else ""})


def moment_or_none(text: str) -> datetime | None:
    """A moment as we write it; None for nonsense."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


@require_POST
@customers
def uploads(request: HttpRequest) -> HttpResponse:
    """Takes in one file (`file`) for the request that is being written: 201 with its key, 422 with what is wrong."""
    _company(request)
    return taken_in(request, None)


@require_POST
@customers
def upload_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a file away again; without scripts what was filled in is kept along with it."""
    _company(request)
    user, now = person(request), timezone.now()
    drafts.take_away(get_object_or_404(PendingFile, pk=pk, ticket=None, person=user))
    if wants_json(request):
        return JsonResponse({})
    request_draft.keep(user, request.POST.dict(), at=now)
    drafts.keep_files(None, request.FILES.getlist("files"), person=user, at=now)
    response = redirect("portal:new")
    response.status_code = 303
    return response
