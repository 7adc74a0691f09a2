"""TEMPORARY: stands where a page is being built today; deleted before the issue is resolved."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return render(request, "contracts/base.html", {"tab": ""})
