"""How a page answers a POST that made something."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """After a POST: the page of what was made is fetched by GET."""

    status_code = 303
