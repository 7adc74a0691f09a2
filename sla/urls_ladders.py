"""The ladder, and who is away: addresses under /a/, of the namespace "promises" (sla/urls.py)."""

from django.urls import path

from sla.views import absences, ladders

ladder_urls = [
    path("ladder/", ladders.all_ladders, name="ladders"),
    path("ladder/new/", ladders.new, name="new_ladder"),
    path("ladder/<int:pk>/", ladders.ladder, name="ladder"),
    path("ladder/<int:pk>/removal/", ladders.remove, name="remove_ladder"),
    path("absences/", absences.absences, name="absences"),
    path("absences/<int:pk>/end/", absences.end, name="end_absence"),
    path("absences/<int:pk>/removal/", absences.remove, name="remove_absence"),
]
