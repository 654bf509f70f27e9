"""Turns a refused booking into a page the customer can read, whichever of the calendar's views met it."""

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from oscar_loyalty.contrib.appointment import door
from oscar_loyalty.contrib.appointment.exceptions import MembersFirst, SlotTaken
from oscar_loyalty.privileges.middleware import teaser


class SlotTakenMiddleware:
    """Answers with a page (or with JSON, where the calendar's script asked) when a time is taken already (409), or a
    service is for members first (403; 404 where others are not to know of it)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        try:
            door.on_page(request, request.resolver_match.view_name, kwargs)
        except MembersFirst as refused:
            return self.process_exception(request, refused)
        return None

    def process_exception(self, request, exception):
        if not isinstance(exception, (SlotTaken, MembersFirst)):
            return None
        first = isinstance(exception, MembersFirst)
        if first and exception.gate.others == "hidden":
            raise Http404
        if _asked_by_script(request):
            return JsonResponse({"message": str(exception), "success": False}, status=403 if first else 409)
        return self._members_first(request, exception) if first else self._taken(request, exception)

    def _members_first(self, request, exception):
        gate = exception.gate
        named = gate.listed and not str(gate.window.words)
        text = _("“%(service)s” can be booked by our members before everybody else.")
        return teaser(request, gate, text=text % {"service": exception.product.get_title()} if named else None)

    def _taken(self, request, exception):
        from appointment.settings import APPOINTMENT_BASE_TEMPLATE

        context = {
            "BASE_TEMPLATE": APPOINTMENT_BASE_TEMPLATE,
            "service_id": exception.service_id,
            "page_title": _("This time is taken"),
        }
        return render(request, "loyalty_appointment/slot_taken.html", context, status=409)


def _asked_by_script(request):
    return request.headers.get("x-requested-with") == "XMLHttpRequest" or not request.accepts("text/html")
