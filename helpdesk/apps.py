"""The app that ties the others together."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from helpdesk.moments import read_moments_fast


class HelpdeskConfig(AppConfig):
    name = "helpdesk"

    def ready(self) -> None:
        """Every process that has Django has our Celery application, so that `.delay()` finds the broker."""
        import_module("helpdesk.celery")
        connection_created.connect(read_moments_fast, dispatch_uid="moments")
