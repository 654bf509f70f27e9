"""What the shop does to a card's money and life: each is shown before it is done."""

from typing import Any

from django.contrib import messages
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.dashboard.base import OTHER_CONTENT, actor
from oscar_loyalty.dashboard.giftcards.forms import ReasonForm
from oscar_loyalty.dashboard.giftcards.staff_forms import ExtendForm, TopUpForm
from oscar_loyalty.giftcards import expiry, selectors, services, staff
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.money import Money, from_minor


def card_forms(card: Any, user: Any) -> dict[str, Any]:
    """Return the empty forms of a card's page, as far as they make sense."""
    forms: dict[str, Any] = {"enable_form": ReasonForm(auto_id="enable_%s")}
    if card.state == "active":
        forms["topup_form"] = TopUpForm(card=card, user=user, auto_id="topup_%s")
        if card.expires_at is not None:
            forms["extend_form"] = ExtendForm(card=card, auto_id="extend_%s")
        if staff.can_take_back(card):
            forms["deactivate_form"] = ReasonForm(auto_id="deactivate_%s")
    return forms


def last_day(end: Any) -> str:
    """Write the last day on which a card with this end can be spent."""
    return date_format(times.last_day(end)) if end is not None else _("never")


class StaffActions:
    """Top-up, a later end, and taking an activation back, for the view of a card's actions."""

    def confirm(self, form: Any, *, title: str, sentences: list[str], button: str) -> Any:
        """Show what would be done; the form goes along, and is sent again with ``sure``."""
        context = {"card": self.card, "form": form, "title": title, "sentences": sentences, "button": button}
        return render(self.request, "oscar_loyalty/dashboard/giftcards/confirm.html", context)

    def ask(self, form: Any, name: str, *, title: str, sentence: str) -> Any:
        """Return the page with what is wrong, or the question; ``None`` once it was answered."""
        if not form.is_valid() or "change" in self.request.POST:
            return self.again(**{name: form})
        return None if self.sure else self.confirm(form, title=title, sentences=[sentence], button=title)

    @property
    def sure(self) -> bool:
        return "sure" in self.request.POST

    def top_up(self):
        card = self.card
        form = TopUpForm(self.request.POST, card=card, user=self.request.user, auto_id="topup_%s")
        if not form.is_valid() or "change" in self.request.POST:
            return self.again(topup_form=form)
        amount = form.cleaned_data["amount"]
        money = Money(amount, card.currency)
        if not self.sure:
            before = selectors.balance(card)
            after = Money(before.amount + amount, card.currency)
            sentences = [
                _("%(amount)s is put on the card: from %(before)s to %(after)s.")
                % {"amount": money, "before": before, "after": after}
            ]
            end = staff.topped_up_end(card, clock.now())
            if end != card.expires_at:
                sentences.append(_("The card then ends: %(day)s.") % {"day": last_day(end)})
            return self.confirm(form, title=_("Top up the card"), sentences=sentences, button=_("Top it up"))
        try:
            with form.once():
                staff.top_up(
                    card=card,
                    amount=amount,
                    reason=form.cleaned_data["reason"],
                    key=form.cleaned_data["token"],
                    user=self.request.user,
                )
        except KeyConflict:
            form.add_error(None, OTHER_CONTENT)
            return self.again(topup_form=form)
        messages.success(self.request, _("%(amount)s was put on the card.") % {"amount": money})
        return None

    def extend(self):
        card = self.card
        form = ExtendForm(self.request.POST, card=card, auto_id="extend_%s")
        valid = form.is_valid()
        if form.is_repeated:
            messages.success(self.request, _("The card has its later end."))
            return None
        if not valid or "change" in self.request.POST:
            return self.again(extend_form=form)
        end = form.cleaned_data["until"]
        if not self.sure:
            sentences = [
                _("The card ends: %(before)s. Then: %(after)s.")
                % {"before": last_day(card.expires_at), "after": last_day(end)}
            ]
            if back := expiry.expired_units(card):
                money = Money(from_minor(back, card.currency), card.currency)
                sentences.append(_("%(amount)s that had expired come back.") % {"amount": money})
            return self.confirm(form, title=_("Let the card live longer"), sentences=sentences, button=_("Do it"))
        with form.once():
            services.extend(
                card=card,
                expires_at=end,
                key=form.cleaned_data["token"],
                reason=form.cleaned_data["reason"],
                actor=actor(self.request),
            )
        messages.success(self.request, _("The card has its later end."))
        return None

    def deactivate(self):
        form = ReasonForm(self.request.POST, auto_id="deactivate_%s")
        question = self.ask(
            form,
            "deactivate_form",
            title=_("Take the activation back"),
            sentence=_("Its money is taken off the card, which waits to be sold again."),
        )
        if question is not None:
            return question
        staff.deactivate(card=self.card, reason=form.cleaned_data["reason"], actor=actor(self.request))
        messages.success(self.request, _("The activation is taken back; the card waits to be sold again."))
        return None
