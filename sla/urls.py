"""Calendars, the simulator, the ladder and absences, under /a/."""

from django.urls import path

from sla.urls_ladders import ladder_urls
from sla.views import calendars, simulator

app_name = "promises"
urlpatterns = [
    path("calendars/", calendars.calendars, name="calendars"),
    path("calendars/<slug:code>/", calendars.calendar, name="calendar"),
    path("sla/", simulator.simulator, name="simulator"),
    *ladder_urls,
]
