"""Addresses of customers: /c/customers/…"""

from django.urls import path

from contracts.views import placeholder

urlpatterns = [
    path("customers/", placeholder.page, name="customers"),
]
