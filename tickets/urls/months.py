"""Closed months of the customer's own company, under /report/; the vendor's pages of them stand in `manage.py`."""

from django.urls import path

from tickets.views import months

app_name = "report"
urlpatterns = [
    path("", months.reports, name="reports"),
    path("<slug:month>/", months.report, name="report"),
    path("<slug:month>/acknowledgement/", months.acknowledgement, name="acknowledgement"),
    path("<slug:month>/lines/<int:position>/", months.line, name="line"),
    path("<slug:month>/document/<str:language>/", months.document, name="document"),
    path("<slug:month>/table/", months.table, name="table"),
]
