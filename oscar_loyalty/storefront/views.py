from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import generic
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from oscar.apps.basket.signals import basket_addition
from oscar.apps.basket.utils import BasketMessageGenerator

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.exceptions import PaymentProblem
from oscar_loyalty.storefront import forms, selectors, services


@method_decorator(never_cache, name="dispatch")
class GiftCardsView(generic.FormView):
    """Every gift card with its price in money and in points."""

    template_name = "oscar_loyalty/storefront/giftcards.html"
    form_class = forms.GiftForm
    success_url = reverse_lazy("basket:summary")

    def get_context_data(self, **kwargs):
        points = selectors.points_of_basket(self.request)
        return super().get_context_data(points=points, offers=selectors.offers(self.request, points), **kwargs)

    def form_valid(self, form):
        data = form.cleaned_data
        with_points = bool(data["buy_with_points"])
        denomination = data["buy_with_points"] or data["buy"]
        offers_before = self.request.basket.applied_offers()
        try:
            services.add_giftcard(
                request=self.request,
                denomination=denomination,
                recipient_name=data["recipient_name"],
                recipient_email=data["recipient_email"],
                message=data["message"],
                pay_with_points=with_points,
            )
        except PaymentProblem as problem:
            form.add_error(None, str(problem))
            return self.form_invalid(form)
        messages.success(self.request, _("The gift card is in your basket."))
        BasketMessageGenerator().apply_messages(self.request, offers_before)
        basket_addition.send_robust(
            sender=self, product=denomination.product, user=self.request.user, request=self.request
        )
        return super().form_valid(form)


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class BalanceView(generic.FormView):
    """What is on a card, for whoever has its code."""

    template_name = "oscar_loyalty/storefront/balance.html"
    form_class = forms.BalanceForm

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form):
        # Shown at once instead of after a redirect: the code must not be in an address or a session.
        card = form.card
        context = self.get_context_data(
            form=self.form_class(request=self.request),
            card=card,
            value=giftcards.value_of(card),
            balance=giftcards.balance(card),
            history=giftcards.card_history(card, money_only=True),
        )
        return self.render_to_response(context)


class PayWithPointsView(generic.View):
    """Switches a gift card in the basket between points and money."""

    http_method_names = ["post"]

    def post(self, request, line_id):
        on = request.POST.get("on") == "1"
        try:
            services.switch_line(request=request, line_id=line_id, on=on)
        except get_model("basket", "Line").DoesNotExist:
            raise Http404 from None
        except PaymentProblem as problem:
            messages.error(request, str(problem))
        else:
            text = _("This gift card is paid with points.") if on else _("This gift card is paid with money.")
            messages.success(request, text)
        return redirect("basket:summary")
