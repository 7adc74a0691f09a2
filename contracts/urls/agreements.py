"""Addresses of contracts: /c/ (what is to be done) and /c/contracts/…"""

from django.urls import path

from contracts.views import agreement_verbs, agreements, drafting, home

urlpatterns = [
    path("", home.home, name="home"),
    path("contracts/", agreements.contracts, name="contracts"),
    path("contracts/export.csv", agreements.export, name="contracts_export"),
    path("contracts/new/", drafting.new, name="new_contract"),
    path("contracts/new/quote/", drafting.quote, name="quote"),
    path("contracts/<int:pk>/", agreements.contract, name="contract"),
    path("contracts/<int:pk>/term/", drafting.change, name="change_draft"),
    path("contracts/<int:pk>/signature/", agreement_verbs.sign, name="sign"),
    path("contracts/<int:pk>/end/", agreement_verbs.end, name="end_contract"),
    path("contracts/<int:pk>/end/preview/", agreement_verbs.ending, name="ending"),
    path("contracts/<int:pk>/successor/", agreement_verbs.renew, name="renew"),
    path("contracts/<int:pk>/clauses/", agreement_verbs.add_clause, name="add_clause"),
    path("contracts/<int:pk>/clauses/<int:clause>/end/", agreement_verbs.end_clause, name="end_clause"),
    path("contracts/<int:pk>/document/<str:language>/", agreements.document, name="document"),
]
