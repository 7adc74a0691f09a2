"""The demo's stories and people are well-formed: nothing that the workflow or the catalogue would refuse."""

import re
from collections import Counter
from datetime import date
from itertools import pairwise
from random import Random

import pytest

from helpdesk.demo import people, stories_en, stories_ru
from helpdesk.demo.story import (
    COMMON,
    GIVEN,
    IMPACTS,
    KINDS,
    SLOT,
    TOPIC_LINES,
    TURNS,
    Deck,
    IllegalTurn,
    Story,
    answer,
    confirm,
    defect,
    hand_over,
    rate,
    reply,
    resolve,
    restore,
    send_back,
    tell,
    walk,
)

STORIES = stories_ru.STORIES + stories_en.STORIES
TOLD = [story for story in STORIES if not story.is_held]
TODAY = date(2026, 11, 18)

# Real makers of business software and well-known companies: none may be named as a customer or as the vendor.
REAL_COMPANIES = [
    "terrasoft",
    "bpm'online",
    "bpmonline",
    "creatio",
    "salesforce",
    "битрикс",
    "bitrix",
    "amocrm",
    "megaplan",
    "мегаплан",
    "zendesk",
    "jira",
    "servicenow",
    "сбербанк",
    "сбер",
    "газпром",
    "лукойл",
    "яндекс",
    "yandex",
    "ozon",
    "озон",
    "wildberries",
    "втб",
    "альфа-банк",
    "тинькофф",
    "мтс",
    "мегафон",
    "билайн",
    "магнит",
    "пятёрочка",
    "х5",
    "роснефть",
    "ржд",
    "аэрофлот",
    "bolt",
    "swedbank",
    "luminor",
    "wise",
    "skype",
    "google",
    "amazon",
    "kaspi",
]


def words_of(story: Story) -> list[str]:
    return [story.subject, story.opening, *(text for turn in story.turns for text in turn.texts().values() if text)]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.subject[:50])
def test_story_is_well_formed(story):
    names = {name for text in words_of(story) for name in SLOT.findall(text)}
    own = set(story.slots) | set(story.case_names)

    assert story.kind in KINDS
    assert story.topic in TOPIC_LINES
    assert bool(story.impact) == (story.kind == "incident")
    assert not story.impact or story.impact in IMPACTS
    assert story.product in {"", *(product.code for product in people.PRODUCTS)}
    assert story.deployment in {"", "on-site", "on-demand"}
    assert story.pace in {"usual", "late"}
    assert {turn.kind for turn in story.turns} <= set(TURNS)
    assert names - own - set(GIVEN[story.language]) - set(COMMON[story.language]) == set()
    assert own - names == set()
    assert all(len(set(values)) == len(values) > 1 for values in story.slots.values())
    assert all(len(row) == len(story.case_names) for row in story.cases)
    assert "  " not in "".join(words_of(story))


@pytest.mark.parametrize("story", TOLD, ids=lambda story: story.subject[:50])
def test_story_goes_a_way_that_the_machine_allows(story):
    positions = list(walk(story))

    assert positions[-1].state in ("resolved", "closed", "declined")
    assert not positions[-1].escalated
    assert story.path[0] == TOPIC_LINES[story.topic]
    assert story.subject_variants() >= 8


@pytest.mark.parametrize("story", TOLD, ids=lambda story: story.subject[:50])
def test_story_says_something_in_every_turn_that_needs_words(story):
    silent = {"accept", "confirm", "rate", "hand_over", "defect"}

    assert [turn.kind for turn in story.turns if turn.kind not in silent and not turn.text] == []
    for turn in story.turns:
        if turn.kind == "hand_over":
            assert turn.known and turn.tried and turn.asked
        if turn.kind == "defect":
            assert turn.title and turn.steps and turn.expected and turn.actual


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([answer("Да")], "no question"),
        ([reply("А"), hand_over(4, "x", "y", "z")], "without a defect"),
        ([resolve("А"), restore(3, "обход")], "nobody works"),
        ([reply("А"), restore(3, "обход")], "from 1 or 2"),
        ([confirm()], "not resolved"),
        ([rate(5)], "still open"),
        ([reply("А"), send_back("Не наше")], "not handed over"),
        ([resolve("А"), rate(5), rate(4)], "rated already"),
    ],
)
def test_walk_refuses_what_the_machine_refuses(turns, why):
    story = tell("ru", "incident", "how_to", "auxiliary", "Тема", "Текст", *turns)

    with pytest.raises(IllegalTurn, match=why):
        list(walk(story))


