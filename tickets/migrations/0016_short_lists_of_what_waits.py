"""Search stays as fast on a busy day: what waits to be put into its indexes is kept short (tickets/models/search.py).

The indexes are not built anew for it.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations
from django.db.models import F

SHORT = "ALTER INDEX {name} SET (gin_pending_list_limit = 64)"
AS_EVER = "ALTER INDEX {name} RESET (gin_pending_list_limit)"
NAMES = ("search_document_words", "search_word_alike")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0015_files_of_a_new_request")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(SHORT.format(name=name), AS_EVER.format(name=name)) for name in NAMES
            ],
            state_operations=[
                *(
                    migrations.RemoveIndex(model_name=model, name=name)
                    for model, name in zip(("searchdocument", "searchword"), NAMES, strict=True)
                ),
                migrations.AddIndex(
                    model_name="searchdocument",
                    index=GinIndex(fields=["document"], name="search_document_words", gin_pending_list_limit=64),
                ),
                migrations.AddIndex(
                    model_name="searchword",
                    index=GinIndex(
                        OpClass(F("word"), name="gin_trgm_ops"), name="search_word_alike", gin_pending_list_limit=64
                    ),
                ),
            ],
        )
    ]
