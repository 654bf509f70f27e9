from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import generic
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from oscar.apps.basket.signals import basket_addition
from oscar.apps.basket.utils import BasketMessageGenerator

from oscar_loyalty.giftcards import printing
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.giftcards.exceptions import AmountRefused
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.payments.exceptions import PaymentProblem
from oscar_loyalty.storefront import forms, selectors, services


@method_decorator(never_cache, name="dispatch")
class GiftCardsView(generic.FormView):
    """Every gift card with its price in money and in points."""

    template_name = "oscar_loyalty/storefront/giftcards.html"
    form_class = forms.GiftForm
    success_url = reverse_lazy("basket:summary")

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "custom": selectors.choice_of(self.request)}

    def get_context_data(self, **kwargs):
        points = selectors.points_of_basket(self.request)
        return super().get_context_data(
            points=points,
            offers=selectors.offers(self.request, points),
            choice=selectors.choice_offer(self.request),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        if "preview" in request.POST:
            # Only to look at: nothing is wrong yet, and nothing typed is lost.
            kwargs = {**self.get_form_kwargs(), "data": None, "files": None, "initial": request.POST.dict()}
            return self.render_to_response(self.get_context_data(form=self.form_class(**kwargs)))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form):
        data = form.cleaned_data
        offers_before = self.request.basket.applied_offers()
        try:
            services.add_giftcard(
                request=self.request,
                denomination=form.denomination,
                custom=form.custom if form.of_choice else None,
                amount=data["amount"] if form.of_choice else None,
                recipient_name=data["recipient_name"],
                recipient_email=data["recipient_email"],
                message=data["message"],
                design=data["design"],
                deliver_on=data["deliver_on"],
                pay_with_points=form.with_points,
            )
        except AmountRefused as refused:
            form.add_error("amount", str(refused))
            return self.form_invalid(form)
        except PaymentProblem as problem:
            form.add_error(None, str(problem))
            return self.form_invalid(form)
        messages.success(self.request, _("The gift card is in your basket."))
        BasketMessageGenerator().apply_messages(self.request, offers_before)
        basket_addition.send_robust(sender=self, product=form.product, user=self.request.user, request=self.request)
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


@method_decorator([never_cache], name="dispatch")
class PrintCardView(generic.View):
    """The card to print, for its buyer: once, from the page after the order, where its code is shown once too."""

    http_method_names = ["post"]

    @method_decorator(sensitive_variables("code"))
    def post(self, request, uuid):
        card = get_object_or_404(
            get_model("loyalty_giftcards", "GiftCard").objects.select_related("order__site"), uuid=uuid
        )
        # Whoever sees that page: the browser that placed the order, with an account or without.
        if card.order_id is None or request.session.get("checkout_order_id") != card.order_id:
            raise Http404
        code = giftcard_services.print_once(card=card)
        if code is None:
            messages.info(request, _("This card was saved before. You find it in our e-mail too."))
            return redirect("checkout:thank-you")
        site = card.order.site or site_of(request)
        pdf = printing.pdf(card=card, code=code, shop_name=site.name, shop_url=request.build_absolute_uri("/"))
        response = HttpResponse(pdf, content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{printing.file_name(card)}"'
        return response


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
