"""The customer's own contract, under /contract/."""

from django.urls import path

from contracts.views import placeholder

app_name = "contract"
urlpatterns = [
    path("", placeholder.page, name="contract"),
    path("renewals/", placeholder.page, name="renewals"),
]
