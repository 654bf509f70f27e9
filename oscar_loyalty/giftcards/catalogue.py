"""Gift cards in the shop's catalogue: the product class with its options, and one product for each value."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards.taxes import MULTI
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import exponent, format_money, to_minor

RECIPIENT_NAME, RECIPIENT_EMAIL = "recipient-name", "recipient-email"
MESSAGE, PAY_WITH_POINTS = "message", "pay-with-points"
AMOUNT, DESIGN, DELIVERY_DATE = "amount", "design", "delivery-date"
#: Code, name, type and help of each line option.
OPTIONS = [
    (RECIPIENT_NAME, _("Recipient's name"), "text", _("Whom the card is for. Leave it empty for yourself.")),
    (RECIPIENT_EMAIL, _("Recipient's e-mail"), "text", _("Where we send the card. Leave it empty for yourself.")),
    (MESSAGE, _("Message"), "text", _("A few words that go with the card.")),
    (PAY_WITH_POINTS, _("Pay with points"), "boolean", _("The card is paid with your points at checkout.")),
]
#: Those that only the gift-card page asks for, where they are checked: they are no options of the product class, so
#: Oscar's own form does not ask for them.
PAGE_OPTIONS = [
    (AMOUNT, _("Amount"), "text", _("What is on the card.")),
    (DESIGN, _("Design"), "text", _("How the card looks.")),
    (DELIVERY_DATE, _("Delivery date"), "text", _("The day on which we send the card.")),
]
CATEGORY_SLUG = "gift-cards"
PARTNER_CODE = "gift-cards"


@dataclass(frozen=True)
class Catalogue:
    """What gift cards need in the catalogue."""

    product_class: Any
    category: Any
    options: dict[str, Any]


@transaction.atomic
def ensure_catalogue() -> Catalogue:
    """Make the product class, its options and the category of gift cards, as far as they are missing.

    :raises ImproperlyConfigured: when the slug of the product class is that of one which the shop has made.
    """
    ProductClass, Option = get_model("catalogue", "ProductClass"), get_model("catalogue", "Option")
    with override(settings.LANGUAGE_CODE):
        product_class, _made = ProductClass.objects.get_or_create(
            slug=conf.GIFTCARD_CLASS_SLUG, defaults={"name": str(_("Gift card"))}
        )
        if not _made and not is_ours(product_class):
            raise ImproperlyConfigured(
                f"OSCAR_LOYALTY_GIFTCARD_CLASS_SLUG is {product_class.slug!r}: a product class of the shop's own."
            )
        # A card is neither sent by post nor ever out of stock, whatever was made of the class since.
        if _made or product_class.requires_shipping or product_class.track_stock:
            product_class.requires_shipping = product_class.track_stock = False
            product_class.save()
        options = {}
        for order, (code, name, kind, help_text) in enumerate([*OPTIONS, *PAGE_OPTIONS]):
            options[code], _new = Option.objects.get_or_create(
                code=code, defaults={"name": str(name), "type": kind, "help_text": str(help_text), "order": order}
            )
        product_class.options.add(*(options[code] for code, *_rest in OPTIONS))
        return Catalogue(product_class, _category(), options)


def is_ours(product_class: Any) -> bool:
    """Whether a product class was made here: it has what is asked of the buyer of a card."""
    return bool(product_class.options.filter(code__in=[code for code, *_rest in OPTIONS]).exists())


def _category() -> Any:
    Category = get_model("catalogue", "Category")
    found = Category.objects.filter(slug=CATEGORY_SLUG).order_by("depth", "path").first()
    return found or Category.add_root(name=str(_("Gift cards")), slug=CATEGORY_SLUG)


def upc(value: Decimal, currency: str) -> str:
    """Return the product code of a value: ``"giftcard-10"``, ``"giftcard-12.50"``, ``"giftcard-10-usd"``."""
    whole = value == value.to_integral_value()
    number = str(int(value)) if whole else f"{value:.{exponent(currency)}f}"
    suffix = "" if currency == settings.OSCAR_DEFAULT_CURRENCY else f"-{currency.lower()}"
    return f"giftcard-{number}{suffix}"


@transaction.atomic
def set_denomination(
    *,
    value: Decimal,
    currency: str = "",
    points_price: int | None = None,
    price: Decimal | None = None,
    title: str = "",
    is_active: bool = True,
    tax_kind: str = MULTI,
    partner: Any = None,
) -> Any:
    """Sell gift cards of ``value``, or change how they are sold, and return the denomination.

    ``price`` (default: the value) is what it costs in money, ``points_price`` in points (``None``: money only). The
    product is known by its UPC, such as ``giftcard-10``; calling again changes it, and keeps a title the owner wrote.
    ``tax_kind`` is for cards sold from now on (:mod:`oscar_loyalty.giftcards.taxes`).

    :raises ValueError: when the value or a price is not above zero, or finer than the currency.
    """
    currency = currency or settings.OSCAR_DEFAULT_CURRENCY
    price = value if price is None else price
    if to_minor(value, currency) <= 0 or to_minor(price, currency) <= 0:
        raise ValueError("A gift card is worth, and costs, more than nothing.")
    if points_price is not None and points_price <= 0:
        raise ValueError("A price in points is above zero.")
    Denomination = get_model("loyalty_giftcards", "Denomination")
    with override(settings.LANGUAGE_CODE):
        default_title = str(_("Gift card %(value)s")) % {"value": format_money(value, currency)}
    product = put_on_sale(
        code=upc(value, currency),
        title=title,
        default_title=default_title,
        price=price,
        currency=currency,
        is_active=is_active,
        partner=partner,
    )
    denomination, _made = Denomination.objects.update_or_create(
        product=product,
        defaults={
            "value": value,
            "currency": currency,
            "points_price": points_price,
            "is_active": is_active,
            "tax_kind": tax_kind,
        },
    )
    return denomination


def put_on_sale(
    *,
    code: str,
    title: str = "",
    default_title: str,
    price: Decimal,
    currency: str,
    is_active: bool,
    partner: Any = None,
) -> Any:
    """Make or change the gift-card product with the UPC ``code``, and return it; a title the owner wrote stays."""
    Product = get_model("catalogue", "Product")
    catalogue = ensure_catalogue()
    product = Product.objects.filter(upc=code).first() or Product(upc=code, structure=Product.STANDALONE)
    if title or not product.title:
        product.title = title or default_title
    product.product_class = catalogue.product_class
    product.is_discountable = False
    product.is_public = is_active
    product.save()
    get_model("catalogue", "ProductCategory").objects.get_or_create(product=product, category=catalogue.category)
    _set_price(product, code, price, currency, partner)
    return product


@transaction.atomic
def set_points_price(*, denomination: Any, points_price: int | None) -> Any:
    """Change what a card costs in points (``None``: money only), leaving its product as it is; return it.

    :raises ValueError: when the price is not above zero.
    """
    if points_price is not None and points_price <= 0:
        raise ValueError("A price in points is above zero.")
    rows = get_model("loyalty_giftcards", "Denomination").objects
    row = rows.select_for_update(no_key=True).get(pk=denomination.pk)
    row.points_price = points_price
    row.save(update_fields=["points_price"])
    denomination.points_price = points_price
    return row


def _set_price(product: Any, sku: str, price: Decimal, currency: str, partner: Any) -> None:
    StockRecord, Partner = get_model("partner", "StockRecord"), get_model("partner", "Partner")
    record = StockRecord.objects.filter(product=product).order_by("pk").first()
    if record is None:
        if partner is None:
            with override(settings.LANGUAGE_CODE):
                defaults = {"name": str(_("Gift cards"))}
                partner, _made = Partner.objects.get_or_create(code=PARTNER_CODE, defaults=defaults)
        record = StockRecord(product=product, partner=partner, partner_sku=sku)
    record.price, record.price_currency, record.num_in_stock = price, currency, None
    record.save()
