"""What is filled in about defects, major incidents and releases. Shape only: the rules stand in the verbs."""

import json
from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import STAFF_ROLES, Absence, User
from accounts.one_of import OneOf
from contracts.models import Deployment, Product, Release, ReleaseFile, ReleasePublication
from contracts.publishing import mark_of, version_key
from sla.words import MOSCOW, moment
from tickets.forms.desk import new_key, text
from tickets.models import Defect, MajorIncident, Ticket
from tickets.workflow.defects import may_bring_the_fix
from tickets.workflow.major import LEADERS
from tickets.workflow.own_words import mark, marks


class WordsForm(forms.Form):
    """A form beside others on one page: its ids begin with its own name."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = f"{type(self).__name__.removesuffix('Form').lower()}_%s"
        super().__init__(*args, **kwargs)


def key() -> forms.CharField:
    return forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)


def line(label: Any, missing: Any, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=200,
        error_messages={"required": missing},
        widget=forms.TextInput({"class": "in", **attrs}),
    )


class SharedTextsForm(WordsForm):
    """Texts that colleagues write, too: `was` says of each what the form was made from (workflow/own_words.py)."""

    was = forms.JSONField(required=False, widget=forms.HiddenInput)

    def clean_was(self) -> dict[str, str]:
        """The marks; what is no mark of a text says nothing."""
        said = self.cleaned_data["was"]
        return {name: str(value) for name, value in said.items()} if isinstance(said, dict) else {}

    @classmethod
    def made_of(cls, row: Any) -> dict[str, Any]:
        """What its fields hold as the row is now, with their marks."""
        texts = {name: getattr(row, name) for name in cls.base_fields if name != "was"}
        return {**texts, "was": marks(texts)}

    def beside(self, row: Any, **kwargs: Any) -> Self:
        """The words that the person changed, beside all others as the row has them now, and made from those."""
        was, now = self.cleaned_data["was"], self.made_of(row)
        typed = {name: self.data.get(name, "") for name in now if name != "was"}
        mine = {name: text for name, text in typed.items() if mark(text) != was.get(name)}
        return type(self)({**now, **mine, "was": json.dumps(now["was"])}, **kwargs)


# Defects


class DefectForm(WordsForm):
    """A form of one defect."""

    def __init__(self, *args: Any, defect: Defect, **kwargs: Any) -> None:
        self.defect = defect
        super().__init__(*args, **kwargs)


class RejectForm(DefectForm):
    reason = text(_("Why it is no defect"), _("Write why it is no defect of the product."), rows=2)


class ReopenDefectForm(DefectForm):
    reason = text(_("Why again"), _("Write why it is looked at again."), rows=2)


class FixForm(DefectForm):
    """In which release the fix goes out: those after the version in which it was found, the newest first."""

    fixed_in = forms.ModelChoiceField(
        Release.objects.none(),
        label=_("Fixed in the release"),
        required=False,
        empty_label=_("not known yet"),
        widget=forms.Select({"class": "in"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["fixed_in"]
        releases = Release.objects.select_related("product").order_by("-released_on", "-pk")
        if self.defect.product_id:
            releases = releases.filter(product=self.defect.product_id)
        later = [release.pk for release in releases if may_bring_the_fix(self.defect, release)]
        field.queryset = releases.filter(pk__in=later)


class NameReleaseForm(FixForm):
    """The release of a fix, said later or anew."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["fixed_in"]
        field.required = True
        field.error_messages["required"] = _("Choose the release.")


class DefectTextsForm(SharedTextsForm, DefectForm):
    """What is known of the defect, for customers in both languages, and its steps."""

    known_error_ru = text(_("Known error, in Russian"), rows=3, lang="ru")
    known_error_en = text(_("Known error, in English"), rows=3, lang="en")
    workaround_ru = text(_("Workaround, in Russian"), rows=3, lang="ru")
    workaround_en = text(_("Workaround, in English"), rows=3, lang="en")
    title = line(_("Title"), _("Give the defect a title."))
    steps = text(_("Steps"), _("Write the steps that show the defect."), rows=2)
    expected = text(_("What was expected"), _("Write what was expected."), rows=2)
    actual = text(_("What happened instead"), _("Write what happened instead."), rows=2)

    def __init__(self, *args: Any, defect: Defect, **kwargs: Any) -> None:
        super().__init__(*args, defect=defect, initial=self.made_of(defect), **kwargs)


