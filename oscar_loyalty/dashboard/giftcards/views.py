from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import ExportMixin, FilteredListView, ProgrammeMixin, actor, names_of
from oscar_loyalty.dashboard.giftcards.actions import StaffActions, card_forms
from oscar_loyalty.dashboard.giftcards.forms import GiftCardSearchForm, ReasonForm, ReissueForm, ResendCardForm
from oscar_loyalty.dashboard.health.services import resend_once
from oscar_loyalty.giftcards import expiry, selectors, services
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.money import Money, from_minor
from oscar_loyalty.reports import giftcards as report


class GiftCardListView(FilteredListView):
    """All cards, with what is left on them. Their codes are shown nowhere."""

    template_name = "oscar_loyalty/dashboard/giftcards/list.html"
    form_class = GiftCardSearchForm
    needs_programme = False

    def get_rows(self) -> Any:
        return selectors.search(self.filters.get("q") or "", state=self.filters.get("state") or "", site=self.site)

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
        cards = selectors.cards(self.site).select_related("account", "order", "buyer", "batch")
        return get_object_or_404(cards, uuid=self.kwargs["uuid"])

    def get_context_data(self, **kwargs):
        card = self.card
        events = list(card.events.order_by("-at", "-pk"))
        entries = list(ledger.entries(card.account)[:100])
        names = names_of([*events, *entries])
        for row in [*events, *entries]:
            row.by = names.get(row.actor_id, "") if row.actor_type == "user" else ""
        for event in events:
            if amount := event.detail.get("amount"):
                event.money = Money(Decimal(amount), card.currency)
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
        question = self.ask(
            form,
            "disable_form",
            title=_("Disable the card"),
            sentence=_("Nothing can be paid with the card any more. Enabled again, it has its money back."),
        )
        if question is not None:
            return question
        services.disable(card=self.card, reason=form.cleaned_data["reason"], actor=actor(self.request))
        messages.success(self.request, _("The card is disabled; nothing can be paid with it."))
        return None

    def enable(self):
        form = ReasonForm(self.request.POST, auto_id="enable_%s")
        question = self.ask(
            form,
            "enable_form",
            title=_("Enable the card"),
            sentence=_("The card gets back what was taken off it."),
        )
        if question is not None:
            return question
        services.enable(card=self.card, reason=form.cleaned_data["reason"], actor=actor(self.request))
        messages.success(self.request, _("The card is in use again."))
        return None

    def reissue(self):
        form = ReissueForm(self.request.POST, auto_id="reissue_%s")
        known = self.card.recipient_email or selectors.buyer_email(self.card)
        question = self.ask(
            form,
            "reissue_form",
            title=_("Make a new code"),
            sentence=_("The new code goes to %(email)s; the old one is void at once.") % {"email": known}
            if known
            else _("The old code is void at once. No e-mail is known to send the new one to."),
        )
        if question is not None:
            return question
        services.reissue(
            card=self.card,
            generation=form.cleaned_data["generation"],
            reason=form.cleaned_data["reason"],
            actor=actor(self.request),
        )
        if known:
            text = _("The card has a new code, which is on its way by e-mail. The old one is void.")
        else:
            text = _("The card has a new code; the old one is void. Nobody was sent it.")
        messages.success(self.request, text)
        return None

    def resend(self):
        form = ResendCardForm(self.request.POST)
        rows = messaging.of_card(self.card).filter(kind="giftcard", context__generation=self.card.generation)
        message = rows.first()
        if message is None or not form.is_valid():
            messages.error(self.request, _("There is no e-mail about this card to send again."))
            return
        if resend_once(message=message, tries=form.cleaned_data["tries"]):
            services.note_resent(card=self.card, actor=actor(self.request), reason=form.cleaned_data["reason"])
        messages.success(self.request, _("The card is on its way to %(email)s again.") % {"email": message.to})
