"""The database itself refuses a change of what happened: only `notified_at` of an event may be set (domain §3.1)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION tickets_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'notified_at' - 'message_id') IS DISTINCT FROM (to_jsonb(OLD) - 'notified_at' - 'message_id') THEN
        RAISE EXCEPTION 'an event is never changed (domain 3.1)' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE ON tickets_event
    FOR EACH ROW EXECUTE FUNCTION tickets_event_append_only();
"""
BACKWARD = "DROP TRIGGER event_append_only ON tickets_event; DROP FUNCTION tickets_event_append_only();"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_tickets")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
