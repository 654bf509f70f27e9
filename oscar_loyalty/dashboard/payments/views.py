from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import FilteredListView, ProgrammeMixin, actor, names_of
from oscar_loyalty.dashboard.payments.forms import EventFilterForm, PaymentSearchForm
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money
from oscar_loyalty.payments import exceptions, services, settling, watching
from oscar_loyalty.payments.planning import IN_POINTS
from oscar_loyalty.payments.stripe.client import is_live, is_set_up


def _with_money(attempt: Any) -> Any:
    attempt.money = Money(attempt.total, attempt.currency)
    attempt.email = attempt.user.email if attempt.user is not None else attempt.snapshot.get("guest_email", "")
    attempt.parts = list(attempt.tenders.all())
    for tender in attempt.parts:
        tender.money = Money(tender.amount, attempt.currency)
        tender.points = tender.units if tender.kind in IN_POINTS else 0
        tender.problem = watching.problem(tender, attempt.currency)
        tender.bad = tender.state == "failed" or bool(tender.problem and tender.state != "cancelled")
    return attempt


class PaymentListView(FilteredListView):
    """Every try to pay, with what became of it."""

    template_name = "oscar_loyalty/dashboard/payments/list.html"
    form_class = PaymentSearchForm
    needs_programme = False

    def get_rows(self) -> Any:
        return watching.search(state=self.filters.get("state") or "", words=self.filters.get("q") or "", site=self.site)

    def get_page(self):
        page = super().get_page()
        page.object_list = [_with_money(attempt) for attempt in page.object_list]
        return page

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            payments=watching.light(self.site), stripe_is_set_up=is_set_up(), stripe_is_live=is_live(), **kwargs
        )


class EventListView(FilteredListView):
    """What Stripe told us."""

    template_name = "oscar_loyalty/dashboard/payments/events.html"
    form_class = EventFilterForm
    needs_programme = False

    def get_rows(self) -> Any:
        return watching.events(state=self.filters.get("state") or "", site=self.site)


class PaymentView(ProgrammeMixin, generic.TemplateView):
    """One try to pay: what it is paid with, and what happened when."""

    template_name = "oscar_loyalty/dashboard/payments/attempt.html"
    needs_programme = False

    @cached_property
    def attempt(self) -> Any:
        attempts = get_model("loyalty_payments", "PaymentAttempt").objects.filter(site=self.site.pk)
        attempts = attempts.select_related("user", "order", "member")
        return get_object_or_404(attempts, uuid=self.kwargs["uuid"])

    def get_context_data(self, **kwargs):
        attempt = _with_money(self.attempt)
        moments = watching.moments(attempt)
        names = names_of(moments)
        unfinished = attempt.state == "open" or any(tender.state == "authorised" for tender in attempt.parts)
        return super().get_context_data(
            attempt=attempt,
            moments=[replace(moment, more=names.get(moment.actor_id, moment.more)) for moment in moments],
            unfinished=unfinished,
            owed=attempt.state == "cancelled"
            and any(tender.kind == "shop" and tender.state == "failed" for tender in attempt.parts),
            short=any(tender.short for tender in attempt.parts),
            lines=attempt.snapshot.get("lines", []),
            **kwargs,
        )


# It asks the provider over the network, so it must not hold a transaction open.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class SettleView(PaymentView):
    """Looks at the provider again, and does what is to be done."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        attempt = self.attempt
        if kwargs["action"] == "returned":
            services.given_back(attempt=attempt, actor=actor(request))
            messages.success(request, _("Noted: the money has been given back."))
        elif kwargs["action"] == "settled":
            services.rest_settled(attempt=attempt, actor=actor(request))
            messages.success(request, _("Noted: this payment is settled."))
        else:
            self.settle(request, attempt)
        return redirect("loyalty-dashboard:loyalty-payment", uuid=attempt.uuid)

    def settle(self, request, attempt):
        try:
            state = settling.settle(attempt=attempt, at_once=True)
        except exceptions.PaymentProblem as problem:
            messages.error(request, _("The provider gave no clear answer: %(problem)s") % {"problem": problem})
            return
        if state == "placed":
            messages.success(request, _("The order is placed and paid as far as it can be."))
        elif state == "cancelled":
            messages.success(request, _("The attempt is undone; nothing is set aside any more."))
        else:
            messages.info(request, _("The customer has not paid yet, and still can."))
