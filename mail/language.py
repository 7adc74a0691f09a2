"""Which of our two languages a text is written in. Pure."""

import re

ENOUGH = 20  # letters: fewer say nothing about a language
CYRILLIC_SHARE = 0.3  # Russian letters about software are full of Latin names


def guess_language(text: str, otherwise: str) -> str:
    """Returns "ru" or "en" by the share of Cyrillic letters; `otherwise` where there are too few letters to say."""
    sample = text[:5000]
    cyrillic = len(re.findall("[А-Яа-яЁё]", sample))
    letters = cyrillic + len(re.findall("[A-Za-z]", sample))
    if letters < ENOUGH:
        return otherwise
    return "ru" if cyrillic / letters >= CYRILLIC_SHARE else "en"
