"""Addresses of customer success for those who do it, under /csm/."""

from django.urls import path

from success.views import planning

app_name = "csm"
urlpatterns = [
    path("webinars/", planning.listed, name="webinars"),
    path("webinars/new/", planning.new, name="new_webinar"),
    path("webinars/<int:pk>/", planning.webinar, name="webinar"),
    path("webinars/<int:pk>/edit/", planning.edit, name="edit_webinar"),
    path("webinars/<int:pk>/cancellation/", planning.call_off, name="call_off_webinar"),
    path("webinars/<int:pk>/recording/", planning.recording, name="webinar_recording"),
    path("webinars/<int:pk>/people.csv", planning.people_csv, name="webinar_people"),
]
