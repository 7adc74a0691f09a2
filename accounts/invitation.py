"""The letter by which a new person chooses a password: the door's own link, with words of welcome (domain §7)."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from accounts.models import User

log = logging.getLogger(__name__)


def invite(person: User, *, company: str, request: HttpRequest) -> bool:
    """Sends the letter in the person's language; False where it did not leave: no mail server, or it did not answer.

    Call it when the person is committed. They can always ask for the same link by “Forgot the password”.
    """
    if not settings.EMAIL_HOST:
        return False
    adapter = get_adapter(request)
    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    with translation.override(person.language):
        context = {"user": person, "company": company, "link": adapter.get_reset_password_from_key_url(key)}
        try:
            adapter.send_mail("account/email/invitation", person.email, context)
        except (OSError, SMTPException):
            log.exception("the invitation of person %s could not be sent", person.pk)
            return False
    return True
