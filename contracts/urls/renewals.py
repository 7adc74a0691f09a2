"""Addresses of renewals and coverage gaps: /c/renewals/…, /c/gaps/"""

from django.urls import path

from contracts.views import renewals

urlpatterns = [
    path("renewals/", renewals.renewals, name="renewals"),
    path("renewals/calendar/", renewals.calendar, name="renewals_calendar"),
    path("renewals/renewals.csv", renewals.renewals_csv, name="renewals_csv"),
    path("renewals/renewals.ics", renewals.renewals_ics, name="renewals_ics"),
    path("gaps/", renewals.gaps, name="gaps"),
]
