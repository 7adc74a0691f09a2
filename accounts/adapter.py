"""Sign-in by invitation: people are added by the vendor, nobody signs up alone (domain §7)."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.models import User

log = logging.getLogger(__name__)


class InvitedOnly(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A letter in the language of who reads it, not of the browser that asked for it.

        A mail server that is down neither breaks the page nor tells who has an account; it stands in the log.
        """
        reader = context.get("user") or User.objects.filter(email__iexact=email).first()
        language = reader.language if reader is not None else translation.get_language()
        with translation.override(language):
            try:
                super().send_mail(template_prefix, email, {"at": timezone.now(), **context})
            except (OSError, SMTPException):
                log.exception("the letter %s could not be sent", template_prefix)
                if template_prefix == "account/email/invitation":
                    raise
