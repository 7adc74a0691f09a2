"""What the life of a contract needs: its log, offers, gaps, documents, changes of the contact (domain §1.1, §2)."""

import contracts.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0005_clause_target_whole'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='until')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('state', models.CharField(choices=[('asked', 'waits for both sides'), ('agreed', 'agreed'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='asked', max_length=10, verbose_name='state')),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
                ('customer_agreed_at', models.DateTimeField(blank=True, null=True, verbose_name='the customer agreed')),
                ('customer_evidence', models.CharField(blank=True, max_length=300, verbose_name='how the customer agreed')),
                ('vendor_agreed_at', models.DateTimeField(blank=True, null=True, verbose_name='we agreed')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='settled')),
                ('words', models.CharField(blank=True, max_length=300, verbose_name='why not')),
            ],
            options={
                'verbose_name': 'change of the responsible contact',
                'verbose_name_plural': 'changes of responsible contacts',
                'ordering': ['-asked_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ContractDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=2, verbose_name='language')),
                ('body', models.BinaryField(verbose_name='PDF')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('made_at', models.DateTimeField(verbose_name='made')),
            ],
            options={
                'verbose_name': 'document of a contract',
                'verbose_name_plural': 'documents of contracts',
            },
        ),
        migrations.CreateModel(
            name='ContractEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=30, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
                ('notified_at', models.DateTimeField(blank=True, null=True, verbose_name='letters written at')),
            ],
            options={
                'verbose_name': 'event of a contract',
                'verbose_name_plural': 'events of contracts',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='CoverageGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='from')),
                ('ended_on', models.DateField(blank=True, null=True, verbose_name='last day')),
                ('noticed_at', models.DateTimeField(verbose_name='noticed')),
            ],
            options={
                'verbose_name': 'coverage gap',
                'verbose_name_plural': 'coverage gaps',
                'ordering': ['starts_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='RenewalOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('days_ahead', models.PositiveSmallIntegerField(verbose_name='days ahead')),
                ('offered_at', models.DateTimeField(verbose_name='offered')),
                ('total', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='price of the term, EUR')),
                ('answer', models.CharField(blank=True, choices=[('accepted', 'accepted'), ('declined', 'declined')], max_length=8, verbose_name='answer')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='answered')),
                ('words', models.CharField(blank=True, max_length=500, verbose_name='in their words')),
            ],
            options={
                'verbose_name': 'offer to renew',
                'verbose_name_plural': 'offers to renew',
                'ordering': ['contract', '-days_ahead'],
            },
        ),
        # The same name, now with `pricing.anniversary`'s end of a year that begins on 29 February.
        migrations.RemoveConstraint(model_name='contract', name='contract_one_year_at_least'),
        migrations.AddConstraint(
            model_name='contract',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on__gte', contracts.models.LastDay(models.F('starts_on')))), name='contract_one_year_at_least', violation_error_message='A contract runs at least one year (domain §1.7.3).'),
        ),
        migrations.RemoveConstraint(
            model_name='contractline',
            name='contract_line_not_negative',
        ),
        migrations.AddField(
            model_name='contractclause',
            name='ends_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='until'),
        ),
        migrations.AddField(
            model_name='contractclause',
            name='starts_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='from'),
        ),
        migrations.AddField(
            model_name='contractline',
            name='cost',
            field=models.DecimalField(decimal_places=2, default=0, max_digits=12, verbose_name='licence cost, EUR'),
        ),
        migrations.AddField(
            model_name='contractline',
            name='is_added',
            field=models.BooleanField(default=False, verbose_name='added after the signing'),
        ),
        migrations.RunSQL(
            """UPDATE contracts_contractline line SET cost = licence.cost, is_added = line.starts_on > contract.starts_on
               FROM contracts_licence licence, contracts_contract contract
               WHERE licence.id = line.licence_id AND contract.id = line.contract_id""",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name='contract',
            index=models.Index(models.F('state'), models.F('ends_on'), models.F('id'), name='contract_by_end'),
        ),
        migrations.AddIndex(
            model_name='contract',
            index=models.Index(models.F('ends_on'), models.F('id'), name='contract_by_any_end'),
        ),
        migrations.AddConstraint(
            model_name='contractclause',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('starts_at__isnull', True), ('ends_at__gte', models.F('starts_at')), _connector='OR'), name='clause_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='contractline',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('cost__gte', 0)), name='contract_line_not_negative'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='closed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contact_changes', to='contracts.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='customer_agreed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='agreed for the customer'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who takes over'),
        ),
        migrations.AddField(
            model_name='contactchange',
            name='vendor_agreed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='agreed for us'),
        ),
        migrations.AddField(
            model_name='responsiblecontact',
            name='change',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='contracts.contactchange', verbose_name='change of the contact'),
        ),
        migrations.AddField(
            model_name='contractdocument',
            name='contract',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='contracts.contract', verbose_name='contract'),
        ),
        migrations.AddField(
            model_name='contractevent',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='contractevent',
            name='contract',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='contracts.contract', verbose_name='contract'),
        ),
        migrations.AddField(
            model_name='contractevent',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contract_events', to='contracts.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='coveragegap',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gaps', to='contracts.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='renewaloffer',
            name='answered_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered by'),
        ),
        migrations.AddField(
            model_name='renewaloffer',
            name='contract',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='contracts.contract', verbose_name='contract that ends'),
        ),
        migrations.AddField(
            model_name='renewaloffer',
            name='successor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offered_by', to='contracts.contract', verbose_name='successor'),
        ),
        migrations.AddConstraint(
            model_name='contactchange',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('customer',), name='contact_change_one_open', violation_error_message='A change of the contact waits for its answer already.'),
        ),
        migrations.AddConstraint(
            model_name='contactchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'agreed'), _negated=True), models.Q(('closed_at__isnull', False), ('customer_agreed_at__isnull', False), ('vendor_agreed_at__isnull', False)), _connector='OR'), name='contact_change_agreed_by_both'),
        ),
        migrations.AddConstraint(
            model_name='contactchange',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='contact_change_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='contactchange',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asked', 'agreed', 'refused', 'withdrawn'])), name='contact_change_state_known'),
        ),
        migrations.AddConstraint(
            model_name='contractdocument',
            constraint=models.UniqueConstraint(fields=('contract', 'language'), name='document_once'),
        ),
        migrations.AddIndex(
            model_name='contractevent',
            index=models.Index(models.F('id'), condition=models.Q(('notified_at__isnull', True)), name='contract_event_outbox'),
        ),
        migrations.AddIndex(
            model_name='contractevent',
            index=models.Index(models.F('customer'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='contract_event_log'),
        ),
        migrations.AddConstraint(
            model_name='coveragegap',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_on__isnull', True)), fields=('customer',), name='gap_one_open'),
        ),
        migrations.AddConstraint(
            model_name='coveragegap',
            constraint=models.CheckConstraint(condition=models.Q(('ended_on__isnull', True), ('ended_on__gte', models.F('starts_on')), _connector='OR'), name='gap_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='renewaloffer',
            constraint=models.UniqueConstraint(fields=('contract', 'days_ahead'), name='renewal_offered_once'),
        ),
        migrations.AddConstraint(
            model_name='renewaloffer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True)), models.Q(('answer__in', ['accepted', 'declined']), ('answered_at__isnull', False)), _connector='OR'), name='renewal_answer_whole'),
        ),
        migrations.AlterField(
            model_name='contractline',
            name='cost',
            field=models.DecimalField(decimal_places=2, max_digits=12, verbose_name='licence cost, EUR'),
        ),
    ]
