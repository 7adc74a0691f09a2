"""The language and the time zone of each request: the person's own; before sign-in the cookie's, else the browser's."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation

from accounts.sessions import whose


class PersonLocaleMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with whose(request.session):
            user = request.user = get_user(request)  # a page would ask the lazy one hundreds of times
        language = user.language if user.is_authenticated else self.guess(request)
        zone = user.timezone if user.is_authenticated else settings.TIME_ZONE
        with translation.override(language), timezone.override(ZoneInfo(zone)):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            # A template is rendered lazily by some views (DRF, allauth): while the language is still this one.
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response = response.render()
        response.headers.setdefault("Content-Language", language)
        return response

    def guess(self, request: HttpRequest) -> str:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        if chosen in dict(settings.LANGUAGES):
            return chosen
        return translation.get_language_from_request(request)
