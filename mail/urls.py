"""Addresses of a person's letters, under /outbox/."""

from django.urls import path

from mail import views

urlpatterns = [
    path("", views.outbox, name="outbox"),
    path("<int:pk>/", views.letter, name="letter"),
]
