"""Who changed which ladder, when, and its rungs before and after; the database itself refuses an edit (domain §4.4)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION sla_ladder_change_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of a ladder is never altered (domain 4.4)'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ladder_change_stays';
END $$;
CREATE TRIGGER ladder_change_stays BEFORE UPDATE OR DELETE ON sla_ladderchange
    FOR EACH ROW EXECUTE FUNCTION sla_ladder_change_stays();
"""
BACKWARD = "DROP TRIGGER ladder_change_stays ON sla_ladderchange; DROP FUNCTION sla_ladder_change_stays();"


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0003_catalogue"),
        ("sla", "0005_calendar_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LadderChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reaction", "reaction"),
                            ("resolution", "resolution"),
                            ("line_acceptance", "line acceptance"),
                            ("escalation_answer", "answer to an escalation"),
                        ],
                        max_length=20,
                        verbose_name="promise",
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="priority")),
                (
                    "what",
                    models.CharField(
                        choices=[("made", "made"), ("changed", "changed"), ("removed", "removed")],
                        max_length=8,
                        verbose_name="what",
                    ),
                ),
                ("before", models.JSONField(blank=True, default=list, verbose_name="rungs before")),
                ("after", models.JSONField(blank=True, default=list, verbose_name="rungs after")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "package",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.package",
                        verbose_name="package",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a ladder",
                "verbose_name_plural": "changes of ladders",
                "ordering": ["-made_at", "-pk"],
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("made_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="ladder_change_log",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("what__in", ["made", "changed", "removed"])), name="ladder_change_known"
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
