"""Customers of before who become members."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.handlers import ask_to_enrol
from oscar_loyalty.dashboard.members.forms import EnrolForm
from oscar_loyalty.loading import get_model


def customers(programme: Any, *, staff: bool = False) -> Any:
    """Return the active users who are not members."""
    User = get_user_model()
    members = get_model("loyalty_members", "Member").objects.filter(programme=programme, user__isnull=False)
    users = User.objects.filter(is_active=True).exclude(pk__in=members.values("user"))
    anonymous = getattr(settings, "ANONYMOUS_USER_NAME", "AnonymousUser")
    if anonymous:
        users = users.exclude(**{User.USERNAME_FIELD: anonymous})
    return (users if staff else users.filter(is_staff=False)).order_by("pk")


class EnrolView(ProgrammeMixin, generic.FormView):
    """Makes customers with an account members, once the owner has seen how many they are."""

    template_name = "oscar_loyalty/dashboard/members/enrol.html"
    form_class = EnrolForm

    def get_context_data(self, **kwargs):
        found, everybody = customers(self.programme), customers(self.programme, staff=True)
        number = found.count()
        return super().get_context_data(
            number=number,
            staff_number=everybody.count() - number,
            first=list(found[:8]),
            **kwargs,
        )

    def form_valid(self, form):
        if not self.programme.is_active:
            form.add_error(None, _("The programme is closed. Open it first."))
            return self.form_invalid(form)
        users = customers(self.programme, staff=form.cleaned_data["staff"]).values_list("pk", flat=True)
        number = ask_to_enrol(programme=self.programme, users=users, key=form.cleaned_data["token"])
        text = ngettext(
            "%(number)s customer becomes a member. This may take a minute.",
            "%(number)s customers become members. This may take some minutes.",
            number,
        )
        messages.success(self.request, text % {"number": number})
        return redirect("loyalty-dashboard:loyalty-members")
