"""What the shop's own pages read."""

from collections.abc import Iterable

from oscar.core.loading import get_model

#: UPCs of the products that the home page shows first.
FAVOURITES = ("MP-101", "MP-302", "MP-201", "MP-104", "MP-401", "MP-501", "MP-503", "MP-105")


def services():
    """Return the bookable products that are on show, in the order of the price list."""
    Product = get_model("catalogue", "Product")
    return (
        Product.objects.browsable()
        .filter(calendar_links__isnull=False)
        .select_related("product_class")
        .prefetch_related("images", "stockrecords", "categories", "calendar_links__service")
        .order_by("upc")
        .distinct()
    )


def services_by_category() -> list[tuple]:
    """Return ``(category, products)`` pairs, in the order of the price list."""
    groups: dict = {}
    for product in services():
        category = next(iter(product.categories.all()), None)
        groups.setdefault(category, []).append(product)
    return list(groups.items())


def favourites() -> list:
    Product = get_model("catalogue", "Product")
    return in_order(
        Product.objects.browsable()
        .filter(upc__in=FAVOURITES)
        .select_related("product_class")
        .prefetch_related("images", "stockrecords", "calendar_links__service"),
        FAVOURITES,
    )


def in_order(products: Iterable, upcs: tuple[str, ...]) -> list:
    return sorted(products, key=lambda product: upcs.index(product.upc))


def booking_service(product):
    """Return the calendar's service behind ``product``, or ``None`` where it cannot be booked."""
    link = next(iter(product.calendar_links.all()), None)
    return link.service if link else None
