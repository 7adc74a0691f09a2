"""What a mistyped word was meant to be: the nearest word of the vocabulary, within one or two slips of the hand."""

import re
from collections.abc import Sequence

from django.db import connection

SHORTEST = 6  # letters: in shorter words a changed letter is mostly another word
SHORTEST_AT_ALL = 4  # there a letter that is missing, too many or at its neighbour's place is still a slip
LETTERS = {"latin": "abcdefghijklmnopqrstuvwxyz", "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя"}
TWO_SLIPS = 10  # letters from which on two slips are one word still
ALIKE = """
(SELECT typed, word FROM unnest(%s::text[], %s::text[]) slip(typed, near) JOIN tickets_searchword ON word = near)
UNION ALL
SELECT typed, alike.word FROM unnest(%s::text[]) typed, LATERAL (
    SELECT word FROM tickets_searchword WHERE word %% typed ORDER BY similarity(word, typed) DESC, word LIMIT 20
) alike
"""


def one_slip(typed: str) -> list[str]:
    """What is looked for letter by letter, because trigrams of a short word see no likeness. The first letter stands.

    Neighbours that changed places; in words shorter than `SHORTEST` one letter less or more, too, but not of four
    Cyrillic letters, where that is another word.
    """
    near = [typed[:i] + typed[i + 1] + typed[i] + typed[i + 2 :] for i in range(1, len(typed) - 1)]
    if len(typed) < SHORTEST and (typed.isascii() or len(typed) > SHORTEST_AT_ALL):
        near += [typed[:i] + typed[i + 1 :] for i in range(1, len(typed))]
        letters = LETTERS["latin" if typed.isascii() else "cyrillic"]
        near += [typed[:i] + letter + typed[i:] for i in range(1, len(typed) + 1) for letter in letters]
    return [word for word in dict.fromkeys(near) if word != typed]


def slips(typed: str, word: str, most: int) -> int:
    """How many letters were left out, added, changed or swapped with their neighbour; `most` + 1 for more."""
    if abs(len(typed) - len(word)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, start=1):
        earlier, before, row = before, row, [i]
        for j, meant in enumerate(word, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != meant))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == meant:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)


def corrections(terms: Sequence[str]) -> dict[str, str]:
    """For each mistyped term the word that it was meant to be. Words that are written somewhere are no mistakes.

    One statement, none where no term can be mistyped.
    """
    typed = {term: term.lower().replace("ё", "е") for term in terms if re.fullmatch(r"[^\W\d_]+", term)}
    asked = sorted({word for word in typed.values() if len(word) >= SHORTEST_AT_ALL})
    if not asked:
        return {}
    near_by = [(word, near) for word in asked for near in one_slip(word)]
    long = [word for word in asked if len(word) >= SHORTEST]
    with connection.cursor() as cursor:
        cursor.execute(ALIKE, [[word for word, _near in near_by], [near for _word, near in near_by], long])
        alike: dict[str, list[str]] = {}
        for word, near in cursor.fetchall():
            alike.setdefault(word, []).append(near)
    meant = {}
    for term, word in typed.items():
        most = 2 if len(word) >= TWO_SLIPS else 1
        near = [(slips(word, other, most), other) for other in alike.get(word, []) if other[0] == word[0]]
        best = min(near, default=(most + 1, ""), key=lambda found: found[0])
        if 0 < best[0] <= most:
            meant[term] = best[1]
    return meant
