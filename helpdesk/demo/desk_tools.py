"""What the demo's desk has written once and says often: macros, shared views, and articles that customers find first.

Plain plans, played by the verbs; made once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from helpdesk.demo.company import Company
from knowledge import editing
from knowledge.models import Article
from tickets import saved_views
from tickets.models import Macro

WRITER, REVIEWER, LEAD = "sorokina", "klimov", "gordeev"


@dataclass(frozen=True)
class MacroPlan:
    """A shared macro; `does` are the fields of the model for what happens along with the words."""

    title: str
    kind: str
    ru: str
    en: str
    line: int | None = None
    does: tuple[tuple[str, object], ...] = ()


MACROS = (
    MacroPlan(
        "Приняли, смотрим",
        "reply",
        "{{ contact }}, приняли обращение № {{ number }} в работу. Следующее сообщение от нас — до {{ due }}.",
        "{{ contact }}, we have taken request No. {{ number }}. You will hear from us by {{ due }}.",
    ),
    MacroPlan(
        "Просим журнал и снимок экрана",
        "question",
        "{{ contact }}, пришлите, пожалуйста, журнал сервера приложений за время сбоя и снимок экрана с текстом "
        "ошибки. Пока ждём вас, срок решения стоит на паузе.",
        "{{ contact }}, please send the application server log of the time of the failure and a screenshot with the "
        "text of the error. While we wait for you, the clock of the solution is on hold.",
    ),
    MacroPlan(
        "Передать на третью линию: серверная ошибка",
        "note",
        "Передаю на третью линию: ошибка на стороне сервера, настройками не обойти.",
        "Handing over to line 3: the fault is on the server, no setting works around it.",
        line=2,
        does=(
            ("to_line_id", 3),
            ("known", "Ошибка повторяется на стенде клиента и на чистом стенде того же выпуска."),
            ("asked", "Найти причину по журналу сервера и предложить обходное решение."),
        ),
    ),
    MacroPlan(
        "Работа восстановлена, приоритет ниже",
        "reply",
        "{{ contact }}, работа восстановлена обходным решением. Причину ищем дальше, приоритет теперь 3.",
        "{{ contact }}, service is restored by a workaround. We go on looking for the cause; the priority is 3 now.",
        does=(("priority", 3),),
    ),
    MacroPlan(
        "Решено: настройка прав",
        "reply",
        "{{ contact }}, причина была в правах доступа на объект. Права исправлены, проверьте, пожалуйста, в "
        "{{ product }}. Если всё работает, подтвердите решение одной кнопкой.",
        "{{ contact }}, the cause were the access rights on the object. They are corrected: please check it in "
        "{{ product }}. If all works, confirm the solution with one button.",
        line=1,
        does=(("resolves", True),),
    ),
)

# name, address of the queue, who sees it, line
VIEWS = (
    ("Премиум: ближайшие сроки", "?package=premium", "desk", None),
    ("Срывы и сегодня", "?horizon=late&horizon=today", "desk", None),
    ("Вторая линия: ничьи", "l/2/?assignee=nobody", "line", 2),
)


@dataclass(frozen=True)
class ArticlePlan:
    """An article; published by somebody else than its writer unless `state` says otherwise."""

    title: str
    body: str
    language: str = "ru"
    product: str = ""
    audience: str = "public"
    state: str = "published"


ARTICLES = (
    ArticlePlan(
        "Пул приложений перезапускается по памяти",
        "Если пул приложений IIS падает каждые несколько минут, сначала проверьте предел памяти.\n\n"
        "1. Откройте *Дополнительные параметры* пула.\n"
        "2. Поднимите *Предел частной памяти* до 16 ГБ или снимите его на время проверки.\n"
        "3. Отключите фоновую прогрузку пользовательских пакетов и перезапустите пул.\n\n"
        "Если пул падает и после этого, снимите дамп процесса и приложите его к обращению.",
        product="sales",
    ),
    ArticlePlan(
        "Печатная форма без подписей и логотипа",
        "Подписи пропадают, если после обновления шаблон ссылается на удалённое поле.\n\n"
        "1. Откройте шаблон в *Настройка → Печатные формы*.\n"
        "2. Нажмите *Проверить поля*: удалённые поля отмечены красным.\n"
        "3. Замените их и сохраните шаблон заново.",
        product="sales",
    ),
    ArticlePlan(
        "Почта не приходит: письмо с вложением без имени",
        "Приём почты останавливается на письме, у вложения которого нет имени.\n\n"
        "1. Перенесите такое письмо из папки входящих в любую другую.\n"
        "2. Перезапустите приём почты в *Настройка → Почта*.\n\n"
        "Исправление вошло в выпуск 8.1.",
        product="service",
    ),
    ArticlePlan(
        "Не работает единый вход после смены сертификата",
        "После смены сертификата поставщика удостоверений загрузите новые метаданные.\n\n"
        "1. Скачайте метаданные у поставщика (файл XML).\n"
        "2. Загрузите их в *Администрирование → Единый вход*.\n"
        "3. Проверьте вход в отдельном окне, не закрывая текущего.",
    ),
    ArticlePlan(
        "How to collect the application server log",
        "The log of the time of a failure is the first thing that we ask for.\n\n"
        "1. On the application server, open the `Logs` folder of the site.\n"
        "2. Take the files of the day: `Error.log` and `Common.log`.\n"
        "3. Put them into a zip archive and attach it to the request.",
        language="en",
    ),
    ArticlePlan(
        "The view of a list is lost after reopening",
        "A view with more than twelve columns is not stored whole.\n\n"
        "Keep at most twelve columns in the view: such a view is stored and comes back.",
        language="en",
        product="sales",
    ),
    ArticlePlan(
        "Как снять дамп процесса на сервере клиента",
        "1. Запустите `procdump -ma` от имени учётной записи пула.\n"
        "2. Дамп больше 2 ГБ клиент кладёт в свой обмен и присылает ссылку.\n"
        "3. Данные из дампа не покидают стенд: разбираем на машине клиента.",
        audience="internal",
    ),
    ArticlePlan(
        "Медленный список: какие индексы проверить",
        "Черновик. Собираем из обращений: какие фильтры читают таблицу целиком и какие индексы помогают.",
        product="studio",
        state="draft",
    ),
)


@transaction.atomic
def desk_tools(made: Company, now: datetime) -> None:
    """Once: where somebody has written a macro or an article already, it is left as it is."""
    people = {email.partition("@")[0]: person for email, person in made.people.items()}
    if not Macro.objects.exists():
        for place, plan in enumerate(MACROS):
            texts = {"title": plan.title, "kind": plan.kind, "body_ru": plan.ru, "body_en": plan.en}
            Macro.objects.create(**texts, line_id=plan.line, position=10 * (place + 1), **dict(plan.does))
    lead = people[LEAD]
    if not lead.saved_views.exists():
        for name, tail, shared, line in VIEWS:
            saved_views.save_view(by=lead, name=name, tail=tail, shared=shared, line=line)
    if not Article.objects.exists():
        for number, article in enumerate(ARTICLES):
            _write(article, made, people[WRITER], people[REVIEWER], now - timedelta(days=200 - 20 * number))


def _write(plan: ArticlePlan, made: Company, writer: User, reviewer: User, at: datetime) -> None:
    article = Article(
        title=plan.title,
        body=plan.body,
        language=plan.language,
        product=made.products.get(plan.product),
        audience=plan.audience,
    )
    article = editing.write(article, by=writer, at=at)
    if plan.state == "published":
        article = editing.send_to_review(article, by=writer, at=at + timedelta(hours=2))
        editing.publish(article, by=reviewer, at=at + timedelta(hours=5))
