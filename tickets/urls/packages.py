"""The packages and their dated terms, under /a/packages/."""

from django.urls import path

from contracts.views import placeholder

app_name = "packages"
urlpatterns = [
    path("", placeholder.page, name="packages"),
]
