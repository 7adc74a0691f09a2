"""Indexes of the lists of contact changes: what waits, oldest first; what is settled, newest first (domain §2)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contracts", "0007_import_runs")]
    operations = [
        migrations.AddIndex(
            model_name="contactchange",
            index=models.Index("asked_at", "id", name="contact_change_waiting", condition=models.Q(state="asked")),
        ),
        migrations.AddIndex(
            model_name="contactchange",
            index=models.Index(
                models.F("closed_at").desc(),
                models.F("id").desc(),
                name="contact_change_settled",
                condition=models.Q(closed_at__isnull=False),
            ),
        ),
    ]
