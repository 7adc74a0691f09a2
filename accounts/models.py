"""People who sign in, their role (domain §7) and, for engineers, the support lines they work on (domain §3.3)."""

from datetime import datetime
from functools import cache
from typing import ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.shifts import DayOff, ExtraShift, Shift

__all__ = [
    "BOARD_ROLES",
    "CONTRACT_READER_ROLES",
    "DESK_ROLES",
    "SIGNER_ROLES",
    "STAFF_ROLES",
    "Absence",
    "AbsenceQuerySet",
    "Bilingual",
    "Choosing",
    "DayOff",
    "ExtraShift",
    "Line",
    "People",
    "Role",
    "Shift",
    "User",
    "known_time_zone",
]


class Bilingual(models.Model):
    """A catalogue row with a Russian and an English name; `name` is the one of the active language."""

    name_ru = models.CharField(_("name in Russian"), max_length=160)
    name_en = models.CharField(_("name in English"), max_length=160)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_en if (get_language() or "ru").startswith("en") else self.name_ru


class Choosing(models.TextChoices):
    """What the desk does about who is next on a line, at the receipt and at a hand-over."""

    OFF = "off", _("people take for themselves")
    SUGGEST = "suggest", _("the next engineer is suggested")
    ASSIGN = "assign", _("the next engineer is assigned at once")


class Line(Bilingual):
    """A line of support, 1 to 4 (domain §3.3). `accept_within` is the OLA to accept a hand-over, in working minutes.

    `choosing`: whether the next engineer is chosen by line, skill, shift and load (tickets/choosing.py).
    """

    number = models.PositiveSmallIntegerField(_("number"), primary_key=True)
    does_ru = models.TextField(_("what it does, in Russian"), blank=True)
    does_en = models.TextField(_("what it does, in English"), blank=True)
    accept_within = models.DurationField(_("accepts a hand-over within"))
    choosing = models.CharField(
        _("who is next"), max_length=8, choices=Choosing.choices, default=Choosing.SUGGEST, db_default=Choosing.SUGGEST
    )

    class Meta:
        verbose_name = _("line of support")
        verbose_name_plural = _("lines of support")
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(choosing__in=["off", "suggest", "assign"]), name="line_choosing_known")
        ]

    @property
    def does(self) -> str:
        return self.does_en if (get_language() or "ru").startswith("en") else self.does_ru


class Role(models.TextChoices):
    CUSTOMER = "customer", _("customer")
    PARTNER = "partner", _("partner")
    ENGINEER = "engineer", _("support engineer")
    LINE_LEAD = "line_lead", _("line lead")
    CSM = "csm", _("Customer Success Manager")
    SUPPORT_MANAGER = "support_manager", _("support manager")
    TOP_MANAGEMENT = "top_management", _("top management")
    CONTRACT_ADMIN = "contract_admin", _("contract administrator")
    ADMIN = "admin", _("administrator")


# Who works tickets at the desk, and who sees the board (domain §7).
DESK_ROLES = frozenset({Role.ENGINEER, Role.LINE_LEAD, Role.CSM, Role.SUPPORT_MANAGER})
BOARD_ROLES = frozenset({Role.LINE_LEAD, Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT})
STAFF_ROLES = DESK_ROLES | BOARD_ROLES | {Role.CONTRACT_ADMIN, Role.ADMIN}
PRODUCT_LINE = 4  # product engineering (domain §3.3)
# Who signs and changes contracts, and who reads their pages: managers all of them, a CSM those of own customers.
SIGNER_ROLES = frozenset({Role.CONTRACT_ADMIN, Role.ADMIN})
CONTRACT_READER_ROLES = SIGNER_ROLES | {Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT}


class People(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        return self.create_user(
            email, password, **{"role": Role.ADMIN, "is_staff": True, "is_superuser": True, **fields}
        )

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


@cache
def _time_zones() -> frozenset[str]:
    """Read from the disk once: the library reads it for every question."""
    return frozenset(available_timezones())


def known_time_zone(name: str) -> None:
    """Refuses a time zone that the tz database does not know."""
    if name not in _time_zones():
        raise ValidationError(_("There is no time zone named “%(name)s”."), params={"name": name})


def initials(name: str) -> str:
    """«ПК» of «Павел Климов»: what stands for a person where there is no room."""
    words = [word for word in name.split(" ") if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Signs in with the e-mail address; sees pages in own language, zone and theme."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("as the device")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    class Language(models.TextChoices):
        RU = "ru", "Русский"
        EN = "en", "English"

    email = models.EmailField(_("e-mail"), max_length=254)
    full_name = models.CharField(_("full name"), max_length=160)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.CUSTOMER)
    lines = models.ManyToManyField(Line, blank=True, related_name="people", verbose_name=_("lines of support"))
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.RU)
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Moscow", validators=[known_time_zone])
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    single_keys = models.BooleanField(_("single keys of the keyboard"), default=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may open the catalogue"), default=False)
    joined_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["full_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering: ClassVar = ["full_name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def works_at_desk(self) -> bool:
        return self.role in DESK_ROLES

    @property
    def sees_board(self) -> bool:
        return self.role in BOARD_ROLES

    @property
    def signs_contracts(self) -> bool:
        return self.role in SIGNER_ROLES

    @property
    def reads_contracts(self) -> bool:
        return self.role in CONTRACT_READER_ROLES

    @property
    def works_on_products(self) -> bool:
        """Whether the person keeps defects and publishes releases: line 4, the leads, the support manager (§3.3)."""
        if self.role == Role.ENGINEER:
            return any(line.pk == PRODUCT_LINE for line in self.lines.all())
        return self.role in {Role.LINE_LEAD, Role.SUPPORT_MANAGER}

    @property
    def is_vendor(self) -> bool:
        """Whether the person works for the vendor (not a customer, not a partner)."""
        return self.role in STAFF_ROLES

    @property
    def given_name(self) -> str:
        return self.full_name.split(" ")[0] if self.full_name else self.email

    @property
    def short_name(self) -> str:
        """«П. Климов»: initial of the given name and the family name, as rows and routes show people."""
        given, _space, family = self.full_name.rpartition(" ")
        return f"{given[0]}. {family}" if given else self.full_name

    @property
    def initials(self) -> str:
        return initials(self.full_name)

    def get_role_display(self) -> str:  # type: ignore[no-redef]
        """Django's own looks every role up to say one; a page says several."""
        return str(Role(self.role).label)

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        """How the admin greets."""
        return self.short_name


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def at(self, moment: datetime) -> "AbsenceQuerySet":
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)


class Absence(models.Model):
    """A person of ours is away from a moment to a moment, [start, end): whom the ladder calls, it calls in their stead.

    Without a substitute named, somebody else of the same role stands in (domain §4.4).
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="absences", verbose_name=_("person"))
    starts_at = models.DateTimeField(pgettext_lazy("date", "from"))
    ends_at = models.DateTimeField(_("until"))
    substitute = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("stood in for by")
    )
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    objects: ClassVar = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering: ClassVar = ["-starts_at"]
        indexes: ClassVar = [
            # Who is away now: WHERE starts_at <= now AND ends_at > now (sla/sweep.py); few rows end in the future.
            models.Index("ends_at", "starts_at", name="absence_by_end"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="absence_ends_after_start"),
            models.CheckConstraint(
                condition=Q(substitute__isnull=True) | ~Q(substitute=models.F("user")), name="absence_not_oneself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"
