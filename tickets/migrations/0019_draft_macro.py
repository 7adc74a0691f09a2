"""A draft keeps the macro that its words came with: what it does was lost by a reload, while its words said it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0018_learn_who_asked")]
    operations = [
        migrations.AddField(
            model_name="draft",
            name="macro",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tickets.macro",
                verbose_name="macro",
            ),
        ),
    ]
