"""Who is in the demo year: the vendor's people, its products, and the customers with licences and contracts.

Plain data, no Django. Every company and person is invented; every address ends in `.example`. Days are counted from the
day on which the demo is made ("today" of the builder): -30 is a month ago, 45 in six weeks. Money is EUR.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

VENDOR_DOMAIN = "veskora.example"


# Products and releases


@dataclass(frozen=True)
class ProductPlan:
    """A product of the vendor. `code` is what stories name."""

    code: str
    name: str


PRODUCTS = (
    ProductPlan("sales", "Veskora Sales"),
    ProductPlan("service", "Veskora Service"),
    ProductPlan("marketing", "Veskora Marketing"),
    ProductPlan("studio", "Veskora Studio"),
)


@dataclass(frozen=True)
class ReleasePlan:
    """A release of every product and the day on which it came out."""

    version: str
    day: int


# Oldest first.
RELEASES = (
    ReleasePlan("7.6", -1130),
    ReleasePlan("7.7", -830),
    ReleasePlan("7.8", -640),
    ReleasePlan("7.8.4", -430),
    ReleasePlan("8.0", -250),
    ReleasePlan("8.0.2", -130),
    ReleasePlan("8.1", -38),
)


def next_release(version: str, day: int) -> str:
    """The release that a customer with `version` would update to on that day: the newest out, or the next to come."""
    versions = [release.version for release in RELEASES]
    later = RELEASES[versions.index(version) + 1 :]
    out = [release.version for release in later if release.day <= day]
    if out:
        return out[-1]
    return later[0].version if later else "8.2"


# People


@dataclass(frozen=True)
class Person:
    """Somebody who signs in. `role` is a value of accounts.Role; `lines` are the support lines of engineers and leads.

    `speaks` are the languages in which they answer customers, `language` is that of their pages. `shown` marks the
    sign-ins that `make run` prints.
    """

    email: str
    full_name: str
    role: str
    language: str = "ru"
    timezone: str = "Europe/Moscow"
    lines: tuple[int, ...] = ()
    speaks: tuple[str, ...] = ("ru", "en")
    position: str = ""
    phone: str = ""
    shown: bool = False


def _staff(login: str, full_name: str, role: str, **rest) -> Person:
    return Person(f"{login}@{VENDOR_DOMAIN}", full_name, role, **rest)


ENGINEERS = (
    _staff("guseva", "Анна Гусева", "engineer", lines=(1,), phone="+7 495 000-01-11", shown=True),
    _staff("ermakov", "Тимур Ермаков", "engineer", lines=(1,), speaks=("ru",), phone="+7 495 000-01-12"),
    _staff("lindqvist", "Maria Lindqvist", "engineer", lines=(1,), language="en", timezone="Europe/Tallinn"),
    _staff("klimov", "Павел Климов", "engineer", lines=(2,), phone="+7 495 000-01-21"),
    _staff("kravets", "Ирина Кравец", "engineer", lines=(2,), phone="+7 495 000-01-22"),
    _staff("zaharov", "Денис Захаров", "engineer", lines=(1, 2), timezone="Asia/Novosibirsk"),
    _staff("ozols", "Janis Ozols", "engineer", lines=(2,), language="en", timezone="Europe/Riga"),
    _staff("sorokina", "Марина Сорокина", "engineer", lines=(3,), phone="+7 495 000-01-31"),
    _staff("bulatov", "Ринат Булатов", "engineer", lines=(3,), timezone="Asia/Yekaterinburg"),
    _staff("whitlow", "Daniel Whitlow", "engineer", lines=(3,), language="en", timezone="Europe/London"),
    _staff("zueva", "Ольга Зуева", "engineer", lines=(2, 3), phone="+7 495 000-01-34"),
    _staff("tihonov", "Сергей Тихонов", "engineer", lines=(4,), phone="+7 495 000-01-41"),
    _staff("petrenko", "Виктор Петренко", "engineer", lines=(4,)),
    _staff("aasmae", "Liis Aasmäe", "engineer", lines=(4,), language="en", timezone="Europe/Tallinn"),
)

LEADS = (
    _staff("morozova", "Екатерина Морозова", "line_lead", lines=(1,), phone="+7 495 000-01-10"),
    _staff("gordeev", "Илья Гордеев", "line_lead", lines=(2,), phone="+7 495 000-01-20", shown=True),
    _staff("nazarova", "Юлия Назарова", "line_lead", lines=(3,), phone="+7 495 000-01-30"),
    _staff("vlasov", "Максим Власов", "line_lead", lines=(4,), phone="+7 495 000-01-40"),
)

CSMS = (
    _staff("belova", "Оксана Белова", "csm", phone="+7 495 000-02-01", shown=True),
    _staff("tamm", "Kristjan Tamm", "csm", language="en", timezone="Europe/Tallinn", phone="+372 000 0202"),
)

MANAGERS = (
    _staff("larionov", "Николай Ларионов", "support_manager", phone="+7 495 000-03-01", shown=True),
    _staff("drozdova", "Вера Дроздова", "support_manager", phone="+7 495 000-03-02"),
)

OTHERS = (
    _staff("kim", "Виталий Ким", "top_management", phone="+7 495 000-04-01", shown=True),
    _staff("savina", "Галина Савина", "contract_admin", phone="+7 495 000-05-01", shown=True),
    _staff("admin", "Роман Шульгин", "admin", shown=True),
)

STAFF = ENGINEERS + LEADS + CSMS + MANAGERS + OTHERS

# A partner's consultant sees the community only (domain §7).
PARTNERS = (Person("partner@ladointegra.example", "Глеб Рощин", "partner", position="консультант", shown=True),)


# Customers


@dataclass(frozen=True)
class Tenure:
    """One responsible contact and the days on which they were it, [since, until); None is open (domain §1.7.1)."""

    person: Person
    since: int
    until: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class LicencePlan:
    """A licence. `installed` are (day, version) of every installation, oldest first."""

    product: str
    deployment: str
    seats: int
    cost: int
    since: int
    installed: tuple[tuple[int, str], ...]

    def version_on(self, day: int) -> str:
        """The release that was installed on that day (the first one for the days before)."""
        versions = [version for since, version in self.installed if since <= day]
        return versions[-1] if versions else self.installed[0][1]


@dataclass(frozen=True)
class ContractPlan:
    """A contract of whole years on a package, by its code."""

    number: str
    package: str
    years: int = 1


@dataclass(frozen=True)
class ClausePlan:
    """An extra of the newest contract: a topic included (domain §2)."""

    topic: str
    text_ru: str
    text_en: str


@dataclass(frozen=True)
class CustomerPlan:
    """A customer. `contracts` follow one another without a gap, oldest first; the last day of the last is `ends_in`.

    `share` is how many of a thousand tickets are theirs.
    """

    code: str
    name: str
    city: str
    timezone: str
    language: str
    contacts: tuple[Tenure, ...]
    observers: tuple[Person, ...]
    licences: tuple[LicencePlan, ...]
    contracts: tuple[ContractPlan, ...]
    ends_in: int
    share: int
    csm: str | None = None
    clauses: tuple[ClausePlan, ...] = field(default=())

    @property
    def package(self) -> str:
        """The package of the newest contract."""
        return self.contracts[-1].package

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody of the company who signs in."""
        return tuple(tenure.person for tenure in self.contacts) + self.observers

    def contract_terms(self, today: date) -> list[tuple[ContractPlan, date, date]]:
        """Each contract with its first and last day, both included, oldest first."""
        terms = []
        last = today + timedelta(days=self.ends_in)
        for contract in reversed(self.contracts):
            first = _years_before(last + timedelta(days=1), contract.years)
            terms.append((contract, first, last))
            last = first - timedelta(days=1)
        return terms[::-1]

    def covered_days(self, today: date) -> tuple[int, int]:
        """The first and the last day, counted from today, on which a contract covers them; the last is not after 0."""
        terms = self.contract_terms(today)
        return (terms[0][1] - today).days, min(0, (terms[-1][2] - today).days)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February: the first day that is a whole number of years away
        return day.replace(year=day.year - years, month=3, day=1)


