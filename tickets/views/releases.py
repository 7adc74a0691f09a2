"""Releases and critical patches: /releases/ for the customer, /w/releases/ the vendor's register (domain §1.2, §6)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import customer_only, desk_only, only, person
from accounts.models import BOARD_ROLES, DESK_ROLES, User
from contracts import publishing
from contracts.models import ReleaseFile, ReleaseNotice, ReleasePublication, ReleaseReminder
from contracts.spreadsheets import csv_response
from sla import words
from tickets import broadcasts, release_page, workflow
from tickets.files import release_file
from tickets.forms.line_four import ReleaseFileForm, ReleaseForm
from tickets.models import Defect
from tickets.views.desk import SeeOther

PAGE = 50
BATCH = 500
readers_only = only(DESK_ROLES | BOARD_ROLES)


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return int(text) if text else None


# The customer's pages


@customer_only
@require_safe
def releases(request: HttpRequest) -> HttpResponse:
    """What concerns the own company: releases and patches that it was told of, the newest first."""
    found = ReleaseNotice.objects.visible_to(person(request)).select_related("publication__release__product")
    before = _before(request)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.order_by("-pk")[: PAGE + 1])
    context = {
        "notices": page[:PAGE],
        "older": f"?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
        "newer": "?" if before is not None else "",
    }
    return render(request, "portal/releases.html", context)


def _notice(user: User, release: int) -> ReleaseNotice:
    """The own company's row for this publication; `Http404` for one that does not concern it, as for a missing one."""
    found = ReleaseNotice.objects.visible_to(user).select_related(
        "publication__release__product", "customer", "installed_by", "first_downloaded_by"
    )
    return get_object_or_404(found, publication=release)


@customer_only
@require_safe
def release(request: HttpRequest, release: int) -> HttpResponse:
    """One release: what is new, its files with their sums, and "installed" for the responsible contact."""
    user = person(request)
    notice = _notice(user, release)
    contact = notice.customer.contact_at(timezone.now())
    context = {
        "notice": notice,
        "publication": notice.publication,
        "files": list(notice.publication.files.all()),
        "may_write": contact is not None and contact.pk == user.pk,
        "contact": contact,
    }
    return render(request, "portal/release.html", context)


@customer_only
@require_safe
def file(request: HttpRequest, release: int, file: int) -> StreamingHttpResponse:
    """A file as a download; the register keeps that the company took it. HEAD takes nothing."""
    user = person(request)
    notice = _notice(user, release)
    found = get_object_or_404(notice.publication.files, pk=file)
    response = release_file(request, found)
    if request.method == "GET":
        publishing.downloaded(notice, by=user, at=timezone.now())
    return response


@customer_only
@require_POST
def installed(request: HttpRequest, release: int) -> HttpResponse:
    """The responsible contact says that it is installed: the licences stand on this version now."""
    user = person(request)
    publishing.mark_installed(_notice(user, release), by=user, at=timezone.now())
    messages.success(request, _("Thank you: your licences stand on this version now"))
    return redirect("releases:release", release)


# The vendor's register


def _with_counts(publications: QuerySet[ReleasePublication]) -> QuerySet[ReleasePublication]:
    return publications.select_related("release__product").annotate(
        told=Count("notices"),
        taken=Count("notices", filter=Q(notices__downloads__gt=0)),
        done=Count("notices", filter=Q(notices__installed_at__isnull=False)),
    )


