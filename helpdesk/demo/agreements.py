"""Agreed deadlines of the demo year: who proposes another one, why, what the other side says (domain §4.2). Pure."""

from dataclasses import dataclass
from random import Random

CHANCE = 0.35  # of the incidents of priority 3 and 4 with a promised solution
OUTCOMES = {"accepted": 55, "refused": 22, "withdrawn": 13, "unanswered": 10}

REASONS = {
    ("vendor", "ru"): (
        "Исправление войдёт в ближайшее обновление, раньше его без остановки работы не поставить.",
        "Проверить можно только на вашей копии базы, а её выгрузка займёт несколько дней. Предлагаем этот срок.",
        "Обходной путь у вас работает, поэтому предлагаем решить это вместе с плановыми работами.",
    ),
    ("customer", "ru"): (
        "До этого дня закрываем отчётный период, проверять результат будет некому. Нам удобнее позже.",
        "Сотрудник, который с этим работает, в отъезде. Давайте вернёмся к этому после его возвращения.",
        "На стенде до этого дня идёт наша приёмка, вносить туда изменения нельзя.",
    ),
    ("vendor", "en"): (
        "The correction is part of the next update; installing it earlier would stop your work. We propose this day.",
        "It can only be checked on a copy of your database, which takes some days to make. We propose this day.",
    ),
    ("customer", "en"): (
        "We are closing the quarter until then and nobody could check the result. Later suits us better.",
        "The colleague who works with this is away. Please let us come back to it when she is here.",
    ),
}
REFUSALS = {
    "ru": ("Так долго ждать не можем, оставим прежний срок.", "На этот срок у нас ничего не готово, оставим прежний."),
    "en": (
        "We cannot wait that long, please keep the deadline.",
        "That day does not work for us; let us keep this one.",
    ),
}


@dataclass(frozen=True)
class Agreement:
    """One proposal: by whom, to move the deadline by so many working days, why, and what becomes of it.

    `after` and `answered_after` are minutes of office time: from the acceptance, and from the proposal.
    """

    side: str
    days: int
    reason: str
    outcome: str
    refusal: str
    after: int
    answered_after: int


def agreement(rng: Random, language: str) -> Agreement | None:
    """What is proposed in a ticket that could have another deadline; mostly nothing."""
    if rng.random() > CHANCE:
        return None
    side = rng.choice(["vendor", "customer"])
    return Agreement(
        side=side,
        days=rng.randint(2, 7),
        reason=rng.choice(REASONS[side, language]),
        outcome=rng.choices(list(OUTCOMES), weights=list(OUTCOMES.values()))[0],
        refusal=rng.choice(REFUSALS[language]),
        after=rng.randint(2, 25),
        answered_after=rng.randint(15, 120),
    )