def test_acceptances_are_put_in_where_somebody_begins_to_work():
    story = tell(
        "ru",
        "incident",
        "how_to",
        "main",
        "Тема",
        "Текст",
        reply("А"),
        hand_over(2, "к", "п", "в"),
        send_back("не наше"),
        defect("т", "ш", "о", "ф"),
        hand_over(4, "к", "п", "в"),
        resolve("Б"),
    )

    assert [turn.kind for turn in story.turns] == [
        "accept",
        "reply",
        "hand_over",
        "send_back",
        "defect",
        "hand_over",
        "accept",
        "resolve",
    ]
    assert story.path == (1, 2, 1, 4)


def test_render_is_the_same_for_the_same_seed_and_leaves_no_slot():
    for story in STORIES:
        first = story.render(Random(7), {"contact": "Вадим"})

        assert first == story.render(Random(7), {"contact": "Вадим"})
        assert [text for text in words_of(first) if SLOT.search(text)] == []
        assert not first.subject[0].islower()
        assert len(first.subject) <= 160


def test_given_values_are_taken_over():
    story = next(story for story in TOLD if "{release}" in story.subject)

    assert "6.9.1" in story.render(Random(1), {"release": "6.9.1"}).subject


def test_deck_deals_six_hundred_different_subjects():
    deck, rng = Deck(Random(1), STORIES), Random(1)
    languages = [rng.choices(("ru", "en"), (735, 265))[0] for _ in range(600)]

    dealt = [deck.deal(lambda story, wanted=language: story.language == wanted) for language in languages]

    subjects = Counter(story.subject for story in dealt)
    assert [subject for subject, times in subjects.items() if times > 1] == []
    shares = Counter(story.priority for story in dealt)
    assert {priority: round(shares[priority] / 6) for priority in (1, 2, 3, 4)} == pytest.approx(
        {1: 6, 2: 22, 3: 42, 4: 30}, abs=3
    )


def test_deck_deals_the_same_for_the_same_seed_and_says_when_nothing_suits():
    one, two = Deck(Random(5), STORIES), Deck(Random(5), STORIES)

    assert [one.deal(lambda story: True) for _ in range(50)] == [two.deal(lambda story: True) for _ in range(50)]
    with pytest.raises(LookupError):
        one.deal(lambda story: False)


def test_stories_show_every_turn_of_a_desk_often_enough():
    having = Counter(kind for story in TOLD for kind in {turn.kind for turn in story.turns})
    paths = [story.path for story in TOLD]

    assert sum(story.language == "ru" for story in TOLD) >= 75
    assert sum(story.language == "en" for story in TOLD) >= 40
    assert sum(len(path) >= 3 for path in paths) >= 12
    assert sum(4 in path for path in paths) >= 5
    assert having["restore"] >= 5
    assert having["escalate"] >= 8
    assert having["reopen"] >= 10
    assert having["decline"] >= 6
    assert having["contest"] >= 1
    assert having["ask"] >= 15
    scores = Counter(turn.score for story in TOLD for turn in story.turns if turn.kind == "rate")
    assert set(scores) == {1, 2, 3, 4, 5}
    assert scores[4] + scores[5] > 5 * (scores[1] + scores[2] + scores[3])
    assert all(turn.text for story in TOLD for turn in story.turns if turn.kind == "rate" and turn.score < 4)
    assert {story.topic for story in STORIES} == set(TOPIC_LINES)


def test_every_cut_that_is_offered_leaves_an_open_ticket():
    for story in TOLD:
        for count in story.open_cuts():
            *_, last = walk(story.cut(count))

            assert last.state in ("new", "in_progress", "awaiting_customer")


