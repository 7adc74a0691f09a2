"""The packages and their dated terms, under /a/packages/."""

from django.urls import path

from tickets.views import packages

app_name = "packages"
urlpatterns = [
    path("", packages.packages, name="packages"),
    path("changes/<int:pk>/", packages.decision, name="decision"),
    path("terms/<int:pk>/more/", packages.more, name="more"),
    path("<slug:code>/", packages.package, name="package"),
    path("<slug:code>/change/", packages.change, name="change"),
]
