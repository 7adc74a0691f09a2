"""The edition of the catalogue: a row whose number is new after every change of a table that processes keep.

They fire always, also where an import has turned the others off (`session_replication_role`): a process must hear of it.
Statement triggers, so that an import of a thousand rows makes one step. The number is drawn from a sequence: one that a
rolled-back change has drawn is never drawn again.
"""

from django.db import migrations, models

KEPT = (
    "accounts_line",
    "contracts_service",
    "contracts_channel",
    "contracts_topic",
    "contracts_package",
    "contracts_packageterms",
    "contracts_packageterms_services",
    "contracts_termstarget",
    "sla_calendar",
    "sla_calendarversion",
    "sla_ladder",
    "sla_ladderstep",
)

FORWARD = """
CREATE SEQUENCE contracts_catalogue_edition_number;
CREATE FUNCTION contracts_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contracts_catalogueedition (id, number) VALUES (1, nextval('contracts_catalogue_edition_number'))
    ON CONFLICT (id) DO UPDATE SET number = EXCLUDED.number;
    RETURN NULL;
END $$;
INSERT INTO contracts_catalogueedition (id, number) VALUES (1, nextval('contracts_catalogue_edition_number'));
""" + "".join(
    f"""
CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION contracts_catalogue_changed();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER catalogue_changed;"""
    for table in KEPT
)
BACKWARD = (
    "".join(f"DROP TRIGGER catalogue_changed ON {table};" for table in KEPT)
    + "DROP FUNCTION contracts_catalogue_changed(); DROP SEQUENCE contracts_catalogue_edition_number;"
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_single_keys"),
        ("contracts", "0012_releases_published"),
        ("sla", "0010_pace_and_troubles"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueEdition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(verbose_name="number")),
            ],
            options={
                "verbose_name": "edition of the catalogue",
                "verbose_name_plural": "editions of the catalogue",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="catalogue_edition_one_row")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
