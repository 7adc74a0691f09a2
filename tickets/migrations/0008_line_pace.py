"""How fast each line lately was: what forecasts are made from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_absences'),
        ('tickets', '0007_composer'),
    ]

    operations = [
        migrations.CreateModel(
            name='LinePace',
            fields=[
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pace', serialize=False, to='accounts.line', verbose_name='line of support')),
                ('parts', models.JSONField(default=dict, verbose_name='parts of the target')),
                ('best_day', models.PositiveIntegerField(default=0, verbose_name='most in one day')),
                ('days_outside', models.PositiveIntegerField(default=0, verbose_name='days with work outside office hours')),
                ('counted_at', models.DateTimeField(verbose_name='counted as of')),
            ],
            options={
                'verbose_name': 'pace of a line',
                'verbose_name_plural': 'paces of the lines',
                'ordering': ['line'],
            },
        ),
    ]
