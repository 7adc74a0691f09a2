"""Addresses of this site, worked out once: what `reverse` finds for a name and its arguments never changes."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.urls import get_script_prefix, get_urlconf, reverse


def address(name: str, *args: Any, under: str | None = None) -> str:
    """`reverse(name, args=args)`, remembered; `under` is its `current_app`. Raises `NoReverseMatch` as it does.

    A page of the desk asks for some eighty addresses, most of them again and again; `reverse` takes 15 µs for each,
    this 3. Only numbers and texts are remembered: other arguments may look different tomorrow.
    """
    if not all(type(one) in (int, str) for one in args):
        return reverse(name, args=args, current_app=under)
    return _found(get_urlconf() or settings.ROOT_URLCONF, get_script_prefix(), under, name, *args)


def sprite() -> str:
    """The address of the icons. The storage knows it (helpdesk/statics.py); Django's `static` asks all apps first."""
    return staticfiles_storage.url("icons.svg")


# Typed: 1, "1" and True are one key to a dictionary. What is kept is an address, never what is behind it.
@lru_cache(maxsize=4096, typed=True)
def _found(urlconf: str, prefix: str, under: str | None, name: str, *args: int | str) -> str:
    return reverse(name, urlconf, args=args, current_app=under)
