"""Addresses of the releases that concern the customer's own company, under /releases/ (domain §6)."""

from django.urls import path

from tickets.views import releases

app_name = "releases"
urlpatterns = [
    path("", releases.releases, name="releases"),
    path("<int:release>/", releases.release, name="release"),
    path("<int:release>/files/<int:file>/", releases.file, name="file"),
    path("<int:release>/installed/", releases.installed, name="installed"),
]
