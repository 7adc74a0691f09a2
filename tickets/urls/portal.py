"""Addresses of the portal, under /t/. `<number>` is the ticket's number, never its primary key."""

from django.urls import path

from tickets.views import (
    company,
    letter_links,
    new_request,
    portal_deadlines,
    portal_escalation,
    portal_rating,
    portal_ticket,
    portal_writing,
    search,
)

app_name = "portal"
urlpatterns = [
    path("", company.company, name="company"),
    path("export.csv", company.export, {"form": "csv"}, name="export_csv"),
    path("export.xlsx", company.export, {"form": "xlsx"}, name="export_xlsx"),
    path("search/", search.portal_search, name="search"),
    path("search/suggest/", search.portal_suggest, name="suggest"),
    path("new/", new_request.new, name="new"),
    path("new/promises/", new_request.new_promises, name="new_promises"),
    path("new/entitlement/", new_request.new_entitlement, name="new_entitlement"),
    path("new/look/", new_request.look, name="look"),
    path("new/solved/", new_request.solved, name="solved"),
    path("new/draft/", new_request.draft, name="new_draft"),
    path("new/uploads/", new_request.uploads, name="new_uploads"),
    path("new/uploads/<int:pk>/removal/", new_request.upload_removal, name="new_upload_removal"),
    path("rate/<str:token>/", letter_links.rate, name="rate_by_link"),
    path("deadline/<str:token>/", letter_links.deadline, name="deadline_by_link"),
    path("<int:number>/", portal_ticket.ticket, name="ticket"),
    path("<int:number>/files/<int:pk>/", portal_ticket.file, name="file"),
    path("<int:number>/draft/", portal_writing.draft, name="draft"),
    path("<int:number>/uploads/", portal_writing.uploads, name="uploads"),
    path("<int:number>/uploads/<int:pk>/removal/", portal_writing.upload_removal, name="upload_removal"),
    path("<int:number>/replies/", portal_ticket.replies, name="replies"),
    path("<int:number>/confirmation/", portal_ticket.confirmation, name="confirmation"),
    path("<int:number>/reopening/", portal_ticket.reopening, name="reopening"),
    path("<int:number>/withdrawal/", portal_ticket.withdrawal, name="withdrawal"),
    path("<int:number>/contest/", portal_ticket.contest, name="contest"),
    path("<int:number>/priority/", portal_ticket.priority, name="priority"),
    path("<int:number>/deadline/", portal_deadlines.deadline, name="deadline"),
    path("<int:number>/deadline/acceptance/", portal_deadlines.deadline_acceptance, name="deadline_acceptance"),
    path("<int:number>/deadline/refusal/", portal_deadlines.deadline_refusal, name="deadline_refusal"),
    path("<int:number>/deadline/withdrawal/", portal_deadlines.deadline_withdrawal, name="deadline_withdrawal"),
    path("<int:number>/escalate/", portal_escalation.escalate, name="escalate"),
    path("<int:number>/escalations/", portal_escalation.escalations, name="escalations"),
    path("<int:number>/rate/", portal_rating.rate, name="rate"),
    path("<int:number>/rating/", portal_rating.rating, name="rating"),
]
