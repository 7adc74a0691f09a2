"""The database itself refuses an edit of what was signed: terms, contract, lines, clauses, what they were counted from.

A signed contract (`signed_at`) keeps its terms, its days, its lines and the words of its clauses for ever (domain §1.1,
§2, §4). Forms and verbs say so in words first; these triggers are for everything that goes past them.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION contracts_terms_are_signed(terms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM contracts_contract WHERE terms_id = terms AND signed_at IS NOT NULL)
$$;

CREATE FUNCTION contracts_terms_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF contracts_terms_are_signed(OLD.id) AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'terms that a contract was signed on are never edited (domain 1.1)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'terms_signed_stay';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER terms_signed_stay BEFORE UPDATE OR DELETE ON contracts_packageterms
    FOR EACH ROW EXECUTE FUNCTION contracts_terms_stay();

-- One function for the parts of terms: prices, targets, services; the column of the terms is the trigger's argument.
CREATE FUNCTION contracts_terms_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE (to_jsonb(OLD) ->> TG_ARGV[0])::bigint END;
    after bigint := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE (to_jsonb(NEW) ->> TG_ARGV[0])::bigint END;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    IF contracts_terms_are_signed(before) OR contracts_terms_are_signed(after) THEN
        RAISE EXCEPTION 'terms that a contract was signed on are never edited (domain 1.1)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'terms_signed_stay';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER price_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON contracts_termsprice
    FOR EACH ROW EXECUTE FUNCTION contracts_terms_part_stays('terms_id');
CREATE TRIGGER target_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON contracts_termstarget
    FOR EACH ROW EXECUTE FUNCTION contracts_terms_part_stays('terms_id');
CREATE TRIGGER service_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON contracts_packageterms_services
    FOR EACH ROW EXECUTE FUNCTION contracts_terms_part_stays('packageterms_id');

-- A signed contract: only its end may still be written (state, terminated_on, termination_reason).
CREATE FUNCTION contracts_contract_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NULL THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE'
       OR (to_jsonb(NEW) - 'state' - 'terminated_on' - 'termination_reason')
          IS DISTINCT FROM (to_jsonb(OLD) - 'state' - 'terminated_on' - 'termination_reason')
       OR (OLD.terminated_on IS NOT NULL AND NEW.terminated_on IS DISTINCT FROM OLD.terminated_on) THEN
        RAISE EXCEPTION 'a signed contract stays as it was signed (domain 2)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_signed_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contract_signed_stays BEFORE UPDATE OR DELETE ON contracts_contract
    FOR EACH ROW EXECUTE FUNCTION contracts_contract_stays();

CREATE FUNCTION contracts_contract_is_signed(contract bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM contracts_contract WHERE id = contract AND signed_at IS NOT NULL)
$$;

-- Lines of a signed contract are only added to.
CREATE FUNCTION contracts_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF contracts_contract_is_signed(OLD.contract_id) AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'a line of a signed contract stays as it was counted (domain 2)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'line_signed_stays';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER line_signed_stays BEFORE UPDATE OR DELETE ON contracts_contractline
    FOR EACH ROW EXECUTE FUNCTION contracts_line_stays();

-- A clause of a signed contract only ends, once; one that is added later says from when.
CREATE FUNCTION contracts_clause_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.starts_at IS NULL AND contracts_contract_is_signed(NEW.contract_id) THEN
            RAISE EXCEPTION 'a clause added to a signed contract says from when it holds (domain 2, 4)'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'clause_signed_stays';
        END IF;
        RETURN NEW;
    END IF;
    IF contracts_contract_is_signed(OLD.contract_id) AND (
        TG_OP = 'DELETE'
        OR (to_jsonb(NEW) - 'ends_at') IS DISTINCT FROM (to_jsonb(OLD) - 'ends_at')
        OR (OLD.ends_at IS NOT NULL AND NEW.ends_at IS DISTINCT FROM OLD.ends_at)
    ) THEN
        RAISE EXCEPTION 'a clause of a signed contract stays as it was signed (domain 2)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clause_signed_stays';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER clause_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON contracts_contractclause
    FOR EACH ROW EXECUTE FUNCTION contracts_clause_stays();

-- What a signed price was counted from: release, seats and the last day of a licence may change, no more.
CREATE FUNCTION contracts_licence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.customer_id, NEW.product_id, NEW.deployment, NEW.cost, NEW.starts_on)
           IS DISTINCT FROM (OLD.customer_id, OLD.product_id, OLD.deployment, OLD.cost, OLD.starts_on)
       AND EXISTS (
           SELECT 1 FROM contracts_contractline line JOIN contracts_contract contract ON contract.id = line.contract_id
           WHERE line.licence_id = OLD.id AND contract.signed_at IS NOT NULL
       ) THEN
        RAISE EXCEPTION 'a licence that a signed contract covers keeps its cost and first day (domain 2)'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'licence_signed_for';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER licence_signed_for BEFORE UPDATE ON contracts_licence
    FOR EACH ROW EXECUTE FUNCTION contracts_licence_stays();

-- What happened, and what was signed, is never rewritten.
CREATE FUNCTION contracts_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - 'notified_at') IS DISTINCT FROM (to_jsonb(OLD) - 'notified_at') THEN
        RAISE EXCEPTION 'this row is never changed (domain 2)'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contract_event_append_only BEFORE UPDATE OR DELETE ON contracts_contractevent
    FOR EACH ROW EXECUTE FUNCTION contracts_append_only();
CREATE TRIGGER document_signed_stays BEFORE UPDATE OR DELETE ON contracts_contractdocument
    FOR EACH ROW EXECUTE FUNCTION contracts_append_only();
"""

BACKWARD = """
DROP TRIGGER document_signed_stays ON contracts_contractdocument;
DROP TRIGGER contract_event_append_only ON contracts_contractevent;
DROP FUNCTION contracts_append_only();
DROP TRIGGER licence_signed_for ON contracts_licence;
DROP FUNCTION contracts_licence_stays();
DROP TRIGGER clause_signed_stays ON contracts_contractclause;
DROP FUNCTION contracts_clause_stays();
DROP TRIGGER line_signed_stays ON contracts_contractline;
DROP FUNCTION contracts_line_stays();
DROP FUNCTION contracts_contract_is_signed(bigint);
DROP TRIGGER contract_signed_stays ON contracts_contract;
DROP FUNCTION contracts_contract_stays();
DROP TRIGGER service_signed_stays ON contracts_packageterms_services;
DROP TRIGGER target_signed_stays ON contracts_termstarget;
DROP TRIGGER price_signed_stays ON contracts_termsprice;
DROP FUNCTION contracts_terms_part_stays();
DROP TRIGGER terms_signed_stay ON contracts_packageterms;
DROP FUNCTION contracts_terms_stay();
DROP FUNCTION contracts_terms_are_signed(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0006_contract_life")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
