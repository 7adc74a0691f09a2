"""The demo year of line 4: defects in every state, two published releases with their register, a major incident.

Played with the verbs of the product at past moments, after the year: the defects are those that its stories reported.
"""

from datetime import date, datetime, timedelta
from io import BytesIO

from django.db import transaction

from accounts.models import Role, User
from contracts import publishing
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import Customer, Product, ReleaseNotice, ReleasePublication
from helpdesk.demo.company import Company, moment
from tickets import broadcasts, workflow
from tickets.models import Defect, MajorIncident, Ticket

LINE_FOUR = "tihonov@veskora.example"

# What line 4 knows of a defect whose title has one of these words: known error and workaround, Russian and English.
KNOWN = {
    ("12",): (
        "Вид списка сбрасывается, если в нём больше двенадцати колонок: профиль обрезается при записи.",
        "The view of a list is lost when it has more than twelve columns: the profile is cut when it is written.",
        "Оставьте в виде не больше двенадцати колонок: такой вид сохраняется целиком.",
        "Keep at most twelve columns in the view: such a view is stored whole.",
    ),
    ("кэш", "cache"): (
        "Кэш схем растёт, пока пользовательский пакет подгружается в фоне, и занимает всю память сервера.",
        "The schema cache grows while a custom package preloads in the background, until the server is out of memory.",
        "Отключите фоновую прогрузку пакета в его настройках и перезапустите пул приложений.",
        "Switch the background preload of the package off in its settings and restart the application pool.",
    ),
    ("почт", "mail"): (
        "Приём почты останавливается на письме, у вложения которого нет имени.",
        "Incoming mail stops at a message whose attachment has no name.",
        "Перенесите такое письмо из папки входящих и перезапустите приём почты.",
        "Move that message out of the inbox folder and restart the e-mail listener.",
    ),
}
OTHERWISE = (
    "Ошибка повторена на стенде и передана разработчикам продукта.",
    "The fault is reproduced on our stand and passed to the developers of the product.",
    "Отключите второй обработчик события: с одним ошибка не проявляется.",
    "Switch the second handler of the event off: with one the fault does not show.",
)
NOTES_RU = (
    "Ускорено открытие списков с большим числом записей.\n"
    "Исправлены ошибки печатных форм и обмена, о которых сообщили клиенты.\n"
    "Обновление занимает около получаса; перед ним сделайте резервную копию базы."
)
NOTES_EN = (
    "Lists with many records open faster.\n"
    "Faults of print forms and of the exchange that customers reported are fixed.\n"
    "The update takes about half an hour; back the database up first."
)


def line_four(made: Company, now: datetime) -> None:
    """Once: what is there already is left as it is."""
    if ReleasePublication.objects.exists():
        return
    by = made.people[LINE_FOUR]
    with transaction.atomic():
        releases(made, by, now)
    with transaction.atomic():
        defects(by, now)
    with transaction.atomic():
        major_incident(made, by)


def releases(made: Company, by: User, now: datetime) -> None:
    """8.0.2 of the first product and a critical patch of the second, a draft of what comes next."""
    sales, service = made.products["sales"], made.products["service"]
    first = _prepared(sales, "8.0.2", "release", by, moment(made.today - timedelta(days=129), 11))
    workflow.publish_release(first, by=by, at=moment(made.today - timedelta(days=129), 12))
    patch = _prepared(service, "8.1", "patch", by, moment(made.today - timedelta(days=37), 11))
    workflow.publish_release(patch, by=by, at=moment(made.today - timedelta(days=37), 12))
    for published in (first, patch):
        _taken(published, now)
    _prepared(sales, "8.2", "release", by, now - timedelta(hours=20))


def _prepared(product: Product, version: str, kind: str, by: User, at: datetime) -> ReleasePublication:
    made = publishing.prepare(product, version=version, kind=kind, notes_ru=NOTES_RU, notes_en=NOTES_EN, by=by, at=at)
    name = f"{product.name} {version}"
    publishing.add_file(
        made,
        kind="program",
        name=f"{product.code}-{version}.zip",
        content=BytesIO(f"{name}\n".encode() * 40_000),
        by=by,
    )
    publishing.add_file(
        made, kind="papers", name=f"{product.code}-{version}.txt", content=BytesIO(NOTES_RU.encode()), by=by
    )
    return made


