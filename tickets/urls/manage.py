"""Addresses of the managers' pages, under /m/."""

from django.urls import path

from tickets.views import manage, months

app_name = "manage"
urlpatterns = [
    path("", manage.board, name="board"),
    path("table/<slug:chart>.csv", manage.table, name="table"),
    path("forecast/", manage.missing, name="missing"),
    path("set-aside/", manage.set_aside, name="set_aside"),
    path("set-aside/<int:pk>/look/", manage.look_again, name="look_again"),
    path("escalations/", manage.escalations, name="escalations"),
    path("escalations/<int:pk>/", manage.escalation, name="escalation"),
    path("escalations/<int:pk>/acknowledgement/", manage.acknowledgement, name="acknowledgement"),
    path("escalations/<int:pk>/answer/", manage.answer, name="answer"),
    path("statements/", months.statements, name="statements"),
    path("statements/<int:pk>/", months.statement, name="statement"),
    path("statements/<int:pk>/answers/<int:said>/", months.answer, name="statement_answer"),
    path("statements/<int:pk>/lines/<int:position>/", months.correction, name="statement_line"),
    path("statements/<int:pk>/document/<str:language>/", months.statement_document, name="statement_document"),
    path("statements/<int:pk>/table/", months.statement_table, name="statement_table"),
    path("t/<int:number>/", manage.ticket, name="ticket"),
    path("<slug:slug>/", manage.tickets, name="tickets"),
]
