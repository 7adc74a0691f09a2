"""The search finds a ticket by who asked (name, address) and by its contract's number, besides what was said.

What is there already gets those words by the next migration.
"""

from django.db import migrations

HEAD = """
CREATE OR REPLACE FUNCTION search_ticket_head(asked bigint) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(search_vector(ticket.number::text || ' ' || ticket.subject), 'A')
        || setweight(search_vector(concat_ws(' ', {about})), 'B')
        || quote_literal('@c' || ticket.customer_id)::tsvector
    FROM tickets_ticket ticket
    JOIN contracts_customer customer ON customer.id = ticket.customer_id
    LEFT JOIN contracts_product product ON product.id = ticket.product_id
    LEFT JOIN contracts_release release ON release.id = ticket.release_id
    {joined}
    WHERE ticket.id = asked
$$;
"""
WAS = "customer.name, product.name, release.version"
WHO = "contact.full_name, contact.email, contract.number"
JOINED = """LEFT JOIN accounts_user contact ON contact.id = ticket.contact_id
    LEFT JOIN contracts_contract contract ON contract.id = ticket.contract_id"""

CHANGED = """
DROP TRIGGER search_ticket_changed ON tickets_ticket;
CREATE TRIGGER search_ticket_changed AFTER UPDATE ON tickets_ticket
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new}))
    EXECUTE FUNCTION tickets_search_ticket();
"""
COLUMNS = ("number", "subject", "customer_id", "product_id", "release_id")
ALSO = ("contact_id", "contract_id")

RENAMED = """
CREATE FUNCTION tickets_search_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets_searchdocument SET document = search_ticket(ticket_id), learned = false
    FROM tickets_ticket ticket WHERE ticket.id = ticket_id AND ticket.contact_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_contact_renamed AFTER UPDATE ON accounts_user
    FOR EACH ROW WHEN ((OLD.full_name, OLD.email) IS DISTINCT FROM (NEW.full_name, NEW.email))
    EXECUTE FUNCTION tickets_search_contact();
"""
NO_LONGER = """
DROP TRIGGER search_contact_renamed ON accounts_user;
DROP FUNCTION tickets_search_contact();
"""

def changed(columns: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return CHANGED.format(old=old, new=new)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_single_keys"),
        ("contracts", "0013_catalogue_edition"),
        ("tickets", "0016_short_lists_of_what_waits"),
    ]
    operations = [
        migrations.RunSQL(
            HEAD.format(about=f"{WAS}, {WHO}", joined=JOINED) + changed(COLUMNS + ALSO) + RENAMED,
            NO_LONGER + changed(COLUMNS) + HEAD.format(about=WAS, joined=""),
        ),
    ]
