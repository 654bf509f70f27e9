from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic
from django.views.decorators.cache import never_cache
from oscar.apps.customer.mixins import PageTitleMixin

from oscar_loyalty import keys
from oscar_loyalty.account import sections, selectors, services
from oscar_loyalty.account.exceptions import TooSoon
from oscar_loyalty.account.forms import ChangeDeliveryForm
from oscar_loyalty.earning import awaited
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import delivery
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.exceptions import TooLate
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import leaving, links
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.members.exceptions import AlreadyMember, CannotMerge, ProgrammeClosed
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.privileges import access
from oscar_loyalty.storefront import inviting

#: Where somebody may say that they joined; anything else is "account".
SOURCES = {"account", "club", "checkout", "giftcards"}


def _next(request, default="loyalty-account:overview"):
    """Return the address that the form asked to go on to, if it is a path or an address of this shop."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    # Any other word would be taken for the name of a view.
    own = url.startswith(("/", "http")) and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if own else reverse(default)


@method_decorator(never_cache, name="dispatch")
class AccountMixin(LoginRequiredMixin, PageTitleMixin):
    """The pages of whoever is signed in: the own membership and nobody else's."""

    active_tab = "loyalty"
    section = ""
    #: The template around the page, and the namespace of the addresses: the club shows the same in its own.
    frame = "oscar_loyalty/account/base.html"
    area = "loyalty-account"

    def at(self, name, **kwargs):
        """Return the address of one of the member's pages, here or in the club."""
        return reverse(f"{self.area}:{name}", kwargs=kwargs)

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        awaited.make_awaited(request)
        # The member first, who brings the programme along.
        self.member = members.member_of_request(request)
        self.programme = members.programme_for(request=request)
        if self.programme is None:
            # Of a programme that is closed, what one has stays in sight.
            self.programme = members.programme_of(site_of(request))
            self.member = members.member_for(request.user, self.programme)

    @property
    def is_open(self) -> bool:
        """Whether the member is one of an open programme, whom the shop's own pages know too."""
        return self.member is not None and self.member == members.member_of_request(self.request)

    @cached_property
    def balance(self):
        return members.balance_of_request(self.request) if self.is_open else ledger.balance(self.member.account)

    @cached_property
    def usable(self) -> int:
        """The points that the member can spend; 0 for others."""
        if self.is_open:
            return members.usable_of_request(self.request)
        return ledger.usable(self.member.account) if self.member is not None else 0

    @cached_property
    def facts(self):
        """What there is for the member, and so which pages are named."""
        # Where nobody can order as a guest, there is nothing to add.
        guests = getattr(settings, "OSCAR_ALLOW_ANON_CHECKOUT", False)
        return sections.facts(self.programme, self.member, guests=guests)

    @property
    def sharing(self):
        """The terms on which the member may give points, or ``None`` where nobody can."""
        return self.facts.sharing

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context.update(programme=self.programme, member=self.member, section=self.section, sharing=self.sharing)
        context.update(frame=self.frame, area=self.area)
        closed = self.member is not None and self.member.status == "closed"
        context["departure"] = leaving.departure_of(self.member) if closed else None
        context["membership_note"] = selectors.membership_note(self.member)
        context["sections"] = sections.arrange(sections.entries(self.facts.known, current=self.section))
        return context


class OverviewView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/overview.html"
    page_title = gettext_lazy("My points")
    section = "overview"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.member is not None:
            context["balance"] = self.balance
            context["waiting"] = selectors.waiting(self.member, self.sharing)
            context["latest"] = earning.latest(self.member, 5)
        return context


class HistoryView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/history.html"
    page_title = gettext_lazy("History of my points")
    section = "history"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.member is not None:
            page = keys.number(self.request.GET.get("page", "1")) or 1
            found = earning.history(self.member, page=page, per_page=20)
            context.update(page_obj=found, paginator=found.paginator)
        return context


class GiftCardsView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/giftcards.html"
    page_title = gettext_lazy("My gift cards")
    section = "giftcards"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        paginator = Paginator(giftcards.cards_of(self.request.user, site_of(self.request)), 20)
        page = paginator.get_page(self.request.GET.get("page"))
        context.update(cards=selectors.own_cards(page.object_list), page_obj=page, paginator=paginator)
        return context


class ResendView(LoginRequiredMixin, generic.View):
    http_method_names = ["post"]

    def post(self, request, uuid):
        card = giftcards.cards_of(request.user, site_of(request)).filter(uuid=uuid, state="active").first()
        if card is None:
            raise Http404
        try:
            services.resend_card(card=card)
        except TooSoon:
            messages.info(
                request, _("This card was sent a few minutes ago. Please wait a little before we send it again.")
            )
        else:
            messages.success(request, _("The gift card is on its way again."))
        return redirect("loyalty-account:giftcards")


