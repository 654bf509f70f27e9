"""The pages on which orders that were placed as a guest come to an account."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic
from django.views.decorators.cache import never_cache
from oscar.apps.customer.mixins import PageTitleMixin

from oscar_loyalty.account import selectors
from oscar_loyalty.account.views import AccountMixin
from oscar_loyalty.earning import claims, guests
from oscar_loyalty.earning.exceptions import AskedAlready, MembershipRests, NotProven, OrderTaken
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.exceptions import ProgrammeClosed
from oscar_loyalty.members.sites import site_of


def _done(request: Any, programme: Any, taken: list[Any]) -> Any:
    """Say what has come to the account, and go where it is to be seen."""
    if not taken:
        messages.info(request, _("There was nothing left to add: no order waits any more."))
        return redirect("loyalty-account:guest-orders")
    news = selectors.brought(taken)
    label = programme.points_label(news.points)
    if len(taken) == 1:
        values = {"number": taken[0].order.number, "points": label}
        text = (
            _("Order %(number)s is on your account now, with %(points)s.")
            if news.points
            else _("Order %(number)s is on your account now.")
        )
    else:
        values = {"number": len(taken), "points": label}
        text = (
            _("%(number)s orders are on your account now, with %(points)s.")
            if news.points
            else _("%(number)s orders are on your account now.")
        )
    messages.success(request, text % values)
    page = "history" if news.points else "giftcards" if news.cards else "overview"
    return redirect(f"loyalty-account:{page}")


@method_decorator(never_cache, name="dispatch")
class GuestClaimView(PageTitleMixin, generic.TemplateView):
    """Where a link for guest orders leads: says what waits, and takes it to the account of whoever is signed in.

    Opening it changes nothing: mail programs open links too.
    """

    template_name = "oscar_loyalty/account/guest_claim.html"
    page_title = gettext_lazy("Add to my account")
    active_tab = "loyalty"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.programme = members.programme_of(site_of(request))
        self.link = guests.read_token(kwargs["token"], self.programme) if self.programme is not None else None

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch(request, *args, **kwargs)
        # The address of this page is as good as a key: it is told to no other site.
        response["Referrer-Policy"] = "same-origin"
        return response

    def get(self, request, *args, **kwargs):
        state = selectors.state_of(self.link, request.user)
        if state == "mine":
            messages.info(request, _("You have added this to your account already."))
            return redirect("loyalty-account:history")
        context = self.get_context_data(state=state, **kwargs)
        return self.render_to_response(context, status=404 if state == "unknown" else 200)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(programme=self.programme, **kwargs)
        if self.link is not None and kwargs["state"] not in ("unknown", "taken"):
            member = guests.membership_for(self.request.user, self.link.email, self.programme)
            own = members.member_for(self.request.user, self.programme)
            context.update(selectors.behind(self.link, member), link=self.link, joins=member is None)
            # A membership that was opened with this e-mail alone comes along.
            context["alone"] = member if own is None else None
        return context

    def post(self, request, *args, **kwargs):
        if self.link is None:
            return self.get(request, *args, **kwargs)
        if not request.user.is_authenticated:
            return redirect_to_login(request.path, reverse("customer:login"))
        try:
            taken = claims.claim(link=self.link, user=request.user)
        except (OrderTaken, ProgrammeClosed, MembershipRests):
            # Somebody was faster, or it was closed meanwhile: the page says so.
            self.link = guests.read_token(kwargs["token"], self.programme)
            return self.get(request, *args, **kwargs)
        return _done(request, self.programme, taken)


class GuestOrdersView(AccountMixin, generic.TemplateView):
    """What was ordered as a guest: shown and taken once the address is proven; else, a link to prove it is sent."""

    template_name = "oscar_loyalty/account/guest_orders.html"
    page_title = gettext_lazy("Orders you made as a guest")
    section = "guests"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.programme is not None:
            emails = guests.proven(self.request.user, self.programme)
            paginator = Paginator(guests.guest_orders(emails, self.programme), 20)
            page = paginator.get_page(self.request.GET.get("page"))
            context.update(
                waiting=guests.waiting(page.object_list, self.programme, member=self.member),
                page_obj=page,
                paginator=paginator,
                proven=sorted(emails),
                is_proven=(self.request.user.email or "").lower() in emails,
                may_claim=self.programme.is_active and (self.member is None or self.member.can_earn),
            )
        return context

    def post(self, request, *args, **kwargs):
        if self.programme is None:
            return self.get(request, *args, **kwargs)
        if "ask" in request.POST:
            return self.ask()
        try:
            taken = claims.claim_proven(user=request.user, programme=self.programme)
        except (NotProven, ProgrammeClosed, MembershipRests):
            # The page says why, and what to do.
            return redirect("loyalty-account:guest-orders")
        return _done(request, self.programme, taken)

    def ask(self):
        """The answer is the same whether anything was ordered with the address or not."""
        values = {"email": self.request.user.email}
        try:
            claims.ask(user=self.request.user, programme=self.programme)
        except AskedAlready:
            messages.info(
                self.request,
                _("A link to %(email)s was asked for a short while ago. Please look into that mailbox first.") % values,
            )
        else:
            messages.success(
                self.request,
                _("If orders were placed as a guest with %(email)s, a link is on its way there now.") % values,
            )
        return redirect("loyalty-account:guest-orders")
