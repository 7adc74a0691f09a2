"""Imports: a file after its dry run, with the verdict of each row (domain §2)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0007_signed_stays'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('customers', 'customers'), ('licences', 'licences'), ('contacts', 'contacts')], max_length=10, verbose_name='what')),
                ('file_name', models.CharField(max_length=200, verbose_name='file')),
                ('state', models.CharField(choices=[('checked', 'waits for a decision'), ('imported', 'imported'), ('dropped', 'dropped')], default='checked', max_length=10, verbose_name='state')),
                ('checked_at', models.DateTimeField(verbose_name='when')),
                ('imported_at', models.DateTimeField(blank=True, null=True, verbose_name='imported at')),
                ('dropped_at', models.DateTimeField(blank=True, null=True, verbose_name='dropped at')),
                ('new', models.PositiveIntegerField(default=0, verbose_name='new rows')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='changed rows')),
                ('same', models.PositiveIntegerField(default=0, verbose_name='same rows')),
                ('bad', models.PositiveIntegerField(default=0, verbose_name='bad rows')),
                ('warned', models.PositiveIntegerField(default=0, verbose_name='rows with a warning')),
                ('ignored_columns', models.JSONField(blank=True, default=list, verbose_name='columns left out')),
                ('missing_columns', models.JSONField(blank=True, default=list, verbose_name='columns that the file does not have')),
                ('ignored_sheets', models.JSONField(blank=True, default=list, verbose_name='sheets left out')),
                ('checked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='row of the file')),
                ('verdict', models.CharField(choices=[('new', 'new'), ('changed', 'changed'), ('same', 'same'), ('bad', 'bad')], max_length=10, verbose_name='verdict')),
                ('cells', models.JSONField(default=dict, verbose_name='cells')),
                ('surplus', models.PositiveSmallIntegerField(default=0, verbose_name='cells beyond the headings')),
                ('problems', models.JSONField(blank=True, default=list, verbose_name='problems')),
                ('warnings', models.JSONField(blank=True, default=list, verbose_name='warnings')),
                ('changes', models.JSONField(blank=True, default=list, verbose_name='changes')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='contracts.importrun', verbose_name='import')),
            ],
            options={
                'verbose_name': 'row of an import',
                'verbose_name_plural': 'rows of imports',
                'ordering': ['run', 'number'],
            },
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('dropped_at__isnull', True), ('imported_at__isnull', True), ('state', 'checked')), models.Q(('decided_by__isnull', False), ('dropped_at__isnull', True), ('imported_at__isnull', False), ('state', 'imported')), models.Q(('decided_by__isnull', False), ('dropped_at__isnull', False), ('imported_at__isnull', True), ('state', 'dropped')), _connector='OR'), name='import_decided_whole'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['customers', 'licences', 'contacts'])), name='import_kind_known'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(fields=['run', 'verdict', 'number'], name='import_row_by_verdict'),
        ),
        migrations.AddConstraint(
            model_name='importrow',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='import_row_once'),
        ),
    ]
