"""The day's appointments: who came, and who did not."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.mixins import AccessMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.generic import TemplateView

from oscar_loyalty import clock
from oscar_loyalty.cells import YEARS
from oscar_loyalty.contrib.appointment import selectors, services
from oscar_loyalty.contrib.appointment.exceptions import NotBooked, OwnAppointment

STATES = ("attended", "missed", "made")


class StaffOnly(AccessMixin):
    """Lets in whoever may mark appointments; asks others to log in, or refuses them."""

    def dispatch(self, request, *args, **kwargs):
        if not selectors.may_mark(request.user):
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)


def _today():
    return timezone.localtime(clock.now(), timezone.get_default_timezone()).date()


def _wanted(text):
    try:
        day = parse_date(text or "")
    except ValueError:
        day = None
    # The last day of the calendar has no next one to go on to.
    return day if day is not None and day.year in YEARS else _today()


class DayView(StaffOnly, TemplateView):
    """The appointments of a day, to be marked as attended or missed."""

    template_name = "loyalty_appointment/day.html"
    title = gettext_lazy("Appointments")

    def get_context_data(self, **kwargs):
        date = _wanted(self.request.GET.get("date"))
        rows = selectors.day(date, user=self.request.user)
        return super().get_context_data(
            title=self.title,
            date=date,
            today=_today(),
            before=date - timedelta(days=1),
            after=date + timedelta(days=1),
            rows=rows,
            now=clock.now(),
            everybody=selectors.may_mark_all(self.request.user),
            **kwargs,
        )


class MarkView(StaffOnly, View):
    """Marks one appointment, and goes back to its day."""

    http_method_names = ["post"]

    def post(self, request, pk):
        appointment = get_object_or_404(
            selectors.appointments().select_related("appointment_request__staff_member"), pk=pk
        )
        if not selectors.may_mark_one(request.user, appointment):
            raise PermissionDenied
        state = request.POST.get("state", "")
        if state not in STATES:
            raise Http404
        try:
            services.mark(appointment_id=pk, state=state, user=request.user)
        except OwnAppointment:
            messages.error(request, _("This appointment is your own: please ask somebody else to mark it."))
        except NotBooked:
            messages.error(request, _("The programme does not know of this appointment: it was made before it began."))
        day = appointment.appointment_request.date
        return HttpResponseRedirect(f"{reverse('loyalty-appointment:day')}?date={day:%Y-%m-%d}#appointment-{pk}")
