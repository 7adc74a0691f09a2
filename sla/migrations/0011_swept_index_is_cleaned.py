"""The index of the sweep is cleaned of what has been swept.

Every sweep leaves dead entries at the very end of `commitment_next_check` where the next one begins to read. By default
a vacuum skips the indexes as long as less than 2 % of a table's pages hold dead rows, and comes only after 20 % of it
changed: with a million open clocks an idle pass would walk thousands of dead entries each second. Here it comes after a
thousand changes and always cleans the indexes (PostgreSQL 18, CREATE TABLE, Storage Parameters).
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sla", "0010_pace_and_troubles")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE sla_commitment SET (vacuum_index_cleanup = on, autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_threshold = 1000)",
            "ALTER TABLE sla_commitment RESET (vacuum_index_cleanup, autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_threshold)",
        )
    ]
