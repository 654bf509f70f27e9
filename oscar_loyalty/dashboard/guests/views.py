from typing import Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import FilteredListView, ProgrammeMixin, ResendForm, say_errors
from oscar_loyalty.dashboard.guests import services
from oscar_loyalty.dashboard.guests.forms import GuestOrderFilterForm
from oscar_loyalty.earning import guests
from oscar_loyalty.messaging import selectors as messaging


class GuestOrderListView(FilteredListView):
    """Orders that were placed without an account: what waits, whether its link went out, and who took it when."""

    template_name = "oscar_loyalty/dashboard/guests/list.html"
    form_class = GuestOrderFilterForm

    def get_rows(self) -> Any:
        return guests.search(self.programme, self.filters.get("q") or "", state=self.filters.get("state") or "")

    def get_page(self):
        page = super().get_page()
        orders = list(page.object_list)
        links = {order.pk: self.link_of(order) for order in orders}
        sent = messaging.of_guest_links([link for link in links.values() if link is not None])
        waiting = guests.waiting(orders, self.programme)
        awarded = guests.awarded(orders)
        for each in waiting:
            link = links[each.order.pk]
            each.order.waiting = each
            each.order.points = awarded.get(each.order.pk, each.points)
            each.order.mail = sent.get(link.pk) if link is not None else None
            each.order.claim = getattr(each.order, "loyalty_claim", None)
        page.object_list = orders
        return page

    @staticmethod
    def link_of(order: Any) -> Any:
        """Return the link that went to the order's present address, if there is one."""
        own = [link for link in order.loyalty_guest_links.all() if link.email == order.guest_email.strip().lower()]
        return own[0] if own else None


class GuestOrderSendView(ProgrammeMixin, generic.View):
    """Sends the link of a guest order once more."""

    http_method_names = ["post"]

    def post(self, request, pk):
        order = guests.search(self.programme, state="open").filter(pk=pk, user__isnull=True).first()
        if order is None:
            raise Http404
        form = ResendForm(request.POST)
        if not form.is_valid():
            say_errors(request, form)
        elif not self.programme.is_active:
            messages.error(request, _("%(name)s is closed for the moment.") % {"name": self.programme.name})
        elif not any(guests.waiting([order], self.programme)):
            messages.error(request, _("This order brings neither points nor gift cards: there is nothing to add."))
        else:
            email = services.send_link(
                order=order,
                programme=self.programme,
                tries=form.cleaned_data["tries"],
                language=get_language() or "",
            )
            messages.success(request, _("The link is on its way to %(email)s.") % {"email": email})
        return redirect("loyalty-dashboard:loyalty-guest-orders")
