"""The vouchers whose codes the club gives away: they work in the basket, from the day on which the offer opens."""

from datetime import timedelta

from django.utils import timezone
from oscar.core.loading import get_model

from sandbox.shop.data.club import CODES, SECTIONS, Code

DATES = {piece.code: (piece.opens, piece.ends) for _head, pieces in SECTIONS for piece in pieces if piece.code}


def load_vouchers() -> None:
    """Make the vouchers that are missing."""
    known = set(get_model("voucher", "Voucher").objects.values_list("code", flat=True))
    for code in CODES:
        if code.code not in known:
            create(code)


def create(code: Code) -> None:
    Range, Voucher = get_model("offer", "Range"), get_model("voucher", "Voucher")
    if code.category:
        goods, _ = Range.objects.get_or_create(name=f"Club: {code.category}")
        goods.included_categories.add(get_model("catalogue", "Category").objects.get(code=code.category))
    else:
        goods, _ = Range.objects.get_or_create(name="Club: everything", defaults={"includes_all_products": True})
    condition = get_model("offer", "Condition").objects.create(range=goods, type="Count", value=1)
    kind, value = ("Percentage", code.percent) if code.percent else ("Absolute", code.euros)
    offer = get_model("offer", "ConditionalOffer").objects.create(
        name=code.name,
        offer_type="Voucher",
        condition=condition,
        benefit=get_model("offer", "Benefit").objects.create(range=goods, type=kind, value=value),
    )
    opens, ends = DATES[code.code]
    now = timezone.now()
    voucher = Voucher.objects.create(
        name=code.name,
        code=code.code,
        usage=Voucher.ONCE_PER_CUSTOMER if code.once else Voucher.MULTI_USE,
        start_datetime=now + timedelta(days=opens or 0),
        end_datetime=now + timedelta(days=ends),
    )
    voucher.offers.add(offer)
