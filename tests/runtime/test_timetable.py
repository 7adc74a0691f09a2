"""The timetable of the jobs."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpdesk.celery import TIMETABLE, app


def test_every_job_of_the_timetable_exists():
    app.loader.import_default_modules()

    assert [job.task for job in TIMETABLE.values() if job.task not in app.tasks] == []


def test_contracts_end_at_five_past_midnight_in_moscow():
    evening = datetime(2026, 11, 22, 23, 55, tzinfo=ZoneInfo("Europe/Moscow"))
    crontab = TIMETABLE["end contracts"].every
    crontab.app, crontab.nowfun = app, lambda: evening

    assert app.conf.timezone == "Europe/Moscow"
    assert crontab.remaining_estimate(evening) == timedelta(minutes=10)
