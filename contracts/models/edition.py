"""Which edition of the catalogue stands: a number that every change of a catalogue's table makes anew."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CatalogueEdition(models.Model):
    """One row. The database writes it itself, in the transaction of the change (migration contracts 0013).

    Whoever keeps something of the catalogue in the process keeps the number with it, and reads the number beside what
    they read anyway: as soon as a change is committed it is another one. A number never comes again, not even after a
    change that was rolled back, so that nothing kept from it can be taken for something else.
    """

    number = models.BigIntegerField(_("number"))

    class Meta:
        verbose_name = _("edition of the catalogue")
        verbose_name_plural = _("editions of the catalogue")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="catalogue_edition_one_row")]

    def __str__(self) -> str:
        return str(self.number)