class PushForm(DefectForm):
    """The workaround as it stands goes to all open linked requests."""

    restores = forms.BooleanField(
        label=_("Service is back by it: priority 1 or 2 in work becomes 3"),
        required=False,
        widget=forms.CheckboxInput({"class": "ck"}),
    )
    key = key()


# Major incidents


class MajorForm(WordsForm):
    """A form of one major incident, filled in by one person; `readers`: customers by the language they read."""

    def __init__(
        self, *args: Any, incident: MajorIncident, by: User, readers: Mapping[str, int] | None = None, **kwargs: Any
    ) -> None:
        self.incident, self.by, self.readers = incident, by, readers or {}
        super().__init__(*args, **kwargs)


class MajorNoteForm(MajorForm):
    text = text(_("Note among ourselves"), _("An empty note says nothing: write a few words."), rows=2)


class OneOfBoth(forms.CharField):
    """A text that is needed in one language or the other: neither field is optional, and either may be empty."""

    def __init__(self, label: Any, language: str) -> None:
        super().__init__(label=label, widget=forms.Textarea({"rows": 3, "class": "in", "lang": language}))

    def validate(self, value: str) -> None:
        """Whether one of both is there the form says."""


class BothLanguagesForm(MajorForm):
    """Words to customers; each reads those in the language of their request, where they are there."""

    text_ru = OneOfBoth(_("In Russian"), "ru")
    text_en = OneOfBoth(_("In English"), "en")
    key = key()
    missing = _("Write what the customers are to know.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in ("ru", "en"):
            count = self.readers.get(language, 0)
            read = ngettext("%(n)d customer reads it", "%(n)d customers read it", count) % {"n": count}
            self.fields[f"text_{language}"].help_text = read if count else gettext("no customer reads it")

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if not said.get("text_ru", "").strip() and not said.get("text_en", "").strip():
            self.add_error("text_ru", forms.ValidationError(self.missing, code="required"))
        return said


class TellForm(BothLanguagesForm):
    pass


class SolveForm(BothLanguagesForm):
    missing = _("Write how it was solved: the customer confirms it by that.")


class CoordinatorChoice(OneOf):
    """Who leads; beside the name of who is away now: until when, and who stands in."""

    away: Mapping[int, Absence] = {}

    def label_from_instance(self, person: User) -> str:
        absence = self.away.get(person.pk)
        if absence is None:
            return person.full_name
        words = {"name": person.full_name, "until": moment(absence.ends_at, MOSCOW, timezone.now(), "short")}
        if absence.substitute is None:
            return gettext("%(name)s, away until %(until)s") % words
        words["other"] = absence.substitute.full_name
        return gettext("%(name)s, away until %(until)s, %(other)s stands in") % words


class CoordinatorForm(MajorForm):
    to = CoordinatorChoice(
        User.objects.filter(role__in=LEADERS, is_active=True).order_by("full_name"),
        label=_("Who coordinates from now on"),
        error_messages={"required": _("Choose the person.")},
        widget=forms.Select({"class": "in"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields["to"]
        people.away = {one.user_id: one for one in Absence.objects.at(timezone.now()).select_related("substitute")}


class LinkForm(MajorForm):
    """Requests of the suggestions, or their numbers by hand, as `found`; one that is not there is said so."""

    tickets = forms.TypedMultipleChoiceField(coerce=int, required=False)
    numbers = forms.CharField(
        label=_("Numbers of other requests"),
        required=False,
        max_length=400,
        widget=forms.TextInput({"class": "in", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticked: set[str] = set()  # the suggestions that were chosen, to be shown so again
        if args and args[0] is not None:  # any number may be sent: which requests they are `_find` looks up
            sent = [value for value in args[0].getlist("tickets") if value.isascii() and value.isdigit()]
            self.ticked = set(sent)
            field: Any = self.fields["tickets"]
            field.choices = [(int(value[:18]), value) for value in sent]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        words = said.get("numbers", "").replace(",", " ").replace("№", " ").split()
        if any(not (word.isascii() and word.isdigit() and len(word) < 19) for word in words):
            self.add_error("numbers", _("Write numbers of requests, with spaces between them."))
        elif not words and not said.get("tickets"):
            self.add_error("numbers", _("Choose at least one request."))
        else:
            self._find(said, {*said.get("tickets", []), *(int(word) for word in words)})
        return said

    def _find(self, said: dict[str, Any], chosen: set[int]) -> None:
        said["found"] = list(Ticket.objects.visible_to(self.by).filter(number__in=chosen))
        missing = sorted(chosen - {ticket.number for ticket in said["found"]})
        if missing:
            unknown = forms.ValidationError(_("There is no request № %(number)s."), params={"number": missing[0]})
            self.add_error("numbers", unknown)


class EndForm(MajorForm):
    what_happened = text(_("What happened"), _("Write what happened: the review starts from it."))


class ReviewForm(SharedTextsForm, MajorForm):
    cause = text(_("Cause"), _("Name the cause, or what is known of it."))
    went_well = text(_("What went well"), rows=2)
    went_badly = text(_("What went badly"), rows=2)

    def __init__(self, *args: Any, incident: MajorIncident, **kwargs: Any) -> None:
        super().__init__(*args, incident=incident, initial=self.made_of(incident), **kwargs)


class ActionForm(MajorForm):
    text = line(_("What is to be done"), _("Write what is to be done."))
    owner = OneOf(
        User.objects.filter(role__in=STAFF_ROLES, is_active=True).order_by("full_name"),
        label=_("Who"),
        error_messages={"required": _("Choose the person.")},
        widget=forms.Select({"class": "in"}),
    )
    due_on = forms.DateField(
        label=_("By"),
        error_messages={"required": _("Choose the day."), "invalid": _("Choose the day.")},
        widget=forms.DateInput({"class": "in", "type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
    )


# Releases


class ReleaseForm(WordsForm):
    """A release or a critical patch before it is published; with `publication`, a draft that is there already."""

    product = OneOf(
        Product.objects.order_by("name"),
        label=_("Product"),
        error_messages={"required": _("Choose the product.")},
        widget=forms.Select({"class": "in"}),
    )
    version = line(_("Version"), _("A version has numbers: they say which one is newer."), maxlength=40)
    released_on = forms.DateField(
        label=_("Date of the release"),
        help_text=_("Empty: today, or what the catalogue says of a version that it knows."),
        required=False,
        error_messages={"invalid": _("Choose the day.")},
        widget=forms.DateInput({"class": "in", "type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
    )
    kind = forms.ChoiceField(
        label=_("Kind"), choices=ReleasePublication.Kind.choices, initial="release", widget=forms.RadioSelect
    )
    deployment = forms.ChoiceField(
        label=_("Which licences it concerns"),
        choices=[("", _("all")), *Deployment.choices],
        required=False,
        widget=forms.RadioSelect,
    )
    only_from = forms.CharField(
        label=_("Only from these versions"),
        help_text=_("Versions with spaces between them; empty: every older one."),
        required=False,
        max_length=200,
        widget=forms.TextInput({"class": "in"}),
    )
    notes_ru = text(
        _("What is new, in Russian"), _("Write what is new: the customers decide by it whether to install.")
    )
    notes_en = text(_("What is new, in English"))
    was = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, publication: ReleasePublication | None = None, **kwargs: Any) -> None:
        if publication is not None:
            release = publication.release
            kwargs["initial"] = {
                "product": release.product_id,
                "version": release.version,
                "released_on": release.released_on,
                "kind": publication.kind,
                "deployment": publication.deployment,
                "only_from": " ".join(publication.from_versions.values_list("version", flat=True)),
                "notes_ru": publication.notes_ru,
                "notes_en": publication.notes_en,
                "was": mark_of(publication),
            }
        super().__init__(*args, **kwargs)
        if publication is None:
            del self.fields["was"]
        if publication is not None:  # its files are of this product: another one is another draft
            self.fields["product"].disabled = True
            self.fields["released_on"].help_text = ""

    @property
    def said(self) -> dict[str, Any]:
        """What the verb is told, but for the product."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"product", "only_from"}}

    def clean_version(self) -> str:
        version: str = self.cleaned_data["version"].strip()
        if len(version) > 40 or not version_key(version):
            raise forms.ValidationError(_("A version has numbers: they say which one is newer."), code="invalid")
        return version

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        words = said.get("only_from", "").replace(",", " ").split()
        found = list(Release.objects.filter(product=said.get("product"), version__in=words)) if words else []
        unknown = sorted(set(words) - {release.version for release in found})
        if unknown:
            self.add_error(
                "only_from",
                forms.ValidationError(_("There is no version %(version)s of it."), params={"version": unknown[0]}),
            )
        said["from_versions"] = found
        return said


class ReleaseFileForm(WordsForm):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=ReleaseFile.Kind.choices, initial="program", widget=forms.RadioSelect
    )
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        error_messages={"required": _("Choose a file")},
        widget=forms.ClearableFileInput({"class": "in"}),
    )
