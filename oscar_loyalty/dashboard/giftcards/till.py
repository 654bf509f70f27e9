"""Cards that are sold at the till: found by what is printed on them, activated when they are paid."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic
from django.views.decorators.debug import sensitive_post_parameters

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.giftcards.staff_forms import ActivateForm, FindForm
from oscar_loyalty.giftcards import selectors, staff
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, TooManyTries
from oscar_loyalty.giftcards.guard import Guard


@method_decorator(sensitive_post_parameters("typed"), name="dispatch")
class FindView(ProgrammeMixin, generic.FormView):
    """Finds the card that lies on the counter. Codes come by POST, so that they are in no log."""

    template_name = "oscar_loyalty/dashboard/giftcards/find.html"
    form_class = FindForm
    needs_programme = False

    def get_context_data(self, **kwargs):
        return super().get_context_data(tab="till", **kwargs)

    def form_valid(self, form):
        try:
            card = staff.find(form.cleaned_data["typed"], who=Guard.of_request(self.request), site=self.site)
        except TooManyTries:
            form.add_error("typed", _("Too many wrong codes. Please wait an hour and try again."))
        except CodeRefused:
            form.add_error("typed", _("No card to be sold at the till has this code or these letters."))
        else:
            return redirect("loyalty-dashboard:loyalty-giftcard-activate", uuid=card.uuid)
        return self.form_invalid(form)


class ActivateView(ProgrammeMixin, generic.FormView):
    """Activates one card, once it is paid."""

    template_name = "oscar_loyalty/dashboard/giftcards/activate.html"
    form_class = ActivateForm
    needs_programme = False

    @cached_property
    def card(self):
        cards = selectors.cards(self.site).select_related("batch", "account")
        return get_object_or_404(cards, uuid=self.kwargs["uuid"], batch__at_till=True)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "card": self.card, "user": self.request.user}

    def get_context_data(self, **kwargs):
        return super().get_context_data(card=self.card, value=selectors.value_of(self.card), tab="till", **kwargs)

    def form_valid(self, form):
        try:
            card = staff.activate_at_till(
                card=self.card,
                key=form.cleaned_data["token"],
                user=self.request.user,
                value=form.cleaned_data.get("value"),
                note=form.cleaned_data["note"],
            )
        except GiftCardError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(
            self.request,
            _("The card %(label)s is active, with %(value)s on it.")
            % {"label": card.label, "value": selectors.value_of(card)},
        )
        return redirect("loyalty-dashboard:loyalty-giftcards-till")
