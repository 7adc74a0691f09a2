"""Addresses of renewals and coverage gaps: /c/renewals/…, /c/gaps/"""

from django.urls import path

from contracts.views import placeholder

urlpatterns = [
    path("renewals/", placeholder.page, name="renewals"),
    path("gaps/", placeholder.page, name="gaps"),
]
