"""Every address of the house, by audience."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from helpdesk import health, me, style_page, unsent, views
from mail import choice_views
from tickets.views import live

urlpatterns = [
    path("", views.home, name="home"),
    path("t/", include("tickets.urls.portal")),
    path("kb/", include("knowledge.urls")),
    path("w/kb/", include("knowledge.urls.writing")),
    path("w/", include("tickets.urls.desk")),
    path("releases/", include("tickets.urls.releases")),
    path("report/", include("tickets.urls.months")),
    path("m/", include("tickets.urls.manage")),
    path("", include("tickets.urls.people")),
    path("c/", include("contracts.urls")),
    path("contract/", include("contracts.urls.portal")),
    path("a/packages/", include("tickets.urls.packages")),
    path("a/calendars/", include("tickets.urls.calendars")),
    path("a/", include("sla.urls")),
    path("webinars/", include("success.urls")),
    path("csm/", include("success.urls.csm")),
    path("outbox/", include("mail.urls")),
    path("live/", live.stream, name="live"),
    path("me/", me.page, name="me"),
    path("me/mail/", choice_views.page, name="me_mail"),
    path("mail/off/<str:token>/", choice_views.off, name="mail_off"),
    path("me/sessions/", me.sessions, name="me_sessions"),
    path("me/sessions/ending/", me.end_sessions, name="me_end_sessions"),
    path("me/token/removal/", me.remove_token, name="me_remove_token"),
    path("me/keys/", views.set_keys, name="set_keys"),
    path("me/language/", views.set_language, name="set_language"),
    path("me/theme/", views.set_theme, name="set_theme"),
    # The address is how we know a person: it is not changed here, and the invitation has verified it.
    path("account/email/", views.no_such_page),
    path("account/confirm-email/", views.no_such_page),
    path("account/confirm-email/<str:key>/", views.no_such_page),
    path("account/unsent/", unsent.page, name="unsent"),
    path("account/", include("allauth.account.urls")),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("a/style/", style_page.style, name="style"),
    path("api/", include("tickets.urls.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api_docs"),
    # The admin's own doors would let people in without the second factor and without the limit of attempts.
    path("dj-admin/login/", views.to_the_door),
    path("dj-admin/password_change/", views.to_the_password),
    path("dj-admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("clockz", health.clockz, name="clockz"),
]
