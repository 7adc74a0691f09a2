"""Addresses of the import: /c/import/…"""

from django.urls import path

from contracts.views import placeholder

urlpatterns = [
    path("import/", placeholder.page, name="imports"),
]
