"""All settings, read top to bottom; the environment overrides through helpers that fail loudly.

Development works with no environment at all: the embedded PostgreSQL and Valkey under `.run/` are used.
`DATABASE_URL` and `REDIS_URL` point everything at servers of one's own.
"""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from jinja2 import StrictUndefined

from helpdesk import embedded

BASE_DIR = Path(__file__).resolve().parent.parent


# The environment


def envstr(name: str, default: str = "") -> str:
    return os.environ.get(name, "") or default


def envbool(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    known = {"": default, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value not in known:
        raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, 0, false, no; it is {value!r}.")
    return known[value]


def envint(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if value and not value.lstrip("-").isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number; it is {value!r}.")
    return int(value) if value else default


def envsecret(name: str) -> str:
    """A secret from the environment; in development one that is made once and kept under `.run/`."""
    value = os.environ.get(name, "")
    if value:
        return value
    if not DEBUG:
        raise ImproperlyConfigured(f"{name} is not set. Set it, or set DEBUG=1 for a machine of your own.")
    return embedded.development_secret(name)


def database(url: str) -> dict:
    """Django's settings of one PostgreSQL address, `postgres://user:password@host:port/name?sslmode=…`.

    A socket directory is given as `?host=/path`, as libpq has it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// — no other database is supported.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "helpdesk",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": options.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": envint("CONN_MAX_AGE", 0),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


# Who and where we are

DEBUG = envbool("DEBUG", True)
SECRET_KEY = envsecret("SECRET_KEY")
# Earlier keys, comma-separated: what they signed (sessions, links in letters) stays good while a key is changed.
SECRET_KEY_FALLBACKS = [key for key in envstr("SECRET_KEY_FALLBACKS").split(",") if key]
ALLOWED_HOSTS = envstr("ALLOWED_HOSTS", "*" if DEBUG else "").split(",")
SITE_URL = envstr("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
VENDOR_NAME = envstr("VENDOR_NAME", "Veskora")  # who sells the support: on contracts
SUPPORT_ADDRESS = envstr("SUPPORT_ADDRESS", "support@helpdesk.example")
SUPPORT_PHONE = envstr("SUPPORT_PHONE", "8 800 000-00-00")

ROOT_URLCONF = "helpdesk.urls"
ASGI_APPLICATION = "helpdesk.asgi.application"
WSGI_APPLICATION = "helpdesk.wsgi.application"

INSTALLED_APPS = [
    "helpdesk",
    "success",
    "mail",
    "tickets",
    "sla",
    "knowledge",
    "contracts",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_fsm",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.locale.PersonLocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "helpdesk.unsent.UnsentMiddleware",
    "helpdesk.refusals.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.views.frame",
            ],
            # Addresses and constant words are found once and not with every page.
            "builtins": ["helpdesk.address_tags", "helpdesk.once_tags", "helpdesk.title_tags"],
            "libraries": {"i18n": "helpdesk.word_tags"},
        },
    },
    # What stands many times on a page (rows, messages, forms): Django's templates cost it four to seven times as much.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "hot",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "helpdesk.hot.environment",
            "autoescape": True,
            "undefined": StrictUndefined,
            "auto_reload": DEBUG,
        },
    },
]


# Storage

DATABASES = {"default": database(envstr("DATABASE_URL", "") or embedded.database_url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = envstr("REDIS_URL", "") or embedded.redis_url()
CACHES = {
    "default": {
        "BACKEND": "helpdesk.cache.DispensableCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},  # seconds; a page waits no longer than that
    }
}
MEDIA_ROOT = Path(envstr("MEDIA_ROOT", str(embedded.state_directory() / "media")))
STATIC_URL = "static/"
STATIC_ROOT = Path(envstr("STATIC_ROOT", str(embedded.state_directory() / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "helpdesk.bundles.BundleFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": f"helpdesk.statics.{'Files' if DEBUG else 'Manifest'}"},
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
ATTACHMENT_MAX_BYTES = envint("ATTACHMENT_MAX_BYTES", 25 * 1024 * 1024)
# What opens as a program on somebody's desk, by the end of its name. Logs, dumps, scripts and archives come in.
ATTACHMENT_REFUSED_TYPES = frozenset(
    envstr("ATTACHMENT_REFUSED_TYPES", "bat cmd com cpl exe hta lnk msi pif scr vbe vbs wsf").lower().split()
)


# People

AUTH_USER_MODEL = "accounts.User"
# The address is unique in any spelling (`user_email_once`, on lower(email)), which the check does not see.
# `i18n` is ours on purpose, in the place of Django's (TEMPLATES above).
SILENCED_SYSTEM_CHECKS = ["auth.W004", "templates.W003"]
AUTHENTICATION_BACKENDS = ["accounts.authentication.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.InvitedOnly"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "request_login_code": "accounts.forms.CodeByMailForm",
    "confirm_login_code": "accounts.forms.CodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# A code by mail instead of the password; the second factor is asked for after either.
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60  # seconds: a letter may take minutes
ACCOUNT_LOGIN_TIMEOUT = 15 * 60
# "unsent" is ours: what is kept for who was signed out while writing (helpdesk/unsent.py). The rest is the library's.
ACCOUNT_RATE_LIMITS = {"unsent": "30/h/ip"}
# Nobody learns from us who has an account: one answer for all addresses, and no letter to a stranger's.
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a letter when the password or the second factor changes
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_ADAPTER = "accounts.second_factor.SealedSecrets"
MFA_FORMS = {"authenticate": "accounts.forms.SecondFactorForm", "activate_totp": "accounts.forms.FirstCodeForm"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the invitation by mail is the verification
MFA_TOTP_ISSUER = VENDOR_NAME
MFA_TOTP_TOLERANCE = 1  # steps of 30 s: phones' clocks differ
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if envbool("BEHIND_PROXY", False) else 0
ACCOUNT_PRESERVE_USERNAME_CASING = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_ENGINE = "accounts.sessions"


# Words and time

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Moscow"
LANGUAGE_COOKIE_NAME = "language"


# Browser safety

CSRF_FAILURE_VIEW = "helpdesk.unsent.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/dj-admin/", "/api/docs/"),
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if envbool("BEHIND_PROXY", False) else None


# Jobs

CELERY_BROKER_URL = envstr("CELERY_BROKER_URL", "") or embedded.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker and beat outlast any outage of Redis
CELERY_TIMEZONE = "Europe/Moscow"


# Mail. Without EMAIL_HOST nothing leaves the machine: letters stay readable in the outbox (`/outbox/`).

EMAIL_HOST = envstr("EMAIL_HOST")
# What others than our outbox send (a password reset) then goes to the log of the web server.
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = envint("EMAIL_PORT", 587 if EMAIL_HOST else 25)
EMAIL_HOST_USER = envstr("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = envstr("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = envbool("EMAIL_USE_TLS", EMAIL_PORT == 587)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = envstr("DEFAULT_FROM_EMAIL", SUPPORT_ADDRESS)


# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "helpdesk.refusals.api_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Helpdesk",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "TicketKind": "contracts.models.TicketKind",
        "PromiseKind": "contracts.models.PromiseKind",
        "MessageKind": "tickets.models.Message.Kind",
        "DeadlineProposalState": "sla.models.DeadlineProposal.State",
        "TicketState": "tickets.models.State",
    },
}


# Log: one line an event, ids in it, to the standard error stream.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": envstr("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
