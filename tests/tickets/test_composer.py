"""The composer: drafts, files that come while one writes, and nobody's words overwritten unknowingly (§6.5, §6.6)."""

import threading
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.factories import a_customer, a_lead, an_engineer, contact_of, open_ticket
from tickets import drafts, reading, workflow
from tickets.files import raster_type
from tickets.models import Attachment, Draft, LastRead, Macro, PendingFile, State, Ticket

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
JSON = {"HTTP_ACCEPT": "application/json"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def engineer() -> User:
    return an_engineer(1, language="en", full_name="Pavel Klimov")


@pytest.fixture
def desk(engineer: User) -> Client:
    return signed_in(engineer)


@pytest.fixture
def ticket(engineer: User) -> Ticket:
    opened = open_ticket(at=timezone.now() - timedelta(minutes=5))
    return workflow.accept(opened, by=engineer, at=timezone.now())


def address(name: str, ticket: Ticket, *more: int) -> str:
    return reverse(f"desk:{name}", args=[ticket.number, *more])


def kept(client: Client, ticket: Ticket, body: str, **more: str) -> Any:
    return client.post(address("draft", ticket), {"kind": "reply", "body": body, **more}, **JSON)


def uploaded(client: Client, ticket: Ticket, name: str = "log.txt", content: bytes = b"lines") -> Any:
    return client.post(address("uploads", ticket), {"file": SimpleUploadedFile(name, content)}, **JSON)


def sent(client: Client, ticket: Ticket, **more: Any) -> Any:
    return client.post(address("messages", ticket), {"kind": "reply", "body": "Done.", "key": "k", **more})


def page(client: Client, ticket: Ticket) -> str:
    return client.get(address("ticket", ticket)).content.decode()


def last_seen(ticket: Ticket) -> int:
    return reading.last_key(ticket.messages.all())


# Drafts


def test_draft_comes_back_with_its_kind(desk: Client, ticket: Ticket) -> None:
    answer = kept(desk, ticket, "Half a sentence", kind="note")

    assert answer.status_code == 200
    assert answer.json()["body"] == "Half a sentence"
    shown = page(desk, ticket)
    assert "Half a sentence</textarea>" in shown
    assert 'value="note" checked' in shown


def test_draft_keeps_what_its_macro_does(desk: Client, ticket: Ticket) -> None:
    macro = Macro.objects.create(title="Restored", kind="reply", body_ru="Приоритет теперь 3.", priority=3)

    answer = kept(desk, ticket, "The priority is 3 now.", macro=str(macro.pk))

    assert answer.json()["macro"] == {"pk": macro.pk, "title": "Restored", "does": ": sets priority 3"}
    shown = page(desk, ticket)
    assert f'name="macro" data-macro-pk value="{macro.pk}"' in shown
    assert "<b data-macro-title>Restored</b><span data-macro-does>: sets priority 3</span>" in shown
    assert shown.count("The priority is 3 now.</textarea>") == 1
    macro.delete()
    assert 'name="macro" data-macro-pk value=""' in page(desk, ticket)


def test_macro_of_a_draft_is_taken_off_without_scripts(desk: Client, ticket: Ticket) -> None:
    macro = Macro.objects.create(title="Restored", kind="reply", body_ru="Приоритет теперь 3.", priority=3)
    kept(desk, ticket, "Words", macro=str(macro.pk))
    button = page(desk, ticket).split(f'data-macro-pk value="{macro.pk}">')[1].split(">")[0]

    desk.post(address("draft", ticket), {"kind": "reply", "body": "Words", "macro": [macro.pk, ""]})

    assert 'name="macro" value=""' in button
    assert f'formaction="{address("draft", ticket)}"' in button
    assert (Draft.objects.get().body, Draft.objects.get().macro) == ("Words", None)


def test_draft_keeps_no_macro_of_another_person_and_none_that_was_taken_off(desk: Client, ticket: Ticket) -> None:
    theirs = Macro.objects.create(title="Own", kind="reply", body_ru="Мой.", priority=3, owner=an_engineer())
    ours = Macro.objects.create(title="Ours", kind="reply", body_ru="Наш.", priority=3)

    kept(desk, ticket, "Words", macro=str(theirs.pk))
    assert Draft.objects.get().macro is None

    kept(desk, ticket, "Words", macro=str(ours.pk))
    kept(desk, ticket, "Words", macro="")
    assert Draft.objects.get().macro is None


def test_words_for_a_ticket_that_was_merged_meanwhile_stand_in_the_one_that_stays(
    desk: Client, ticket: Ticket, engineer: User
) -> None:
    stays = open_ticket(ticket.customer, subject="Stays", at=timezone.now())
    kept(desk, ticket, "Half a sent")
    workflow.merge(ticket, into=stays, by=an_engineer(), at=timezone.now())

    late = kept(desk, ticket, "Half a sentence")
    uploaded(desk, ticket)
    refused = sent(desk, ticket, body="Half a sentence, and the rest.", seen="1", as_of="1")

    assert (late.status_code, Draft.objects.get().ticket, PendingFile.objects.get().ticket) == (200, stays, stays)
    shown = refused.content.decode()
    assert (refused.status_code, refused["HX-Push-Url"]) == (409, address("ticket", stays))
    assert f"№ {ticket.number} was merged into № {stays.number} in the meantime." in shown
    assert "Half a sentence, and the rest.</textarea>" in shown
    assert "log.txt" in shown

    done = sent(desk, stays, body="Half a sentence, and the rest.", seen=str(last_seen(stays)))

    assert done.status_code == 303
    assert stays.messages.filter(body="Half a sentence, and the rest.", author=engineer).exists()


def test_draft_of_a_colleague_is_never_shown(desk: Client, ticket: Ticket) -> None:
    kept(desk, ticket, "My own words")

    assert "My own words" not in page(signed_in(an_engineer()), ticket)


def test_draft_stays_when_the_ticket_goes_to_another_line_and_person(
    desk: Client, ticket: Ticket, engineer: User
) -> None:
    kept(desk, ticket, "Kept words")

    workflow.hand_over(ticket, by=engineer, to_line=2, known="k", asked="a", at=timezone.now())
    workflow.accept(ticket, by=an_engineer(2), at=timezone.now())

    assert "Kept words" in page(desk, ticket)


def test_draft_is_there_again_after_the_session_ended(desk: Client, ticket: Ticket, engineer: User) -> None:
    kept(desk, ticket, "Kept words")
    desk.logout()

    refused = kept(desk, ticket, "Kept words and more")
    desk.force_login(engineer)

    assert (refused.status_code, refused["Location"].split("?")[0]) == (302, "/account/login/")
    assert "Kept words</textarea>" in page(desk, ticket)


def test_empty_draft_is_none(desk: Client, ticket: Ticket) -> None:
    kept(desk, ticket, "Words")
    answer = kept(desk, ticket, "  ")

    assert (answer.status_code, answer.json()["at"]) == (200, "")
    assert list(Draft.objects.all()) == []


def test_draft_ends_with_its_message(desk: Client, ticket: Ticket) -> None:
    kept(desk, ticket, "Words")
    kept(signed_in(an_engineer()), ticket, "Of a colleague")

    sent(desk, ticket)

    assert [draft.body for draft in Draft.objects.all()] == ["Of a colleague"]


def test_draft_stays_when_the_message_is_refused(desk: Client, ticket: Ticket) -> None:
    kept(desk, ticket, "Words")

    assert sent(desk, ticket, body=" ").status_code == 422
    assert sent(desk, ticket, kind="note", then="resolve").status_code == 409
    assert Draft.objects.get().body == "Words"


def test_words_that_come_after_their_message_are_no_draft(desk: Client, ticket: Ticket) -> None:
    sent(desk, ticket, key="one")

    answer = kept(desk, ticket, "Done.", key="one")

    assert (answer.status_code, answer.json()["at"]) == (200, "")
    assert not Draft.objects.exists()


def test_draft_of_another_window_is_not_overwritten_unknowingly(desk: Client, ticket: Ticket) -> None:
    first = kept(desk, ticket, "First window", base="").json()

    answer = kept(desk, ticket, "Second window", base="")
    knowing = kept(desk, ticket, "Second window", base=first["at"])

    assert (answer.status_code, answer.json()["body"]) == (409, "First window")
    assert knowing.status_code == 200
    assert Draft.objects.get().body == "Second window"


def test_draft_without_scripts_goes_back_to_the_ticket(desk: Client, ticket: Ticket) -> None:
    answer = desk.post(address("draft", ticket), {"kind": "note", "body": "Words"})

    assert (answer.status_code, answer["Location"]) == (303, address("ticket", ticket))
    assert Draft.objects.get().body == "Words"


def test_nonsense_is_no_draft(desk: Client, ticket: Ticket) -> None:
    answer = kept(desk, ticket, "Words", kind="shout")

    assert (answer.status_code, Draft.objects.count()) == (422, 0)


def test_old_drafts_and_files_are_forgotten(desk: Client, ticket: Ticket, engineer: User, settings: Any) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    drafts.keep(ticket, person=engineer, kind="note", body="Old", at=long_ago)
    uploaded(desk, ticket)
    PendingFile.objects.update(created_at=long_ago)
    uploaded(desk, ticket, "new.txt")
    drafts.keep(ticket, person=an_engineer(), kind="note", body="New", at=timezone.now())

    counted = drafts.forget_old(now=timezone.now())

    assert counted == 2
    assert [draft.body for draft in Draft.objects.all()] == ["New"]
    assert [file.name for file in PendingFile.objects.all()] == ["new.txt"]
    assert drafts.forget_old(now=timezone.now()) == 0


# Files


def test_uploaded_file_goes_with_the_message_and_is_stored_once(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]
    stored = PendingFile.objects.get().file.name

    answer = sent(desk, ticket, pending=[key])

    attachment = Attachment.objects.get()
    assert answer.status_code == 303
    assert (attachment.name, attachment.file.name, attachment.size) == ("log.txt", stored, 5)
    assert attachment.file.read() == b"lines"
    assert not PendingFile.objects.exists()


def test_double_click_sends_the_message_and_its_file_once(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]

    answers = [sent(desk, ticket, pending=[key]).status_code for _click in range(2)]

    assert answers == [303, 303]
    assert (ticket.messages.filter(body="Done.").count(), Attachment.objects.count()) == (1, 1)


def test_file_that_was_taken_away_meanwhile_stops_the_message(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]
    desk.post(address("upload_removal", ticket, key), **JSON)

    answer = sent(desk, ticket, pending=[key])

    assert answer.status_code == 409
    assert "taken away in another window" in answer.content.decode()
    assert not ticket.messages.filter(body="Done.").exists()


def test_file_of_a_colleague_or_of_another_ticket_is_not_adopted(desk: Client, ticket: Ticket) -> None:
    theirs = uploaded(signed_in(an_engineer()), ticket).json()["pk"]
    elsewhere = uploaded(desk, open_ticket(customer=ticket.customer)).json()["pk"]

    answers = [sent(desk, ticket, pending=[key], key=str(key)).status_code for key in (theirs, elsewhere)]

    assert answers == [409, 409]
    assert PendingFile.objects.count() == 2


@pytest.mark.parametrize("keys", [["x"], ["-1"], [str(2**63)]])
def test_nonsense_for_a_file_is_422(keys: list[str], desk: Client, ticket: Ticket) -> None:
    assert sent(desk, ticket, pending=keys).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_file_taken_away_is_gone_from_the_disk(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]
    path = Path(PendingFile.objects.get().file.path)

    there = path.exists()
    answer = desk.post(address("upload_removal", ticket, key), **JSON)

    assert (there, answer.status_code, path.exists()) == (True, 200, False)


def test_file_is_taken_away_by_its_owner_only(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]

    answers = [
        signed_in(an_engineer()).post(address("upload_removal", ticket, key), **JSON).status_code,
        desk.post(address("upload_removal", open_ticket(customer=ticket.customer), key), **JSON).status_code,
    ]

    assert answers == [404, 404]
    assert PendingFile.objects.count() == 1


def test_taking_a_file_away_without_scripts_keeps_the_words(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]

    answer = desk.post(address("upload_removal", ticket, key), {"kind": "reply", "body": "Typed"})

    assert answer.status_code == 303
    assert (Draft.objects.get().body, PendingFile.objects.count()) == ("Typed", 0)


def test_huge_file_is_422_in_the_words_of_every_form(desk: Client, ticket: Ticket, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 10

    answer = uploaded(desk, ticket, content=b"x" * 11)

    assert answer.status_code == 422
    assert "A file can be at most" in answer.json()["detail"]
    assert not PendingFile.objects.exists()


def test_twenty_first_file_is_422(desk: Client, ticket: Ticket) -> None:
    answers = [uploaded(desk, ticket).status_code for _file in range(drafts.FILES_AT_MOST + 1)]

    assert answers == [201] * drafts.FILES_AT_MOST + [422]


def test_upload_that_broke_off_leaves_nothing(desk: Client, ticket: Ticket) -> None:
    half = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf a fi'

    answer = desk.generic("POST", address("uploads", ticket), half, "multipart/form-data; boundary=b", **JSON)

    assert answer.status_code in {201, 400, 422}
    assert [file.size for file in PendingFile.objects.all()] in ([], [9])


def test_upload_without_a_file_is_422(desk: Client, ticket: Ticket) -> None:
    assert desk.post(address("uploads", ticket), **JSON).status_code == 422


def test_name_of_a_file_is_cleaned(desk: Client, ticket: Ticket) -> None:
    answer = uploaded(desk, ticket, "../../" + "n" * 300 + ".txt")

    assert answer.json()["name"] == "n" * 156 + ".txt"


@pytest.mark.parametrize("name", ["draft", "uploads", "unread", "macro_picker"])
def test_missing_ticket_is_404(name: str, desk: Client, ticket: Ticket) -> None:
    missing = reverse(f"desk:{name}", args=[ticket.number + 1000])

    assert (desk.get if name == "macro_picker" else desk.post)(missing).status_code == 404


@pytest.mark.parametrize("name", ["draft", "uploads", "unread"])
def test_customer_has_no_part_in_it(name: str, ticket: Ticket) -> None:
    own = signed_in(contact_of(ticket.customer)).post(address(name, ticket), {"kind": "reply", "body": "x"})

    assert own.status_code == 403
    assert not Draft.objects.exists()


# Pictures


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 12, "image/jpeg"),
        (b"GIF89a" + b"\0" * 10, "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<svg xmlns='http", ""),
        (b"<html><script>", ""),
        (b"%PDF-1.7", ""),
        (b"", ""),
    ],
)
def test_picture_is_what_begins_as_one(head: bytes, expected: str) -> None:
    assert raster_type(head[:16]) == expected


