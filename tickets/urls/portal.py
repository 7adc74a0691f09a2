"""Addresses of the portal, under /t/. `<number>` is the ticket's number, never its primary key."""

from django.urls import path

from tickets.views import company, new_request, portal, rating_link, search

app_name = "portal"
urlpatterns = [
    path("", company.company, name="company"),
    path("export.csv", company.export, {"form": "csv"}, name="export_csv"),
    path("export.xlsx", company.export, {"form": "xlsx"}, name="export_xlsx"),
    path("search/", search.portal_search, name="search"),
    path("search/suggest/", search.portal_suggest, name="suggest"),
    path("new/", portal.new, name="new"),
    path("new/promises/", portal.new_promises, name="new_promises"),
    path("new/entitlement/", portal.new_entitlement, name="new_entitlement"),
    path("new/look/", new_request.look, name="look"),
    path("new/solved/", new_request.solved, name="solved"),
    path("new/draft/", new_request.draft, name="new_draft"),
    path("rate/<str:token>/", rating_link.rate, name="rate_by_link"),
    path("<int:number>/", portal.ticket, name="ticket"),
    path("<int:number>/files/<int:pk>/", portal.file, name="file"),
    path("<int:number>/replies/", portal.replies, name="replies"),
    path("<int:number>/confirmation/", portal.confirmation, name="confirmation"),
    path("<int:number>/reopening/", portal.reopening, name="reopening"),
    path("<int:number>/withdrawal/", portal.withdrawal, name="withdrawal"),
    path("<int:number>/contest/", portal.contest, name="contest"),
    path("<int:number>/priority/", portal.priority, name="priority"),
    path("<int:number>/deadline/", portal.deadline, name="deadline"),
    path("<int:number>/deadline/acceptance/", portal.deadline_acceptance, name="deadline_acceptance"),
    path("<int:number>/deadline/refusal/", portal.deadline_refusal, name="deadline_refusal"),
    path("<int:number>/deadline/withdrawal/", portal.deadline_withdrawal, name="deadline_withdrawal"),
    path("<int:number>/escalate/", portal.escalate, name="escalate"),
    path("<int:number>/escalations/", portal.escalations, name="escalations"),
    path("<int:number>/rate/", portal.rate, name="rate"),
    path("<int:number>/rating/", portal.rating, name="rating"),
]