def _contact(domain: str, login: str, full_name: str, position: str, zone: str, language: str = "ru", **rest) -> Person:
    return Person(
        f"{login}@{domain}.example",
        full_name,
        "customer",
        language,
        zone,
        speaks=(language,),
        position=position,
        **rest,
    )


CUSTOMERS = (
    # Premium
    CustomerPlan(
        code="vetrolog",
        name="АО «Ветролог»",
        city="Екатеринбург",
        timezone="Asia/Yekaterinburg",
        language="ru",
        contacts=(
            Tenure(
                _contact(
                    "vetrolog",
                    "vorontsov",
                    "Андрей Воронцов",
                    "начальник отдела ИТ",
                    "Asia/Yekaterinburg",
                    phone="+7 343 000-10-01",
                    shown=True,
                ),
                -1100,
            ),
        ),
        observers=(
            _contact("vetrolog", "fadeeva", "Лариса Фадеева", "руководитель продаж", "Asia/Yekaterinburg", shown=True),
            _contact("vetrolog", "usoltsev", "Егор Усольцев", "системный администратор", "Asia/Yekaterinburg"),
        ),
        licences=(
            LicencePlan("sales", "on-site", 320, 148_000, -1080, ((-1080, "7.6"), (-500, "7.8"), (-160, "8.0"))),
            LicencePlan("service", "on-site", 90, 51_500, -620, ((-620, "7.8"), (-160, "8.0"))),
            # Bought within the contract: its line is prorated (domain §1.1).
            LicencePlan("studio", "on-site", 25, 18_000, -95, ((-95, "8.0"),)),
        ),
        contracts=(
            ContractPlan("ВС-0107", "business"),
            ContractPlan("ВС-0188", "premium"),
            ContractPlan("ВС-0263", "premium"),
        ),
        ends_in=133,
        share=150,
        csm=f"belova@{VENDOR_DOMAIN}",
    ),
    CustomerPlan(
        code="severoluch",
        name="Банк «Северолучье»",
        city="Москва",
        timezone="Europe/Moscow",
        language="ru",
        contacts=(
            Tenure(
                _contact("severoluch", "astahova", "Наталья Астахова", "директор по ИТ", "Europe/Moscow"),
                -930,
                -210,
                "перешла в другую компанию группы",
            ),
            Tenure(
                _contact("severoluch", "melnik", "Алексей Мельник", "руководитель сопровождения", "Europe/Moscow"),
                -210,
            ),
        ),
        observers=(_contact("severoluch", "tarasova", "Дарья Тарасова", "контроль качества", "Europe/Moscow"),),
        licences=(
            LicencePlan("service", "on-site", 410, 212_000, -920, ((-920, "7.6"), (-450, "7.8"), (-90, "8.0.2"))),
            LicencePlan("marketing", "on-demand", 60, 34_000, -700, ((-700, "7.7"), (-120, "8.0.2"), (-30, "8.1"))),
        ),
        contracts=(ContractPlan("ВС-0121", "premium", 2), ContractPlan("ВС-0241", "premium")),
        ends_in=201,
        share=140,
        csm=f"belova@{VENDOR_DOMAIN}",
        clauses=(
            ClausePlan(
                "network_os",
                "Консультации по сетям и операционным системам серверов Вескоры включены до 20 часов в год.",
                "Advice on networks and operating systems of the Veskora servers is included, up to 20 hours a year.",
            ),
        ),
    ),
    CustomerPlan(
        code="zaboron",
        name="АО «Страховое общество «Заборонь»",
        city="Санкт-Петербург",
        timezone="Europe/Moscow",
        language="ru",
        contacts=(
            Tenure(_contact("zaboron", "gavrilova", "Светлана Гаврилова", "ведущий аналитик", "Europe/Moscow"), -720),
        ),
        observers=(
            _contact("zaboron", "bychkov", "Олег Бычков", "начальник урегулирования", "Europe/Moscow"),
            _contact("zaboron", "rybina", "Инна Рыбина", "руководитель колл-центра", "Europe/Moscow"),
        ),
        licences=(
            LicencePlan("sales", "on-demand", 180, 62_000, -700, ((-700, "7.7"), (-240, "8.0"), (-25, "8.1"))),
            LicencePlan("service", "on-demand", 140, 44_000, -700, ((-700, "7.7"), (-240, "8.0"), (-25, "8.1"))),
        ),
        contracts=(ContractPlan("ВС-0139", "business"), ContractPlan("ВС-0219", "premium")),
        ends_in=74,
        share=95,
        csm=f"belova@{VENDOR_DOMAIN}",
    ),
    CustomerPlan(
        code="nordkivi",
        name="Nordkivi Trade OÜ",
        city="Tallinn",
        timezone="Europe/Tallinn",
        language="en",
        contacts=(
            Tenure(
                _contact(
                    "nordkivi",
                    "saar",
                    "Martin Saar",
                    "head of IT",
                    "Europe/Tallinn",
                    "en",
                    phone="+372 000 1001",
                    shown=True,
                ),
                -650,
            ),
        ),
        observers=(_contact("nordkivi", "kask", "Helena Kask", "customer care", "Europe/Tallinn", "en"),),
        licences=(
            # A quarter of it is less than the package's minimum of 10,000 (domain §1.1).
            LicencePlan("sales", "on-site", 140, 36_000, -640, ((-640, "7.7"), (-300, "7.8.4"), (-60, "8.0.2"))),
            LicencePlan("service", "on-demand", 45, 15_500, -410, ((-410, "7.8"), (-220, "8.0"), (-20, "8.1"))),
        ),
        contracts=(ContractPlan("VS-0145", "premium"), ContractPlan("VS-0229", "premium")),
        ends_in=96,
        share=125,
        csm=f"tamm@{VENDOR_DOMAIN}",
    ),
    # Business
    CustomerPlan(
        code="kedrolesie",
        name="ООО «Торговый дом «Кедролесье»",
        city="Новосибирск",
        timezone="Asia/Novosibirsk",
        language="ru",
        contacts=(
            Tenure(
                _contact("kedrolesie", "shubina", "Ксения Шубина", "руководитель проектов", "Asia/Novosibirsk"),
                -810,
                -140,
                "отпуск по уходу за ребёнком",
            ),
            Tenure(
                _contact(
                    "kedrolesie", "loginov", "Артём Логинов", "администратор системы", "Asia/Novosibirsk", shown=True
                ),
                -140,
            ),
        ),
        observers=(_contact("kedrolesie", "panina", "Евгения Панина", "коммерческий отдел", "Asia/Novosibirsk"),),
        licences=(
            LicencePlan("sales", "on-site", 110, 47_300, -800, ((-800, "7.7"), (-380, "7.8.4"))),
            LicencePlan("studio", "on-site", 10, 7_200, -390, ((-390, "7.8.4"),)),
        ),
        contracts=(ContractPlan("ВС-0118", "business"), ContractPlan("ВС-0207", "business", 2)),
        ends_in=310,
        share=100,
    ),
    CustomerPlan(
        code="farmasvod",
        name="ООО «Фармасвод»",
        city="Москва",
        timezone="Europe/Moscow",
        language="ru",
        contacts=(
            Tenure(_contact("farmasvod", "rudenko", "Игорь Руденко", "менеджер по системам", "Europe/Moscow"), -730),
        ),
        observers=(_contact("farmasvod", "akimova", "Полина Акимова", "отдел закупок", "Europe/Moscow"),),
        licences=(
            LicencePlan("sales", "on-site", 85, 29_800, -720, ((-720, "7.7"), (-330, "7.8.4"), (-75, "8.0.2"))),
            LicencePlan("marketing", "on-demand", 30, 12_400, -400, ((-400, "7.8.4"), (-210, "8.0"), (-22, "8.1"))),
        ),
        # Basic at first; its renewal is due: the offers of 90 and 60 days have gone out.
        contracts=(ContractPlan("ВС-0133", "basic"), ContractPlan("ВС-0214", "business")),
        ends_in=45,
        share=85,
    ),
    CustomerPlan(
        code="dzintaroza",
        name="Dzintaroza Foods SIA",
        city="Riga",
        timezone="Europe/Riga",
        language="en",
        contacts=(
            Tenure(
                _contact("dzintaroza", "kalnina", "Ilze Kalniņa", "process manager", "Europe/Riga", "en"),
                -570,
            ),
        ),
        observers=(_contact("dzintaroza", "berzins", "Andris Bērziņš", "plant IT", "Europe/Riga", "en"),),
        licences=(
            LicencePlan("sales", "on-site", 95, 33_600, -560, ((-560, "7.8"), (-150, "8.0"))),
            LicencePlan("service", "on-site", 20, 8_900, -560, ((-560, "7.8"), (-150, "8.0"))),
        ),
        contracts=(ContractPlan("VS-0161", "business"), ContractPlan("VS-0252", "business")),
        ends_in=187,
        share=80,
    ),
    CustomerPlan(
        code="koktogai",
        name="ТОО «Коктогай Телесвязь»",
        city="Алматы",
        timezone="Asia/Almaty",
        language="ru",
        contacts=(Tenure(_contact("koktogai", "sadykov", "Ерлан Садыков", "начальник сервиса", "Asia/Almaty"), -510),),
        observers=(_contact("koktogai", "omarova", "Айгуль Омарова", "аналитик", "Asia/Almaty"),),
        licences=(
            LicencePlan("service", "on-demand", 120, 38_000, -500, ((-500, "7.8"), (-230, "8.0"), (-28, "8.1"))),
            LicencePlan("sales", "on-site", 40, 16_700, -500, ((-500, "7.8"), (-260, "7.8.4"))),
        ),
        contracts=(ContractPlan("ВС-0166", "business"), ContractPlan("ВС-0258", "business")),
        ends_in=240,
        share=75,
    ),
    # Basic
    CustomerPlan(
        code="granitovets",
        name="ГК «Гранитовец»",
        city="Красноярск",
        timezone="Asia/Krasnoyarsk",
        language="ru",
        contacts=(
            Tenure(
                _contact("granitovets", "zimin", "Константин Зимин", "инженер ИТ", "Asia/Krasnoyarsk", shown=True),
                -860,
            ),
        ),
        observers=(_contact("granitovets", "belyh", "Тамара Белых", "главный бухгалтер", "Asia/Krasnoyarsk"),),
        licences=(LicencePlan("sales", "on-site", 60, 22_500, -850, ((-850, "7.6"), (-420, "7.8"))),),
        contracts=(
            ContractPlan("ВС-0114", "basic"),
            ContractPlan("ВС-0202", "basic"),
            ContractPlan("ВС-0279", "basic"),
        ),
        ends_in=262,
        share=55,
    ),
    CustomerPlan(
        code="baltomayak",
        name="ООО «Балтомаяк»",
        city="Калининград",
        timezone="Europe/Kaliningrad",
        language="ru",
        contacts=(
            Tenure(_contact("baltomayak", "orlov", "Вадим Орлов", "заместитель директора", "Europe/Kaliningrad"), -780),
        ),
        observers=(_contact("baltomayak", "kuznets", "Яна Кузнец", "офис-менеджер", "Europe/Kaliningrad"),),
        licences=(LicencePlan("sales", "on-site", 35, 13_900, -770, ((-770, "7.7"),)),),
        # Expired a month ago with nothing after it while the licence runs on: a coverage gap (domain §1.1).
        contracts=(ContractPlan("ВС-0129", "basic"), ContractPlan("ВС-0196", "basic")),
        ends_in=-30,
        share=35,
    ),
    CustomerPlan(
        code="kyparissa",
        name="Kyparissa Charter Ltd",
        city="Limassol",
        timezone="Asia/Nicosia",
        language="en",
        contacts=(
            Tenure(
                _contact("kyparissa", "nikolaou", "Eleni Nikolaou", "operations manager", "Asia/Nicosia", "en"), -205
            ),
        ),
        observers=(_contact("kyparissa", "petrou", "Marios Petrou", "fleet desk", "Asia/Nicosia", "en"),),
        # New this year: on-demand, so that Basic costs nothing.
        licences=(LicencePlan("sales", "on-demand", 25, 9_600, -200, ((-200, "8.0"), (-20, "8.1"))),),
        contracts=(ContractPlan("VS-0267", "basic"),),
        ends_in=165,
        share=30,
    ),
    CustomerPlan(
        code="larkfield",
        name="Larkfield & Osgood Ltd",
        city="London",
        timezone="Europe/London",
        language="en",
        contacts=(
            Tenure(
                _contact("larkfield", "osgood", "Rebecca Osgood", "office director", "Europe/London", "en", shown=True),
                -625,
            ),
        ),
        observers=(_contact("larkfield", "pemberly", "Tom Pemberly", "systems", "Europe/London", "en"),),
        licences=(LicencePlan("service", "on-site", 30, 12_200, -620, ((-620, "7.7"), (-310, "7.8.4"))),),
        contracts=(ContractPlan("VS-0153", "basic"), ContractPlan("VS-0236", "basic")),
        ends_in=118,
        share=30,
    ),
)