def test_picture_is_shown_in_place_safely(desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket, "screen.png", PNG).json()["pk"]
    sent(desk, ticket, pending=[key])
    attachment = Attachment.objects.get()

    answer = desk.get(address("picture", ticket, attachment.pk))

    assert address("picture", ticket, attachment.pk) in page(desk, ticket)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Content-Disposition"] == 'inline; filename="screen.png"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", b"<html><script>alert(1)</script>"])
def test_program_that_calls_itself_a_picture_is_never_shown_in_place(
    content: bytes, desk: Client, ticket: Ticket, engineer: User
) -> None:
    file = workflow.Upload("picture.png", "image/png", BytesIO(content), len(content))
    workflow.note(ticket, by=engineer, body="See.", files=[file], at=timezone.now())

    assert desk.get(address("picture", ticket, Attachment.objects.get().pk)).status_code == 404


# Somebody wrote meanwhile


def test_reply_of_a_colleague_meanwhile_is_shown_and_asked(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    theirs = workflow.reply(ticket, by=a_lead(1, full_name="Maria Lead"), body="I answered.", at=timezone.now())

    answer = sent(desk, ticket, body="My own answer", seen=seen)
    shown = answer.content.decode()

    assert answer.status_code == 409
    assert "While you were writing, Maria Lead wrote too" in shown
    assert "My own answer</textarea>" in shown
    assert "Send anyway" in shown
    assert f'name="seen" value="{theirs.pk}"' in shown
    assert not ticket.messages.filter(body="My own answer").exists()


def test_send_anyway_sends(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    theirs = workflow.reply(ticket, by=a_lead(1), body="I answered.", at=timezone.now())

    answers = [sent(desk, ticket, seen=key).status_code for key in (seen, theirs.pk)]

    assert answers == [409, 303]


def test_customer_who_wrote_meanwhile_is_read_first(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    contact = contact_of(ticket.customer)
    workflow.customer_reply(ticket, by=contact, body="It is solved, thank you.", at=timezone.now())

    assert sent(desk, ticket, seen=seen, then="resolve").status_code == 409
    assert Ticket.objects.get(pk=ticket.pk).state == State.IN_PROGRESS


def test_note_conflicts_with_nobody(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    workflow.reply(ticket, by=a_lead(1), body="I answered.", at=timezone.now())

    assert sent(desk, ticket, kind="note", seen=seen).status_code == 303


def test_own_words_of_another_window_do_not_conflict(desk: Client, ticket: Ticket, engineer: User) -> None:
    seen = last_seen(ticket)
    workflow.reply(ticket, by=engineer, body="From another window", at=timezone.now())

    assert sent(desk, ticket, seen=seen).status_code == 303


def test_refusal_of_another_kind_does_not_swallow_a_conflict(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    workflow.reply(ticket, by=a_lead(1), body="I answered.", at=timezone.now())

    answer = sent(desk, ticket, body=" ", seen=seen)

    assert answer.status_code == 422
    assert f'name="seen" value="{seen}"' in answer.content.decode()


def test_api_refuses_what_was_written_without_having_read(desk: Client, ticket: Ticket) -> None:
    seen = last_seen(ticket)
    workflow.reply(ticket, by=a_lead(1), body="I answered.", at=timezone.now())
    said = {"body": "From the API", "seen": seen}

    answers = [
        desk.post(f"/api/tickets/{ticket.number}/{verb}/", said, "application/json").status_code
        for verb in ("replies", "questions", "resolution", "notes")
    ]

    assert answers == [409, 409, 409, 200]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_answer_at_once_one_is_asked(ticket: Ticket, engineer: User) -> None:
    seen, people, outcome = last_seen(ticket), [engineer, an_engineer()], []
    together = threading.Barrier(2)

    def answer(person: User) -> None:
        try:
            together.wait()
            workflow.send(ticket, by=person, kind="reply", body="Mine", seen=seen, at=timezone.now())
            outcome.append("sent")
        except workflow.Meanwhile:
            outcome.append("asked")
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcome) == ["asked", "sent"]


# Send and …


@pytest.mark.parametrize(("then", "state"), [("wait", State.AWAITING_CUSTOMER), ("resolve", State.RESOLVED)])
def test_send_and_moves_the_ticket_with_its_files(then: str, state: str, desk: Client, ticket: Ticket) -> None:
    key = uploaded(desk, ticket).json()["pk"]

    answer = sent(desk, ticket, then=then, pending=[key])

    assert answer.status_code == 303
    assert Ticket.objects.get(pk=ticket.pk).state == state
    assert ticket.messages.get(body="Done.").attachments.count() == 1


# Reading


def test_new_begins_after_what_was_read_and_is_read_by_looking(desk: Client, ticket: Ticket) -> None:
    first = page(desk, ticket)
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="And one more thing", at=timezone.now())

    second, third = page(desk, ticket), page(desk, ticket)

    assert ['id="new"' in shown for shown in (first, second, third)] == [False, True, False]
    assert second.index('id="new"') < second.index("And one more thing")


def test_own_words_are_not_new(desk: Client, ticket: Ticket, engineer: User) -> None:
    page(desk, ticket)
    workflow.reply(ticket, by=engineer, body="Mine", at=timezone.now())

    assert 'id="new"' not in page(desk, ticket)
    assert not reading.with_unread(Ticket.objects.all(), engineer).get().unread


def test_unread_is_what_others_wrote_since(desk: Client, ticket: Ticket, engineer: User) -> None:
    def unread(person: User) -> bool:
        return reading.with_unread(Ticket.objects.all(), person).get().unread

    before = unread(engineer)
    page(desk, ticket)
    looked_at = unread(engineer), unread(an_engineer())
    answer = desk.post(address("unread", ticket))

    assert (before, looked_at, unread(engineer)) == (True, (False, True), True)
    assert (answer.status_code, answer["Location"]) == (303, reverse("desk:queue"))
    assert LastRead.objects.count() == 1


# What it costs


def test_draft_files_and_place_of_reading_cost_no_statement(desk: Client, ticket: Ticket) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(desk, ticket)
        return len(captured)

    page(desk, ticket)
    page(desk, ticket)
    without = statements()
    kept(desk, ticket, "Words")
    for _file in range(3):
        uploaded(desk, ticket)

    assert statements() == without


def test_long_text_is_folded_with_all_of_it_there(desk: Client, ticket: Ticket, engineer: User) -> None:
    workflow.reply(ticket, by=engineer, body="line\n" * 40 + "the end", at=timezone.now())
    shown = page(desk, ticket)

    assert "Show the whole text" in shown
    assert "the end" in shown


def test_another_companys_ticket_is_no_secret_from_the_desk_only(ticket: Ticket) -> None:
    stranger = signed_in(contact_of(a_customer()))

    answers = [
        stranger.post(address("draft", ticket), {"kind": "reply", "body": "x"}).status_code,
        stranger.post(address("draft", ticket).replace(str(ticket.number), "99999999")).status_code,
    ]

    assert answers == [403, 403]
