"""Customers of before who become members."""

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.handlers import ask_to_enrol
from oscar_loyalty.dashboard.members.forms import EnrolForm
from oscar_loyalty.members.selectors import outsiders
from oscar_loyalty.reports import standings


class EnrolView(ProgrammeMixin, generic.FormView):
    """Makes customers with an account members, once the owner has seen how many they are."""

    template_name = "oscar_loyalty/dashboard/members/enrol.html"
    form_class = EnrolForm

    def get_context_data(self, **kwargs):
        found = standings.outside(self.programme)
        people = get_user_model().objects.in_bulk(found.first) if found.first else {}
        return super().get_context_data(
            number=found.customers,
            staff_number=found.staff,
            first=[people[pk] for pk in found.first if pk in people],
            as_of=found.at,
            **kwargs,
        )

    def form_valid(self, form):
        if not self.programme.is_active:
            form.add_error(None, _("The programme is closed. Open it first."))
            return self.form_invalid(form)
        users = outsiders(self.programme, staff=form.cleaned_data["staff"]).values_list("pk", flat=True)
        with form.once():
            number = ask_to_enrol(programme=self.programme, users=users, key=form.cleaned_data["token"])
        text = ngettext(
            "%(number)s customer becomes a member. This may take a minute.",
            "%(number)s customers become members. This may take some minutes.",
            number,
        )
        messages.success(self.request, text % {"number": number})
        return redirect("loyalty-dashboard:loyalty-members")