def _taken(publication: ReleasePublication, now: datetime) -> None:
    """Two in three download it, one in three says that it is installed."""
    for number, notice in enumerate(ReleaseNotice.objects.filter(publication=publication).order_by("pk")):
        at = notice.told_at + timedelta(days=2 + number, hours=number % 5)
        if number % 3 == 2 or at > now:
            continue
        speaks = notice.customer.contact_at(at)
        if speaks is None:
            continue
        publishing.downloaded(notice, by=speaks, at=at)
        if number % 3 == 0 and at + timedelta(days=3) < now:
            speaks = notice.customer.contact_at(at + timedelta(days=3)) or speaks
            publishing.mark_installed(notice, by=speaks, at=at + timedelta(days=3))


def defects(by: User, now: datetime) -> None:
    """What became of the defects that the stories reported, in turn: every state there is."""
    for number, defect in enumerate(Defect.objects.order_by("pk")):
        at = defect.reported_at + timedelta(hours=5)
        if at + timedelta(hours=9) > now or number % 5 == 0:
            continue  # just reported
        if number % 5 == 4:
            workflow.reject_defect(
                defect, by=by, at=at, reason="На чистой установке не повторяется: причина в доработке клиента."
            )
            continue
        known_ru, known_en, way_ru, way_en = _known(defect)
        workflow.confirm_defect(defect, by=by, at=at)
        workflow.edit_defect(
            defect,
            by=by,
            at=at + timedelta(minutes=30),
            known_error_ru=known_ru,
            known_error_en=known_en,
            workaround_ru=way_ru,
            workaround_en=way_en,
        )
        if number % 5 in {2, 3}:
            _fixed(defect, by, at + timedelta(hours=4), released=number % 5 == 3)


def _known(defect: Defect) -> tuple[str, str, str, str]:
    title = defect.title.lower()
    return next((texts for words, texts in KNOWN.items() if any(word in title for word in words)), OTHERWISE)


def _fixed(defect: Defect, by: User, at: datetime, *, released: bool) -> None:
    published = ReleasePublication.objects.filter(release__product=defect.product_id, published_at__isnull=False)
    coming = ReleasePublication.objects.filter(release__product=defect.product_id, published_at__isnull=True)
    later = (
        publication
        for publication in (published if released else coming).select_related("release")
        if workflow.may_bring_the_fix(defect, publication.release)
    )
    found = next(later, None)
    defect = workflow.fix_defect(defect, by=by, at=at, fixed_in=found.release if found else None)
    if released and found is not None and found.published_at is not None:
        when = max(at, found.published_at)
        told = workflow.release_defect(defect, by=by, at=when)
        if told is not None:
            broadcasts.advance(told, at=when, seconds=None)


# A disturbance of three weeks ago

SUBJECTS = {
    "ru": ("Не открывается страница входа", "Никто не может войти в систему", "Система не отвечает с утра"),
    "en": ("Nobody can sign in", "The system does not answer since this morning", "Sign-in page does not open"),
}
BODY = {
    "ru": "С утра система не открывается ни у кого из сотрудников, работа остановлена.",
    "en": "Since this morning the system opens for none of us, the work stands still.",
}


