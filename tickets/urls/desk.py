"""Addresses of the desk. What is done with a ticket are resources beside it: POST t/10471/resolution/ resolves it."""

from django.urls import path

from tickets.views import desk, keys, live

app_name = "desk"
urlpatterns = [
    path("", desk.queue, {"place": ""}, name="queue"),
    path("my/", desk.queue, {"place": "my"}, name="my"),
    path("l/<int:line>/", desk.line_queue, name="line"),
    path("t/<int:number>/", desk.ticket, name="ticket"),
    path("t/<int:number>/files/<int:pk>/", desk.file, name="file"),
    path("t/<int:number>/escalations/<int:pk>/acknowledgement/", desk.acknowledgement, name="acknowledgement"),
    path("t/<int:number>/acceptance/", desk.act, {"name": "acceptance"}, name="acceptance"),
    path("t/<int:number>/messages/", desk.act, {"name": "messages"}, name="messages"),
    path("t/<int:number>/waiting/", desk.act, {"name": "waiting"}, name="waiting"),
    path("t/<int:number>/handover/", desk.act, {"name": "handover"}, name="handover"),
    path("t/<int:number>/handover/return/", desk.act, {"name": "return"}, name="return"),
    path("t/<int:number>/defect/", desk.act, {"name": "defect"}, name="defect"),
    path("t/<int:number>/restoration/", desk.act, {"name": "restoration"}, name="restoration"),
    path("t/<int:number>/classification/", desk.act, {"name": "classification"}, name="classification"),
    path("t/<int:number>/resolution/", desk.act, {"name": "resolution"}, name="resolution"),
    path("t/<int:number>/reopening/", desk.act, {"name": "reopening"}, name="reopening"),
    path("t/<int:number>/decline/", desk.act, {"name": "decline"}, name="decline"),
    path("t/<int:number>/assignment/", desk.act, {"name": "assignment"}, name="assignment"),
    path("t/<int:number>/deadline/", desk.act, {"name": "deadline"}, name="deadline"),
    path(
        "t/<int:number>/deadline/acceptance/",
        desk.act,
        {"name": "deadline_acceptance"},
        name="deadline_acceptance",
    ),
    path("t/<int:number>/deadline/refusal/", desk.act, {"name": "deadline_refusal"}, name="deadline_refusal"),
    path(
        "t/<int:number>/deadline/withdrawal/",
        desk.act,
        {"name": "deadline_withdrawal"},
        name="deadline_withdrawal",
    ),
    path("live/counters/", live.counters, name="live_counters"),
    path("live/list/", live.listed, name="live_list"),
    path("live/here/", live.here, name="live_here"),
    path("t/<int:number>/row/", live.one_row, name="row"),
    path("t/<int:number>/thread/", live.thread, name="thread"),
    path("t/<int:number>/head/", live.head, name="head"),
    path("t/<int:number>/presence/", live.heartbeat, name="presence"),
    path("keys/", keys.sheet, name="keys"),
    path("palette/", keys.palette, name="palette"),
]
