"""Addresses of articles for their readers, under /kb/."""

from django.urls import path

from knowledge.views import reading

app_name = "kb"
urlpatterns = [
    path("", reading.articles, name="articles"),
    path("<slug:slug>/", reading.article, name="article"),
    path("<slug:slug>/vote/", reading.vote, name="vote"),
]
