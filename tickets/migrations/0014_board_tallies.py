"""What the board counts, kept by the database: the ledgers, the triggers that write them, and the indexes of its counts and heads.

The triggers are of statements: a sweep of a thousand rows makes a few steps. Updates that change nothing that is counted
cancel out and write nothing.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

# One row for each promise that counts, of a relation that is named: its key, and whether it was kept or missed.
COUNTED = """
    SELECT {sign} AS sign, ticket_id, priority, agreed, ending,
        ((CASE ending WHEN 'met' THEN stopped_at ELSE due_at END) AT TIME ZONE 'Europe/Moscow')::date AS day
    FROM {of} WHERE kind IN ('reaction', 'resolution') AND ending IN ('met', 'missed')
"""
STEPS = """
    INSERT INTO tickets_promisetally (day, line_id, package_id, priority, agreed, met, missed)
    SELECT c.day, t.line_id, p.package_id, c.priority, c.agreed,
        sum(c.sign * (c.ending = 'met')::int), sum(c.sign * (c.ending = 'missed')::int)
    FROM ({counted}) c JOIN tickets_ticket t ON t.id = c.ticket_id JOIN contracts_packageterms p ON p.id = t.terms_id
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(c.sign * (c.ending = 'met')::int) <> 0 OR sum(c.sign * (c.ending = 'missed')::int) <> 0;
"""
ADDED = COUNTED.format(sign="1", of="added")
GONE = COUNTED.format(sign="-1", of="gone")

FORWARD = f"""
CREATE FUNCTION tickets_promise_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {STEPS.format(counted=ADDED)}
    ELSIF TG_OP = 'DELETE' THEN
        {STEPS.format(counted=GONE)}
    ELSE
        {STEPS.format(counted=ADDED + " UNION ALL " + GONE)}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER promise_tally_added AFTER INSERT ON sla_commitment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_promise_tally();
CREATE TRIGGER promise_tally_changed AFTER UPDATE ON sla_commitment
    REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_promise_tally();
CREATE TRIGGER promise_tally_gone AFTER DELETE ON sla_commitment REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_promise_tally();

-- A ticket goes to another line, or another package holds for it: what was counted for it moves along.
CREATE FUNCTION tickets_promise_tally_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tickets_promisetally (day, line_id, package_id, priority, agreed, met, missed)
    SELECT c.day, side.line_id, p.package_id, c.priority, c.agreed,
        sum(side.sign * (c.ending = 'met')::int), sum(side.sign * (c.ending = 'missed')::int)
    FROM ({COUNTED.format(sign="1", of="sla_commitment")} AND ticket_id = NEW.id) c
    CROSS JOIN (VALUES (1, NEW.line_id, NEW.terms_id), (-1, OLD.line_id, OLD.terms_id)) side(sign, line_id, terms_id)
    JOIN contracts_packageterms p ON p.id = side.terms_id
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(side.sign * (c.ending = 'met')::int) <> 0 OR sum(side.sign * (c.ending = 'missed')::int) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER promise_tally_moves AFTER UPDATE ON tickets_ticket
    FOR EACH ROW WHEN ((OLD.line_id, OLD.terms_id) IS DISTINCT FROM (NEW.line_id, NEW.terms_id))
    EXECUTE FUNCTION tickets_promise_tally_moves();

CREATE FUNCTION tickets_rating_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO tickets_ratingtally (day, ratings, score)
        VALUES ((OLD.at AT TIME ZONE 'Europe/Moscow')::date, -1, -OLD.score);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tickets_ratingtally (day, ratings, score)
        VALUES ((NEW.at AT TIME ZONE 'Europe/Moscow')::date, 1, NEW.score);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rating_tally AFTER INSERT OR UPDATE OR DELETE ON tickets_rating
    FOR EACH ROW EXECUTE FUNCTION tickets_rating_tally();

-- Counts everything anew: once here, and after an import that turned the triggers off.
CREATE FUNCTION tickets_tally_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE tickets_promisetally, tickets_ratingtally IN EXCLUSIVE MODE;
    DELETE FROM tickets_promisetally;
    DELETE FROM tickets_ratingtally;
    {STEPS.format(counted=COUNTED.format(sign="1", of="sla_commitment"))}
    INSERT INTO tickets_ratingtally (day, ratings, score)
    SELECT (at AT TIME ZONE 'Europe/Moscow')::date, count(*), sum(score) FROM tickets_rating GROUP BY 1;
END $$;
SELECT tickets_tally_anew();
"""
BACKWARD = """
DROP TRIGGER promise_tally_added ON sla_commitment;
DROP TRIGGER promise_tally_changed ON sla_commitment;
DROP TRIGGER promise_tally_gone ON sla_commitment;
DROP TRIGGER promise_tally_moves ON tickets_ticket;
DROP TRIGGER rating_tally ON tickets_rating;
DROP FUNCTION tickets_promise_tally();
DROP FUNCTION tickets_promise_tally_moves();
DROP FUNCTION tickets_rating_tally();
DROP FUNCTION tickets_tally_anew();
"""
OPEN = Q(("state__in", ["new", "in_progress", "awaiting_customer"]))


def key() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_single_keys"),
        ("contracts", "0013_catalogue_edition"),
        ("sla", "0010_pace_and_troubles"),
        ("tickets", "0013_portal_drafts_and_looking_first"),
    ]

    operations = [
        migrations.CreateModel(
            name="PromiseTally",
            fields=[
                ("id", key()),
                ("day", models.DateField(verbose_name="day")),
                ("priority", models.PositiveSmallIntegerField(verbose_name="priority")),
                ("agreed", models.BooleanField(verbose_name="agreed individually")),
                ("met", models.IntegerField(verbose_name="kept")),
                ("missed", models.IntegerField(verbose_name="missed")),
                (
                    "line",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.line",
                        verbose_name="line",
                    ),
                ),
                (
                    "package",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contracts.package",
                        verbose_name="package",
                    ),
                ),
            ],
            options={
                "verbose_name": "step of the promises' tally",
                "verbose_name_plural": "tally of promises",
                "indexes": [models.Index("day", name="promise_tally_day")],
                "constraints": [
                    models.CheckConstraint(condition=~Q(("met", 0), ("missed", 0)), name="promise_tally_counts")
                ],
            },
        ),
        migrations.CreateModel(
            name="RatingTally",
            fields=[
                ("id", key()),
                ("day", models.DateField(verbose_name="day")),
                ("ratings", models.IntegerField(verbose_name="ratings")),
                ("score", models.IntegerField(verbose_name="sum of the scores")),
            ],
            options={
                "verbose_name": "step of the ratings' tally",
                "verbose_name_plural": "tally of ratings",
                "indexes": [models.Index("day", name="rating_tally_day")],
            },
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index("opened_at", condition=OPEN, name="ticket_age"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                "priority", condition=Q(("assignee__isnull", True)) & OPEN, name="ticket_nobodys"
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                "assignee", "id", condition=Q(("assignee__isnull", False), ("state", "new")), name="ticket_given"
            ),
        ),
        migrations.AddIndex(
            model_name="rating",
            index=models.Index("at", condition=Q(("score__lte", 2)), name="rating_low"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
