from typing import Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import ExportMixin, FilteredListView, ProgrammeMixin, ResendForm, actor, names_of
from oscar_loyalty.dashboard.giftcards.actions import StaffActions, card_forms
from oscar_loyalty.dashboard.giftcards.forms import GiftCardSearchForm, ReasonForm, ReissueForm
from oscar_loyalty.dashboard.health.services import resend_once
from oscar_loyalty.giftcards import expiry, selectors, services
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.money import Money, from_minor
from oscar_loyalty.reports import giftcards as report


class GiftCardListView(FilteredListView):
    """All cards, with what is left on them. Their codes are shown nowhere."""

    template_name = "oscar_loyalty/dashboard/giftcards/list.html"
    form_class = GiftCardSearchForm
    needs_programme = False

    def get_rows(self) -> Any:
        return selectors.search(self.filters.get("q") or "", state=self.filters.get("state") or "")

    def get_context_data(self, **kwargs):
        return super().get_context_data(tab="cards", **kwargs)

    def get_page(self):
        page = super().get_page()
        page.object_list = list(report.with_balances(page.object_list))
        return page


class GiftCardExportView(ExportMixin, GiftCardListView):
    export_name = gettext_lazy("Gift cards")

    def get_columns(self):
        return report.columns()

    def get_export_rows(self):
        return report.rows(self.get_rows())


class GiftCardView(ProgrammeMixin, generic.TemplateView):
    """One card: whose it is, what happened to it, where its money went; and what the shop can do."""

    template_name = "oscar_loyalty/dashboard/giftcards/card.html"
    needs_programme = False
    forms: dict[str, Any] = {}

    @cached_property
    def card(self) -> Any:
        cards = get_model("loyalty_giftcards", "GiftCard").objects.select_related("account", "order", "buyer", "batch")
        return get_object_or_404(cards, uuid=self.kwargs["uuid"])

    def get_context_data(self, **kwargs):
        card = self.card
        events = list(card.events.order_by("-at", "-pk"))
        entries = list(ledger.entries(card.account)[:100])
        names = names_of([*events, *entries])
        for row in [*events, *entries]:
            row.by = names.get(row.actor_id, "") if row.actor_type == "user" else ""
        for entry in entries:
            entry.money = Money(from_minor(entry.units, card.currency), card.currency)
            entry.after = Money(from_minor(entry.balance_after, card.currency), card.currency)
        balance = ledger.balances([card.account])[card.account_id]
        forms = {
            "disable_form": ReasonForm(auto_id="disable_%s"),
            "reissue_form": ReissueForm(initial={"generation": card.generation}, auto_id="reissue_%s"),
            **card_forms(card, self.request.user),
        }
        return super().get_context_data(
            card=card,
            value=selectors.value_of(card),
            balance=Money(from_minor(balance.usable, card.currency), card.currency),
            topped_up=selectors.topped_up(card),
            expired=Money(from_minor(expiry.expired_units(card), card.currency), card.currency),
            tax_name=report.TAX_NAMES[card.tax_kind],
            held=Money(from_minor(balance.held, card.currency), card.currency),
            events=events,
            entries=entries,
            mails=messaging.of_card(card)[:20],
            buyer_email=selectors.buyer_email(card),
            **(forms | self.forms),
            **kwargs,
        )


class GiftCardActionView(StaffActions, GiftCardView):
    """What the shop does to a card; shows the card again if it cannot be done."""

    def get(self, request, *args, **kwargs):
        return self.back()

    def back(self):
        return redirect("loyalty-dashboard:loyalty-giftcard", uuid=self.card.uuid)

    def post(self, request, *args, **kwargs):
        act = {
            "disable": self.disable,
            "enable": self.enable,
            "reissue": self.reissue,
            "resend": self.resend,
            "top-up": self.top_up,
            "extend": self.extend,
            "deactivate": self.deactivate,
        }.get(kwargs["action"])
        if act is None:
            raise Http404
        try:
            return act() or self.back()
        except GiftCardError as error:
            messages.error(request, str(error))
            return self.back()

    def again(self, **forms):
        self.forms = forms
        return self.render_to_response(self.get_context_data())

    def disable(self):
        form = ReasonForm(self.request.POST, auto_id="disable_%s")
        if not form.is_valid():
            return self.again(disable_form=form)
        services.disable(card=self.card, reason=form.cleaned_data["reason"], actor=actor(self.request))
        messages.success(self.request, _("The card is disabled; nothing can be paid with it."))

    def enable(self):
        form = ReasonForm(self.request.POST, auto_id="enable_%s")
        if not form.is_valid():
            return self.again(enable_form=form)
        services.enable(card=self.card, reason=form.cleaned_data["reason"], actor=actor(self.request))
        messages.success(self.request, _("The card is in use again."))

    def reissue(self):
        form = ReissueForm(self.request.POST, auto_id="reissue_%s")
        if not form.is_valid():
            return self.again(reissue_form=form)
        services.reissue(
            card=self.card,
            generation=form.cleaned_data["generation"],
            reason=form.cleaned_data["reason"],
            actor=actor(self.request),
        )
        messages.success(
            self.request, _("The card has a new code, which is on its way by e-mail. The old one is void.")
        )

    def resend(self):
        form = ResendForm(self.request.POST)
        rows = messaging.of_card(self.card).filter(kind="giftcard", context__generation=self.card.generation)
        message = rows.first()
        if message is None or not form.is_valid():
            messages.error(self.request, _("There is no e-mail about this card to send again."))
            return
        if resend_once(message=message, tries=form.cleaned_data["tries"]):
            services.note_resent(card=self.card, actor=actor(self.request))
        messages.success(self.request, _("The card is on its way to %(email)s again.") % {"email": message.to})
