"""Fills an empty database with Maison Pétale. Run again, it adds what is missing and leaves the rest as it finds it."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import transaction
from django.utils.text import slugify
from oscar.core.loading import get_model

from sandbox.shop.data import Item
from sandbox.shop.data.categories import CATEGORIES
from sandbox.shop.data.products import PRODUCTS
from sandbox.shop.data.services import SERVICES
from sandbox.shop.load_calendar import load_calendar
from sandbox.shop.load_club import load_club
from sandbox.shop.load_people import load_people
from sandbox.shop.pictures import picture

COUNTRIES = [("FR", "France"), ("BE", "Belgium"), ("LU", "Luxembourg"), ("MC", "Monaco"), ("CH", "Switzerland")]


def load_catalogue(*, progress: Callable[[str], None] = lambda step: None) -> None:
    """Load site, accounts, catalogue with pictures, booking calendar and club; ``progress`` hears each step."""
    with transaction.atomic():
        progress("accounts")
        load_site()
        load_people()
        progress("catalogue")
        added = load_products()
        progress("booking calendar")
        load_calendar()
        progress("club")
        load_club()
    # Whoosh writes files, which the transaction does not cover: an index that is missing is made again.
    index = settings.HAYSTACK_CONNECTIONS["default"].get("PATH")
    if added or (index and not Path(index).exists()):
        progress("search index")
        call_command("rebuild_index", interactive=False, verbosity=0)


def load_site() -> None:
    Site, Country = get_model("sites", "Site"), get_model("address", "Country")
    # Its name says whether the owner has been here before.
    Site.objects.filter(pk=settings.SITE_ID, domain="example.com").update(name=settings.OSCAR_SHOP_NAME)
    Site.objects.filter(pk=settings.SITE_ID).update(domain=settings.SITE_DOMAIN)
    Site.objects.clear_cache()
    for order, (code, name) in enumerate(reversed(COUNTRIES)):  # the first of them is listed first
        Country.objects.get_or_create(
            iso_3166_1_a2=code,
            defaults={"printable_name": name, "name": name, "is_shipping_country": True, "display_order": order},
        )


def load_products() -> int:
    """Create the missing products and return how many there were."""
    ProductClass = get_model("catalogue", "ProductClass")
    goods, _ = ProductClass.objects.get_or_create(slug="product", defaults={"name": "Product"})
    service, _ = ProductClass.objects.get_or_create(
        slug="service", defaults={"name": "Service", "requires_shipping": False, "track_stock": False}
    )
    partner, _ = get_model("partner", "Partner").objects.get_or_create(
        code="maison-petale", defaults={"name": settings.OSCAR_SHOP_NAME}
    )
    categories = load_categories()
    known = set(get_model("catalogue", "Product").objects.values_list("upc", flat=True))
    missing = [item for item in (*SERVICES, *PRODUCTS) if item.upc not in known]
    for item in missing:
        product_class = service if item.minutes else goods
        create_product(item=item, product_class=product_class, partner=partner, category=categories[item.category])
    return len(missing)


def load_categories() -> dict:
    """Create the missing categories and return all by slug."""
    Category = get_model("catalogue", "Category")
    found = {category.code: category for category in Category.objects.exclude(code=None)}
    for root_slug, name, name_fr, shelves in CATEGORIES:
        if root_slug not in found:
            found[root_slug] = Category.add_root(code=root_slug, slug=root_slug, name=name, name_fr=name_fr)
        for slug, shelf, shelf_fr in shelves:
            if slug not in found:
                parent = Category.objects.get(pk=found[root_slug].pk)  # treebeard counts children on the row
                found[slug] = parent.add_child(code=slug, slug=slug, name=shelf, name_fr=shelf_fr)
    return found


def create_product(*, item: Item, product_class, partner, category):
    product = get_model("catalogue", "Product").objects.create(
        upc=item.upc,
        title=item.title,
        title_fr=item.title_fr,
        slug=slugify(item.title),
        description=f"<p>{item.description}</p>",
        description_fr=f"<p>{item.description_fr}</p>",
        product_class=product_class,
    )
    product.categories.add(category)
    product.stockrecords.create(
        partner=partner,
        partner_sku=item.upc,
        price_currency=settings.OSCAR_DEFAULT_CURRENCY,
        price=item.price,
        num_in_stock=None if item.minutes else item.stock,
        low_stock_threshold=None if item.minutes else 10,
    )
    product.images.create(original=ContentFile(picture(item), name=f"{item.upc.lower()}.jpg"), caption=item.title)
    return product
