"""Addresses of the desk. What is done with a ticket are resources beside it: POST t/10471/resolution/ resolves it."""

from django.urls import path

from tickets.views import defects, desk, major, releases

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
    path("t/<int:number>/defects/", defects.find, name="find_defect"),
    path("t/<int:number>/major/", desk.act, {"name": "major"}, name="major"),
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
    path("defects/", defects.defects, name="defects"),
    path("defects/<int:defect>/", defects.defect, name="defect_page"),
    *(
        path(f"defects/<int:defect>/{name}/", defects.act, {"name": name}, name=f"defect_{name}")
        for name in defects.ACTS
    ),
    path("major/", major.majors, name="majors"),
    path("major/<int:major>/", major.major, name="major_page"),
    path("major/<int:major>/actions/<int:action>/", major.action_done, name="major_action_done"),
    path("major/<int:major>/children/<int:number>/", major.unlink, name="major_unlink"),
    *(path(f"major/<int:major>/{name}/", major.act, {"name": name}, name=f"major_{name}") for name in major.ACTS),
    path("releases/", releases.register, name="releases"),
    path("releases/new/", releases.new, name="release_new"),
    path("releases/<int:release>/", releases.register_of, name="release"),
    path("releases/<int:release>/csv/", releases.register_csv, name="release_csv"),
    path("releases/<int:release>/files/", releases.add_file, name="release_files"),
    path("releases/<int:release>/files/<int:file>/", releases.file_of_ours, name="release_file"),
    path("releases/<int:release>/files/<int:file>/removal/", releases.remove_file, name="release_file_removal"),
    path("releases/<int:release>/publication/", releases.publish, name="release_publication"),
    path("releases/<int:release>/reminders/", releases.remind, name="release_reminders"),
]
