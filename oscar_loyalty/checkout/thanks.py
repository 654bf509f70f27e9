from typing import Any

from django.utils.cache import add_never_cache_headers

from oscar_loyalty.earning import awaited
from oscar_loyalty.giftcards import selectors, services


class LoyaltyThankYouMixin:
    """Shows the codes of the gift cards bought, once, on the page after the order.

    The context gets ``loyalty_giftcards``, pairs of a card and its code (``None`` when it was shown before), and
    ``loyalty_giftcards_waiting``, how many cards wait for their money.
    """

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        """What is shown once must not lie in a cache; what the order brings is there when the page says so."""
        awaited.make_awaited(self.request)
        response = super().dispatch(*args, **kwargs)
        add_never_cache_headers(response)
        return response

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        order = context["order"]
        cards = list(selectors.cards_of_order(order))
        # A member of staff may look at any order's page; the codes are for the buyer alone.
        own = self.request.session.get("checkout_order_id") == order.pk
        shown = [card for card in cards if own and card.state == "active"]
        context["loyalty_giftcards"] = [(card, services.show_once(card=card)) for card in shown]
        context["loyalty_giftcards_waiting"] = sum(card.state == "waiting" for card in cards)
        return context
