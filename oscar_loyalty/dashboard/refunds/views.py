"""Refunding an order: ask, show exactly what goes where, do it once; and what became of each part."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic
from oscar.core.loading import get_class as oscar_class

from oscar_loyalty import keys
from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, actor, names_of
from oscar_loyalty.dashboard.refunds.forms import PartForm, RefundForm
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, from_hundredths
from oscar_loyalty.payments import refunds, selectors, sending
from oscar_loyalty.payments.exceptions import RefundRefused


class OrderMixin(ProgrammeMixin):
    """A page about an order that Oscar's own dashboard would show this person."""

    needs_programme = False

    @cached_property
    def order(self) -> Any:
        if not keys.is_text(self.kwargs["number"]):
            raise Http404
        # A shop with a dashboard of its own decides itself who sees which order.
        find = oscar_class("dashboard.orders.views", "get_order_for_user_or_404")
        return find(self.request.user, self.kwargs["number"])

    @cached_property
    def programme(self) -> Any:
        """That of the order's Site, whatever was chosen: Oscar's page of an order leads here."""
        return choosing.programme_of_order(self.request, self.order)

    def back(self) -> Any:
        return redirect("loyalty-dashboard:loyalty-refunds", number=self.order.number)


class RefundView(OrderMixin, generic.TemplateView):
    """Asks what is to be refunded, shows what would happen, and does it."""

    template_name = "oscar_loyalty/dashboard/refunds/order.html"

    def form(self, data: Any = None) -> Any:
        initial = {}
        left = refunds.left_of(self.order)
        if "all" in self.request.GET:
            initial = {f"quantity_{pk}": place.pieces for pk, place in left.items() if pk is not None}
            initial["shipping"] = from_hundredths(left[None].free)
        return RefundForm(data, order=self.order, left=left, initial=initial)

    def get_context_data(self, **kwargs: Any) -> Any:
        page = Paginator(selectors.refunds_of(self.order), PER_PAGE).get_page(self.request.GET.get("page"))
        for refund in page.object_list:
            refund.money = Money(refund.amount, self.order.currency)
            refund.backs = selectors.backs(refund.returns.all())
        signed = [*page.object_list, *(back for refund in page.object_list for back in refund.backs)]
        names = names_of(signed)
        for row in signed:
            row.by = names.get(row.actor_id, "") if row.actor_type == "user" else ""
        kwargs.setdefault("form", None)
        form = kwargs["form"] or self.form()
        return super().get_context_data(
            **{**kwargs, "form": form},
            order=self.order,
            page_obj=page,
            paginator=page.paginator,
            anything=any(place.free or place.pieces for place in form.left.values()),
        )

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        form = self.form(request.POST)
        step = request.POST.get("step")
        if step == "change" or not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        if step == "confirm" and self.confirm(form):
            return self.back()
        if step == "confirm" and set(form.errors) - {"force"}:
            return self.render_to_response(self.get_context_data(form=form))
        return self.preview(form)

    def preview(self, form: Any) -> Any:
        wish = form.wish
        try:
            done = refunds.preview(order=self.order, lines=wish.lines, shipping=wish.shipping, amount=wish.amount)
        except RefundRefused as error:
            form.refuse(error)
            return self.render_to_response(self.get_context_data(form=form))
        shown = {"done": done, "backs": selectors.backs(done.parts), "shown": str(done.amount.amount)}
        return self.render_to_response(self.get_context_data(form=form, **shown))

    def confirm(self, form: Any) -> bool:
        try:
            done = refunds.carry_out(
                order=self.order,
                wish=form.wish,
                key=f"dashboard:{form.cleaned_data['token']}",
                reason=form.cleaned_data["reason"],
                actor=actor(self.request),
                force=form.cleaned_data["force"],
                expected=form.cleaned_data["shown"],
            )
        except RefundRefused as error:
            form.refuse(error)
            return False
        if done.again:
            messages.info(self.request, _("This refund had been made already: %(amount)s.") % {"amount": done.amount})
            return True
        messages.success(self.request, _("%(amount)s has been refunded.") % {"amount": done.amount})
        for taken in done.taken:
            text = _("Taken back: %(points)s that the order had brought.")
            messages.info(self.request, text % {"points": taken.label(taken.points)})
        return True


class RefundPartView(OrderMixin, generic.View):
    """Tries again to have a provider give money back, or notes that the shop has given it otherwise."""

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self.back()

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        refund = get_object_or_404(self.order.loyalty_refunds, uuid=kwargs["uuid"])
        tenders = get_model("loyalty_payments", "Tender").objects.filter(attempt__order=self.order)
        form = PartForm(request.POST, tenders=tenders)
        if not form.is_valid():
            messages.error(request, _("Please try again."))
            return self.back()
        tender = form.cleaned_data["tender"]
        if form.cleaned_data["action"] == "again":
            sending.try_again(refund=refund, tender=tender)
            messages.info(request, _("It will be tried again with the next sweep."))
        else:
            sending.given_otherwise(refund=refund, tender=tender, actor=actor(request))
            messages.success(request, _("Noted: you have given it back yourself."))
        return self.back()
