"""`manage.py compile_translations`: .po to .mo, as `make run` does it; needs no gettext."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from helpdesk.translations import compile_translations


class Command(BaseCommand):
    help = "Compile the translations that changed (.po to .mo); needs no GNU gettext."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for source in compile_translations(settings.LOCALE_PATHS):
            self.stdout.write(f"compiled {source.relative_to(settings.BASE_DIR)}")
