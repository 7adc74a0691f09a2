"""What a writer of an article fills in."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from knowledge.models import Article


class ArticleForm(forms.ModelForm):
    """An article's text, and for whom and about what it is."""

    class Meta:
        model = Article
        fields: ClassVar = ["title", "body", "audience", "language", "product", "release"]
        widgets: ClassVar = {"body": forms.Textarea(attrs={"rows": 18})}
        help_texts: ClassVar = {
            "body": _("Markdown: ## heading, - list, **important**, `code`. No data of a customer."),
        }

    def clean_title(self) -> str:
        return self.cleaned_data["title"].replace("\0", "")

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        release, product = cleaned.get("release"), cleaned.get("product")
        if release is not None and product is None:
            cleaned["product"] = release.product
        elif release is not None and product is not None and release.product_id != product.pk:
            self.add_error("release", _("This release is of another product."))
        return cleaned
