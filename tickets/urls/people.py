"""Who speaks for a customer: /contract/people/ for the customer, /c/changes/ for the contract administrator."""

from django.urls import path

from contracts.views import placeholder

app_name = "people"
urlpatterns = [
    path("contract/people/", placeholder.page, name="people"),
    path("c/changes/", placeholder.page, name="changes"),
]
