"""What the payment page shows of the plan: a row for each part, with what stays behind and how to take it away."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from oscar_loyalty.checkout import cards, points
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import selectors as members
from oscar_loyalty.payments import services


@dataclass(frozen=True)
class Part:
    """One way in which a part of the order is going to be paid.

    ``title`` is the gift card that points buy, ``label`` the one that pays; ``left`` is what stays on it,
    ``left_points`` what stays with the member. ``name`` and ``value`` are what the button posts that takes it away.
    """

    kind: str
    amount: Decimal
    points: int = 0
    title: str = ""
    label: str = ""
    left: Decimal | None = None
    left_points: int | None = None
    name: str = ""
    value: str = ""


def describe(request: Any, *, basket: Any, plan: Any, applied: Sequence[Any]) -> list[Part]:
    """Return the parts of ``plan`` in its order; cards that have nothing to pay are among them."""
    by_id = {entry.card.pk: entry for entry in applied}
    left_points = None
    if plan.points and (member := members.member_of_request(request)) is not None:
        left_points = max(0, int(ledger.balance(member.account).usable) - plan.points)
    lines = list(basket.all_lines())
    in_points = [tender for tender in plan.tenders if tender.points]
    found = []
    for tender in plan.tenders:
        left = left_points if tender in in_points[-1:] else None
        if tender.kind == "points_line":
            title = str(lines[tender.line_index].product.get_title())
            found.append(Part(tender.kind, tender.amount, tender.points, title=title, left_points=left))
        elif tender.kind == "points":
            found.append(
                Part(
                    tender.kind, tender.amount, tender.points, left_points=left, name="loyalty_points_do", value="none"
                )
            )
        elif tender.kind == "giftcard":
            found.append(_card(by_id.pop(tender.card), tender.amount))
        else:
            found.append(Part(tender.kind, tender.amount))
    place = sum(1 for part in found if part.kind in ("points_line", "points", "giftcard"))
    found[place:place] = [_card(entry, Decimal(0)) for entry in by_id.values()]
    return found


def _card(entry: Any, amount: Decimal) -> Part:
    return Part(
        "giftcard",
        amount,
        label=entry.card.label,
        left=entry.balance - amount,
        name="loyalty_remove_card",
        value=str(entry.card.pk),
    )


def context(
    request: Any, *, basket: Any, total: Any, money_kind: str, form: points.PointsForm | None = None
) -> dict[str, Any]:
    """Return the whole of the payment page's context, and remember what is shown."""
    applied = cards.applied(request)
    plan = plan_of(request, basket=basket, total=total, applied=applied, money_kind=money_kind)
    cards.remember_plan(request, plan)
    offer = form.offer if form is not None else points.offer_for(request, basket=basket, total=total)
    return {
        "loyalty_plan": plan,
        "loyalty_cards": applied,
        "loyalty_parts": describe(request, basket=basket, plan=plan, applied=applied),
        "loyalty_offer": offer,
        "loyalty_offer_why": points.why_not(offer) if offer is not None else "",
        "loyalty_points_form": form or (points.PointsForm(offer=offer) if offer is not None else None),
        "loyalty_too_small": services.why_not(plan, basket.currency),
    }


def plan_of(request: Any, *, basket: Any, total: Any, applied: Sequence[Any], money_kind: str) -> Any:
    """Return how this checkout is going to be paid, with what the customer has chosen so far."""
    wanted = points.chosen(request)
    return services.plan_for(
        basket=basket,
        total=total,
        cards=[entry.card for entry in applied],
        money_kind=money_kind,
        member=members.member_of_request(request) if wanted else None,
        points=wanted,
    )