class ChangeDeliveryView(AccountMixin, generic.FormView):
    """Whom a card that waits for its day goes to, and when."""

    template_name = "oscar_loyalty/account/giftcard_change.html"
    form_class = ChangeDeliveryForm
    page_title = gettext_lazy("Change the day or the recipient")
    section = "giftcards"

    @cached_property
    def card(self):
        card = giftcards.cards_of(self.request.user, site_of(self.request)).filter(uuid=self.kwargs["uuid"]).first()
        if card is None:
            raise Http404
        return card

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated and not selectors.own_cards([self.card])[0].can_change:
            return self.too_late()
        return super().dispatch(request, *args, **kwargs)

    def too_late(self):
        messages.error(self.request, _("This card is on its way already. Write to us if something is wrong with it."))
        return redirect("loyalty-account:giftcards")

    def get_initial(self):
        card = self.card
        day = max(delivery.day_of(card), delivery.today())
        return {"recipient_name": card.recipient_name, "recipient_email": card.recipient_email, "deliver_on": day}

    def get_context_data(self, **kwargs):
        return super().get_context_data(card=self.card, **kwargs)

    def form_valid(self, form):
        data = form.cleaned_data
        try:
            services.change_delivery(
                card=self.card,
                user=self.request.user,
                name=data["recipient_name"],
                email=data["recipient_email"],
                day=data["deliver_on"],
            )
        except TooLate:
            return self.too_late()
        messages.success(self.request, _("The gift card has been changed."))
        return redirect("loyalty-account:giftcards")


class SendNowView(LoginRequiredMixin, generic.View):
    http_method_names = ["post"]

    def post(self, request, uuid):
        card = giftcards.cards_of(request.user, site_of(request)).filter(uuid=uuid).first()
        if card is None:
            raise Http404
        try:
            services.send_now(card=card, user=request.user)
        except TooLate:
            messages.error(request, _("This card cannot be sent at the moment."))
        else:
            messages.success(request, _("The gift card is on its way."))
        return redirect("loyalty-account:giftcards")


class EarnView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/earn.html"
    page_title = gettext_lazy("How to earn")
    section = "earn"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.programme is not None:
            viewer, page = access.viewer_of(self.request), self.request.GET.get("page")
            ways = selectors.ways(self.programme, viewer, page=page)
            context.update(general=ways.general, products=ways.products, none=ways.none, others=ways.others)
            context.update(page_obj=ways.products, paginator=ways.products.paginator)
            context.update(deeds=selectors.deeds(self.programme), tiers=list(members.tiers(self.programme)))
        return context


class JoinView(AccountMixin, generic.TemplateView):
    """Asks once, then makes whoever is signed in a member; a button elsewhere may post here directly."""

    template_name = "oscar_loyalty/account/join.html"
    page_title = gettext_lazy("Join")
    section = "join"

    def get_page_title(self):
        return _("Join %(name)s") % {"name": self.programme.name} if self.programme else self.page_title

    def get(self, request, *args, **kwargs):
        if self.member is not None:
            return redirect(_next(request))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(next=self.request.GET.get("next", ""), **kwargs)

    def post(self, request, *args, **kwargs):
        if self.programme is None:
            raise Http404
        source = request.POST.get("source", "")
        try:
            joined = member_services.join(
                programme=self.programme, user=request.user, source=source if source in SOURCES else "account"
            )
        except ProgrammeClosed:
            messages.error(request, _("%(name)s is closed for the moment.") % {"name": self.programme.name})
            return redirect("loyalty-account:overview")
        if self.member is None:
            inviting.accept(request, joined)
            messages.success(request, _("Welcome to %(name)s!") % {"name": self.programme.name})
        return redirect(_next(request))


class ClaimView(AccountMixin, generic.TemplateView):
    """Takes over a membership that had only an e-mail; who has the link has read the mail it was sent in."""

    template_name = "oscar_loyalty/account/claim.html"
    page_title = gettext_lazy("Add my membership to this account")
    section = "join"

    def get(self, request, *args, **kwargs):
        found = links.read(self.kwargs["token"], self.programme)
        context = self.get_context_data(found=found)
        return self.render_to_response(context, status=200 if found else 404)

    def post(self, request, *args, **kwargs):
        found = links.read(self.kwargs["token"], self.programme)
        if found is None and not links.is_used_by(request.user, self.kwargs["token"], self.programme):
            return self.get(request, *args, **kwargs)
        try:
            if found is not None:
                member_services.attach_user(member=found, user=request.user)
        except AlreadyMember:
            return self.get(request, *args, **kwargs)
        except CannotMerge:
            messages.error(request, _("This membership cannot be joined with yours at the moment. Please ask us."))
            return redirect("loyalty-account:overview")
        messages.success(request, _("The membership is yours: its points are on this account now."))
        return redirect("loyalty-account:overview")
