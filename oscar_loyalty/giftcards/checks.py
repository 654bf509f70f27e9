"""System checks of gift cards: what a shop's own classes leave out, and which feature is off for it."""

from django.core.checks import Error, Tags, Warning, register


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


@register(Tags.database)
def custom_amounts(app_configs, databases=None, **kwargs):
    """Cards of an amount of the buyer's choice need a strategy that reads the amount."""
    from django.db import DatabaseError
    from oscar.core.loading import get_class

    from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
    from oscar_loyalty.loading import get_model

    if not databases:
        return []
    try:
        strategy = get_class("partner.strategy", "Selector")().strategy()
        if isinstance(strategy, GiftCardStrategyMixin):
            return []
        if not get_model("loyalty_giftcards", "CustomAmount").objects.filter(is_active=True).exists():
            return []
    except DatabaseError:
        # Not migrated yet.
        return []
    except Exception:
        # W011 says that the strategy could not be looked at.
        return []
    return [
        Warning(
            "Buyers may choose the amount of a gift card, but the shop's strategy does not read it: the choice is not "
            "offered.",
            hint="Put oscar_loyalty.giftcards.strategy.GiftCardStrategyMixin first among the strategy's bases, or name "
            "its Selector in your fork of partner.",
            id="loyalty.W040",
        )
    ]


@register(Tags.database)
def product_class(app_configs, databases=None, **kwargs):
    """What the shop sells as gift cards itself would bring a second card of ours with each."""
    from django.db import DatabaseError

    from oscar_loyalty.defaults import conf
    from oscar_loyalty.giftcards.catalogue import is_ours
    from oscar_loyalty.loading import get_model

    if not databases:
        return []
    try:
        row = get_model("catalogue", "ProductClass").objects.filter(slug=conf.GIFTCARD_CLASS_SLUG).first()
        if row is None or is_ours(row):
            return []
    except DatabaseError:
        # Not migrated yet.
        return []
    return [
        Error(
            f"The product class {row.name!r} has the slug of our gift cards, and was made by the shop.",
            hint="Let OSCAR_LOYALTY_GIFTCARD_CLASS_SLUG be the slug of no class that you have made.",
            id="loyalty.E043",
        )
    ]


@register()
def designs(app_configs, **kwargs):
    """A design of the shop's own has all that a card needs of it."""
    from django.contrib.staticfiles import finders
    from django.template import TemplateDoesNotExist
    from django.template.loader import get_template

    from oscar_loyalty.defaults import conf

    found = []
    for code, fields in conf.GIFTCARD_DESIGNS.items():
        if fields is None:
            continue
        missing = {"name", "template", "picture"} - set(fields)
        wrong = f"lacks {', '.join(sorted(missing))}" if missing else ""
        if len(code) > 50:
            wrong = "has a code of more than 50 characters"
        elif not missing:
            try:
                get_template(fields["template"])
            except TemplateDoesNotExist:
                wrong = f"has no template {fields['template']!r}"
            if finders.find(fields["picture"]) is None:
                wrong = f"has no static file {fields['picture']!r}"
        if wrong:
            found.append(
                Error(
                    f"The design {code!r} of OSCAR_LOYALTY_GIFTCARD_DESIGNS {wrong}.",
                    hint="See “Designs” in the documentation of gift cards.",
                    id="loyalty.E040",
                )
            )
    return found


@register()
def delivery(app_configs, **kwargs):
    """The hour at which cards are sent, and the font of those that are printed."""
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    from oscar_loyalty.defaults import conf

    found = []
    hour = conf.GIFTCARD_DELIVERY_HOUR
    if not isinstance(hour, int) or not 0 <= hour <= 23:
        found.append(
            Error(
                f"OSCAR_LOYALTY_GIFTCARD_DELIVERY_HOUR is {hour!r}, which is no hour of the day.",
                hint="Give it a whole number from 0 to 23.",
                id="loyalty.E041",
            )
        )
    if conf.PRINT_FONT:
        try:
            TTFont("loyalty-check", conf.PRINT_FONT)
        except (OSError, TTFError) as error:
            found.append(
                Error(
                    f"The font of printed cards cannot be read: {error}",
                    hint="Let OSCAR_LOYALTY_PRINT_FONT be the path of a TrueType file (.ttf).",
                    id="loyalty.E042",
                )
            )
    return found


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
