"""Addresses of articles for their writers, under /w/kb/. What is done with one are resources beside it."""

from django.urls import path

from knowledge.views import writing

app_name = "kb_desk"
urlpatterns = [
    path("", writing.articles, name="articles"),
    path("new/", writing.new, name="new"),
    path("a/<slug:slug>/", writing.article, name="article"),
    path("a/<slug:slug>/edit/", writing.edit, name="edit"),
    path("a/<slug:slug>/review/", writing.act, {"name": "review"}, name="review"),
    path("a/<slug:slug>/return/", writing.act, {"name": "return"}, name="return"),
    path("a/<slug:slug>/publication/", writing.act, {"name": "publication"}, name="publication"),
    path("a/<slug:slug>/revision/", writing.act, {"name": "revision"}, name="revision"),
    path("a/<slug:slug>/archive/", writing.act, {"name": "archive"}, name="archive"),
]
