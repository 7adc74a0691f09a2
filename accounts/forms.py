"""The forms of the front door: allauth's own, with errors that say what to do."""

from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, LoginForm, RequestLoginCodeForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.utils.translation import gettext_lazy as _


class SignInForm(LoginForm):
    """Each empty field says which one it is: the summary above the form repeats the words (direction §11)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].error_messages["required"] = _("Write your email address")
        self.fields["password"].error_messages["required"] = _("Write your password")
        for name in ("login", "password"):  # the label stands above; said twice it is noise
            self.fields[name].widget.attrs.pop("placeholder", None)


def _of_a_code(field: Any, label: Any, required: Any) -> None:
    field.label = label
    field.error_messages["required"] = required
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update({"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"})


class CodeByMailForm(RequestLoginCodeForm):
    """Where a code to sign in goes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].error_messages["required"] = _("Write your email address")
        self.fields["email"].widget.attrs.pop("placeholder", None)


class CodeForm(ConfirmLoginCodeForm):
    """The code from the letter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _of_a_code(self.fields["code"], _("Code from the letter"), _("Write the code from the letter"))


class SecondFactorForm(AuthenticateForm):
    """The code of the app, or one of the recovery codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _of_a_code(self.fields["code"], _("Code from the app, or a recovery code"), _("Write the code from the app"))


class FirstCodeForm(ActivateTOTPForm):
    """The first code of an app that is being connected."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _of_a_code(self.fields["code"], _("Code from the app"), _("Write the code from the app"))
