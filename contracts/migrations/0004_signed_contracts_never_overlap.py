"""Contracts never overlap once they are signed: a draft that was given up never covered a day (domain §2)."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0003_catalogue"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="contract", name="contract_never_overlaps"),
        migrations.AddConstraint(
            model_name="contract",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("signed_at__isnull", False)),
                expressions=[
                    (
                        models.Func(
                            models.F("starts_on"),
                            django.db.models.functions.comparison.Coalesce("terminated_on", "ends_on"),
                            django.contrib.postgres.fields.ranges.RangeBoundary(
                                inclusive_lower=True, inclusive_upper=True
                            ),
                            function="DATERANGE",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                    ("customer", "="),
                ],
                name="contract_never_overlaps",
                violation_error_message="Two contracts of one customer never overlap in time (domain §2).",
            ),
        ),
    ]
