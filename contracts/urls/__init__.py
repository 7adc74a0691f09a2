"""Addresses of the contract administrator's pages, under /c/: a file for each part, as `contracts/views/` has them."""

from contracts.urls import agreements, customers, imports, renewals

app_name = "contracts"
urlpatterns = [*agreements.urlpatterns, *customers.urlpatterns, *imports.urlpatterns, *renewals.urlpatterns]
