"""The Celery application and the timetable of the jobs.

Every job is a sweep over rows: running it twice, late, or after a day's outage does no harm. So beat keeps no memory
(`-S celery.beat:Scheduler`), and a run that nobody took in its time is dropped: the next one does it all.
"""

import gc
import os
from dataclasses import dataclass
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab, schedule
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


# "Expired" is said by the worker's clock of a moment that beat's clock named: a worker an hour ahead would drop every
# run, and nobody would sweep. What piles up meanwhile costs a millisecond a run.
CLOCKS_DIFFER_BY = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Job:
    task: str
    every: timedelta | crontab
    expires: timedelta  # a run that no worker took for so long is dropped
    why: str

    def entry(self) -> dict[str, object]:
        """As Celery's beat has it."""
        when = self.every if isinstance(self.every, crontab) else schedule(self.every)
        expires = max(self.expires, CLOCKS_DIFFER_BY)
        return {"task": self.task, "schedule": when, "options": {"expires": expires.total_seconds()}}


TIMETABLE = {
    "climb the ladders": Job(
        task="sla.tasks.sweep_clocks",
        every=timedelta(seconds=1),  # a pass with nothing due is one look at the head of an index (bench/sweep.py)
        expires=timedelta(seconds=1),
        why="a missed deadline is seen, and people are called in, within a second or two (domain §4.5)",
    ),
    "send letters": Job(
        task="mail.tasks.deliver",
        every=timedelta(seconds=15),
        expires=timedelta(seconds=15),
        why="events and escalations are the outbox; nobody waits for SMTP, nothing is lost while it is down",
    ),
    "send digests": Job(
        task="mail.tasks.send_digests",
        every=crontab(minute="*/5"),
        expires=timedelta(minutes=5),
        why="at 9:00 somewhere every hour or half: one letter a day of what happened (direction §17)",
    ),
    "close what stays silent": Job(
        task="tickets.tasks.close_silent",
        every=timedelta(minutes=10),
        expires=timedelta(minutes=10),
        why="five working days of silence after a resolution close the ticket (domain §3.2)",
    ),
    "follow the contacts": Job(
        task="tickets.tasks.follow_contacts",
        every=timedelta(minutes=1),
        expires=timedelta(minutes=1),
        why="open tickets go along when another person begins to speak for the customer, a planned day too (domain §2)",
    ),
    "let proposals lapse": Job(
        task="tickets.tasks.lapse_deadlines",
        every=timedelta(minutes=1),
        expires=timedelta(minutes=1),
        why="a proposed deadline that nobody answered is over with its own moment (domain §4.2)",
    ),
    "count the pace": Job(
        task="tickets.tasks.measure_pace",
        every=timedelta(minutes=5),
        expires=timedelta(minutes=5),
        why="a forecast reads how fast each line lately was; no page counts it",
    ),
    "fold the tally": Job(
        task="tickets.tasks.fold_tally",
        every=timedelta(minutes=15),
        expires=timedelta(minutes=15),
        why="the board adds up one step for each day, line, package and priority",
    ),
    "apply changes of terms": Job(
        task="tickets.tasks.apply_terms_changes",
        every=timedelta(seconds=15),
        expires=timedelta(seconds=15),
        why="what a decision moves beyond what a page waits for, and what a killed worker left (domain §4)",
    ),
    "apply edits of calendars": Job(
        task="tickets.tasks.apply_calendar_changes",
        every=timedelta(seconds=15),
        expires=timedelta(seconds=15),
        why="what a decision moves beyond what a page waits for, and what a killed worker left (domain §4)",
    ),
    "go on with bulk runs": Job(
        task="tickets.tasks.advance_bulk_runs",
        every=timedelta(seconds=5),
        expires=timedelta(seconds=5),
        why="an act over a whole filter begins at once by itself; this takes up what a killed worker left",
    ),
    "forget old drafts": Job(
        task="tickets.tasks.forget_drafts",
        every=crontab(minute=40, hour=3),
        expires=timedelta(hours=12),
        why="words and files that nobody sent in thirty days are deleted, at night: disks and privacy (direction §6.6)",
    ),
    "forget sessions that are over": Job(
        task="helpdesk.tasks.forget_sessions",
        every=crontab(minute=50, hour=3),
        expires=timedelta(hours=12),
        why="a sign-in that is over, and what was kept in it, is deleted at night: disks and privacy (domain §7)",
    ),
    "close months": Job(
        task="tickets.tasks.close_months",
        every=crontab(minute=0),
        expires=timedelta(hours=1),
        why="on the first at 6:00 in Moscow a finished month is frozen; an outage is made up within the hour (§4.6)",
    ),
    "check closed months": Job(
        task="tickets.tasks.check_months",
        every=crontab(minute=30, hour=6),
        expires=timedelta(hours=12),
        why="what was counted and taken back since is written down beside the frozen figures, every day (domain §4.6)",
    ),
    "send to many": Job(
        task="tickets.tasks.send_to_many",
        every=timedelta(seconds=15),
        expires=timedelta(seconds=15),
        why="a workaround, a note or a solution for more requests than a page waits for, and what a kill left (§3.3)",
    ),
    "tell of releases": Job(
        task="contracts.tasks.tell_of_releases",
        every=crontab(minute=20),
        expires=timedelta(hours=1),
        why="a licence bought later is told of the releases that concern it, in the hour after it (domain §1.2)",
    ),
    "end contracts": Job(
        task="contracts.tasks.expire_contracts",
        every=crontab(minute=5),
        expires=timedelta(hours=1),
        why="a contract is over when its last day is: at 00:05 in Moscow, or in the hour after an outage (domain §2)",
    ),
    "cover added licences": Job(
        task="contracts.tasks.cover_added_licences",
        every=crontab(minute=10),
        expires=timedelta(hours=1),
        why="a licence bought later adds its prorated line by itself on its first day (domain §1.7.5)",
    ),
    "offer renewals": Job(
        task="contracts.tasks.offer_renewals",
        every=crontab(minute=0, hour="9-17"),
        expires=timedelta(hours=1),
        why="90, 60 and 30 days ahead, from 9:00 in Moscow: people read offers by day; an outage is made up (§2)",
    ),
    "notice coverage gaps": Job(
        task="contracts.tasks.notice_gaps",
        every=crontab(minute=15),
        expires=timedelta(hours=1),
        why="a customer without a contract is known in the first hour of the first uncovered day (domain §1.1)",
    ),
    "read for the search": Job(
        task="tickets.tasks.index_search",
        every=timedelta(minutes=1),
        expires=timedelta(minutes=1),
        why="tickets from before the search, and new words that a mistyped one may be meant for (domain §6)",
    ),
    "keep signed documents": Job(
        task="contracts.tasks.keep_documents",
        every=timedelta(minutes=2),
        expires=timedelta(minutes=2),
        why="a contract's PDF is made soon after the signature, so that nobody waits for it (domain §2)",
    ),
}

app = Celery("helpdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")  # CELERY_TIMEZONE is Europe/Moscow
app.autodiscover_tasks()
app.conf.beat_schedule = {name: job.entry() for name, job in TIMETABLE.items()}


@worker_process_init.connect
def keep_the_house_out_of_collections(**_kwargs: object) -> None:
    """What is loaded by now lives as long as the worker: a collection in the midst of a flood need not visit it."""
    gc.collect()
    gc.freeze()
