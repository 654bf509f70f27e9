"""Which programme the owner's pages are about, where the shop has several: that of the Site they are opened on, until
another one is chosen in the header. The choice is the session's."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.module_loading import import_string

from oscar_loyalty.defaults import conf
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.sites import site_of

#: Where the session keeps the choice.
KEY = "loyalty_programme"
#: What a form says of the programme that it was shown for.
FIELD = "loyalty-programme"


def allowed(request: Any) -> list[Any]:
    """Return the programmes that whoever asks may see, with their sites; looked up once for each request."""
    if not hasattr(request, "_loyalty_programmes"):
        rows = members.programmes()
        if conf.DASHBOARD_PROGRAMMES:
            rows = import_string(conf.DASHBOARD_PROGRAMMES)(request.user, rows)
        request._loyalty_programmes = list(rows)
    return list(request._loyalty_programmes)


def programme_of_request(request: Any) -> Any:
    """Return the programme that was chosen, else the Site's, open or not; ``None`` where the Site has none.

    :raises PermissionDenied: when the Site has one, and whoever asks may see neither it nor another.
    """
    found = {programme.pk: programme for programme in allowed(request)}
    chosen = found.get(request.session.get(KEY))
    if chosen is not None:
        return chosen
    site = site_of(request)
    for programme in found.values():
        if programme.site_id == site.pk:
            return programme
    if members.programme_of(site) is None:
        return None
    if not found:
        raise PermissionDenied
    return next(iter(found.values()))


def choose(request: Any, pk: int) -> Any:
    """Remember a choice and return its programme.

    :raises Http404: when there is no such programme, or not for whoever asks.
    """
    found = next((programme for programme in allowed(request) if programme.pk == pk), None)
    if found is None:
        raise Http404
    remember(request, found)
    return found


def remember(request: Any, programme: Any) -> None:
    """Remember a programme that was made just now."""
    request.session[KEY] = programme.pk


def programme_of_order(request: Any, order: Any) -> Any:
    """Return the programme of the order, or ``None`` where its Site has none.

    :raises Http404: when whoever asks may not see it.
    """
    programme = members.programme_of_order(order)
    if programme is not None and programme.pk not in [each.pk for each in allowed(request)]:
        raise Http404
    return programme


def is_stale(request: Any, programme: Any) -> bool:
    """Whether a posted form was shown for another programme than ``programme``, which the page is about now: two
    windows, and one has changed over."""
    said = request.POST.get(FIELD)
    return bool(said) and said != str(programme.pk if programme is not None else "")