def test_no_real_company_is_named():
    names = [people.VENDOR_DOMAIN, *(p.name for p in people.PRODUCTS)]
    names += [customer.name for customer in people.CUSTOMERS]
    names += [text for story in STORIES for text in words_of(story)]
    names += [value for story in STORIES for values in (*story.slots.values(), *story.cases) for value in values]
    found = {name for text in names for name in re.findall(r"[\w'-]+", text.lower()) if name in REAL_COMPANIES}

    assert found == set()


def test_vendor_has_people_for_every_role_and_line():
    roles = Counter(person.role for person in people.STAFF)

    assert roles == {
        "engineer": 14,
        "line_lead": 4,
        "csm": 2,
        "support_manager": 2,
        "top_management": 1,
        "contract_admin": 1,
        "admin": 1,
    }
    for line in (1, 2, 3, 4):
        assert 3 <= sum(line in person.lines for person in people.ENGINEERS) <= 5
        assert sum(line in person.lines for person in people.LEADS) == 1
        for language in ("ru", "en"):
            assert any(line in person.lines and language in person.speaks for person in people.ENGINEERS)


def test_addresses_are_invented_and_unique():
    everybody = [*people.STAFF, *people.PARTNERS, *(p for customer in people.CUSTOMERS for p in customer.people)]
    addresses = [person.email for person in everybody]

    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") and address.isascii() for address in addresses)
    assert {person.role for person in everybody if person.shown} == {person.role for person in everybody}


def test_customers_are_twelve_on_three_packages_with_one_contact_at_any_moment():
    assert Counter(customer.package for customer in people.CUSTOMERS) == {"basic": 4, "business": 4, "premium": 4}
    assert sum(customer.share for customer in people.CUSTOMERS) == 1000
    csms = {person.email for person in people.CSMS}
    for customer in people.CUSTOMERS:
        tenures = customer.contacts
        assert [t.until for t in tenures[:-1]] == [t.since for t in tenures[1:]]
        assert tenures[-1].until is None
        assert 1 <= len(customer.observers) <= 2
        assert (customer.csm in csms) == (customer.package == "premium")
    assert sum(len(customer.contacts) > 1 for customer in people.CUSTOMERS) >= 1


def test_licences_run_official_releases_that_were_out():
    out = {release.version: release.day for release in people.RELEASES}
    for customer in people.CUSTOMERS:
        for licence in customer.licences:
            assert licence.installed[0][0] == licence.since
            assert [day for day, version in licence.installed if day < out[version]] == []
            assert licence.version_on(0) == licence.installed[-1][1]


def test_contracts_follow_one_another_and_last_whole_years():
    ends = {customer.code: customer.ends_in for customer in people.CUSTOMERS}
    assert ends["farmasvod"] == 45
    assert [code for code, day in ends.items() if day < 0] == ["baltomayak"]
    numbers = [contract.number for customer in people.CUSTOMERS for contract in customer.contracts]
    assert len(set(numbers)) == len(numbers)
    for today in (TODAY, date(2028, 2, 29), date(2027, 3, 1), date(2028, 12, 31)):
        for customer in people.CUSTOMERS:
            terms = customer.contract_terms(today)
            for (_one, _first, last), (_next, first, _last) in pairwise(terms):
                assert (first - last).days == 1
            for contract, first, last in terms:
                assert (last - first).days + 1 >= 365 * contract.years
            # The whole demo year is covered, but for the customer who came within it.
            assert terms[0][1] <= today.replace(year=today.year - 1, day=28) or customer.code == "kyparissa"
            # No contract is older than the first licence and contact: there would be nothing to cover, nobody to ask.
            begins = (terms[0][1] - today).days
            assert min(licence.since for licence in customer.licences) <= begins
            assert customer.contacts[0].since <= begins


@pytest.mark.parametrize(
    ("version", "day", "expected"),
    [("7.8", -600, "7.8.4"), ("7.8", -200, "8.0"), ("8.0", -10, "8.1"), ("8.1", 0, "8.2")],
)
def test_next_release_is_the_newest_that_is_out(version, day, expected):
    assert people.next_release(version, day) == expected
