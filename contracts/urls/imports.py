"""Addresses of the import: /c/import/…"""

from django.urls import path, re_path

from contracts.views import imports

urlpatterns = [
    path("import/", imports.runs, name="imports"),
    path("import/<int:pk>/", imports.run, name="import_run"),
    path("import/<int:pk>/decision/", imports.decision, name="import_decision"),
    re_path(r"^import/(?P<pk>[0-9]{1,18})/bad-rows\.(?P<form>csv|xlsx)$", imports.bad_rows, name="import_bad_rows"),
    re_path(
        r"^import/example-(?P<kind>customers|licences|contacts)\.(?P<form>csv|xlsx)$",
        imports.example,
        name="import_example",
    ),
]