def major_incident(made: Company, by: User) -> MajorIncident | None:
    """Sign-in failed for several customers; told, solved, ended, reviewed."""
    day = _working_day(made.today - timedelta(days=21))
    at = datetime.combine(day, datetime.min.time(), tzinfo=CONTRACT_ZONE) + timedelta(hours=9, minutes=12)
    tickets = [_opened(customer, number, at, made) for number, customer in enumerate(_affected(at))]
    if len(tickets) < 2:
        return None
    lead = User.objects.filter(role=Role.LINE_LEAD).earliest("pk")
    first = workflow.accept(tickets[0], by=by, at=at + timedelta(minutes=6))
    incident = workflow.declare_major(
        first,
        by=by,
        at=at + timedelta(minutes=14),
        title="Вход недоступен у нескольких клиентов",
        reason="Один и тот же отказ входа у клиентов разных площадок; причина на нашей стороне.",
        coordinator=lead,
    )
    workflow.link_children(incident, tickets[1:], by=lead, at=at + timedelta(minutes=18))
    _tell(
        incident,
        lead,
        at + timedelta(minutes=22),
        "Мы видим, что вход недоступен у нескольких клиентов. Причина у нас, восстанавливаем. Напишем в 10:00.",
        "Sign-in is down for several customers. The cause is on our side, we are restoring it. More at 10:00.",
    )
    workflow.write_major_note(
        incident, by=by, at=at + timedelta(minutes=35), text="Истёк сертификат службы входа. Выпускаем новый."
    )
    solved = workflow.solve_affected(
        incident,
        by=lead,
        at=at + timedelta(minutes=58),
        text_ru="Вход снова работает: мы заменили истёкший сертификат службы входа. Проверьте, пожалуйста.",
        text_en="Sign-in works again: we replaced the expired certificate of the sign-in service. Please check.",
    )
    broadcasts.advance(solved, at=at + timedelta(minutes=58), seconds=None)
    for number, ticket in enumerate(tickets):
        when = at + timedelta(hours=2, minutes=7 * number)
        contact = ticket.customer.contact_at(when)
        if contact is not None:
            workflow.confirm(ticket, by=contact, at=when)
    _review(incident, by, lead, at + timedelta(hours=3))
    return incident


def _review(incident: MajorIncident, by: User, lead: User, at: datetime) -> None:
    workflow.end_major(
        incident,
        by=lead,
        at=at,
        what_happened="В 9:05 истёк сертификат службы входа. До 10:10 войти не мог никто из клиентов этой площадки.",
    )
    workflow.review_major(
        incident,
        by=lead,
        at=at + timedelta(days=1),
        cause="Срок сертификата не стоял ни в чьём календаре, предупреждение уходило на закрытый ящик.",
        went_well="Сбой объявлен через 14 минут, всем затронутым написали через 22 минуты.",
        went_badly="Двадцать минут искали причину в базе данных.",
    )
    for text, owner, days in (
        ("Следить за сроками всех сертификатов за 30 дней", by, 14),
        ("Перевести предупреждения на дежурную линию", lead, 30),
    ):
        due: date = at.date() + timedelta(days=days)
        action = workflow.add_major_action(
            incident, by=lead, text=text, owner=owner, due_on=due, at=at + timedelta(days=1)
        )
        if owner == by:
            workflow.finish_major_action(action, by=by, at=at + timedelta(days=9))


def _tell(incident: MajorIncident, by: User, at: datetime, text_ru: str, text_en: str) -> None:
    sent = workflow.tell_affected(incident, by=by, at=at, text_ru=text_ru, text_en=text_en)
    broadcasts.advance(sent, at=at, seconds=None)


def _working_day(day: date) -> date:
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day


def _affected(at: datetime) -> list[Customer]:
    """Four customers with a contract then and somebody who speaks for them, English ones among them."""
    day = at.date()
    found = [
        customer
        for customer in Customer.objects.order_by("-language", "pk")
        if customer.contracts.in_force(day).exists()
        and customer.contact_at(at) is not None
        and customer.licences.in_force(day).exists()
    ]
    return [*found[:3], *found[-1:]] if len(found) > 3 else found


def _opened(customer: Customer, number: int, at: datetime, made: Company) -> Ticket:
    contact = customer.contact_at(at)
    licence = customer.licences.in_force(at.date()).order_by("pk").first()
    assert contact is not None and licence is not None  # `_affected` asked
    language = "en" if customer.language == "en" else "ru"
    return workflow.open_ticket(
        customer=customer,
        by=contact,
        subject=SUBJECTS[language][number % 3],
        body=BODY[language],
        at=at + timedelta(minutes=2 * number),
        channel="portal",
        kind="incident",
        priority=1,
        product=licence.product,
        release=licence.release,
        language=language,
    )
