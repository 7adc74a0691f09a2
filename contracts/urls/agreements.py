"""Addresses of contracts: /c/ (what is to be done) and /c/contracts/…"""

from django.urls import path

from contracts.views import placeholder

urlpatterns = [
    path("", placeholder.page, name="home"),
    path("contracts/", placeholder.page, name="contracts"),
]
