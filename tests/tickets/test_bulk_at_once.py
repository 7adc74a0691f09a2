"""Two workers at one run: each item is done once, and the run is finished once."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import an_engineer
from tests.tickets.test_bulk import begun, some
from tickets import bulk
from tickets.models import BulkRun


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_each_item_once() -> None:
    engineer, tickets = an_engineer(1), some(8)
    run = begun(engineer, tickets, "note", body="Same cause.")
    together, failures = Barrier(2), []

    def work() -> None:
        try:
            together.wait()
            bulk.advance(BulkRun.objects.get(pk=run.pk), at=timezone.now(), seconds=None)
        except Exception as error:  # a thread's failure is the test's
            failures.append(error)
        finally:
            connection.close()

    workers = [Thread(target=work) for _worker in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    bulk.advance(run, at=timezone.now(), seconds=None)
    run.refresh_from_db()

    assert failures == []
    assert (run.state, bulk.progress(run)) == ("done", bulk.Progress(8, 8, 0))
    assert [ticket.messages.filter(kind="note").count() for ticket in tickets] == [1] * 8
