"""Articles, their versions and votes; the words of a version are written by the database itself (domain §6)."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION knowledge_version_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.document := setweight(search_vector(NEW.title), 'A') || setweight(search_vector(NEW.body), 'C');
    RETURN NEW;
END $$;
CREATE TRIGGER version_words BEFORE INSERT OR UPDATE OF title, body ON knowledge_articleversion
    FOR EACH ROW EXECUTE FUNCTION knowledge_version_words();
"""
BACKWARD = "DROP TRIGGER version_words ON knowledge_articleversion; DROP FUNCTION knowledge_version_words();"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contracts', '0011_search_text'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Article',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=120, unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('body', models.TextField(max_length=100000, verbose_name='text')),
                ('language', models.CharField(choices=[('ru', 'Russian'), ('en', 'English')], default='ru', max_length=2, verbose_name='language')),
                ('audience', models.CharField(choices=[('public', 'customers and partners'), ('internal', 'only we')], default='public', max_length=10, verbose_name='for whom')),
                ('state', django_fsm.FSMField(choices=[('draft', 'draft'), ('review', 'in review'), ('published', 'published'), ('archived', 'archived')], default='draft', max_length=10, protected=True, verbose_name='state')),
                ('created_at', models.DateTimeField(verbose_name='written at')),
                ('changed_at', models.DateTimeField(verbose_name='last change')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='articles', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('product', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='articles', to='contracts.product', verbose_name='product')),
                ('release', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='articles', to='contracts.release', verbose_name='release')),
            ],
            options={
                'verbose_name': 'article',
                'verbose_name_plural': 'articles',
                'ordering': ['-changed_at', '-pk'],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='ArticleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('body', models.TextField(verbose_name='text')),
                ('at', models.DateTimeField(verbose_name='sent at')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published at')),
                ('returned_at', models.DateTimeField(blank=True, null=True, verbose_name='given back at')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('document', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='knowledge.article', verbose_name='article')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='sent by')),
                ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reviewer')),
            ],
            options={
                'verbose_name': 'version of an article',
                'verbose_name_plural': 'versions of articles',
                'ordering': ['-number'],
            },
        ),
        migrations.AddField(
            model_name='article',
            name='published',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='knowledge.articleversion', verbose_name='published'),
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('helped', models.BooleanField(verbose_name='helped')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='votes', to='knowledge.article', verbose_name='article')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'vote',
                'verbose_name_plural': 'votes',
            },
        ),
        migrations.AddIndex(
            model_name='articleversion',
            index=django.contrib.postgres.indexes.GinIndex(fields=['document'], name='article_words'),
        ),
        migrations.AddConstraint(
            model_name='articleversion',
            constraint=models.UniqueConstraint(fields=('article', 'number'), name='article_version_once'),
        ),
        migrations.AddConstraint(
            model_name='articleversion',
            constraint=models.CheckConstraint(condition=models.Q(('published_at__isnull', True), models.Q(('reviewer__isnull', False), models.Q(('reviewer', models.F('by')), _negated=True)), _connector='OR'), name='article_published_by_another'),
        ),
        migrations.AddConstraint(
            model_name='articleversion',
            constraint=models.CheckConstraint(condition=models.Q(('returned_at__isnull', True), models.Q(('reviewer__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='article_returned_with_reason'),
        ),
        migrations.AddIndex(
            model_name='article',
            index=models.Index(models.OrderBy(models.F('changed_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='article_last_changed'),
        ),
        migrations.AddIndex(
            model_name='article',
            index=models.Index(models.F('product'), models.F('id'), name='article_of_product'),
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'review', 'published', 'archived'])), name='article_state_known'),
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(('audience__in', ['public', 'internal'])), name='article_audience_known'),
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('body', ''), _negated=True)), name='article_says_something'),
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), ('published__isnull', False), _connector='OR'), name='article_published_has_version'),
        ),
        migrations.AddConstraint(
            model_name='vote',
            constraint=models.UniqueConstraint(fields=('article', 'person'), name='vote_once_a_person'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
