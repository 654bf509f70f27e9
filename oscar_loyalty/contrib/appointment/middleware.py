"""Turns a refused booking into a page the customer can read, whichever of the calendar's views met it."""

from django.http import JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from oscar_loyalty.contrib.appointment.exceptions import SlotTaken


class SlotTakenMiddleware:
    """Answers 409 with a page (or with JSON, where the calendar's script asked) when a time is taken already."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, SlotTaken):
            return None
        if request.headers.get("x-requested-with") == "XMLHttpRequest" or not request.accepts("text/html"):
            return JsonResponse({"message": str(exception), "success": False}, status=409)
        from appointment.settings import APPOINTMENT_BASE_TEMPLATE

        context = {
            "BASE_TEMPLATE": APPOINTMENT_BASE_TEMPLATE,
            "service_id": exception.service_id,
            "page_title": _("This time is taken"),
        }
        return render(request, "loyalty_appointment/slot_taken.html", context, status=409)
