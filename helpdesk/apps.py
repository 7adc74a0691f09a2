"""The app that ties the others together."""

from importlib import import_module

from django.apps import AppConfig


class HelpdeskConfig(AppConfig):
    name = "helpdesk"

    def ready(self) -> None:
        """Every process that has Django has our Celery application, so that `.delay()` finds the broker."""
        import_module("helpdesk.celery")
