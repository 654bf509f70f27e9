"""System checks of gift cards: what a shop's own classes leave out, and which feature is off for it."""

from django.core.checks import Warning, register


@register()
def strategy_mixin(app_configs, **kwargs):
    """Gift cards are sold without tax and stock only if the shop's strategy knows them."""
    from oscar.apps.partner.strategy import NoTax
    from oscar.core.loading import get_class

    from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin

    try:
        strategy = get_class("partner.strategy", "Selector")().strategy()
    except Exception as error:
        # A selector may ask for a request; then nothing can be said.
        return [
            Warning(
                f"The shop's strategy could not be looked at: {type(error).__name__}.",
                hint="Make sure that it is built with oscar_loyalty.giftcards.strategy.GiftCardStrategyMixin.",
                id="loyalty.W011",
            )
        ]
    if isinstance(strategy, GiftCardStrategyMixin) or type(strategy).pricing_policy is NoTax.pricing_policy:
        return []
    return [
        Warning(
            f"{type(strategy).__module__}.{type(strategy).__qualname__} lacks GiftCardStrategyMixin: "
            "gift cards are priced with the shop's tax, as other products are.",
            hint="Put oscar_loyalty.giftcards.strategy.GiftCardStrategyMixin first among its bases.",
            id="loyalty.W010",
        )
    ]


@register()
def key_ring(app_configs, **kwargs):
    """A key's id is stored with each card, in a column of 64 characters."""
    from oscar_loyalty.defaults import conf

    return [
        Warning(
            f"The id of a gift-card key is longer than 64 characters or not a text: {str(key_id)[:20]!r}…",
            hint='Name the keys "1", "2", "3".',
            id="loyalty.W012",
        )
        for key_id in conf.GIFTCARD_KEYS
        if not isinstance(key_id, str) or len(key_id) > 64
    ]
