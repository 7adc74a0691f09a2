"""The catalogue, customers and contracts in the back room. Contracts move by the verbs of `signing.py` only."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import person
from accounts.admin import ByRole, ReadOnly
from accounts.models import Role, User
from accounts.refusals import Refused
from contracts import catalogue, signing
from contracts.models import (
    Channel,
    Contract,
    ContractClause,
    ContractLine,
    Customer,
    CustomerMember,
    Licence,
    Package,
    PackageTerms,
    Product,
    Release,
    ResponsibleContact,
    Service,
    TermsPrice,
    TermsTarget,
    Topic,
)
from contracts.pricing import PricingError

BOTH = frozenset({Role.ADMIN, Role.CONTRACT_ADMIN})
NAMED = ("position", "code", "name_ru", "name_en")


# The catalogue


class Catalogue(ByRole):
    """The administrator edits the catalogue; the contract administrator reads it (domain §7)."""

    seen_by = BOTH


class Coded(Catalogue, admin.ModelAdmin):
    """A row that others name by its code: the code is given once."""

    list_display: Any = NAMED
    list_display_links = ("code",)
    search_fields = ("code", "name_ru", "name_en")

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


@admin.register(Service)
class ServiceAdmin(Coded):
    pass


@admin.register(Channel)
class ChannelAdmin(Coded):
    list_display = (*NAMED, "service", "is_live")
    list_select_related = ("service",)


@admin.register(Topic)
class TopicAdmin(Coded):
    list_display = (*NAMED, "line", "service", "kind")
    list_filter = ("line", "kind")
    list_select_related = ("line", "service")


class TermsInline(Catalogue, admin.TabularInline):
    """The editions of the package; each has a page of its own."""

    model = PackageTerms
    fields = ("starts_on", "calendar", "signed")
    readonly_fields = ("starts_on", "calendar", "signed")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("signed contracts"))
    def signed(self, terms: PackageTerms) -> int:
        return terms.contracts.exclude(state=Contract.State.DRAFT).count()


@admin.register(Package)
class PackageAdmin(Coded):
    list_display = (*NAMED, "is_sold")
    inlines = (TermsInline,)
    actions = ("new_terms",)

    @admin.action(description=gettext_lazy("Make new terms, to be edited, from tomorrow"), permissions=["change"])
    def new_terms(self, request: HttpRequest, packages: QuerySet[Package]) -> None:
        tomorrow = signing.moscow_day(timezone.now()) + timedelta(days=1)
        for package in packages:
            latest = package.terms.order_by("starts_on").last()
            starts_on = max(tomorrow, latest.starts_on + timedelta(days=1)) if latest else tomorrow
            try:
                terms = catalogue.new_terms(package, starts_on=starts_on)
            except ValueError as problem:
                self.message_user(request, str(problem), messages.ERROR)
            else:
                self.message_user(request, _("Made: %(terms)s. Edit them, their date too.") % {"terms": terms})


class OfTerms(Catalogue):
    """A part of terms: as they stand once a contract was signed on them."""

    def _open(self, terms: Model | None) -> bool:
        return not (isinstance(terms, PackageTerms) and catalogue.is_signed(terms))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_add_permission(request, obj) and self._open(obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._open(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.edited_by) and self._open(obj)


class PriceInline(OfTerms, admin.TabularInline):
    model = TermsPrice
    extra = 0


class TargetInline(OfTerms, admin.TabularInline):
    model = TermsTarget
    extra = 0


@admin.register(PackageTerms)
class PackageTermsAdmin(OfTerms, admin.ModelAdmin):
    """Terms of a package. Those that a contract was signed on are only looked at, and say why."""

    list_display = ("package", "starts_on", "calendar")
    list_filter = ("package",)
    list_select_related = ("package", "calendar")
    filter_horizontal = ("services",)
    readonly_fields = ("why_closed",)
    inlines = (PriceInline, TargetInline)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # a copy of the latest is made from the package's list, so that nothing is forgotten

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return ("why_closed", "package")

    @admin.display(description=gettext_lazy("may they be edited"))
    def why_closed(self, terms: PackageTerms) -> str:
        signed = terms.contracts.exclude(state=Contract.State.DRAFT).count()
        if not signed:
            return _("Yes: no contract was signed on these terms.")
        return ngettext(
            "No: %(count)s contract was signed on these terms and keeps them (§1.1). Make new terms from a date.",
            "No: %(count)s contracts were signed on these terms and keep them (§1.1). Make new terms from a date.",
            signed,
        ) % {"count": signed}


# What customers own


class ReleaseInline(ByRole, admin.TabularInline):
    model = Release
    seen_by = edited_by = BOTH
    extra = 0


@admin.register(Product)
class ProductAdmin(ByRole, admin.ModelAdmin):
    seen_by = edited_by = BOTH
    list_display = ("name", "code")
    inlines = (ReleaseInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


class LicenceInline(ByRole, admin.TabularInline):
    model = Licence
    seen_by = edited_by = BOTH
    extra = 0


class MemberInline(ByRole, admin.TabularInline):
    model = CustomerMember
    seen_by = edited_by = deleted_by = BOTH
    autocomplete_fields = ("user",)
    extra = 0


class NewContact(forms.ModelForm):
    """Who speaks for the customer from a moment on: the verb itself is asked whether it would do it."""

    class Meta:
        model = ResponsibleContact
        fields = ("user", "starts_at", "reason")

    by: User

    def validate_constraints(self) -> None:
        """Not the form's: the verb ends the contact before in the same transaction, and the database checks both."""

    def hand_over(self) -> ResponsibleContact:
        return signing.hand_over_contact(
            self.instance.customer,
            to=self.cleaned_data["user"],
            by=self.by,
            at=self.cleaned_data["starts_at"],
            reason=self.cleaned_data["reason"],
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and self.has_changed() and self.instance.customer_id:
            try:
                with transaction.atomic():
                    self.hand_over()
                    transaction.set_rollback(True)
            except Refused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return cleaned


class ContactInline(ByRole, admin.TabularInline):
    """The history is only added to: a new row ends the one before (domain §1.7.1, §2)."""

    model = ResponsibleContact
    form = NewContact
    seen_by = edited_by = BOTH
    fields = ("user", "starts_at", "ends_at", "reason")
    readonly_fields = ("ends_at",)
    ordering = ("-starts_at",)
    extra = 0
    verbose_name = gettext_lazy("responsible contact from a moment on")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_formset(self, request: HttpRequest, obj: Any | None = None, **kwargs: Any) -> Any:
        kwargs["form"] = type("NewContactBy", (NewContact,), {"by": request.user})
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            kwargs["queryset"] = User.objects.filter(membership__customer=key)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class CoverFilter(admin.SimpleListFilter):
    title = gettext_lazy("cover")
    parameter_name = "cover"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("gap", _("a licence and no contract: a gap"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.value() != "gap":
            return queryset
        return queryset.filter(pk__in=Customer.objects.without_cover(signing.moscow_day(timezone.now())))


@admin.register(Customer)
class CustomerAdmin(ByRole, admin.ModelAdmin):
    seen_by = edited_by = BOTH
    list_display = ("name", "city", "csm", "language", "timezone")
    list_filter = (CoverFilter, "csm", "language")
    list_select_related = ("csm",)
    search_fields = ("name",)
    inlines = (MemberInline, ContactInline, LicenceInline)

    def get_inlines(self, request: HttpRequest, obj: Any | None) -> Any:
        # The contact is one of the customer's people: they are written down first.
        return self.inlines if obj else (MemberInline, LicenceInline)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not ResponsibleContact:
            super().save_formset(request, form, formset, change)
            return
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for row in formset.forms:
            if row.has_changed():
                formset.new_objects.append(row.hand_over())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A licence that was added joins the contract in force by itself (domain §1.7.5)."""
        super().save_related(request, form, formsets, change)
        today = signing.moscow_day(timezone.now())
        for contract in form.instance.contracts.in_force(today):
            try:
                added = signing.cover_added_licences(contract, on=today)
            except PricingError as problem:
                self.message_user(request, str(problem), messages.ERROR)
                continue
            for line in added:
                self.message_user(
                    request,
                    _("%(licence)s joins contract %(number)s: %(arithmetic)s.")
                    % {"licence": line.licence, "number": contract.number, "arithmetic": line.arithmetic},
                )


# Contracts


class LineInline(ReadOnly, admin.TabularInline):
    """Derived, never chosen (domain §2)."""

    model = ContractLine
    seen_by = BOTH
    extra = 0


class ClauseInline(ByRole, admin.StackedInline):
    """Clauses are written into a draft; what is signed stays as it was signed."""

    model = ContractClause
    seen_by = edited_by = BOTH
    extra = 0

    def _open(self, contract: Model | None) -> bool:
        return not isinstance(contract, Contract) or contract.state == Contract.State.DRAFT

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_add_permission(request, obj) and self._open(obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._open(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.edited_by) and self._open(obj)


DRAFTED = ("customer", "package", "starts_on", "ends_on", "number")


class NewDraft(forms.ModelForm):
    """What a draft needs; the terms follow from the package and the first day."""

    package = forms.ModelChoiceField(Package.objects.filter(is_sold=True), label=gettext_lazy("package"))
    number = forms.CharField(
        label=gettext_lazy("number"), max_length=40, required=False, help_text=gettext_lazy("Empty: the next one.")
    )
    ends_on = forms.DateField(
        label=gettext_lazy("to"),
        required=False,
        widget=AdminDateWidget,
        help_text=gettext_lazy("Empty: one year."),
    )

    class Meta:
        model = Contract
        fields = ("customer", "starts_on", "ends_on", "number")

    by: User

    def validate_constraints(self) -> None:
        """Not the form's: the terms are not known yet, and the verb says in words what it refuses."""

    def draft(self) -> Contract:
        return signing.draft(
            self.cleaned_data["customer"],
            package=self.cleaned_data["package"],
            by=self.by,
            starts_on=self.cleaned_data["starts_on"],
            ends_on=self.cleaned_data["ends_on"],
            number=self.cleaned_data["number"],
            at=timezone.now(),
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            try:
                with transaction.atomic():
                    self.draft()
                    transaction.set_rollback(True)
            except signing.NotSigned as refusal:
                raise ValidationError([str(reason) for reason in refusal.reasons]) from refusal
        return cleaned


class WithReason(ActionForm):
    reason = forms.CharField(label=gettext_lazy("Reason (to terminate)"), required=False)


@admin.register(Contract)
class ContractAdmin(ByRole, admin.ModelAdmin):
    """Drafts are written here; signing, renewing and ending are actions of the list that call the verbs."""

    seen_by = edited_by = BOTH
    list_display = ("number", "customer", "terms", "starts_on", "ends_on", "state")
    list_filter = ("state", "terms__package")
    list_select_related = ("customer", "terms__package")
    search_fields = ("number", "customer__name")
    date_hierarchy = "ends_on"
    autocomplete_fields = ("customer",)
    inlines = (LineInline, ClauseInline)
    actions = ("activate", "renew", "terminate")
    action_form = WithReason
    facts = (
        "customer",
        "terms",
        "state",
        "what_is_missing",
        "price",
        "signed_at",
        "signed_by",
        "predecessor",
        "terminated_on",
        "termination_reason",
    )

    def get_inlines(self, request: HttpRequest, obj: Any | None) -> Any:
        return self.inlines if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        return ("number", "starts_on", "ends_on", *self.facts) if obj else DRAFTED

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        if obj is None:
            return ()
        return self.facts if obj.state == Contract.State.DRAFT else ("number", "starts_on", "ends_on", *self.facts)

    def get_form(self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = type("NewDraftBy", (NewDraft,), {"by": request.user})
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            obj.__dict__.update(form.draft().__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        signing.refresh_lines(form.instance)

    @admin.display(description=gettext_lazy("what is missing to sign it"))
    def what_is_missing(self, contract: Contract) -> str:
        if contract.state != Contract.State.DRAFT:
            return "–"
        reasons = signing.conditions_that_fail(contract, at=timezone.now())
        return format_html_join("\n", "<p>{}</p>", ((str(reason),) for reason in reasons)) or _("Nothing.")

    @admin.display(description=gettext_lazy("price"))
    def price(self, contract: Contract) -> str:
        try:
            quote = signing.quote(contract)
        except PricingError:
            return "–"
        return _("€%(yearly)s a year, €%(total)s for the term; added licences apart") % {
            "yearly": f"{quote.yearly:,.2f}",
            "total": f"{quote.total:,.2f}",
        }

    def each(self, request: HttpRequest, contracts: QuerySet[Contract], verb: Any, done: str) -> None:
        """Calls the verb for every contract chosen: what it did, or all the reasons why not."""
        for contract in contracts:
            try:
                result = verb(contract)
            except signing.NotSigned as refusal:
                for reason in refusal.reasons:
                    self.message_user(request, f"{contract.number}: {reason}", messages.ERROR)
            except Refused as refusal:
                self.message_user(request, f"{contract.number}: {refusal}", messages.ERROR)
            else:
                self.message_user(request, done % {"number": contract.number, "result": result}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Activate: sign the draft"), permissions=["change"])
    def activate(self, request: HttpRequest, contracts: QuerySet[Contract]) -> None:
        at = timezone.now()
        self.each(
            request,
            contracts,
            lambda contract: signing.activate(contract, by=person(request), at=at),
            _("%(number)s is in force."),
        )

    @admin.action(description=gettext_lazy("Renew: draft the successor"), permissions=["change"])
    def renew(self, request: HttpRequest, contracts: QuerySet[Contract]) -> None:
        at = timezone.now()
        self.each(
            request,
            contracts,
            lambda contract: signing.renew(contract, by=person(request), at=at),
            _("%(number)s: the draft %(result)s renews it."),
        )

    @admin.action(description=gettext_lazy("Terminate, with the reason given beside"), permissions=["change"])
    def terminate(self, request: HttpRequest, contracts: QuerySet[Contract]) -> None:
        at, reason = timezone.now(), request.POST.get("reason", "")
        self.each(
            request,
            contracts,
            lambda contract: signing.terminate(contract, by=person(request), at=at, reason=reason),
            _("%(number)s is terminated."),
        )
