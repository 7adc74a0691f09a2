"""The form of the front door: allauth's own, with errors that say what to do."""

from typing import Any

from allauth.account.forms import LoginForm
from django.utils.translation import gettext_lazy as _


class SignInForm(LoginForm):
    """Each empty field says which one it is: the summary above the form repeats the words (direction §11)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].error_messages["required"] = _("Write your email address")
        self.fields["password"].error_messages["required"] = _("Write your password")
        for name in ("login", "password"):  # the label stands above; said twice it is noise
            self.fields[name].widget.attrs.pop("placeholder", None)
