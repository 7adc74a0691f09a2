"""What the forecast reads its pace by, and since when a promise is set aside."""

from django.db import migrations, models
from django.db.models import F


def since_last_seen(apps, schema_editor):
    """What is known of those set aside so far: that they were at the last look."""
    apps.get_model("sla", "SweepTrouble").objects.filter(since__isnull=True).update(since=F("happened_at"))


class Migration(migrations.Migration):
    dependencies = [("sla", "0009_fewer_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="commitment",
            index=models.Index(
                models.OrderBy(F("stopped_at"), descending=True),
                condition=models.Q(("kind__in", ["reaction", "resolution"]), ("stopped_at__isnull", False)),
                name="commitment_ended_lately",
            ),
        ),
        migrations.AddField("sweeptrouble", "since", models.DateTimeField("first happened at", null=True)),
        migrations.RunPython(since_last_seen, migrations.RunPython.noop),
        migrations.AlterField("sweeptrouble", "since", models.DateTimeField("first happened at")),
        migrations.AddConstraint(
            model_name="sweeptrouble",
            constraint=models.CheckConstraint(
                condition=models.Q(("happened_at__gte", F("since"))), name="trouble_last_after_first"
            ),
        ),
    ]
