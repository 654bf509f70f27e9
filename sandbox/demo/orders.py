"""The demo's orders: plain Oscar rows, many at once; their points come from the programme's own bulk path."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from oscar.core.loading import get_model

from oscar_loyalty.earning import orders as earning
from sandbox.demo.rhythm import Purchase
from sandbox.partner.strategy import VAT

CENT = Decimal("0.01")


def number_of(purchase: Purchase) -> str:
    """Return an order number that no basket will ever have: Oscar's begin at 100,000."""
    return str(20000 + purchase.number)


def without_tax(amount: Decimal) -> Decimal:
    return (amount / (1 + VAT)).quantize(CENT, ROUND_HALF_UP)


class Clerk:
    """Writes orders for the users given, with the catalogue at hand."""

    def __init__(self, *, programme: Any, users: dict[str, Any], now: Any) -> None:
        self.programme, self.users, self.now = programme, users, now
        products = get_model("catalogue", "Product").objects.prefetch_related("stockrecords__partner")
        self.products = {product.upc: product for product in products}
        self.addresses: dict[str, Any] = {}

    def place(self, purchases: Sequence[Purchase]) -> list[Any]:
        """Write the orders that are not there yet, and give their points; return them."""
        Order = get_model("order", "Order")
        known = set(Order.objects.filter(number__in=[number_of(p) for p in purchases]).values_list("number", flat=True))
        new = [purchase for purchase in purchases if number_of(purchase) not in known]
        if not new:
            return []
        with transaction.atomic():
            orders = Order.objects.bulk_create([self._order(purchase) for purchase in new])
            lines = get_model("order", "Line").objects.bulk_create(
                [
                    self._line(order, upc, quantity)
                    for order, purchase in zip(orders, new, strict=True)
                    for upc, quantity in purchase.lines
                ]
            )
            get_model("order", "LinePrice").objects.bulk_create([self._price(line) for line in lines])
            earning.award_orders(programme=self.programme, orders=orders)
        for order, purchase in zip(orders, new, strict=True):
            if purchase.cancelled_at is not None:
                self._cancel(order, purchase)
        return orders

    def _order(self, purchase: Purchase) -> Any:
        total = sum(self._unit(upc) * quantity for upc, quantity in purchase.lines)
        net = sum(without_tax(self._unit(upc)) * quantity for upc, quantity in purchase.lines)
        age = self.now - purchase.placed_at
        status = "Pending" if age < timedelta(days=1) else "Being processed" if age < timedelta(days=3) else "Complete"
        return get_model("order", "Order")(
            number=number_of(purchase),
            site_id=settings.SITE_ID,
            user=self.users[purchase.person.email],
            currency=settings.OSCAR_DEFAULT_CURRENCY,
            total_incl_tax=total,
            total_excl_tax=net,
            shipping_method="Free shipping",
            shipping_code="free-shipping",
            shipping_address=self.address(purchase.person),
            status=status,
            date_placed=purchase.placed_at,
        )

    def _unit(self, upc: str) -> Decimal:
        return self.products[upc].stockrecords.all()[0].price

    def address(self, person: Any) -> Any:
        """Return where a customer's parcels go, made on first use."""
        if person.email not in self.addresses:
            ShippingAddress = get_model("order", "ShippingAddress")
            street = f"{person.number % 80 + 1} rue des Lilas"
            fields = {"first_name": person.first_name, "last_name": person.last_name, "line1": street}
            found = ShippingAddress.objects.filter(**fields).first()
            country = get_model("address", "Country").objects.get(iso_3166_1_a2="FR")
            self.addresses[person.email] = found or ShippingAddress.objects.create(
                **fields, line4="Lyon", postcode=f"6900{person.number % 9 + 1}", country=country
            )
        return self.addresses[person.email]

    def _line(self, order: Any, upc: str, quantity: int) -> Any:
        product = self.products[upc]
        record = product.stockrecords.all()[0]
        unit = record.price
        gross, net = unit * quantity, without_tax(unit) * quantity
        return get_model("order", "Line")(
            order=order,
            partner=record.partner,
            partner_name=record.partner.name,
            partner_sku=record.partner_sku,
            stockrecord=record,
            product=product,
            title=product.title,
            upc=upc,
            quantity=quantity,
            line_price_incl_tax=gross,
            line_price_excl_tax=net,
            line_price_before_discounts_incl_tax=gross,
            line_price_before_discounts_excl_tax=net,
            unit_price_incl_tax=unit,
            unit_price_excl_tax=without_tax(unit),
            status="Complete" if order.status == "Complete" else "Pending",
            num_allocated=0,
        )

    def _price(self, line: Any) -> Any:
        return get_model("order", "LinePrice")(
            order=line.order,
            line=line,
            quantity=line.quantity,
            price_incl_tax=line.unit_price_incl_tax,
            price_excl_tax=line.unit_price_excl_tax,
        )

    def _cancel(self, order: Any, purchase: Purchase) -> None:
        with transaction.atomic():
            order.set_status("Cancelled")
            # Oscar stamps the change with the real time; here it happened when it happened.
            order.status_changes.update(date_created=purchase.cancelled_at)
