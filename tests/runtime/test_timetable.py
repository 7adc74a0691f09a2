"""The timetable of the jobs."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpdesk.celery import TIMETABLE, app


def test_every_job_of_the_apps_is_in_the_timetable_once():
    app.loader.import_default_modules()

    jobs = [name for name in app.tasks if not name.startswith("celery.")]
    assert sorted(job.task for job in TIMETABLE.values()) == sorted(jobs)


def test_contracts_end_at_five_past_midnight_in_moscow():
    evening = datetime(2026, 11, 22, 23, 55, tzinfo=ZoneInfo("Europe/Moscow"))
    crontab = TIMETABLE["end contracts"].every
    crontab.app, crontab.nowfun = app, lambda: evening

    assert app.conf.timezone == "Europe/Moscow"
    assert crontab.remaining_estimate(evening) == timedelta(minutes=10)


def test_a_missed_deadline_is_seen_within_two_seconds():
    assert TIMETABLE["climb the ladders"].every <= timedelta(seconds=2)
