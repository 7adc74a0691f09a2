#!/usr/bin/env python3
"""The commands of the helpdesk. Brings the embedded PostgreSQL up for its own duration where nothing else does."""

import os
import sys

from django.core.management import execute_from_command_line

from helpdesk import embedded


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    with embedded.servers_for_command(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
