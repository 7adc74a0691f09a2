"""Every address of the house, by audience."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from helpdesk import health, style_page, views

urlpatterns = [
    path("", views.home, name="home"),
    path("t/", include("tickets.urls.portal")),
    path("kb/", include("knowledge.urls")),
    path("w/kb/", include("knowledge.urls.writing")),
    path("w/", include("tickets.urls.desk")),
    path("report/", include("tickets.urls.months")),
    path("m/", include("tickets.urls.manage")),
    path("", include("tickets.urls.people")),
    path("c/", include("contracts.urls")),
    path("contract/", include("contracts.urls.portal")),
    path("a/packages/", include("tickets.urls.packages")),
    path("a/calendars/", include("tickets.urls.calendars")),
    path("a/", include("sla.urls")),
    path("outbox/", include("mail.urls")),
    path("me/language/", views.set_language, name="set_language"),
    path("me/theme/", views.set_theme, name="set_theme"),
    path("account/", include("allauth.account.urls")),
    path("a/style/", style_page.style, name="style"),
    path("api/", include("tickets.urls.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api_docs"),
    path("dj-admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("clockz", health.clockz, name="clockz"),
]