@readers_only
@require_safe
def register(request: HttpRequest) -> HttpResponse:
    """Publications and drafts, the newest first, with who was told, downloaded, installed."""
    found = _with_counts(ReleasePublication.objects.order_by("-pk"))
    before = _before(request)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: PAGE + 1])
    context = {
        "rows": page[:PAGE],
        "older": f"?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
        "newer": "?" if before is not None else "",
        "may_write": person(request).works_on_products,
    }
    return render(request, "desk/releases.html", context)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Prepares a release or a critical patch; nobody outside sees it before it is published."""
    user, now = person(request), timezone.now()
    publishing.only_publishers(user)
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = publishing.prepare(form.cleaned_data["product"], **form.said, by=user, at=now)
        except publishing.WrongVersion as refused:
            form.add_error("version", refused.message)
        else:
            messages.success(request, _("Prepared: add the files, look at whom it concerns, then publish it"))
            return SeeOther(reverse("desk:release", args=[made.pk]))
    return render(request, "desk/release_new.html", {"form": form}, status=422 if form.is_bound else 200)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, release: int) -> HttpResponse:
    """A draft says something else; a published release stays as it was given."""
    user = person(request)
    publishing.only_publishers(user)
    found = _publication(release)
    if found.published_at is not None and request.method != "POST":
        return redirect("desk:release", found.pk)
    form = ReleaseForm(request.POST if request.method == "POST" else None, publication=found)
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            publishing.change(found, **form.said, by=user)
        except publishing.WrongVersion as refused:
            form.add_error("version", refused.message)
        except publishing.ChangedMeanwhile as refused:
            found = _publication(release)
            form = ReleaseForm({**request.POST.dict(), "was": publishing.mark_of(found)}, publication=found)
            form.add_error(None, refused.message)
            status = refused.status
        else:
            messages.success(request, pgettext("saved", "Kept"))
            return SeeOther(reverse("desk:release", args=[found.pk]))
    return render(request, "desk/release_new.html", {"form": form, "publication": found}, status=status)


@desk_only
@require_POST
def remove(request: HttpRequest, release: int) -> HttpResponse:
    """A draft with its files is gone."""
    found = _publication(release)
    publishing.remove(found, by=person(request))
    messages.success(request, _("The draft of %(release)s is taken away") % {"release": found})
    return SeeOther(reverse("desk:releases"))


def _publication(release: int) -> ReleasePublication:
    return get_object_or_404(_with_counts(ReleasePublication.objects.all()), pk=release)


NOTICES = {
    "": Q(),
    "waiting": Q(downloads=0, installed_at__isnull=True),
    "taken": Q(downloads__gt=0, installed_at__isnull=True),
    "done": Q(installed_at__isnull=False),
}


@readers_only
@require_safe
def register_of(request: HttpRequest, release: int) -> HttpResponse:
    """One publication: before it is published whom it concerns, then who was told, downloaded, installed."""
    return _register_page(request, _publication(release))


def _register_page(
    request: HttpRequest,
    found: ReleasePublication,
    form: ReleaseFileForm | None = None,
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    now, show = timezone.now(), request.GET.get("show", "")
    unreached, unreached_count = release_page.unreached(found, at=now)
    context: dict[str, Any] = {
        "publication": found,
        "files": list(found.files.all()),
        "from_versions": list(found.from_versions.all()),
        "fixes": list(Defect.objects.filter(fixed_in=found.release_id).order_by("-pk")[:50]),
        "may_write": person(request).works_on_products,
        "form": form or ReleaseFileForm(),
        "tabs": [
            ("", _("All")),
            ("waiting", _("Not downloaded")),
            ("taken", _("Downloaded")),
            ("done", _("Installed")),
        ],
        "show": show if show in NOTICES else "",
        "unreached": unreached,
        "unreached_count": unreached_count,
        "refusal": refusal,
    }
    if found.published_at is None:
        concerned = publishing.audience(found, at=now)
        context |= {
            "audience": list(concerned[:PAGE]),
            "audience_count": concerned.count(),
            "without_notes": publishing.readers_without_notes(found, at=now),
            "that_hear": release_page.that_hear(found).count(),
        }
    else:
        rows = _notices(found, show)
        before = _before(request)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        page = list(rows[: PAGE + 1])
        tail = f"&show={show}" if show in NOTICES and show else ""
        context |= {
            "notices": page[:PAGE],
            "to_be_reminded": publishing.to_be_reminded(found, at=now).count(),
            "older": f"?before={page[PAGE - 1].pk}{tail}" if len(page) > PAGE else "",
            "newer": f"?{tail[1:]}" if before is not None else "",
        }
    return render(request, "desk/release.html", context, status=status)


def _notices(found: ReleasePublication, show: str) -> QuerySet[ReleaseNotice]:
    rows = found.notices.select_related("customer", "contact", "first_downloaded_by", "installed_by")
    reminders = ReleaseReminder.objects.filter(notice=OuterRef("pk")).order_by("-at").values("at")[:1]
    rows = rows.annotate(reminded_at=Subquery(reminders))
    return rows.filter(NOTICES.get(show, Q())).order_by("-pk")


@readers_only
@require_safe
def register_csv(request: HttpRequest, release: int) -> HttpResponseBase:
    """The register of one publication as CSV: every row, read and sent in parts."""
    found = _publication(release)
    head = [
        _("Customer"), _("Responsible contact"), _("Told"), pgettext("register", "Last reminded"), _("Downloaded"),
        pgettext("register", "Downloaded by"), _("Downloads"), _("Installed"), pgettext("register", "Installed by"),
    ]  # fmt: skip
    return csv_response(request, f"release-{found.pk}.csv", head, _csv(_notices(found, "")))


def _csv(notices: QuerySet[ReleaseNotice]) -> Iterator[list[list[object]]]:
    def moment(at: Any) -> str:
        return f"{at.astimezone(words.MOSCOW):%Y-%m-%d %H:%M}" if at else ""

    rows = notices.iterator(chunk_size=BATCH)
    while some := list(islice(rows, BATCH)):
        yield [
            [
                row.customer.name,
                row.contact.full_name,
                moment(row.told_at),
                moment(row.reminded_at),  # type: ignore[attr-defined]  # annotated by `_notices`
                moment(row.first_downloaded_at),
                row.first_downloaded_by.full_name if row.first_downloaded_by else "",
                row.downloads,
                moment(row.installed_at),
                row.installed_by.full_name if row.installed_by else "",
            ]
            for row in some
        ]


@desk_only
@require_POST
def add_file(request: HttpRequest, release: int) -> HttpResponse:
    """A file of a draft."""
    found = _publication(release)
    form = ReleaseFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _register_page(request, found, form, status=422)
    sent = form.cleaned_data["file"]
    kind, name, by = form.cleaned_data["kind"], sent.name or "file", person(request)
    try:
        publishing.add_file(found, kind=kind, name=name, content=sent.file, by=by)
    except publishing.NotPublished as refused:
        form.add_error("file", refused.message)
        return _register_page(request, found, form, status=refused.status)
    messages.success(request, _("File added"))
    return SeeOther(reverse("desk:release", args=[found.pk]))


@readers_only
@require_safe
def file_of_ours(request: HttpRequest, release: int, file: int) -> StreamingHttpResponse:
    """A file as one of ours takes it to look at: the register does not count it."""
    return release_file(request, get_object_or_404(ReleaseFile, pk=file, publication=release))


@desk_only
@require_POST
def remove_file(request: HttpRequest, release: int, file: int) -> HttpResponse:
    """A file of a draft is taken away."""
    found = get_object_or_404(ReleaseFile.objects.select_related("publication"), pk=file, publication=release)
    publishing.remove_file(found, by=person(request))
    return SeeOther(reverse("desk:release", args=[release]))


@desk_only
@require_POST
def publish(request: HttpRequest, release: int) -> HttpResponse:
    """The release is given to those whom it concerns, and the tickets of its defects hear that the fix is out."""
    now, found = timezone.now(), _publication(release)
    try:
        found, told = workflow.publish_release(found, by=person(request), at=now)
    except publishing.NotPublished as refused:
        return _register_page(request, _publication(release), refusal=refused.message, status=refused.status)
    for one in told[:1]:  # the job does the rest
        broadcasts.advance(one, at=now)
    count = found.notices.count()
    messages.success(
        request,
        ngettext("Published: %(n)d customer is told", "Published: %(n)d customers are told", count) % {"n": count},
    )
    return SeeOther(reverse("desk:release", args=[found.pk]))


@desk_only
@require_POST
def remind(request: HttpRequest, release: int) -> HttpResponse:
    """A second letter to those who have not said "installed", one a day at most."""
    found = _publication(release)
    if found.published_at is None:
        raise Http404
    count = publishing.remind(found, by=person(request), at=timezone.now())
    if count:
        said = ngettext("%(n)d customer is reminded", "%(n)d customers are reminded", count) % {"n": count}
        messages.success(request, said)
    else:
        messages.info(request, _("Nobody to remind: all have installed it or were reminded today"))
    return SeeOther(reverse("desk:release", args=[found.pk]))
