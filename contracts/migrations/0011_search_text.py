"""The text search of the house: one way to read a text and one to read a query, for tickets and articles alike.

Snowball's stems of Russian and English without stop words (a query drops them where it has others), and around them what
Snowball does not know: ё, fleeting vowels (заявка, заявок), letters of the wrong alphabet, words of several roots
(человек, люди), names in -ов. Every compound (a version, an address, a file's name) is a row of its parts: a phrase.
"""

from django.db import migrations

FORWARD = r"""
CREATE TEXT SEARCH DICTIONARY search_russian (TEMPLATE = snowball, Language = russian);
CREATE TEXT SEARCH DICTIONARY search_english (TEMPLATE = snowball, Language = english);
CREATE TEXT SEARCH CONFIGURATION search (COPY = russian);
ALTER TEXT SEARCH CONFIGURATION search
    ALTER MAPPING FOR asciiword, asciihword, hword_asciipart WITH search_english;
ALTER TEXT SEARCH CONFIGURATION search
    ALTER MAPPING FOR word, hword, hword_part WITH search_russian;

-- Lower case, е for ё, no soft hyphens, no apostrophe within a word, Latin look-alikes within a Cyrillic word read as
-- Cyrillic, irregular words by one form of theirs. Nothing left but words, numbers and spaces.
CREATE FUNCTION search_fold(source text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text := translate(lower(source), 'ё' || chr(173) || chr(8203), 'е');
    word text;
BEGIN
    IF folded ~ '[''’`]' THEN
        folded := regexp_replace(folded, '([[:alpha:]])[''’`]([[:alpha:]])', '\1\2', 'g');
    END IF;
    IF folded ~ '[а-я][a-z]|[a-z][а-я]' THEN
        FOR word IN SELECT DISTINCT mixed[1] FROM regexp_matches(folded, '[а-яa-z]+', 'g') mixed
                    WHERE mixed[1] ~ '[а-я]' AND mixed[1] ~ '[a-z]' AND mixed[1] !~ '[dfgijlnqrsuvwz]' LOOP
            folded := replace(folded, word, translate(word, 'aceopxykmthb', 'асеорхукмтнв'));
        END LOOP;
    END IF;
    folded := regexp_replace(folded, '[^[:alnum:]]+|[[:alnum:]]{41,}', ' ', 'g');
    IF folded ~ '\m(люд|ребен|дн|лет|пис|ид|прид)|ш[ел]|йд|тив\M' THEN
        folded := regexp_replace(folded, '\mлюд(и|ей|ям|ьми|ях)\M', 'человек', 'g');
        folded := regexp_replace(folded, '\mребен(ок|ка|ку|ком|ке)\M', 'дети', 'g');
        folded := regexp_replace(folded, '\mдн(и|я|ю|ем|е|ей|ям|ями|ях)\M', 'день', 'g');
        folded := regexp_replace(folded, '\mлет\M', 'год', 'g');
        folded := regexp_replace(folded, 'тив\M', 'тива', 'g');  -- a noun's suffix, not a gerund: актив is no акт
        folded := regexp_replace(folded, '\mписем\M', 'письмо', 'g');
        folded := regexp_replace(folded,
            '\m(вы|во|до|за|на|обо|ото|пере|подо|по|при|про|разо|со|у)?ш(ел|ла|ло|ли)\M', '\1йти', 'g');
        folded := regexp_replace(folded,
            '\m(во|до|за|на|обо|ото|пере|подо|по|про|разо|со|у)йд(ет|ут|у|ем|ете|ешь|и|ите)\M', '\1йти', 'g');
        folded := regexp_replace(folded, '\mпри(д|йд)(ет|ут|у|ем|ете|ешь|и|ите)\M', 'прийти', 'g');
        folded := regexp_replace(folded, '\mид(ти|ет|ут|у|ем|ете|ешь|и|ите)\M', 'йти', 'g');
    END IF;
    RETURN folded;
END $$;

-- Stems that Snowball leaves apart, in the text form of a tsvector or tsquery: a fleeting vowel falls (заявок, заявк),
-- a soft sign too (письм), and the а of an imperfective verb (зависа, завис).
CREATE FUNCTION search_stems(lexemes text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(lexemes,
        '([а-я][бвгджзклмнпрстфхцчшщ])ь?[ое]([кцн])''', '\1\2''', 'g'),
        '([а-я]{4}[бвгджзкмнпрстфхцчшщ])(а|л|ива|ыва)''', '\1''', 'g'),
        '([а-я]{2})ь([кцнм])''', '\1\2''', 'g')
$$;

-- A text as it is indexed. Words with a hyphen stand joined too (on-site, onsite); a version with all its beginnings.
CREATE FUNCTION search_vector(source text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    part text := left(source, 50000);
    found tsvector := search_stems(to_tsvector('search', search_fold(part))::text)::tsvector;
BEGIN
    IF part ~ '[[:alpha:]]-[[:alpha:]]' THEN
        found := found || search_stems(to_tsvector('search', (
            SELECT search_fold(string_agg(replace(word[1], '-', ''), ' '))
            FROM regexp_matches(part, '[[:alpha:]]+(?:-[[:alpha:]]+)+', 'g') word
        ))::text)::tsvector;
    END IF;
    IF part ~ '\d\.\d' THEN
        found := found || coalesce((
            SELECT string_agg(DISTINCT quote_literal(array_to_string(
                (string_to_array(word[1], '.'))[1:upto], '.')) || ':1', ' ')::tsvector  -- a place, so that it has a weight
            FROM regexp_matches(part, '\d+(?:\.\d+)+', 'g') word,
                 generate_series(2, least(6, array_length(string_to_array(word[1], '.'), 1))) upto
            WHERE length(word[1]) < 40
        ), '');
    END IF;
    RETURN found;
END $$;

-- One term of a query: a word, a compound or the words in quotes. Null where nothing is left of it.
CREATE FUNCTION search_term(term text, begins boolean DEFAULT false) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text := search_fold(term);
    bare text := trim(plain);
    found tsquery := search_stems(phraseto_tsquery('search', plain)::text)::tsquery;
BEGIN
    IF term ~ '^v?\d+(\.\d+)+$' AND length(term) < 40 THEN
        RETURN quote_literal(ltrim(term, 'v'))::tsquery;
    END IF;
    IF numnode(found) = 0 THEN
        RETURN NULL;
    END IF;
    IF term ~ '^[[:alpha:]]+(-[[:alpha:]]+)+$' THEN
        found := found || search_stems(plainto_tsquery('search', search_fold(replace(term, '-', '')))::text)::tsquery;
    END IF;
    IF bare ~ '^[а-я]{2,}(ов|ев|ин)(а|у|ым|е|ом|ой|ы|ых)?$' THEN  -- it may be a name: Иванов, Ивановым; Киев, Киева
        found := found || quote_literal(bare)::tsquery;
        IF bare ~ '(ов|ев|ин).+$' THEN
            found := found || search_stems(plainto_tsquery('search', regexp_replace(bare, '(ов|ев|ин).+$', '\1'))::text)::tsquery;
        END IF;
    ELSIF bare ~ '^[а-я]{2,}т(ь|и|ью)$' THEN  -- a noun that Snowball takes for a verb: печать, печати
        found := found || search_stems(plainto_tsquery('search', regexp_replace(bare, '(ь|и|ью)$', 'ь'))::text)::tsquery
            || search_stems(plainto_tsquery('search', regexp_replace(bare, '(ь|и|ью)$', 'и'))::text)::tsquery;
    END IF;
    IF begins AND bare !~ ' ' AND length(bare) > 1 THEN
        found := found || (quote_literal(bare) || ':*')::tsquery;
    END IF;
    RETURN found;
END $$;

-- What must not meet a customer's query: the same words, each marked with a sign that no query of theirs can hold.
CREATE FUNCTION search_inner(lexemes text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(lexemes, '(^|[ (!])''', '\1''~', 'g')
$$;

-- All of `terms`, none of `without`; the last term may be only the beginning of a word. Words that every text has
-- ("не", "the") narrow nothing and are left out where others are there.
-- With `inner_too` each may stand among the words that `search_inner` marked.
CREATE FUNCTION search_query(
    terms text[], without text[] DEFAULT '{}', begins boolean DEFAULT false, inner_too boolean DEFAULT false
) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found tsquery := ''::tsquery;
    common tsquery := ''::tsquery;
    next tsquery;
BEGIN
    FOR place IN 1 .. coalesce(array_length(terms, 1), 0) LOOP
        next := search_term(terms[place], begins AND place = array_length(terms, 1));
        CONTINUE WHEN next IS NULL;
        IF inner_too THEN
            next := next || search_inner(next::text)::tsquery;
        END IF;
        IF terms[place] ~ '^[[:alpha:]]+$' AND numnode(plainto_tsquery('russian', terms[place])) = 0 THEN
            common := common && next;
        ELSE
            found := found && next;
        END IF;
    END LOOP;
    IF numnode(found) = 0 THEN
        found := common;
    END IF;
    IF numnode(found) > 0 THEN
        FOR place IN 1 .. coalesce(array_length(without, 1), 0) LOOP
            next := search_term(without[place]);
            CONTINUE WHEN next IS NULL;
            IF inner_too THEN
                next := next || search_inner(next::text)::tsquery;
            END IF;
            found := found && !! next;
        END LOOP;
    END IF;
    RETURN found;
END $$;

"""
BACKWARD = """
DROP FUNCTION search_query(text[], text[], boolean, boolean);
DROP FUNCTION search_inner(text);
DROP FUNCTION search_term(text, boolean);
DROP FUNCTION search_vector(text);
DROP FUNCTION search_stems(text);
DROP FUNCTION search_fold(text);
DROP TEXT SEARCH CONFIGURATION search;
DROP TEXT SEARCH DICTIONARY search_english;
DROP TEXT SEARCH DICTIONARY search_russian;
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0010_gap_lists"), ("accounts", "0002_absences")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
