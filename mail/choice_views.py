"""Which letters come: a person's own page, and the link of a letter that turns its kind off without a sign-in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.access import person
from accounts.models import Role, User
from contracts.models import ResponsibleContact
from mail import choices
from mail.models import LetterKind, MailChoices, When

WHAT = {
    LetterKind.ANSWERS: gettext_lazy("What our engineers write to you in a request."),
    LetterKind.STATUS: gettext_lazy("A request is received, service is back, it is solved, closed or open again."),
    LetterKind.PROMISES: gettext_lazy("A promised time has become another one. These are never kept from you."),
    LetterKind.RELEASES: gettext_lazy("A new release of a product that you have. Critical patches always come."),
    LetterKind.DIGEST: gettext_lazy(
        "One letter a day at 9:00 of your time: what happened in your company's requests. Nothing happened: no letter."
    ),
}


class ChoicesForm(forms.ModelForm):
    """Every kind with its moments; a kind that waits for the digest needs the digest."""

    class Meta:
        model = MailChoices
        fields = ("answers", "status", "promises", "releases", "digest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            shown: list[tuple[str, Any]] = list(When.choices)
            if name == LetterKind.PROMISES:
                shown = [one for one in shown if one[0] != When.NEVER]
            elif name == LetterKind.DIGEST:
                shown = [(When.DIGEST, gettext_lazy("Every day at 9:00")), (When.NEVER, When.NEVER.label)]
            self.fields[name] = forms.ChoiceField(
                label=field.label, choices=shown, widget=forms.RadioSelect, help_text=WHAT[LetterKind(name)]
            )

    def clean(self) -> dict[str, Any]:
        sent: dict[str, Any] = super().clean() or {}
        if sent.get("digest") == When.NEVER and any(sent.get(kind) == When.DIGEST for kind in choices.KINDS):
            self.add_error(
                "digest", _("Some letters wait for the digest: let it come, or choose another time for them.")
            )
        return sent


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Shows and saves the choices; our own people have none, their letters are their work."""
    user, now = person(request), timezone.now()
    if user.role != Role.CUSTOMER:
        raise Http404
    row = choices.of(user)
    is_contact = ResponsibleContact.objects.holding(now).filter(user=user).exists()
    has_digest = choices.with_digest(User.objects.filter(pk=user.pk), now=now).exists()
    comes = When.DIGEST if has_digest else When.NEVER
    form = ChoicesForm(request.POST or None, instance=row, initial={"digest": comes})
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        saved.changed_at = now
        saved.save()
        messages.success(request, _("Saved."))
        response = redirect("me_mail")
        response.status_code = 303
        return response
    context = {"form": form, "is_contact": is_contact, "address": user.email}
    return render(request, "me/mail.html", context, status=422 if form.errors else 200)


# A mail program posts here by itself, from nowhere and without a cookie (RFC 8058): the signed link is the right.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST turns off: machines open every link of a letter, so looking changes nothing."""
    try:
        reader, kind = choices.read(token)
    except choices.Altered:
        return render(request, "mail/off.html", {"altered": True}, status=404)
    with translation.override(reader.language):
        done = request.method == "POST"
        if done:
            choices.turn_off(reader, kind, at=timezone.now())
        context = {"kind": kind.label, "what": WHAT[kind], "address": reader.email, "done": done}
        return render(request, "mail/off.html", context)
