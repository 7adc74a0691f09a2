"""What a customer is writing: the draft of an answer, the files of an answer and of a new request (direction §6.6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.factories import a_customer, an_engineer, contact_of, observer_of, open_ticket
from tickets import workflow
from tickets.models import Attachment, Draft, HeldRequest, Message, PendingFile, Ticket

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


@pytest.fixture
def ticket() -> Ticket:
    now = timezone.now()
    company = a_customer("premium", starts_on=(now - timedelta(days=100)).date(), language="en")
    return open_ticket(company, at=now - timedelta(minutes=30))


@pytest.fixture
def contact(client: Client, ticket: Ticket) -> User:
    person = contact_of(ticket.customer)
    client.force_login(person)
    return person


def a_file(name: str = "log.txt", content: bytes = b"lines") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/plain")


def of(ticket: Ticket, name: str, *more: Any) -> str:
    return reverse(f"portal:{name}", args=[ticket.number, *more])


def keep(client: Client, ticket: Ticket, body: str, **fields: Any) -> Any:
    return client.post(of(ticket, "draft"), {"body": body, **fields}, headers=JSON)


def bring(client: Client, address: str, file: SimpleUploadedFile) -> Any:
    return client.post(address, {"file": file}, headers=JSON)


# The draft of an answer


def test_a_draft_comes_back_on_any_device_and_ends_with_its_message(client, ticket, contact):
    assert keep(client, ticket, "Since nine o'clock 🙂").status_code == 200
    phone = Client()
    phone.force_login(contact)

    page = phone.get(of(ticket, "ticket")).content.decode()
    assert "Since nine o&#x27;clock 🙂</textarea>" in page
    assert "Draft kept at" in page

    phone.post(of(ticket, "replies"), {"body": "Since nine o'clock 🙂", "key": "k" * 32})
    late = keep(client, ticket, "Since nine o'clock 🙂", key="k" * 32)

    assert late.json()["body"] == ""
    assert Draft.objects.count() == 0


def test_words_that_come_after_their_follow_up_was_opened_are_no_draft_of_the_closed_request(client, ticket, contact):
    engineer = an_engineer()
    ticket = workflow.accept(ticket, by=engineer, at=timezone.now())
    ticket = workflow.resolve(ticket, by=engineer, body="Mended.", at=timezone.now())
    workflow.confirm(ticket, by=contact, at=timezone.now())
    keep(client, ticket, "It is back.", key="k" * 32)

    client.post(of(ticket, "replies"), {"body": "It is back.", "key": "k" * 32})
    late = keep(client, ticket, "It is back.", key="k" * 32)

    assert late.json()["body"] == ""
    assert Draft.objects.count() == 0


def test_the_second_of_two_windows_is_told_and_overwrites_nothing(client, ticket, contact):
    keep(client, ticket, "In the first window", base="")

    told = keep(client, ticket, "In the second window", base="")

    assert (told.status_code, told.json()["body"]) == (409, "In the first window")
    assert keep(client, ticket, "In the second window", base=told.json()["at"]).status_code == 200
    assert Draft.objects.get().body == "In the second window"


def test_without_scripts_a_button_keeps_the_words_and_the_files(client, ticket, contact):
    answer = client.post(of(ticket, "draft"), {"body": "Without scripts", "files": [a_file()]})

    assert (answer.status_code, answer["Location"]) == (303, of(ticket, "ticket"))
    page = client.get(of(ticket, "ticket")).content.decode()
    assert "Without scripts</textarea>" in page
    assert 'name="pending"' in page


def test_a_draft_is_thrown_away_with_its_files(client, ticket, contact):
    client.post(of(ticket, "draft"), {"body": "Not this", "files": [a_file()]})

    client.post(of(ticket, "draft"), {"discard": "1", "body": "Not this"})

    assert (Draft.objects.count(), PendingFile.objects.count()) == (0, 0)


def test_nonsense_is_no_draft(client, ticket, contact):
    assert keep(client, ticket, "x", base="yesterday").status_code == 422


def test_what_an_engineer_writes_there_is_never_shown(client, ticket, contact):
    Draft.objects.create(ticket=ticket, person=an_engineer(), kind="note", body="Secret", updated_at=timezone.now())

    assert "Secret" not in client.get(of(ticket, "ticket")).content.decode()


# The same twice, and what came meanwhile


def send(client: Client, ticket: Ticket, body: str, **fields: Any) -> Any:
    return client.post(of(ticket, "replies"), {"body": body, **fields}, follow=True)


def said_by(person: User) -> list[str]:
    return list(Message.objects.filter(author=person).order_by("pk").values_list("body", flat=True))[1:]


def test_the_same_words_of_a_form_drawn_anew_are_one_message(client, ticket, contact):
    send(client, ticket, "Still slow.", key="a" * 32)

    again = send(client, ticket, "Still  slow.\r\n", key="b" * 32)

    assert said_by(contact) == ["Still slow."]
    assert "You sent this already" in again.content.decode()


def test_the_same_words_after_an_answer_or_with_a_file_are_another_message(client, ticket, contact):
    send(client, ticket, "Yes.", key="a" * 32)
    workflow.reply(ticket, by=an_engineer(), body="Did you restart it?", at=timezone.now())

    send(client, ticket, "Yes.", key="b" * 32)
    send(client, ticket, "Yes.", key="c" * 32, files=[a_file()])

    assert said_by(contact) == ["Yes.", "Yes.", "Yes."]


def test_other_words_on_a_page_gone_back_to_are_not_lost(client, ticket, contact):
    send(client, ticket, "Still slow.", key="a" * 32)

    send(client, ticket, "Not slow any more.", key="a" * 32)

    assert said_by(contact) == ["Still slow.", "Not slow any more."]


def test_an_answer_from_a_stale_page_does_not_reopen_what_was_solved_meanwhile(client, ticket, contact):
    seen = ticket.messages.latest("pk").pk
    engineer = an_engineer()
    workflow.resolve(
        workflow.accept(ticket, by=engineer, at=timezone.now()), by=engineer, body="Mended.", at=timezone.now()
    )

    told = send(client, ticket, "Any news?", seen=seen, key="a" * 32)

    page = told.content.decode()
    assert (told.status_code, said_by(contact)) == (409, [])
    assert "wrote too. Read it first" in page
    assert "Any news?</textarea>" in page
    assert Ticket.objects.get().state == "resolved"
    last = ticket.messages.latest("pk").pk
    assert f'name="seen" value="{last}"' in page
    send(client, ticket, "Any news?", seen=last, key="a" * 32)
    assert (said_by(contact), Ticket.objects.get().state) == (["Any news?"], "in_progress")


def test_a_note_stops_no_customer(client, ticket, contact):
    seen = ticket.messages.latest("pk").pk
    workflow.note(ticket, by=an_engineer(), body="Among ourselves", at=timezone.now())

    told = send(client, ticket, "Any news?", seen=seen)

    assert (told.status_code, said_by(contact)) == (200, ["Any news?"])


def test_a_refused_form_still_knows_only_what_its_person_saw(client, ticket, contact):
    seen = ticket.messages.latest("pk").pk
    workflow.reply(ticket, by=an_engineer(), body="We look into it.", at=timezone.now())

    told = send(client, ticket, "", seen=seen)

    assert told.status_code == 422
    assert f'name="seen" value="{seen}"' in told.content.decode()


# Files


def test_an_uploaded_file_goes_with_the_answer_and_two_clicks_send_it_once(client, ticket, contact):
    came = bring(client, of(ticket, "uploads"), a_file())
    assert (came.status_code, came.json()["name"]) == (201, "log.txt")
    sent = {"body": "With a log", "key": "k" * 32, "pending": [came.json()["pk"]], "files": [a_file("plain.txt")]}

    for _click in (1, 2):
        assert client.post(of(ticket, "replies"), sent).status_code == 303
        sent["files"] = [a_file("plain.txt")]

    message = Message.objects.get(author=contact, body="With a log")
    assert sorted(message.attachments.values_list("name", flat=True)) == ["log.txt", "plain.txt"]
    assert PendingFile.objects.count() == 0


def test_a_follow_up_of_a_closed_request_takes_the_files_along_once(client, ticket, contact):
    now = timezone.now()
    workflow.resolve(ticket, by=an_engineer(), body="Done", at=now - timedelta(minutes=20))
    workflow.confirm(ticket, by=contact, at=now - timedelta(minutes=10))
    key = bring(client, of(ticket, "uploads"), a_file()).json()["pk"]

    for _click in (1, 2):
        answer = client.post(of(ticket, "replies"), {"body": "It is back", "key": "k" * 32, "pending": [key]})

    follow_up = Ticket.objects.exclude(pk=ticket.pk).get()
    assert answer["Location"] == of(follow_up, "ticket")
    assert list(Attachment.objects.values_list("message__ticket", "name")) == [(follow_up.pk, "log.txt")]


def test_uploaded_files_go_with_a_new_request_and_two_clicks_send_them_once(client, ticket, contact):
    key = bring(client, reverse("portal:new_uploads"), a_file()).json()["pk"]
    assert f'name="pending" value="{key}"' in client.get(reverse("portal:new")).content.decode()
    sent = {"subject": "No mail", "kind": "incident", "impact": "3", "body": "x", "key": "k" * 32, "pending": [key]}

    answers = [client.post(reverse("portal:new"), sent) for _click in (1, 2)]

    filed = Ticket.objects.exclude(pk=ticket.pk).get()
    assert {answer["Location"] for answer in answers} == {of(filed, "ticket")}
    assert list(Attachment.objects.values_list("message__ticket", "name")) == [(filed.pk, "log.txt")]
    assert 'name="pending"' not in client.get(reverse("portal:new")).content.decode()


def test_a_request_that_is_held_takes_its_files_along(client, contact, ticket, settings):
    key = bring(client, reverse("portal:new_uploads"), a_file()).json()["pk"]
    sent = {
        "subject": "The network is slow",
        "kind": "incident",
        "impact": "3",
        "topic": "network_os",
        "pending": [key],
    }
    refused = client.post(reverse("portal:new"), sent)
    assert refused.status_code == 409
    assert f'name="pending" value="{key}"' in refused.content.decode()

    client.post(reverse("portal:new"), {**sent, "hold": "1"})

    assert list(HeldRequest.objects.get().files.values_list("name", flat=True)) == ["log.txt"]
    assert PendingFile.objects.count() == 0


REFUSED = [
    (lambda: a_file("huge.zip", b"x" * 101), "“huge.zip” is 101"),
    (lambda: a_file("Setup.EXE"), "“Setup.EXE” is a program"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
@pytest.mark.parametrize("where", ["reply", "new"])
def test_a_refused_file_is_named_and_neither_the_words_nor_the_others_are_lost(
    client, ticket, contact, settings, where, make: Callable[[], SimpleUploadedFile], words
):
    settings.ATTACHMENT_MAX_BYTES = 100
    address = of(ticket, "replies") if where == "reply" else reverse("portal:new")
    fields = {"subject": "No mail", "kind": "incident", "impact": "3", "body": "My long words", "key": "k" * 32}

    page = client.post(address, {**fields, "files": [a_file("good.txt"), make(), a_file("too.txt")]})

    assert page.status_code == 422
    shown = page.content.decode().replace("\xa0", " ")
    assert words in shown
    assert "My long words</textarea>" in shown
    assert list(PendingFile.objects.values_list("name", flat=True)) == ["good.txt", "too.txt"]
    pending = list(PendingFile.objects.values_list("pk", flat=True))
    assert [f'name="pending" value="{key}"' in shown for key in pending] == [True, True]

    client.post(address, {**fields, "pending": pending})

    assert list(Attachment.objects.values_list("name", flat=True)) == ["good.txt", "too.txt"]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_a_refused_upload_is_422_in_the_same_words(client, ticket, contact, settings, make, words):
    settings.ATTACHMENT_MAX_BYTES = 100

    for address in (of(ticket, "uploads"), reverse("portal:new_uploads")):
        answer = bring(client, address, make())
        assert answer.status_code == 422
        assert words in answer.json()["detail"].replace("\xa0", " ")
    assert PendingFile.objects.count() == 0


def test_every_refused_file_of_a_form_is_named(client, ticket, contact):
    page = client.post(of(ticket, "replies"), {"body": "x", "files": [a_file("a.exe"), a_file("b.lnk")]})

    shown = page.content.decode()
    assert ["“a.exe” is a program" in shown, "“b.lnk” is a program" in shown] == [True, True]


def test_a_name_from_elsewhere_loses_its_way_there(client, ticket, contact):
    file = a_file()
    file._name = "../../x"  # type: ignore[attr-defined]

    came = bring(client, of(ticket, "uploads"), file)

    assert came.json()["name"] == "x"


def test_a_file_is_taken_away_with_scripts_and_without(client, ticket, contact):
    keys = [bring(client, of(ticket, "uploads"), a_file()).json()["pk"] for _file in (1, 2)]

    assert client.post(of(ticket, "upload_removal", keys[0]), headers=JSON).json() == {}
    answer = client.post(of(ticket, "upload_removal", keys[1]), {"body": "My words", "files": [a_file("new.txt")]})

    assert answer["Location"] == of(ticket, "ticket")
    assert list(PendingFile.objects.values_list("name", flat=True)) == ["new.txt"]
    assert Draft.objects.get().body == "My words"


def test_a_file_of_a_new_request_is_taken_away_and_what_was_filled_in_stays(client, ticket, contact):
    key = bring(client, reverse("portal:new_uploads"), a_file()).json()["pk"]

    client.post(reverse("portal:new_upload_removal", args=[key]), {"subject": "No mail", "body": "My words"})

    page = client.get(reverse("portal:new")).content.decode()
    assert PendingFile.objects.count() == 0
    assert "My words</textarea>" in page


def test_files_of_others_are_neither_sent_nor_taken_away(client, ticket, contact):
    other = contact_of(a_customer())
    theirs = PendingFile.objects.create(person=other, name="x", size=1, created_at=timezone.now(), file="x")

    sent = client.post(reverse("portal:new"), {"subject": "No mail", "kind": "consultation", "pending": [theirs.pk]})

    assert sent.status_code == 409
    assert client.post(reverse("portal:new_upload_removal", args=[theirs.pk])).status_code == 404
    assert PendingFile.objects.filter(pk=theirs.pk).exists()
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("keys", [["x"], ["-1"], ["9" * 5000]])
def test_nonsense_for_a_file_is_422(client, ticket, contact, keys):
    assert client.post(of(ticket, "replies"), {"body": "x", "pending": keys}).status_code == 422


@pytest.mark.parametrize("name", ["draft", "uploads"])
def test_who_only_reads_writes_nothing(client, ticket, name):
    client.force_login(observer_of(ticket.customer))

    assert client.post(of(ticket, name), {"body": "x"}).status_code == 404
    assert client.post(reverse("portal:new_uploads"), {"file": a_file()}).status_code == 404


def test_what_is_written_in_a_merged_request_goes_on_in_the_one_that_stays(client, ticket, contact):
    now = timezone.now()
    into = open_ticket(ticket.customer, at=now - timedelta(minutes=20))
    workflow.merge(ticket, into=into, by=an_engineer(), at=now - timedelta(minutes=10))

    keep(client, ticket, "Written in the old page")

    assert Draft.objects.get().ticket == into
