"""A colleague may call in somebody above, as a rung or the customer does."""

from django.db import migrations, models

CAUSES = [
    ("ladder", "a rung of the ladder"),
    ("customer", "the customer calls"),
    ("colleague", "a colleague calls"),
    ("low_rating", "a low rating"),
    ("bounces", "came back between two lines"),
]


class Migration(migrations.Migration):
    dependencies = [("sla", "0011_swept_index_is_cleaned")]

    operations = [
        migrations.RemoveConstraint("escalation", "escalation_cause_known"),
        migrations.AlterField(
            "escalation",
            "cause",
            models.CharField(choices=CAUSES, default="ladder", max_length=12, verbose_name="cause"),
        ),
        migrations.AddConstraint(
            "escalation",
            models.CheckConstraint(
                condition=models.Q(cause__in=[code for code, _label in CAUSES]), name="escalation_cause_known"
            ),
        ),
    ]
