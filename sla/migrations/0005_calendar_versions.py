"""Who made a version of a calendar, when and why; and the database itself refuses an edit of one (domain §4).

Tickets count on the version of their receipt for ever, so its hours and days never change. A version is removed only
while no clock counts on it: the foreign key of the commitments refuses the rest.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION sla_calendar_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'a version of a calendar is never edited: make a new one (domain 4)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendar_version_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calendar_version_stays BEFORE UPDATE ON sla_calendarversion
    FOR EACH ROW EXECUTE FUNCTION sla_calendar_version_stays();
"""
BACKWARD = "DROP TRIGGER calendar_version_stays ON sla_calendarversion; DROP FUNCTION sla_calendar_version_stays();"


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0004_deadline_proposals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="calendarversion",
            name="made_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="made"),
        ),
        migrations.AddField(
            model_name="calendarversion",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="made by",
            ),
        ),
        migrations.AddField(
            model_name="calendarversion",
            name="reason",
            field=models.TextField(blank=True, default="", verbose_name="reason"),
            preserve_default=False,
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
