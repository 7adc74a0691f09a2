"""The back room: people and lines. Who sees and edits what goes by the role (domain §7), not by single permissions."""

from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Line, Role, User

# One door: the sign-in page of everybody, with its limits and second factor, not the admin's own.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = _("The catalogue")
admin.site.site_title = _("The catalogue")
admin.site.index_title = _("What is sold, to whom, and who does it")
# Rights go by the role here: groups would only promise something that nobody reads.
admin.site.unregister(Group)


class ByRole:
    """What each role sees and edits in one part of the admin; a superuser everything."""

    seen_by: ClassVar[frozenset[str]] = frozenset({Role.ADMIN})
    edited_by: ClassVar[frozenset[str]] = frozenset({Role.ADMIN})
    deleted_by: ClassVar[frozenset[str]] = frozenset()

    def may(self, request: HttpRequest, roles: frozenset[str]) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and (user.is_superuser or user.role in roles)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.seen_by | self.edited_by)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.seen_by | self.edited_by)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.edited_by)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, self.edited_by)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(self.deleted_by) and self.may(request, self.deleted_by)


class ReadOnly(ByRole):
    """Only looked at here: the verbs of the product change it."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class NewPerson(AdminUserCreationForm):
    """Adds a person; without a password they set one themselves by “forgot the password”."""

    class Meta:
        model = User
        fields = ("email", "full_name", "language", "timezone", "phone")

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class Person(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


@admin.register(User)
class UserAdmin(ByRole, DjangoUserAdmin):
    """The administrator edits everybody; the contract administrator adds and edits the people of customers."""

    seen_by = frozenset({Role.ADMIN, Role.CONTRACT_ADMIN})
    edited_by = frozenset({Role.ADMIN, Role.CONTRACT_ADMIN})
    form = Person
    add_form = NewPerson
    list_display = ("full_name", "email", "role", "line_numbers", "is_active")
    list_filter = ("role", "lines", "is_active", "is_staff")
    search_fields = ("full_name", "email")
    ordering = ("full_name",)
    filter_horizontal = ("lines",)
    readonly_fields = ("last_login", "joined_at")
    about = (None, {"fields": ("email", "password", "full_name", "phone", "language", "timezone", "theme")})
    work = (_("Work"), {"fields": ("role", "lines", "is_active", "is_staff", "is_superuser")})
    dates = (_("Dates"), {"fields": ("last_login", "joined_at")})
    adding = ("email", "full_name", "language", "timezone", "phone", "usable_password", "password1", "password2")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people = super().get_queryset(request).prefetch_related("lines")
        return people if self.may(request, frozenset({Role.ADMIN})) else people.filter(role=Role.CUSTOMER)

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        everything = self.may(request, frozenset({Role.ADMIN}))
        if obj is None:
            fields = (*self.adding[:2], *(("role", "lines", "is_staff") if everything else ()), *self.adding[2:])
            return ((None, {"fields": fields}),)
        # Who may only edit the people of customers never gives anybody a role or a right.
        return (self.about, self.work if everything else (None, {"fields": ("is_active",)}), self.dates)

    @admin.display(description=_("lines of support"))
    def line_numbers(self, person: User) -> str:
        return ", ".join(str(line.pk) for line in person.lines.all())


@admin.register(Line)
class LineAdmin(ByRole, admin.ModelAdmin):
    seen_by = frozenset({Role.ADMIN, Role.CONTRACT_ADMIN})
    list_display = ("number", "name_ru", "name_en", "accept_within")

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return ("number",) if obj else ()
