"""The support of the reader's own company in words, for the portal's pages of the contract (domain §1.3 to §1.5)."""

from django import template
from django.utils import timezone

from tickets import portal_page

register = template.Library()


@register.simple_tag(takes_context=True)
def own_support(context: template.Context) -> portal_page.Support | None:
    """Hours in the reader's zone and Moscow's, promised times, people; None without a contract in force."""
    now = context["frame"]["now"]
    company = portal_page.company_of(context["request"].user, now=now)
    zone = timezone.get_current_timezone()
    return portal_page.support_of(company, now=now, zone=zone) if company is not None else None
