"""The catalogue of domain §1, §3.3 and §4.4 as data: what is sold, in which hours, how soon, who does it, who is called.

Every value is a literal, so that the migration gives the same rows for ever; a later edit is made in the admin (new
terms, a new version of a calendar). An installation that has packages already keeps them: nothing is touched.

Decisions, where the source is silent:

- Service hours are as sold ("9:00–18:00 Mon–Fri", §1.3): the source names no holidays, so none are taken out of them.
  Holidays count in *working days* only (§1.5).
- Working days are whole on the eve of a holiday too: the law shortens those days by an hour, but §1.5 promises
  N × 9 working hours.
- The holidays are those of the Labour Code with the government's transfers, 2024–2027 (2027 as decreed; of 2028 only
  what the Code itself names, so that a deadline that crosses the New Year is right). Working Saturdays have own hours.
- A line accepts a hand-over within 30 minutes, 1, 2 and 4 hours. Half an hour is what Premium promises the customer
  for the worst case (§1.4); each deeper line is smaller and is called out of longer work, so it gets twice as long.
  Priority 1 does not wait for that: the ladder of its resolution calls the lead after an hour and a half.
- Improvement wishes and questions of access are within support of every package; the remote connection is `online`.
- The answer to an escalation (§4.4) reminds the CSM at 75 % and calls top management when it is late.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import migrations

MOSCOW = ZoneInfo("Europe/Moscow")
FIRST_DAY = date(2020, 1, 1)
FIRST_MOMENT = datetime(2020, 1, 1, tzinfo=MOSCOW)

# §3.3: number, names, what it does, accepts a hand-over within
LINES = [
    (
        1,
        "Первая",
        "First",
        "Консультации по функциональным возможностям; запросы на обслуживание (ссылки на дистрибутивы, документацию); "
        "организация удалённых подключений.",
        "Consulting on functionality; service requests (links to distributions, documentation); arranging remote "
        "connections.",
        timedelta(minutes=30),
    ),
    (
        2,
        "Вторая",
        "Second",
        "Система: СУБД, веб-сервисы, сеть, техническая установка и настройка подключений (IIS/Apache, терминальные "
        "службы), проблемы с БД, взаимодействие приложений, обновление БД. Конфигурация: алгоритмы дополнительной "
        "бизнес-логики, импорт и экспорт, отчёты, печатные формы, графики, бизнес-процессы.",
        "System: DBMS, web services, network, technical installation and connections (IIS/Apache, terminal services), "
        "database problems, application interplay, database upgrade. Configuration: algorithms for added business "
        "logic, import and export, reports, printables, charts, business processes.",
        timedelta(hours=1),
    ),
    (
        3,
        "Третья",
        "Third",
        "Реализация дополнительной логики в системе; отчёты, печатные формы и бизнес-процессы; интеграция со "
        "сторонними приложениями.",
        "Added logic in the system; building reports, printables and processes; integration with third-party "
        "applications.",
        timedelta(hours=2),
    ),
    (
        4,
        "Четвёртая",
        "Fourth",
        "Разработка продукта: подтверждает дефекты, даёт обходные решения, выпускает исправления и критические патчи.",
        "Product engineering: confirms defects, gives workarounds, ships fixes and critical patches.",
        timedelta(hours=4),
    ),
]

# §1.2
SERVICES = [
    (
        "online",
        "Онлайн-поддержка: телефон, чат, удалённое подключение",
        "Online support: phone, chat, remote connection",
    ),
    (
        "offline",
        "Офлайн-поддержка: почта, портал, сообщество",
        "Offline support: e-mail, Customer Success Portal, Community",
    ),
    (
        "config_dev",
        "Консультации по конфигурированию и разработке на платформе",
        "Consulting on configuration and development on the platform",
    ),
    ("priority_mgmt", "Управление приоритетами", "Priority management by the customer"),
    ("csm", "Выделенный Customer Success Manager", "Dedicated Customer Success Manager"),
    ("unlimited", "Неограниченное количество обращений", "Unlimited number of requests"),
    ("install", "Консультации по установке и настройке", "Consulting on installation and set-up"),
    ("functional", "Консультации по функциональным возможностям", "Consulting on functionality"),
    (
        "settings",
        "Консультации по настройке средствами пользователя и аналитика",
        "Consulting on settings (user tools and analytics)",
    ),
    (
        "defects",
        "Выявление дефектов в ПО и передача их для устранения",
        "Finding defects and handing them over to be fixed",
    ),
    ("releases", "Предоставление новых версий и критических патчей", "New versions and critical patches"),
    ("portal", "Личный кабинет на портале поддержки", "Customer Success Portal account"),
    ("knowledge", "Доступ к базе знаний сообщества", "Community knowledge base"),
]

# §3.5: code, names, the service it needs, whether it also needs open hours
CHANNELS = [
    ("portal", "Портал", "Portal", "offline", False),
    ("email", "Почта", "E-mail", "offline", False),
    ("chat", "Чат", "Chat", "online", True),
    ("phone", "Телефон", "Phone", "online", True),
    ("remote", "Удалённое подключение", "Remote connection", "online", True),
    ("community", "Сообщество", "Community", "offline", False),
    ("api", "API", "API", "offline", False),
]

# §3.3: code, names, line, service (None: outside support, §1.7.2), kind
TOPICS = [
    ("how_to", "Как пользоваться", "How to use it", 1, "functional", "consultation"),
    ("service_request", "Дистрибутив или документация", "Distribution or documentation", 1, "releases",
     "service_request"),
    ("remote_connection", "Удалённое подключение", "Remote connection", 1, "online", "service_request"),
    ("access", "Вход и права доступа", "Sign-in and access rights", 1, "settings", "service_request"),
    ("database", "База данных", "Database", 2, "install", "incident"),
    ("web_server", "Веб-сервер и службы", "Web server and services", 2, "install", "incident"),
    ("installation", "Установка и подключения", "Installation and connections", 2, "install", "consultation"),
    ("upgrade", "Обновление версии", "Upgrade", 2, "releases", "service_request"),
    ("import_export", "Импорт и экспорт данных", "Data import and export", 2, "settings", "consultation"),
    ("report_setup", "Отчёты, печатные формы, графики", "Reports, printables, charts", 2, "settings", "consultation"),
    ("process_setup", "Настройка бизнес-процессов", "Business process set-up", 2, "settings", "consultation"),
    ("development", "Разработка на платформе", "Development on the platform", 3, "config_dev", "consultation"),
    ("integration", "Интеграция с другими приложениями", "Integration with other applications", 3, "config_dev",
     "consultation"),
    ("defect", "Ошибка в программе", "Fault in the software", 4, "defects", "incident"),
    ("network_os", "Сеть и операционная система", "Network and operating system", 1, None, "consultation"),
    ("wish", "Пожелание по улучшению", "Improvement wish", 1, "functional", "wish"),
]  # fmt: skip

# §1.3, §1.5
NINE_TO_SIX = [["09:00", "18:00"]]
MONDAY_TO_FRIDAY = {str(day): NINE_TO_SIX for day in range(5)}
MONDAY_TO_SUNDAY = {str(day): NINE_TO_SIX for day in range(7)}
ALWAYS = {str(day): [["00:00", "24:00"]] for day in range(7)}

HOLIDAYS = [
    # 2024: 29 April for Saturday 27 April, 30 April for 2 November, 10 May for 6 January, 30 December for 28 December,
    # 31 December for 7 January
    "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08",
    "2024-02-23", "2024-03-08", "2024-04-29", "2024-04-30", "2024-05-01", "2024-05-09", "2024-05-10", "2024-06-12",
    "2024-11-04", "2024-12-30", "2024-12-31",
    # 2025: 2 May for 4 January, 8 May for 23 February, 13 June for 8 March, 3 November for Saturday 1 November,
    # 31 December for 5 January
    "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04", "2025-01-05", "2025-01-06", "2025-01-07", "2025-01-08",
    "2025-02-23", "2025-03-08", "2025-05-01", "2025-05-02", "2025-05-08", "2025-05-09", "2025-06-12", "2025-06-13",
    "2025-11-03", "2025-11-04", "2025-12-31",
    # 2026: 9 January for 3 January, 31 December for 4 January; 8 March and 9 May fall on a weekend
    "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08",
    "2026-01-09", "2026-02-23", "2026-03-08", "2026-03-09", "2026-05-01", "2026-05-09", "2026-05-11", "2026-06-12",
    "2026-11-04", "2026-12-31",
    # 2027: 22 February for Saturday 20 February, 5 November for 2 January, 31 December for 3 January; 1 May, 9 May and
    # 12 June fall on a weekend
    "2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04", "2027-01-05", "2027-01-06", "2027-01-07", "2027-01-08",
    "2027-02-22", "2027-02-23", "2027-03-08", "2027-05-01", "2027-05-03", "2027-05-09", "2027-05-10", "2027-06-12",
    "2027-06-14", "2027-11-04", "2027-11-05", "2027-12-31",
    # 2028: the Labour Code's own days; the transfers are decreed in 2027 and make a new version of the calendar
    "2028-01-01", "2028-01-02", "2028-01-03", "2028-01-04", "2028-01-05", "2028-01-06", "2028-01-07", "2028-01-08",
    "2028-02-23", "2028-03-08", "2028-05-01", "2028-05-09", "2028-06-12", "2028-11-04", "2028-11-06",
]  # fmt: skip
WORKING_SATURDAYS = ["2024-04-27", "2024-11-02", "2024-12-28", "2025-11-01", "2027-02-20"]

# code, names, hours of a week, holidays, days with own hours
CALENDARS = [
    ("basic-hours", "9:00–18:00, пн–пт", "9:00–18:00, Mon–Fri", MONDAY_TO_FRIDAY, [], {}),
    ("business-hours", "9:00–18:00, пн–вс", "9:00–18:00, Mon–Sun", MONDAY_TO_SUNDAY, [], {}),
    ("round-the-clock", "Круглосуточно, 24×7", "Round the clock, 24×7", ALWAYS, [], {}),
    (
        "working-days",
        "Рабочие дни",
        "Working days",
        MONDAY_TO_FRIDAY,
        HOLIDAYS,
        {day: NINE_TO_SIX for day in WORKING_SATURDAYS},
    ),
]

IN_EVERY_PACKAGE = [
    "offline", "unlimited", "install", "functional", "settings", "defects", "releases", "portal", "knowledge",
]  # fmt: skip
EUROS = Decimal

# §1.1 (deployment: percent, at least EUR a year), §1.3, §1.4 (minutes by priority)
PACKAGES = [
    {
        "code": "basic",
        "names": ("Базовый", "Basic"),
        "calendar": "basic-hours",
        "services": IN_EVERY_PACKAGE,
        "prices": {"on-site": (EUROS("15"), EUROS("0")), "on-demand": (EUROS("0"), EUROS("0"))},
        "reaction": {1: 240, 2: 480, 3: 480, 4: 480},
        "resolution": {},
    },
    {
        "code": "business",
        "names": ("Бизнес", "Business"),
        "calendar": "business-hours",
        "services": [*IN_EVERY_PACKAGE, "online", "config_dev"],
        "prices": {"on-site": (EUROS("20"), EUROS("500")), "on-demand": (EUROS("10"), EUROS("500"))},
        "reaction": {1: 60, 2: 240, 3: 240, 4: 240},
        "resolution": {},
    },
    {
        "code": "premium",
        "names": ("Премиум", "Premium"),
        "calendar": "round-the-clock",
        "services": [*IN_EVERY_PACKAGE, "online", "config_dev", "priority_mgmt", "csm"],
        "prices": {"on-site": (EUROS("25"), EUROS("10000")), "on-demand": (EUROS("15"), EUROS("10000"))},
        "reaction": {1: 30, 2: 120, 3: 120, 4: 120},
        # §1.5: amount, unit, calendar
        "resolution": {
            1: (120, "minutes", "round-the-clock"),
            2: (2, "working_days", "working-days"),
            3: (10, "working_days", "working-days"),
            4: (20, "working_days", "working-days"),
        },
    },
]
ESCALATION_ANSWER = {1: 60, 2: 240, 3: 240, 4: 240}  # §4.4, minutes in the package's service hours

# §4.4: promise, priority (None: any), rungs
LADDERS = [
    ("reaction", None, [(50, "line_queue"), (75, "line_lead"), (100, "csm"), (200, "top_management")]),
    ("reaction", 1, [(50, "line_queue"), (75, "line_lead"), (100, "csm"), (150, "top_management")]),
    (
        "resolution",
        None,
        [
            (50, "assignee"),
            (75, "line_lead"),
            (90, "csm"),
            (100, "csm"),
            (100, "support_manager"),
            (125, "top_management"),
        ],
    ),
    ("line_acceptance", None, [(100, "line_lead"), (200, "support_manager")]),
    ("escalation_answer", None, [(75, "csm"), (100, "top_management")]),
]


def load(apps, schema_editor=None):
    if apps.get_model("contracts", "Package").objects.exists():
        return
    load_lines_and_services(apps)
    load_calendars(apps)
    load_packages(apps)
    load_ladders(apps)


def load_lines_and_services(apps):
    for number, ru, en, does_ru, does_en, accept_within in LINES:
        apps.get_model("accounts", "Line").objects.create(
            number=number, name_ru=ru, name_en=en, does_ru=does_ru, does_en=does_en, accept_within=accept_within
        )
    for position, (code, ru, en) in enumerate(SERVICES, start=1):
        apps.get_model("contracts", "Service").objects.create(code=code, name_ru=ru, name_en=en, position=position)
    for position, (code, ru, en, service, is_live) in enumerate(CHANNELS, start=1):
        apps.get_model("contracts", "Channel").objects.create(
            code=code, name_ru=ru, name_en=en, service_id=service, is_live=is_live, position=position
        )
    for position, (code, ru, en, line, service, kind) in enumerate(TOPICS, start=1):
        apps.get_model("contracts", "Topic").objects.create(
            code=code, name_ru=ru, name_en=en, line_id=line, service_id=service, kind=kind, position=position
        )


def load_calendars(apps):
    for code, ru, en, hours, holidays, overrides in CALENDARS:
        calendar = apps.get_model("sla", "Calendar").objects.create(code=code, name_ru=ru, name_en=en)
        apps.get_model("sla", "CalendarVersion").objects.create(
            calendar=calendar,
            valid_from=FIRST_MOMENT,
            timezone="Europe/Moscow",
            weekly_hours=hours,
            holidays=holidays,
            overrides=overrides,
        )


def load_packages(apps):
    calendars = {calendar.code: calendar for calendar in apps.get_model("sla", "Calendar").objects.all()}
    target = apps.get_model("contracts", "TermsTarget")
    for position, package in enumerate(PACKAGES, start=1):
        ru, en = package["names"]
        hours = calendars[package["calendar"]]
        terms = apps.get_model("contracts", "PackageTerms").objects.create(
            package=apps.get_model("contracts", "Package").objects.create(
                code=package["code"], name_ru=ru, name_en=en, position=position
            ),
            starts_on=FIRST_DAY,
            calendar=hours,
        )
        terms.services.set(package["services"])
        for deployment, (percent, minimum) in package["prices"].items():
            apps.get_model("contracts", "TermsPrice").objects.create(
                terms=terms, deployment=deployment, percent=percent, minimum=minimum
            )
        for kind, minutes in (("reaction", package["reaction"]), ("escalation_answer", ESCALATION_ANSWER)):
            for priority, amount in minutes.items():
                target.objects.create(
                    terms=terms, kind=kind, priority=priority, amount=amount, unit="minutes", calendar=hours
                )
        for priority, (amount, unit, calendar) in package["resolution"].items():
            target.objects.create(
                terms=terms,
                kind="resolution",
                priority=priority,
                amount=amount,
                unit=unit,
                calendar=calendars[calendar],
            )


def load_ladders(apps):
    for kind, priority, rungs in LADDERS:
        ladder = apps.get_model("sla", "Ladder").objects.create(kind=kind, priority=priority)
        for percent, whom in rungs:
            # One by one: rungs of the same percent are climbed in the order of their keys.
            apps.get_model("sla", "LadderStep").objects.create(ladder=ladder, percent=percent, whom=whom)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_people"),
        ("contracts", "0002_calendars_and_constraints"),
        ("sla", "0001_promises"),
    ]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
