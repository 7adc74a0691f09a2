"""Major incidents, the life of defects, one text for many requests (domain §3.3)."""

import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models


# As `event_append_only`: what happened to a defect or a major incident is never changed.
FORWARD = """
CREATE FUNCTION tickets_row_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what happened is never changed (domain 3.1)' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER defect_event_append_only BEFORE UPDATE ON tickets_defectevent
    FOR EACH ROW EXECUTE FUNCTION tickets_row_append_only();
CREATE TRIGGER major_note_append_only BEFORE UPDATE ON tickets_majornote
    FOR EACH ROW EXECUTE FUNCTION tickets_row_append_only();
"""
BACKWARD = """
DROP TRIGGER defect_event_append_only ON tickets_defectevent;
DROP TRIGGER major_note_append_only ON tickets_majornote;
DROP FUNCTION tickets_row_append_only();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_absences'),
        ('contracts', '0012_releases_published'),
        ('tickets', '0010_skills_and_who_is_next'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Broadcast',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('workaround', 'workaround of a defect'), ('released', 'a defect is fixed in a release'), ('note', 'note about a major incident'), ('solution', 'solution of a major incident')], max_length=10, verbose_name='kind')),
                ('text_ru', models.TextField(blank=True, verbose_name='text in Russian')),
                ('text_en', models.TextField(blank=True, verbose_name='text in English')),
                ('restores', models.BooleanField(default=False, verbose_name='service is back by it')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('key', models.CharField(blank=True, editable=False, max_length=64, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
            ],
            options={
                'verbose_name': 'message to many',
                'verbose_name_plural': 'messages to many',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='BroadcastItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(blank=True, choices=[('told', 'told'), ('restored', 'service is back'), ('solved', 'solved'), ('skipped', 'not done')], max_length=8, verbose_name='outcome')),
                ('why', models.CharField(blank=True, max_length=500, verbose_name='why not')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done')),
            ],
            options={
                'verbose_name': 'item of a message to many',
                'verbose_name_plural': 'items of a message to many',
                'ordering': ['broadcast', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='DefectEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=30, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
            ],
            options={
                'verbose_name': 'event of a defect',
                'verbose_name_plural': 'events of a defect',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MajorAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=300, verbose_name='what is to be done')),
                ('due_on', models.DateField(verbose_name='by')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done')),
            ],
            options={
                'verbose_name': 'action of a review',
                'verbose_name_plural': 'actions of a review',
                'ordering': ['due_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MajorChild',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_head', models.BooleanField(default=False, verbose_name='head ticket')),
                ('is_open', models.BooleanField(default=True, verbose_name='the incident is open')),
                ('linked_at', models.DateTimeField(verbose_name='linked at')),
            ],
            options={
                'verbose_name': 'ticket of a major incident',
                'verbose_name_plural': 'tickets of a major incident',
                'ordering': ['-is_head', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MajorIncident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('reason', models.TextField(verbose_name='why it is a major incident')),
                ('declared_at', models.DateTimeField(verbose_name='declared at')),
                ('state', django_fsm.FSMField(choices=[('open', 'open'), ('ended', 'over')], default='open', max_length=6, protected=True, verbose_name='state')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='over since')),
                ('what_happened', models.TextField(blank=True, verbose_name='what happened')),
                ('cause', models.TextField(blank=True, verbose_name='cause')),
                ('went_well', models.TextField(blank=True, verbose_name='what went well')),
                ('went_badly', models.TextField(blank=True, verbose_name='what went badly')),
                ('reviewed_at', models.DateTimeField(blank=True, null=True, verbose_name='reviewed at')),
            ],
            options={
                'verbose_name': 'major incident',
                'verbose_name_plural': 'major incidents',
                'ordering': ['-pk'],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='MajorNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('internal', 'among ourselves'), ('customers', 'to the customers'), ('fact', 'what happened')], max_length=9, verbose_name='kind')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('verb', models.CharField(blank=True, max_length=20, verbose_name='what')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
            ],
            options={
                'verbose_name': 'note of a major incident',
                'verbose_name_plural': 'notes of a major incident',
                'ordering': ['at', 'pk'],
            },
        ),
        # What stood there was written in the language of the desk.
        migrations.RenameField('defect', 'known_error', 'known_error_ru'),
        migrations.AlterField(
            model_name='defect',
            name='known_error_ru',
            field=models.TextField(blank=True, verbose_name='known error, in Russian'),
        ),
        migrations.AddField(
            model_name='defect',
            name='fixed_in',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fixes', to='contracts.release', verbose_name='fixed in'),
        ),
        migrations.AddField(
            model_name='defect',
            name='known_error_en',
            field=models.TextField(blank=True, verbose_name='known error, in English'),
        ),
        migrations.AddField(
            model_name='defect',
            name='workaround_en',
            field=models.TextField(blank=True, verbose_name='workaround, in English'),
        ),
        migrations.AddField(
            model_name='defect',
            name='workaround_ru',
            field=models.TextField(blank=True, verbose_name='workaround, in Russian'),
        ),
        migrations.AddField(
            model_name='message',
            name='language',
            field=models.CharField(blank=True, max_length=2, verbose_name='language'),
        ),
        migrations.AlterField(
            model_name='defect',
            name='state',
            field=django_fsm.FSMField(choices=[('reported', 'reported'), ('confirmed', 'confirmed'), ('fixed', 'fixed'), ('released', 'released'), ('rejected', 'rejected')], default='reported', max_length=10, protected=True, verbose_name='state'),
        ),
        migrations.AddIndex(
            model_name='defect',
            index=models.Index(models.F('state'), models.OrderBy(models.F('id'), descending=True), name='defect_of_state'),
        ),
        migrations.AddIndex(
            model_name='defect',
            index=models.Index(models.F('product'), models.OrderBy(models.F('id'), descending=True), name='defect_of_product'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('product'), models.F('opened_at'), condition=models.Q(('state__in', ['new', 'in_progress', 'awaiting_customer'])), name='ticket_of_product'),
        ),
        migrations.AddConstraint(
            model_name='defect',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['reported', 'confirmed', 'fixed', 'released', 'rejected'])), name='defect_state_known'),
        ),
        migrations.AddConstraint(
            model_name='defect',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'released'), _negated=True), ('fixed_in__isnull', False), _connector='OR'), name='defect_released_in_a_release'),
        ),
        migrations.AddField(
            model_name='broadcast',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='broadcast',
            name='defect',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='broadcasts', to='tickets.defect', verbose_name='defect'),
        ),
        migrations.AddField(
            model_name='broadcastitem',
            name='broadcast',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='tickets.broadcast', verbose_name='message to many'),
        ),
        migrations.AddField(
            model_name='broadcastitem',
            name='ticket',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tickets.ticket', verbose_name='ticket'),
        ),
        migrations.AddField(
            model_name='defectevent',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='defectevent',
            name='defect',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='tickets.defect', verbose_name='defect'),
        ),
        migrations.AddField(
            model_name='majoraction',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who does it'),
        ),
        migrations.AddField(
            model_name='majorchild',
            name='linked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='linked by'),
        ),
        migrations.AddField(
            model_name='majorchild',
            name='ticket',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='majors', to='tickets.ticket', verbose_name='ticket'),
        ),
        migrations.AddField(
            model_name='majorincident',
            name='coordinator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='coordinator'),
        ),
        migrations.AddField(
            model_name='majorincident',
            name='declared_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='declared by'),
        ),
        migrations.AddField(
            model_name='majorincident',
            name='head',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='major', to='tickets.ticket', verbose_name='head ticket'),
        ),
        migrations.AddField(
            model_name='majorincident',
            name='reviewed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reviewed by'),
        ),
        migrations.AddField(
            model_name='majorchild',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='children', to='tickets.majorincident', verbose_name='major incident'),
        ),
        migrations.AddField(
            model_name='majoraction',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='tickets.majorincident', verbose_name='major incident'),
        ),
        migrations.AddField(
            model_name='broadcast',
            name='major',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='broadcasts', to='tickets.majorincident', verbose_name='major incident'),
        ),
        migrations.AddField(
            model_name='majornote',
            name='broadcast',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='note', to='tickets.broadcast', verbose_name='message to many'),
        ),
        migrations.AddField(
            model_name='majornote',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='majornote',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='tickets.majorincident', verbose_name='major incident'),
        ),
        migrations.AddIndex(
            model_name='broadcastitem',
            index=models.Index(models.F('broadcast'), models.F('id'), condition=models.Q(('outcome', '')), name='broadcast_item_waiting'),
        ),
        migrations.AddConstraint(
            model_name='broadcastitem',
            constraint=models.UniqueConstraint(fields=('broadcast', 'ticket'), name='broadcast_item_once'),
        ),
        migrations.AddConstraint(
            model_name='broadcastitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('outcome', '')), models.Q(('done_at__isnull', False), ('outcome__in', ['told', 'restored', 'solved', 'skipped'])), _connector='OR'), name='broadcast_item_outcome_whole'),
        ),
        migrations.AddIndex(
            model_name='defectevent',
            index=models.Index(models.F('defect'), models.F('at'), models.F('id'), name='defect_history'),
        ),
        migrations.AddIndex(
            model_name='majorincident',
            index=models.Index(models.OrderBy(models.F('id'), descending=True), condition=models.Q(('state', 'open')), name='major_open'),
        ),
        migrations.AddConstraint(
            model_name='majorincident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'open')), models.Q(('ended_at__isnull', False), ('state', 'ended'), models.Q(('what_happened', ''), _negated=True)), _connector='OR'), name='major_ended_whole'),
        ),
        migrations.AddConstraint(
            model_name='majorincident',
            constraint=models.CheckConstraint(condition=models.Q(('reviewed_at__isnull', True), models.Q(('reviewed_by__isnull', False), ('state', 'ended')), _connector='OR'), name='major_reviewed_at_the_end'),
        ),
        migrations.AddConstraint(
            model_name='majorchild',
            constraint=models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('ticket',), name='major_one_open_a_ticket', violation_error_message='The request belongs to an open major incident already.'),
        ),
        migrations.AddConstraint(
            model_name='majorchild',
            constraint=models.UniqueConstraint(fields=('incident', 'ticket'), name='major_child_once'),
        ),
        migrations.AddConstraint(
            model_name='majorchild',
            constraint=models.UniqueConstraint(condition=models.Q(('is_head', True)), fields=('incident',), name='major_one_head'),
        ),
        migrations.AddConstraint(
            model_name='majoraction',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='major_action_has_words'),
        ),
        migrations.AddIndex(
            model_name='broadcast',
            index=models.Index(models.F('id'), condition=models.Q(('finished_at__isnull', True)), name='broadcast_at_work'),
        ),
        migrations.AddConstraint(
            model_name='broadcast',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('defect__isnull', False), ('kind__in', ['workaround', 'released']), ('major__isnull', True)), models.Q(('defect__isnull', True), ('kind__in', ['note', 'solution']), ('major__isnull', False)), _connector='OR'), name='broadcast_of_one'),
        ),
        migrations.AddConstraint(
            model_name='broadcast',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'released'), models.Q(('text_en', ''), ('text_ru', ''), _negated=True), _connector='OR'), name='broadcast_has_words'),
        ),
        migrations.AddConstraint(
            model_name='broadcast',
            constraint=models.UniqueConstraint(condition=models.Q(('key__isnull', False)), fields=('by', 'key'), name='broadcast_sent_once'),
        ),
        migrations.AddIndex(
            model_name='majornote',
            index=models.Index(models.F('incident'), models.F('at'), models.F('id'), name='major_timeline'),
        ),
        migrations.AddConstraint(
            model_name='majornote',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('broadcast__isnull', True), ('kind', 'internal'), ('verb', ''), models.Q(('text', ''), _negated=True)), models.Q(('broadcast__isnull', False), ('kind', 'customers'), ('verb', '')), models.Q(('broadcast__isnull', True), ('kind', 'fact'), models.Q(('verb', ''), _negated=True)), _connector='OR'), name='major_note_whole'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
