"""Addresses of webinars for customers, under /webinars/."""

from django.urls import path

from success.views import portal

app_name = "webinars"
urlpatterns = [
    path("", portal.listed, name="webinars"),
    path("<int:pk>/", portal.webinar, name="webinar"),
    path("<int:pk>/calendar.ics", portal.calendar, name="calendar"),
    path("<int:pk>/registration/", portal.sign_up, name="sign_up"),
    path("<int:pk>/withdrawal/", portal.sign_off, name="sign_off"),
]
