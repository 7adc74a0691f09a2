"""Takes letters from files or from a pipe: what a mail server calls for each letter, or a person for a folder."""

import argparse
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from mail.inbound import receive
from mail.models import InboundLetter


class Command(BaseCommand):
    help = "Turns raw letters (RFC 5322) into requests or replies and prints a line for each: what became of it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a raw letter; - is the standard input")

    def handle(self, *args: object, files: list[str], **options: object) -> None:
        """Exit code 1 where a letter could not be dealt with or a file not be read; the other files are taken."""
        troubled = 0
        for name in files:
            try:
                raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            except OSError as error:
                self.stderr.write(_("%(file)s: cannot be read: %(why)s") % {"file": name, "why": error.strerror})
                troubled += 1
                continue
            letter = receive(raw, at=timezone.now())
            self.stdout.write(f"{name}: {self.became(letter)}")
            troubled += letter.outcome == InboundLetter.Outcome.FAILED
        if troubled:
            raise CommandError(_("%(count)d not dealt with.") % {"count": troubled})

    def became(self, letter: InboundLetter) -> str:
        words = str(letter.get_outcome_display())
        if letter.ticket:
            words += f" № {letter.ticket.number}"
        return f"{words} ({letter.reason})" if letter.reason else words
