"""The two edges where a refusal becomes an answer: a page (or fragment) and the API. Mail has its own in mail/."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import Resolver404
from django.views import defaults
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.refusals import Refused
from helpdesk.unsent import back_of


class RefusalMiddleware:
    """A refusal that a view did not answer itself becomes a page that names the rule and keeps what was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # PostgreSQL takes no NUL in a text. No view has to think of it: U+FFFD stands for it, and finds nothing.
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query:
            request.META["QUERY_STRING"] = query.replace("%00", "%EF%BF%BD")
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content and request.method == "GET":
            # Somebody typed, or was led to, an address that only takes in what a form sends.
            page = render(request, "405.html", {"back": back_of(request)}, status=405)
            page["Allow"] = response["Allow"]
            return page
        if settings.DEBUG and response.status_code == 404 and request.resolver_match is None:
            return defaults.page_not_found(request, Resolver404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return _as_in_production(request, exception) if settings.DEBUG else None
        kept = [
            value
            for name, value in request.POST.items()
            if name != "csrfmiddlewaretoken" and isinstance(value, str) and len(value) > 20
        ]
        context = {"refusal": exception, "kept": kept, "back": back_of(request)}
        return render(request, "409.html", context, status=exception.status)


def _as_in_production(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Our own words for what is missing or makes no sense, also while DEBUG is on: `make run` shows the product.

    Django would show its lists of addresses and settings instead. What is a fault (500) keeps its traceback.
    """
    if isinstance(exception, Http404):
        return defaults.page_not_found(request, exception)
    if isinstance(exception, BadRequest | SuspiciousOperation):
        return defaults.bad_request(request, exception)
    return None


def api_exception(exception: Exception, context: dict) -> Response | None:
    """DRF's exception handler: a refusal is 409 (or 403) with the sentence and the section of the domain."""
    if isinstance(exception, Refused):
        return Response({"detail": exception.message, "section": exception.section}, status=exception.status)
    return exception_handler(exception, context)
