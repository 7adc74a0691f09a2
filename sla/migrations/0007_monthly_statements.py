"""The frozen month; the database refuses an edit of what was closed, but for the mark of the outbox (domain §4.6)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLES = ("monthlystatement", "statementline", "statementcorrection", "statementanswer")

FORWARD = """
CREATE FUNCTION sla_statement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - 'notified_at') = (to_jsonb(OLD) - 'notified_at') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a closed month is never altered, a correction is a new row (domain 4.6)'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_stays';
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON sla_{table} "
    "FOR EACH ROW EXECUTE FUNCTION sla_statement_stays();\n"
    for table in TABLES
)
BACKWARD = (
    "".join(f"DROP TRIGGER {table}_stays ON sla_{table};\n" for table in TABLES)
    + "DROP FUNCTION sla_statement_stays();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0009_customer_search"),
        ("sla", "0006_ladder_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthlyStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="month, its first day")),
                ("closed_at", models.DateTimeField(verbose_name="closed at")),
                ("figures", models.JSONField(verbose_name="figures")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256 of figures and lines")),
                ("notified_at", models.DateTimeField(blank=True, null=True, verbose_name="letters written at")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="contracts.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "monthly statement",
                "verbose_name_plural": "monthly statements",
                "ordering": ["-month", "customer"],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("number", models.PositiveBigIntegerField(verbose_name="number of the request")),
                ("subject", models.CharField(max_length=200, verbose_name="subject")),
                ("language", models.CharField(max_length=2, verbose_name="language")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reaction", "reaction"),
                            ("resolution", "resolution"),
                            ("line_acceptance", "line acceptance"),
                            ("escalation_answer", "answer to an escalation"),
                        ],
                        max_length=20,
                        verbose_name="promise",
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(verbose_name="priority")),
                ("amount", models.PositiveIntegerField(verbose_name="promised amount")),
                (
                    "unit",
                    models.CharField(
                        choices=[("minutes", "minutes of service time"), ("working_days", "working days")],
                        max_length=12,
                        verbose_name="promised in",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("kept", "kept"),
                            ("missed", "missed"),
                            ("running", "still running"),
                            ("out", "not counted"),
                        ],
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("late", "fulfilled after the deadline"),
                            ("not_yet", "not fulfilled when the month was closed"),
                            ("ended", "the request ended after the deadline"),
                            ("agreed", "another deadline was agreed after it"),
                            ("replaced", "another promise took its place after the deadline"),
                        ],
                        max_length=10,
                        verbose_name="reason of the miss",
                    ),
                ),
                ("late", models.DurationField(blank=True, null=True, verbose_name="late by, business time")),
                ("round_the_clock", models.BooleanField(default=False, verbose_name="counted round the clock")),
                ("agreed", models.BooleanField(default=False, verbose_name="agreed individually")),
                ("restored", models.BooleanField(default=False, verbose_name="ended by a restore")),
                (
                    "commitment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statement_lines",
                        to="sla.commitment",
                        verbose_name="promise",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="sla.monthlystatement",
                        verbose_name="monthly statement",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a monthly statement",
                "verbose_name_plural": "lines of monthly statements",
                "ordering": ["statement", "position"],
            },
        ),
        migrations.CreateModel(
            name="StatementCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(verbose_name="number of the request")),
                (
                    "before",
                    models.CharField(
                        choices=[
                            ("kept", "kept"),
                            ("missed", "missed"),
                            ("running", "still running"),
                            ("out", "not counted"),
                        ],
                        max_length=8,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("kept", "kept"),
                            ("missed", "missed"),
                            ("running", "still running"),
                            ("out", "not counted"),
                        ],
                        max_length=8,
                        verbose_name="after",
                    ),
                ),
                ("cause", models.CharField(blank=True, max_length=40, verbose_name="cause")),
                ("happened_at", models.DateTimeField(blank=True, null=True, verbose_name="happened at")),
                ("why", models.TextField(blank=True, verbose_name="why")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("notified_at", models.DateTimeField(blank=True, null=True, verbose_name="letters written at")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "commitment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sla.commitment",
                        verbose_name="promise",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="sla.monthlystatement",
                        verbose_name="monthly statement",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="sla.statementline",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction of a monthly statement",
                "verbose_name_plural": "corrections of monthly statements",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="StatementAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[("acknowledged", "acknowledged"), ("disputed", "disputed"), ("answered", "answered")],
                        max_length=12,
                        verbose_name="what",
                    ),
                ),
                ("words", models.TextField(blank=True, verbose_name="words")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("notified_at", models.DateTimeField(blank=True, null=True, verbose_name="letters written at")),
                (
                    "about",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answer",
                        to="sla.statementanswer",
                        verbose_name="answers the dispute",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="sla.monthlystatement",
                        verbose_name="monthly statement",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="sla.statementline",
                        verbose_name="line",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer to a monthly statement",
                "verbose_name_plural": "answers to monthly statements",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.AddIndex(
            model_name="monthlystatement",
            index=models.Index(
                models.F("id"), condition=models.Q(("notified_at__isnull", True)), name="statement_outbox"
            ),
        ),
        migrations.AddIndex(
            model_name="monthlystatement",
            index=models.Index(
                models.OrderBy(models.F("month"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="statement_list",
            ),
        ),
        migrations.AddConstraint(
            model_name="monthlystatement",
            constraint=models.UniqueConstraint(fields=("customer", "month"), name="statement_once_a_month"),
        ),
        migrations.AddConstraint(
            model_name="monthlystatement",
            constraint=models.CheckConstraint(condition=models.Q(("month__day", 1)), name="statement_month_begins"),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.UniqueConstraint(fields=("statement", "position"), name="statement_line_position"),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.UniqueConstraint(fields=("statement", "commitment"), name="statement_line_once"),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["kept", "missed", "running"])), name="statement_line_outcome_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("late__isnull", False), ("outcome", "missed"), models.Q(("reason", ""), _negated=True)),
                    models.Q(("late__isnull", True), ("outcome__in", ["kept", "running"]), ("reason", "")),
                    _connector="OR",
                ),
                name="statement_line_miss_has_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="statementcorrection",
            index=models.Index(
                models.F("id"), condition=models.Q(("notified_at__isnull", True)), name="statement_correction_outbox"
            ),
        ),
        migrations.AddIndex(
            model_name="statementcorrection",
            index=models.Index(models.F("statement"), models.F("at"), models.F("id"), name="statement_corrections"),
        ),
        migrations.AddConstraint(
            model_name="statementcorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("before", models.F("after")), _negated=True), name="statement_correction_changes"
            ),
        ),
        migrations.AddConstraint(
            model_name="statementcorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("by__isnull", True), models.Q(("why", ""), _negated=True), _connector="OR"),
                name="statement_correction_by_a_person_says_why",
            ),
        ),
        migrations.AddIndex(
            model_name="statementanswer",
            index=models.Index(
                models.F("id"), condition=models.Q(("notified_at__isnull", True)), name="statement_answer_outbox"
            ),
        ),
        migrations.AddIndex(
            model_name="statementanswer",
            index=models.Index(models.F("statement"), models.F("at"), models.F("id"), name="statement_answers"),
        ),
        migrations.AddConstraint(
            model_name="statementanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("what", "acknowledged")), fields=("statement",), name="statement_acknowledged_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="statementanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("about__isnull", True), ("line__isnull", True), ("what", "acknowledged")),
                    models.Q(
                        ("about__isnull", True),
                        ("line__isnull", False),
                        ("what", "disputed"),
                        models.Q(("words", ""), _negated=True),
                    ),
                    models.Q(
                        ("about__isnull", False),
                        ("line__isnull", False),
                        ("what", "answered"),
                        models.Q(("words", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="statement_answer_whole",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
