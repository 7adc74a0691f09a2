"""The customer's own contract, under /contract/. The company's people are `people:people` (tickets/urls/people.py)."""

from django.urls import path

from contracts.views import portal

app_name = "contract"
urlpatterns = [
    path("", portal.contract, name="contract"),
    path("renewals/", portal.renewals, name="renewals"),
    path("<int:pk>/document/<str:language>/", portal.document, name="document"),
]
