"""A release is published: its customers are told, and the defects that it fixes are released (domain §1.2, §3.3)."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from contracts import publishing
from contracts.models import ReleasePublication
from tickets.models import Broadcast
from tickets.workflow.defects import release_fixed_in


@transaction.atomic
def publish_release(
    publication: ReleasePublication, *, by: User, at: datetime
) -> tuple[ReleasePublication, list[Broadcast]]:
    """Publishes a draft to exactly the customers that it concerns; what the tickets of its defects hear, as jobs.

    Raises `publishing.NotPublished` for one that is published already or has no file, `Forbidden`.
    """
    publication = publishing.publish(publication, by=by, at=at)
    return publication, release_fixed_in(publication.release, by=by, at=at)
