"""How long the default ladders wait for “I have it” (domain §4.4: a rung that nobody acknowledges goes to the next).

Minutes of service time. The line lead has 20 at priority 1 and 45 otherwise, the CSM 45 and 150; the queue, the
assignee, the support manager and top management are not waited for. Chosen so that with the times of the price list no
rung is called early at the very instant at which it falls due anyhow. Only general ladders, and rungs that say nothing.
"""

from django.db import migrations
from django.db.models import Q

# promise, of priority 1, percent, whom: minutes
WITHIN = [
    ("reaction", True, 75, "line_lead", 20),
    ("reaction", True, 100, "csm", 45),
    ("reaction", False, 75, "line_lead", 45),
    ("reaction", False, 100, "csm", 150),
    ("resolution", False, 75, "line_lead", 45),
    ("resolution", False, 90, "csm", 150),
    ("line_acceptance", False, 100, "line_lead", 45),
]


def rungs(apps, kind, is_first, percent, whom):
    priority = Q(ladder__priority=1) if is_first else Q(ladder__priority=None)
    return apps.get_model("sla", "LadderStep").objects.filter(
        priority, ladder__kind=kind, ladder__package=None, percent=percent, whom=whom
    )


def say(apps, schema_editor):
    for *rung, minutes in WITHIN:
        rungs(apps, *rung).filter(within=None).update(within=minutes)


def unsay(apps, schema_editor):
    for *rung, minutes in WITHIN:
        rungs(apps, *rung).filter(within=minutes).update(within=None)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0003_catalogue"), ("sla", "0007_monthly_statements")]

    operations = [migrations.RunPython(say, unsay)]
