"""The lists of coverage gaps (contracts/views/renewals.py)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0009_customer_search'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='coveragegap',
            index=models.Index(models.F('starts_on'), models.F('id'), condition=models.Q(('ended_on__isnull', True)), name='gap_open_by_start'),
        ),
        migrations.AddIndex(
            model_name='coveragegap',
            index=models.Index(models.OrderBy(models.F('ended_on'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('ended_on__isnull', False)), name='gap_ended_latest'),
        ),
    ]
