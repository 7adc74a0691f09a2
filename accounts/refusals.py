"""Refusals: what the desk answers to a person instead of doing something; caught once at each edge (style: Errors)."""

from django.utils.translation import gettext as _


class Refused(Exception):
    """A rule says no. `message` is fit for the person who asked; `section` is where the rule stands in the domain."""

    status = 409

    def __init__(self, message: str, section: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.section = section

    def __str__(self) -> str:
        return f"{self.message} (§{self.section})" if self.section else str(self.message)


class Forbidden(Refused):
    """The person's role does not do this (domain §7)."""

    status = 403

    def __init__(self, message: str = "", section: str = "7") -> None:
        super().__init__(message or _("Your role does not do this."), section)
