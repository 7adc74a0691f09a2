"""Releases and critical patches are published, with a register of who was told (domain §1.2, §6)."""

import contracts.models.publications
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0011_search_text'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReleasePublication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('release', 'release'), ('patch', 'critical patch')], default='release', max_length=8, verbose_name='kind')),
                ('deployment', models.CharField(blank=True, choices=[('on-site', 'on-site'), ('on-demand', 'on-demand')], max_length=10, verbose_name='deployment')),
                ('notes_ru', models.TextField(verbose_name='what is new, in Russian')),
                ('notes_en', models.TextField(blank=True, verbose_name='what is new, in English')),
                ('prepared_at', models.DateTimeField(verbose_name='prepared at')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published at')),
                ('from_versions', models.ManyToManyField(blank=True, related_name='updated_by', to='contracts.release', verbose_name='from which versions')),
                ('prepared_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='prepared by')),
                ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='published by')),
                ('release', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='publication', to='contracts.release', verbose_name='release')),
            ],
            options={
                'verbose_name': 'published release',
                'verbose_name_plural': 'published releases',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ReleaseNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('told_at', models.DateTimeField(verbose_name='told at')),
                ('notified_at', models.DateTimeField(blank=True, null=True, verbose_name='letters written at')),
                ('downloads', models.PositiveIntegerField(default=0, verbose_name='downloads')),
                ('first_downloaded_at', models.DateTimeField(blank=True, null=True, verbose_name='downloaded at')),
                ('installed_at', models.DateTimeField(blank=True, null=True, verbose_name='installed at')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='responsible contact')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_notices', to='contracts.customer', verbose_name='customer')),
                ('first_downloaded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('installed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='contracts.releasepublication', verbose_name='published release')),
            ],
            options={
                'verbose_name': 'notice of a release',
                'verbose_name_plural': 'notices of a release',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ReleaseFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('program', 'distribution'), ('papers', 'documentation')], default='program', max_length=8, verbose_name='kind')),
                ('file', models.FileField(max_length=160, upload_to=contracts.models.publications.release_path, verbose_name='file')),
                ('name', models.CharField(max_length=160, verbose_name='name')),
                ('size', models.PositiveBigIntegerField(verbose_name='bytes')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='contracts.releasepublication', verbose_name='published release')),
            ],
            options={
                'verbose_name': 'file of a release',
                'verbose_name_plural': 'files of a release',
                'ordering': ['-kind', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReleaseReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('notified_at', models.DateTimeField(blank=True, null=True, verbose_name='letters written at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to='contracts.releasenotice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'reminder of a release',
                'verbose_name_plural': 'reminders of a release',
                'ordering': ['-pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='releasepublication',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['release', 'patch'])), name='publication_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='releasepublication',
            constraint=models.CheckConstraint(condition=models.Q(('deployment__in', ['', 'on-site', 'on-demand'])), name='publication_deployment_known'),
        ),
        migrations.AddConstraint(
            model_name='releasepublication',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('published_by__isnull', True)), models.Q(('published_at__isnull', False), ('published_by__isnull', False)), _connector='OR'), name='publication_published_whole'),
        ),
        migrations.AddIndex(
            model_name='releasenotice',
            index=models.Index(models.F('customer'), models.OrderBy(models.F('id'), descending=True), name='release_notice_of_customer'),
        ),
        migrations.AddIndex(
            model_name='releasenotice',
            index=models.Index(models.F('id'), condition=models.Q(('notified_at__isnull', True)), name='release_notice_outbox'),
        ),
        migrations.AddConstraint(
            model_name='releasenotice',
            constraint=models.UniqueConstraint(fields=('publication', 'customer'), name='release_notice_once'),
        ),
        migrations.AddConstraint(
            model_name='releasenotice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('downloads', 0), ('first_downloaded_at__isnull', True), ('first_downloaded_by__isnull', True)), models.Q(('downloads__gt', 0), ('first_downloaded_at__isnull', False), ('first_downloaded_by__isnull', False)), _connector='OR'), name='release_notice_downloads_whole'),
        ),
        migrations.AddConstraint(
            model_name='releasenotice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('installed_at__isnull', True), ('installed_by__isnull', True)), models.Q(('installed_at__isnull', False), ('installed_by__isnull', False)), _connector='OR'), name='release_notice_installed_whole'),
        ),
        migrations.AddConstraint(
            model_name='releasefile',
            constraint=models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='release_file_sum_whole'),
        ),
        migrations.AddIndex(
            model_name='releasereminder',
            index=models.Index(models.F('id'), condition=models.Q(('notified_at__isnull', True)), name='release_reminder_outbox'),
        ),
    ]
