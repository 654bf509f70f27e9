"""What the member pages show."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from oscar_loyalty.earning import actions, claims, explain, guests, words
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import sharing
from oscar_loyalty.money import Money, from_minor
from oscar_loyalty.rewards import selectors as rewards

#: Gifts and invitations that the overview names.
WAITING = 5
#: Products with points of their own on one page, and how much without any is named beside.
PRODUCTS, WITHOUT = 30, 30


@dataclass(frozen=True)
class OwnCard:
    """A gift card that somebody has bought; ``can_resend`` while its code is of use."""

    card: Any
    value: Money
    balance: Money

    @property
    def can_resend(self) -> bool:
        return self.card.state == "active" and bool(self.balance) and not self.can_change

    @property
    def can_change(self) -> bool:
        """Whether it waits for its day, until which the buyer decides."""
        return bool(self.card.is_scheduled and self.card.recipient_email and self.card.state != "disabled")


def own_cards(cards: Iterable[Any]) -> list[OwnCard]:
    """Return ``cards`` with what is left on each, in the same number of queries however many they are."""
    cards = list(cards)
    left = giftcards.balances(cards)
    return [OwnCard(card, giftcards.value_of(card), left[card.pk]) for card in cards]


@dataclass(frozen=True)
class Way:
    """A way to earn points: what for, how many, and what it says in full."""

    title: str
    sentence: str
    product: Any = None


@dataclass(frozen=True)
class Ways:
    """What brings points: in general, and by products with points of their own, a page (Django's ``Page``) of them.

    ``none`` are titles of what brings none, ``others`` how many more there are of these.
    """

    general: list[Way]
    products: Any
    none: list[str]
    others: int


def ways(programme: Any, viewer: Any, *, page: Any = 1) -> Ways:
    """Return what brings points, in plain words, as far as ``viewer`` may find it in a list; in a bounded number of
    queries."""
    rules = get_model("loyalty_earning", "Rule").objects.filter(programme=programme, state="live")
    hidden = viewer.hidden()
    if hidden is not None:
        products = get_model("catalogue", "Product").objects.filter(hidden)
        rules = rules.exclude(product__in=products.order_by().values("pk"))
    bringing, empty = earning.product_rules(rules)
    found = Paginator(bringing, PRODUCTS).get_page(page)
    rows = earning.with_versions(found.object_list)
    # Of what is about one product, the boosters alone are said among the others.
    about_all = rules.filter(Q(kind="booster") | ~Q(target__in=("product", "variant")))
    general, none = [], []
    said = [
        rule
        for rule in earning.with_versions(about_all)
        if rule.current is not None and (rule.target == "everything" or rule.target_object is not None)
    ]
    asked = any("tiers" in rule.current.spec.get("when", {}) for rule in [*said, *rows])
    names = words.tier_names(programme) if asked else {}
    for rule in said:
        if rule.kind == "booster":
            said_of = words.sentence(rule, rule.current.spec, programme, names, about=True)
            general.append(Way(booster_title(programme, rule), said_of))
        elif rule.kind == "exclude" or not Decimal(str(rule.current.spec.get("points", 0))):
            none.append(_title(rule))
        else:
            general.append(Way(_title(rule), sentence(programme, rule, names)))
    found.object_list = [Way(_title(rule), sentence(programme, rule, names), rule.product) for rule in rows]
    number = len(none) + empty.count()
    none += [_title(rule) for rule in empty.select_related("product__parent")[:WITHOUT]]
    return Ways(general, found, none[:WITHOUT], max(0, number - WITHOUT))


def booster_title(programme: Any, rule: Any) -> str:
    return str(rule.name) or _("More %(points)s") % {"points": programme.points_name_many}


def _title(rule: Any) -> str:
    if rule.product is not None:
        return str(rule.product.get_title())
    return str(rule.name) or (_("Everything in the shop") if rule.target == "everything" else rule.target_name)


def sentence(programme: Any, rule: Any, names: dict[str, str]) -> str:
    """Return what a rule says, for a customer; of a product on its own line, the points alone and when."""
    spec = rule.current.spec
    if rule.kind == "unit" and rule.product is not None:
        return ", ".join([explain.points(spec["points"], programme), *words.conditions(spec, programme, names)])
    return words.sentence(rule, spec, programme, names)


def deeds(programme: Any) -> list[Way]:
    """Return what brings points beside buying, and how often; one query."""
    rules = actions.rules_of(programme)
    found = [(action, rules[action.code]) for action in actions.registered() if action.code in rules]
    return [
        Way(str(action.name), words.deed(rule, programme))
        for action, rule in found
        if rule.points and not action.hidden
    ]


def state_of(link: Any, user: Any) -> str:
    """Return how a link for guest orders stands with ``user``.

    ``unknown``, ``mine`` (taken by the user), ``taken`` (by somebody else), ``closed`` (the programme), ``resting``
    (the user's membership), ``open``.
    """
    if link is None:
        return "unknown"
    signed_in = user.is_authenticated
    if link.used_at is not None:
        return "mine" if signed_in and link.used_by_id == user.pk else "taken"
    if link.order_id is not None and link.order.user_id is not None:
        return "mine" if signed_in and link.order.user_id == user.pk else "taken"
    if link.order_id is not None and hasattr(link.order, "loyalty_claim"):
        # Whoever had it has deleted the account since.
        return "taken"
    if not link.programme.is_active:
        return "closed"
    member = members.member_for(user, link.programme) if signed_in else None
    return "resting" if member is not None and not member.can_earn else "open"


def behind(link: Any, member: Any) -> dict[str, Any]:
    """Return what waits behind a link that is open: the first orders, and points and gift cards of those."""
    orders = guests.guest_orders([link.email], link.programme)
    if link.order_id is not None:
        orders = orders.filter(pk=link.order_id)
    waiting = guests.waiting(orders[: claims.MOST], link.programme, member=member)
    return {
        "waiting": waiting,
        "points": sum(each.points for each in waiting),
        "cards": sum(each.cards for each in waiting),
    }


@dataclass(frozen=True)
class News:
    """What claimed orders have brought: whole points, and how many gift cards."""

    points: int
    cards: int


def brought(taken: Iterable[Any]) -> News:
    """Return what the orders of these claims have brought so far."""
    orders = [claim.order for claim in taken]
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(order__in=orders)
    return News(sum(guests.awarded(orders).values()), cards.count())


def membership_note(member: Any) -> dict[str, Any] | None:
    """Return what a member on hold, or whose membership is closed or was joined with another, has to know."""
    if member is None or member.status == "active":
        return None
    current = members.survivor(member)
    if current.pk != member.pk:
        name, _at, domain = (current.user.email if current.user is not None else "").partition("@")
        return {"joined": True, "ending": current.number[-4:], "email": f"{name[:1]}…@{domain}" if domain else ""}
    change = member.status_changes.first()
    reason = change.reason if change is not None and change.after == member.status and change.shown else ""
    return {"status": member.status, "reason": reason}


def waiting(member: Any, policy: Any) -> dict[str, Any] | None:
    """Return what somebody gives the member, or invites them to, and waits for an answer; ``policy``: the terms of
    giving, ``None`` where nobody can."""
    if policy is None:
        return None
    gifts, invitations = sharing.all_waiting(member, households=policy.households, most=WAITING)
    if not gifts and not invitations:
        return None
    return {
        "gifts": [(name, member.programme.points_label(units)) for name, units in gifts],
        "invitations": invitations,
    }


@dataclass(frozen=True)
class Goes:
    """What a member loses by leaving, in numbers, and what stays: gift cards with money on them."""

    usable: int
    pending: int
    tier: Any
    rewards: int
    goals: int
    household: bool
    cards: int
    card_values: list[Money]


def what_goes(member: Any, user: Any) -> Goes:
    """Return what ``member`` would lose by leaving, and the gift cards that ``user`` keeps."""
    balance = ledger.balances([member.account])[member.account_id]
    goals = get_model("loyalty_earning", "GoalCard").objects.filter(member=member, state="open", count__gt=0)
    bought = get_model("loyalty_giftcards", "GiftCard").objects.filter(buyer=user, state="active")
    worth = bought.filter(account__balance__gt=0).order_by().values("currency")
    sums = list(
        worth.annotate(total=Sum("account__balance"), number=Count("pk")).values_list("currency", "total", "number")
    )
    return Goes(
        usable=balance.usable,
        pending=balance.pending,
        tier=member.tier,
        rewards=rewards.open_claims(member).count(),
        goals=goals.count(),
        household=sharing.household_of(member) is not None,
        cards=sum(number for _currency, _total, number in sums),
        card_values=[Money(from_minor(total, currency), currency) for currency, total, _number in sums],
    )
