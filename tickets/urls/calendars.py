"""Edits of calendars, under /a/calendars/: form, preview, decision. The calendars themselves are in `sla.urls`."""

from django.urls import path

from tickets.views import calendars

app_name = "calendar_changes"
urlpatterns = [
    path("changes/<int:pk>/", calendars.change, name="change"),
    path("<slug:code>/edit/", calendars.edit, name="edit"),
    path("<slug:code>/withdraw/<int:pk>/", calendars.withdraw, name="withdraw"),
]
