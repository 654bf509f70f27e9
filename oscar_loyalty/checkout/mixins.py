"""Paying with points and gift cards, for a shop that has its own ``PaymentDetailsView``.

Put :class:`LoyaltyPaymentMixin` before the view's other bases. ``handle_payment`` is then called with what is left
to pay in
money; nothing else changes for the shop.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import classonlymethod
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from oscar.apps.checkout.exceptions import FailedPreCondition
from oscar.apps.checkout.mixins import OrderPlacementMixin
from oscar.apps.order.exceptions import UnableToPlaceOrder
from oscar.apps.payment.exceptions import RedirectRequired, UnableToTakePayment
from oscar.core import prices

from oscar_loyalty import keys
from oscar_loyalty.checkout import cards, going_on, parts, points
from oscar_loyalty.checkout.gateway import OwnGateway
from oscar_loyalty.earning import awaited
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.payments import asking, direct, exceptions, reasons, services, settling, tenders
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.payments.announcing import one_transaction
from oscar_loyalty.privileges import selectors as early

log = logging.getLogger("oscar_loyalty")


class LoyaltyPaymentMixin(OwnGateway):
    """Adds the tenders of the loyalty programme to a ``PaymentDetailsView``."""

    #: Who takes the rest: ``"shop"``, the view's own ``handle_payment``; ``"on_site"``, money at the salon; or
    #: ``"stripe"``, a card on Stripe's page.
    money_kind = "shop"
    #: Whether an order is paid for once ``handle_payment`` has let it pass. A shop that sends an invoice says no: gift
    #: cards bought then wait until the order has one of the programme's paid statuses.
    money_is_paid = True
    #: Whether the outbox sends Oscar's confirmation, so that it survives a mail server that is down. If not, the view
    #: sends it as ever, in ``send_order_placed_email``.
    mail_through_outbox = False

    _placed: Any = None
    _submission: dict[str, Any]
    #: What is written with the order itself, where nothing must be safe before it.
    _direct: dict[str, Any] | None = None
    _alone = False

    @classonlymethod
    def as_view(cls, **initkwargs):
        """The attempt must be committed before anybody is asked for money, whatever ``ATOMIC_REQUESTS`` says."""
        # Codes are typed here too; they must not be in the report of an error.
        return transaction.non_atomic_requests(sensitive_post_parameters("code")(super().as_view(**initkwargs)))

    def dispatch(self, request, *args, **kwargs):
        """A second click on "place order" finds its basket gone: it is shown what became of the first."""
        number = keys.number(request.POST.get("loyalty_basket", ""))
        if number is None:
            number = request.basket.pk
        if number != request.basket.pk and self._was_own(number):
            order, attempt = services.first_try(basket_id=number)
            if order is not None:
                return self._show_order(order)
            if attempt is not None:
                return self._follow(attempt)
        elif request.method == "GET" and (unfinished := going_on.unfinished(request)) is not None:
            # Back from the page of the payment by the browser's own button: the basket is frozen.
            if services.provider_tender(unfinished) is not None:
                return redirect(going_on.address(unfinished, "paid"))
            self._take_back(request, unfinished)
        return super().dispatch(request, *args, **kwargs)

    def _was_own(self, basket_id):
        user = self.request.user
        if user.is_authenticated:
            return get_model("basket", "Basket").objects.filter(pk=basket_id, owner=user).exists()
        try:
            return Signer().unsign(self.request.COOKIES.get(settings.OSCAR_BASKET_COOKIE_OPEN, "")) == str(basket_id)
        except BadSignature:
            return False

    def get_money_kind(self):
        """Return the kind of tender that takes the rest; a shop that lets people choose overrides it."""
        return "later" if self.money_kind == "shop" and not self.money_is_paid else self.money_kind

    def check_basket_is_valid(self, request):
        """What is for members first is refused here even where the shop's strategy does not know of it."""
        super().check_basket_is_valid(request)
        refused = early.refused_lines(request)
        if refused:
            raise FailedPreCondition(url=reverse("basket:summary"), messages=refused)

    # The page

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        total = context.get("order_total")
        if total is not None:
            context |= parts.context(
                self.request,
                basket=context["basket"],
                total=total.incl_tax,
                money_kind=self.get_money_kind(),
                form=kwargs.get("loyalty_points_form"),
            )
            context["loyalty_paid_in_money_at_salon"] = self.get_money_kind() == "on_site"
            context["loyalty_paid_by_card"] = self.get_money_kind() == "stripe"
        else:
            context["loyalty_cards"] = cards.applied(self.request)
        context["loyalty_form"] = kwargs.get("loyalty_form") or cards.CodeForm()
        return context

    def post(self, request, *args, **kwargs):
        """Adding and removing points and gift cards posts to the same page as placing the order."""
        if "loyalty_add_card" in request.POST:
            form = cards.CodeForm(request.POST, request=request, basket=request.basket)
            if form.is_valid():
                form.save()
                messages.success(request, _("The gift card has been added."))
                return redirect(request.path)
            return self.render_to_response(self.get_context_data(loyalty_form=form))
        if "loyalty_remove_card" in request.POST:
            cards.remove(request, request.POST["loyalty_remove_card"])
            messages.info(request, _("The gift card has been removed."))
            return redirect(request.path)
        if "loyalty_points_do" in request.POST:
            return self._choose_points(request, request.POST["loyalty_points_do"])
        return super().post(request, *args, **kwargs)

    def _choose_points(self, request, what):
        """Use so many points, ``all`` that can be, or ``none``; the page's script asks for its changed parts only."""
        total = self.build_submission()["order_total"]
        offer = None
        if total is not None:
            offer = points.offer_for(request, basket=request.basket, total=total.incl_tax)
        if offer is None or what == "none":
            points.choose(request, 0)
            messages.info(request, _("No points are used for this order any more."))
            return redirect(request.path)
        typed = str(offer.most) if what == "all" else request.POST.get("points", "")
        form = points.PointsForm({"points": typed}, offer=offer)
        if form.is_valid():
            points.choose(request, form.cleaned_data["points"])
        if "loyalty_live" in request.POST:
            note = form.result(typed)[1] if form.is_valid() and form.clamped else ""
            context = self.get_context_data(loyalty_points_form=form, loyalty_points_note=note)
            return TemplateResponse(request, "oscar_loyalty/checkout/live.html", context)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(loyalty_points_form=form))
        level, text = form.result(typed)
        getattr(messages, level)(request, text)
        return redirect(request.path)

    # Placing the order

    def submit(self, user, basket, *args, **kwargs):
        names = ["shipping_address", "shipping_method", "shipping_charge", "billing_address", "order_total"]
        self._submission = {**dict(zip(names, args, strict=False)), **kwargs, "user": user, "basket": basket}
        self._attempt = self._placed = self._direct = None
        try:
            return super().submit(user, basket, *args, **kwargs)
        except going_on.Elsewhere as news:
            if isinstance(news.problem, exceptions.AlreadyPlaced):
                return self._show_order(news.problem.order)
            return self._follow(news.problem.attempt)

    def freeze_basket(self, basket):
        """The attempt freezes it, in its own transaction: a process that dies before leaves no frozen basket behind."""

    def restore_frozen_basket(self):
        """Give the basket back, unless its order exists or is being placed by another request."""
        basket_id = self.checkout_session.get_submitted_basket_id()
        Basket = get_model("basket", "Basket")
        Attempt = get_model("loyalty_payments", "PaymentAttempt")
        if Basket.objects.filter(pk=basket_id, status=Basket.FROZEN).exists() and not (
            Attempt.objects.filter(basket=basket_id, state="open").exists()
        ):
            super().restore_frozen_basket()

    def handle_payment(self, order_number, total, **kwargs):
        """Set points and cards aside, then let the shop take what is left, or send the customer to pay it."""
        agreed = self._agree(total)
        if self._waits_for_nobody(agreed["plan"]):
            self._direct = {**agreed, "member": members.key_of_request(self.request)}
            return
        self._attempt = self._begin(order_number, agreed)
        rows = list(self._attempt.tenders.all())
        if any(tenders.is_provider(tender.kind) for tender in rows):
            self._send_to_provider(order_number)
        money = sum((tender.amount for tender in rows if tenders.of(tender.kind).money), Decimal(0))
        try:
            if money:
                super().handle_payment(order_number, _part_of(total, money), **kwargs)
        except RedirectRequired:
            services.redirected(attempt=self._attempt)
            going_on.remember(self.request, self._attempt)
            raise
        except BaseException as problem:
            services.cancel(attempt=self._attempt, reason=f"{type(problem).__name__}: {problem}")
            raise

    def _send_to_provider(self, order_number):
        ways = tenders.Ways(
            paid=self.request.build_absolute_uri(going_on.address(self._attempt, "paid")),
            back=self.request.build_absolute_uri(going_on.address(self._attempt, "back")),
            email=self._email(),
            language=(get_language() or "")[:2],
            text=_("Order %(number)s, %(shop)s") % {"number": order_number, "shop": site_of(self.request).name},
        )
        try:
            url = asking.ask(attempt=self._attempt, ways=ways)
        except exceptions.PaymentProblem as problem:
            raise UnableToTakePayment(str(problem)) from problem
        except BaseException as problem:
            services.cancel(attempt=self._attempt, reason=f"{type(problem).__name__}: {problem}")
            raise
        going_on.remember(self.request, self._attempt)
        raise RedirectRequired(url)

    def _email(self):
        user = self._submission["user"]
        if user.is_authenticated:
            return user.email
        return (self._submission.get("order_kwargs") or {}).get("guest_email") or ""

    def _close_earlier(self, basket):
        """An earlier try to pay for this basket may still be payable elsewhere: see to it that it is not."""
        self._alone = not any(payments.is_tried(basket))
        earlier = None if self._alone else payments.live_attempt(basket)
        if earlier is None or not earlier.snapshot.get("redirected") or services.provider_tender(earlier) is None:
            return
        try:
            state = settling.give_up(attempt=earlier, reason=reasons.AGAIN)
        except (exceptions.ProviderDown, exceptions.ProviderRefused):
            state = "open"
        if state == "placed":
            earlier.refresh_from_db()
            raise going_on.Elsewhere(exceptions.AlreadyPlaced(_("This order has been placed already."), earlier.order))
        if state == "open":
            raise UnableToTakePayment(
                _("Your bank has not answered yet whether you paid. Please try again in a few minutes.")
            )

    def _waits_for_nobody(self, plan):
        """Whether order and payment can be written at once: the view takes no money, and no other try is open."""
        view, taking = type(self), OrderPlacementMixin.handle_payment
        own = view.handle_payment is not LoyaltyPaymentMixin.handle_payment
        if own or getattr(super().handle_payment, "__func__", None) is not taking or not direct.is_possible(plan):
            return False
        return self._alone

    def _agree(self, total):
        """Return all that is to be kept of this submission, its plan among it."""
        request, submission = self.request, self._submission
        self._close_earlier(submission["basket"])
        applied = cards.applied(request)
        order_kwargs = submission.get("order_kwargs") or {}
        plan = parts.plan_of(
            request,
            basket=submission["basket"],
            total=total.incl_tax,
            applied=applied,
            money_kind=self.get_money_kind(),
        )
        if not cards.is_as_shown(request, plan):
            # A first click that is under way has set the cards aside: that is no change to complain about.
            with going_on.elsewhere():
                services.refuse_second(basket=submission["basket"])
            raise UnableToTakePayment(
                _("How this order is paid has changed since you looked. Please check it and place the order again.")
            )
        return {
            "basket": submission["basket"],
            "total": total,
            "user": submission["user"],
            "site": site_of(request),
            "cards": [entry.card for entry in applied],
            "plan": plan,
            "guest_email": order_kwargs.get("guest_email", ""),
            "shipping_address": submission.get("shipping_address"),
            "shipping_method": submission.get("shipping_method"),
            "shipping_charge": submission.get("shipping_charge"),
            "billing_address": submission.get("billing_address"),
            "surcharges": submission.get("surcharges"),
            "mail": self.mail_through_outbox,
            "status": self.get_initial_order_status(submission["basket"]) or "",
            "order_fields": _storable(order_kwargs) if tenders.is_provider(self.get_money_kind()) else None,
        }

    def _begin(self, order_number, agreed):
        try:
            with going_on.elsewhere():
                member = members.member_of_request(self.request)
                return services.begin(order_number=order_number, member=member, **agreed)
        except exceptions.PaymentProblem as problem:
            raise UnableToTakePayment(str(problem)) from problem

    def place_order(self, *args, **kwargs):
        """Order, sources, capture of points and cards, and the basket's submission are one transaction."""
        basket = kwargs["basket"] if "basket" in kwargs else args[2]
        agreed = self._direct
        if self._attempt is None and agreed is None and not self._named:
            self._attempt = payments.live_attempt(basket)
        if agreed is None and (self._attempt is None or self._attempt.basket_id != basket.pk):
            raise UnableToPlaceOrder(_("This took too long. Please check your order and place it again."))
        # The award follows once the customer is answered: see :mod:`oscar_loyalty.earning.awaited`.
        with awaited.left_to_the_customer(), one_transaction():
            if agreed is not None:
                with going_on.elsewhere():
                    direct.claim(basket=basket)
            order = super().place_order(*args, **kwargs)
            if agreed is not None:
                attempt = direct.record(order=order, **agreed)
            else:
                attempt = services.complete(attempt=self._attempt, order=order, basket=basket)
                basket.submit()
        self._attempt, self._placed = attempt, order
        cards.forget(self.request)
        awaited.expect(self.request, order)
        return order

    def handle_order_placement(self, *args, **kwargs):
        """What stops the order lets points and cards go; what goes wrong once it is safe (a mail) does not hide it."""
        try:
            return super().handle_order_placement(*args, **kwargs)
        except Exception as problem:
            if self._placed is not None:
                log.exception("Order %s is placed, but something after it failed", self._placed.number)
                return self._show_order(self._placed)
            if self._attempt is not None:
                services.cancel(attempt=self._attempt, reason=f"{type(problem).__name__}: {problem}")
                self._void(self._attempt, problem)
            if isinstance(problem, exceptions.PaymentProblem):
                raise UnableToPlaceOrder(str(problem)) from problem
            raise

    def send_order_placed_email(self, order):
        """Leave the confirmation to the outbox, where it has been queued with the order."""
        if self._attempt is None or not self._attempt.snapshot.get("mail"):
            super().send_order_placed_email(order)

    # A second click

    def _follow(self, attempt):
        """Another request places this order at this moment: show what becomes of it."""
        attempt = services.wait_for(attempt=attempt)
        if attempt.state == "placed":
            return self._show_order(attempt.order)
        page = going_on.payment_page(attempt)
        if page:
            going_on.remember(self.request, attempt)
            return HttpResponseRedirect(page)
        if attempt.state == "open":
            messages.info(self.request, _("Your order is still being placed. Look at your orders in a minute."))
        else:
            messages.error(self.request, _("The order was not placed; nothing was taken. Please try again."))
        return redirect("basket:summary")

    def _show_order(self, order):
        going_on.show_order(self.request, order)
        return HttpResponseRedirect(self.get_success_url())


def _storable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a shop adds to its orders, as far as it is kept elsewhere or can be kept until the order is written.

    :raises TypeError: when some of it cannot: such an order could not be placed later as it was agreed upon.
    """
    kept = {name: value for name, value in fields.items() if name not in ("guest_email", "site", "status")}
    for name, value in kept.items():
        if not isinstance(value, (str, int, bool, type(None))):
            raise TypeError(f"{name!r} of the order is a {type(value).__name__}, which cannot wait for a payment.")
    return kept


def _part_of(total, money):
    """Return Oscar's price of ``money``, a part of ``total``, with the same share of tax."""
    if money == total.incl_tax or not total.incl_tax:
        return total
    excl = (total.excl_tax * money / total.incl_tax).quantize(money)
    return prices.Price(currency=total.currency, excl_tax=excl, incl_tax=money)
