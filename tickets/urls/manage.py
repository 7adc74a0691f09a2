"""Addresses of the managers' pages, under /m/."""

from django.urls import path

from tickets.views import manage

app_name = "manage"
urlpatterns = [
    path("", manage.board, name="board"),
    path("escalations/", manage.escalations, name="escalations"),
    path("escalations/<int:pk>/", manage.escalation, name="escalation"),
    path("escalations/<int:pk>/acknowledgement/", manage.acknowledgement, name="acknowledgement"),
    path("escalations/<int:pk>/answer/", manage.answer, name="answer"),
    path("t/<int:number>/", manage.ticket, name="ticket"),
    path("<slug:slug>/", manage.tickets, name="tickets"),
]
