"""/csm/webinars/: planned, changed, called off; who has signed up; the recording (domain §5, §7)."""

from collections.abc import Callable, Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import only, person
from accounts.places import place_of
from accounts.refusals import Refused
from contracts.spreadsheets import csv_response
from sla import words
from success import webinars
from success.forms import CallOffForm, RecordingForm, WebinarForm, initial_of, usual
from success.models import Registration, RegistrationQuerySet, Webinar
from success.webinar_lists import after, mark, page_of
from success.webinars import Plan

PEOPLE = 50

keepers_only = only(webinars.KEEPERS)


def _found(request: HttpRequest, pk: int) -> Webinar:
    kept = Webinar.objects.kept_by(person(request)).with_taken()
    return get_object_or_404(kept.select_related("host", "customer", "created_by", "cancelled_by"), pk=pk)


def _to(found: Webinar) -> HttpResponse:
    response = redirect("csm:webinar", pk=found.pk)
    response.status_code = 303
    return response


@keepers_only
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The upcoming ones; `?when=past` those that are over."""
    turn = {name: request.GET.get(name, "") for name in ("since", "before")}
    found = Webinar.objects.kept_by(person(request)).with_taken()
    page = page_of(found, past=request.GET.get("when") == "past", now=timezone.now(), **turn)
    return render(request, "success/csm_webinars.html", {"page": page})


@keepers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """One more."""
    user, now = person(request), timezone.now()
    if request.method != "POST":
        return _form(request, WebinarForm(by=user, initial=usual(user, now)))
    return _written(request, lambda told: webinars.plan(told, by=user, at=now), _("Planned: customers can sign up now"))


@keepers_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What was planned, written anew; one that is over or called off is shown only."""
    found, user, now = _found(request, pk), person(request), timezone.now()
    if request.method != "POST":
        if found.cancelled_at or found.ends_at <= now:
            return _to(found)
        return _form(request, WebinarForm(by=user, initial=initial_of(found)), found)
    return _written(
        request, lambda told: webinars.change(found, told, by=user, at=now), _("The webinar is changed"), found
    )


def _written(
    request: HttpRequest, verb: Callable[[Plan], Webinar], done: str, found: Webinar | None = None
) -> HttpResponse:
    form = WebinarForm(request.POST, by=person(request))
    if not form.is_valid():
        return _form(request, form, found, status=422)
    try:
        written = verb(form.told())
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return _form(request, form, found, status=refusal.status)
    messages.success(request, done)
    return _to(written)


def _form(request: HttpRequest, form: WebinarForm, found: Webinar | None = None, status: int = 200) -> HttpResponse:
    return render(request, "success/csm_webinar_form.html", {"form": form, "webinar": found}, status=status)


@keepers_only
@require_safe
def webinar(request: HttpRequest, pk: int) -> HttpResponse:
    """The webinar, who comes, and its recording."""
    return _show(request, _found(request, pk))


def _show(request: HttpRequest, found: Webinar, form: RecordingForm | None = None, status: int = 200) -> HttpResponse:
    place = place_of(request.GET.get("after", ""))
    coming = _coming(found)
    people = list((coming.filter(after("at", place)) if place else coming)[: PEOPLE + 1])
    context = {
        "webinar": found,
        "is_over": found.ends_at <= timezone.now(),
        "people": people[:PEOPLE],
        "turned": place is not None,
        "more": f"?after={mark(people[PEOPLE - 1].at, people[PEOPLE - 1].pk)}#who" if len(people) > PEOPLE else "",
        "form": form or RecordingForm(initial={"recording_url": found.recording_url, "materials": found.materials}),
    }
    return render(request, "success/csm_webinar.html", context, status=status)


def _coming(found: Webinar) -> RegistrationQuerySet:
    people = Registration.objects.active().filter(webinar=found)
    return people.select_related("person__membership__customer").order_by("at", "pk")


@keepers_only
@require_http_methods(["GET", "HEAD", "POST"])
def call_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks why, says how many have signed up, and calls it off."""
    found, user = _found(request, pk), person(request)
    form = CallOffForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                webinars.call_off(found, reason=form.cleaned_data["reason"], by=user, at=timezone.now())
            except Refused as refusal:
                form.add_error(None, refusal.message)
                status = refusal.status
            else:
                messages.success(request, _("The webinar is called off"))
                return _to(found)
    elif found.cancelled_at or found.ends_at <= timezone.now():
        return _to(found)
    return render(request, "success/csm_call_off.html", {"form": form, "webinar": found}, status=status)


@keepers_only
@require_http_methods(["GET", "HEAD", "POST"])
def recording(request: HttpRequest, pk: int) -> HttpResponse:
    """The addresses of recording and materials; GET leads back to the page (a reload after a refusal)."""
    found = _found(request, pk)
    if request.method != "POST":
        return _to(found)
    form = RecordingForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form, status=422)
    try:
        webinars.publish_recording(found, **form.cleaned_data, by=person(request), at=timezone.now())
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return _show(request, found, form, status=refusal.status)
    messages.success(request, _("Recording and materials are kept"))
    return _to(found)


@keepers_only
@require_safe
def people_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everybody who has signed up, for a spreadsheet; moments of Moscow as ISO 8601."""
    found = _found(request, pk)
    headings = [_("Person"), _("Company"), _("E-mail"), _("Signed up, Moscow time")]
    return csv_response(request, f"webinar-{found.pk}.csv", headings, _in_chunks(_coming(found)))


def _in_chunks(coming: RegistrationQuerySet) -> Iterator[list[list[object]]]:
    """The rows, so many at a time, each read from where the last ended."""
    rows = list(coming[:PEOPLE])
    while rows:
        yield [_cells(row) for row in rows]
        rows = list(coming.filter(after("at", (rows[-1].at, rows[-1].pk)))[:PEOPLE])


def _cells(row: Registration) -> list[object]:
    member = getattr(row.person, "membership", None)
    return [
        row.person.full_name,
        member.customer.name if member else "",
        row.person.email,
        f"{row.at.astimezone(words.MOSCOW):%Y-%m-%d %H:%M}",
    ]
