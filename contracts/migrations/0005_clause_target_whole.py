"""A clause with a kind of promise has a priority and minutes too: a CHECK that came out null let half of one through."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0004_signed_contracts_never_overlap"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="contractclause", name="clause_target_whole"),
        migrations.AddConstraint(
            model_name="contractclause",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", ""), ("minutes__isnull", True), ("priority__isnull", True)),
                    models.Q(
                        models.Q(("kind", ""), _negated=True),
                        ("minutes__gt", 0),
                        ("minutes__isnull", False),
                        ("priority__isnull", False),
                        ("priority__range", (1, 4)),
                    ),
                    _connector="OR",
                ),
                name="clause_target_whole",
            ),
        ),
    ]
