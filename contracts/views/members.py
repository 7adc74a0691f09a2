"""People of a customer: added with a letter to choose a password, changed, let go, named contact (§1.7.1)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import person, signers_only
from accounts.invitation import invite
from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts import customers
from contracts.forms.customers import NewPersonForm, PersonForm, time_zones
from contracts.models import Customer, CustomerMember
from contracts.views.customers import customer_of, customer_page_of, to_customer


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of the company gets an account; the letter with the link to a password goes out when it is written."""
    at = timezone.now()
    customer = customer_of(request, pk)
    nobody_speaks = customer.contact_at(at) is None
    form = NewPersonForm(request.POST or None, customer=customer, without_contact=nobody_speaks)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            member = customers.add_person(
                customer,
                person=form.save(commit=False),
                position=said["position"],
                as_contact=bool(said.get("as_contact")),
                by=person(request),
                at=at,
            )
        except Forbidden:
            raise
        except Refused as refusal:
            form.add_error("email" if refusal.section == "" else None, refusal.message)
        else:
            _say_added(request, member.user, customer)
            return to_customer(customer, "people")
    return _form_page(request, form, customer, None)


def _say_added(request: HttpRequest, added: User, customer: Customer) -> None:
    if invite(added, company=customer.name, request=request):
        words = _("%(name)s is added. The letter with a link to choose a password is on its way to %(email)s.")
    else:
        words = _(
            "%(name)s is added. No letter went out: tell them to choose a password by “I do not remember the "
            "password” on the sign-in page, with %(email)s."
        )
    messages.success(request, words % {"name": added.full_name, "email": added.email})


def _member_of(customer: Customer, pk: int) -> CustomerMember:
    return get_object_or_404(CustomerMember.objects.select_related("user", "customer"), customer=customer, user=pk)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """A person's card: name, position, phone, language, time zone. The address stays: it is how they sign in."""
    customer = customer_of(request, pk)
    member = _member_of(customer, user)
    form = PersonForm(request.POST or None, instance=member.user, initial={"position": member.position})
    if request.method == "POST" and form.is_valid():
        member.user, member.position = form.save(commit=False), form.cleaned_data["position"]
        changes = customers.change_person(member, by=person(request), at=timezone.now())
        messages.success(request, _("Saved.") if changes else _("Nothing was changed."))
        return to_customer(customer, "people")
    return _form_page(request, form, customer, _member_of(customer, user))


def _form_page(request: HttpRequest, form: Any, customer: Customer, member: CustomerMember | None) -> HttpResponse:
    context = {"tab": "customers", "form": form, "customer": customer, "member": member, "zones": time_zones()}
    return render(request, "contracts/customer_person.html", context, status=422 if form.errors else 200)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def leaving(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """The person has left the company (POST), or is back (POST with `back`). GET leads to the customer's page."""
    customer = customer_of(request, pk)
    member = _member_of(customer, user)
    if request.method != "POST":
        return redirect("contracts:customer", pk=pk)
    back = "back" in request.POST
    verb = customers.take_back if back else customers.let_go
    try:
        verb(member, by=person(request), at=timezone.now())
    except customers.NotWritten as refusal:
        return customer_page_of(request, customer, at=timezone.now(), status=refusal.status, refusal=str(refusal))
    words = _("%(name)s may sign in again.") if back else _("%(name)s signs in no more; what they wrote stays.")
    messages.success(request, words % {"name": member.user.full_name})
    return to_customer(customer, "people")


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def first_contact(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """One of the people becomes the first to speak for a customer that has nobody (domain §1.7.1)."""
    customer = customer_of(request, pk)
    member = _member_of(customer, user)
    if request.method != "POST":
        return redirect("contracts:customer", pk=pk)
    try:
        customers.name_first_contact(customer, to=member.user, by=person(request), at=timezone.now())
    except Forbidden:
        raise
    except Refused as refusal:
        return customer_page_of(request, customer, at=timezone.now(), status=refusal.status, refusal=str(refusal))
    messages.success(request, _("%(name)s is the responsible contact.") % {"name": member.user.full_name})
    return to_customer(customer, "people")
