"""`manage.py prepare`: what `make run` does before it starts the web server, in one process."""

import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from helpdesk import demo


class Command(BaseCommand):
    help = "Bring the tables and the catalogue up to date and load the demo data once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="load no demo data")
        parser.add_argument("--signins", type=Path, help="a file that gets the demo sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        steps = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if steps:
            self.stdout.write(f"tables and catalogue: {steps} migrations to apply")
            self.stdout.flush()
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write("tables and catalogue: up to date")
        self.stdout.flush()
        if not options["no_demo"]:
            call_command("demo", once=True, stdout=self.stdout)
        if options["signins"]:
            options["signins"].write_text(json.dumps([] if options["no_demo"] else demo.signins(), default=str))
