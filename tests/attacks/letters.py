"""Something for every kind of message to be about."""

from datetime import timedelta
from decimal import Decimal

from oscar.core.loading import get_model as get_oscar_model
from oscar.test.factories import create_order

from oscar_loyalty import clock
from oscar_loyalty.earning import adjustments, goals, rules
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, leaving, services, statuses
from oscar_loyalty.members import selectors as members
from oscar_loyalty.messaging import services as outbox
from oscar_loyalty.rewards import services as rewards
from tests.earning.tier_help import ladder, spend


def make(programme, time, **people):
    """Leave a message of every kind, some of several, whose keys begin with ``attack:``."""
    for number, (kind, context) in enumerate(_of_every_kind(programme, time, **people)):
        outbox.queue(kind=kind, key=f"attack:{number}", to="zoe@example.com", context=context, member=people["one"])


def _of_every_kind(programme, time, *, one, two, leaver, resting, boss):
    """Yield each kind with what a message of it is about; most are about ``one``, some tell ``two``."""
    yield from _tiers(programme, one, two, time)
    yield from _points(programme, one, boss)
    yield from _people(programme, one, two, leaver, resting)
    yield from _shop(programme, one.user)


def _tiers(programme, one, two, time):
    ladder(programme, months=12, grace_days=10, warning_days=30)
    award = spend(one, 250)
    services.set_tier(member=two, tier=members.tiers(programme).last(), key="up")
    services.set_tier(member=two, tier=members.tiers(programme).first(), key="down")
    changes = get_model("loyalty_members", "TierChange").objects
    referral = get_model("loyalty_earning", "Referral").objects.create(
        programme=programme, referrer=one, friend=two, code="X", state="rewarded", created_at=clock.now()
    )
    reward = get_model("loyalty_earning", "ReferralReward").objects.create(
        referral=referral, source=award, number=1, state="given", due_at=clock.now(),
        referrer_award=award, friend_award=spend(two, 1),
    )  # fmt: skip
    # A year later, nothing was bought meanwhile: the tier is about to be lost.
    time.advance(days=345)
    one.refresh_from_db()
    yield "tier_up", {"change": changes.filter(member=one).latest("pk").pk}
    yield "tier_down", {"change": changes.filter(member=two).latest("pk").pk}
    yield "tier_ends", {"member": one.pk, "tier": one.tier_id}
    for side in ("referrer", "friend"):
        yield "referral", {"reward": reward.pk, "side": side}


def _points(programme, one, boss):
    books.earn(account=one.account, units=5_000, key="some", kind="adjust", usable_from=clock.now())
    adjustments.request_adjustment(
        programme=programme, members=[one], units=10, reason="because", key="adjust", user=boss
    )
    yield "joined", {"member": one.pk}
    yield "adjusted", {"item": get_model("loyalty_earning", "AdjustmentItem").objects.get().pk}
    common = {"programme": programme, "counts": "visits"}
    card = goals.create_goal(kind="stamps", name="Coffee", steps=[goals.Step(1, points=5)], key="a", **common)
    until = clock.now() + timedelta(days=10)
    month = goals.create_goal(
        kind="challenge", name="May", steps=[goals.Step(3, points=5)], key="b", until=until, **common
    )
    for goal in (card, month):
        goals.add_stamp(member=one, goal=goal, reason="x", key=f"stamp:{goal.pk}")
    yield "goal_prize", {"prize": get_model("loyalty_earning", "GoalPrize").objects.get().pk}
    yield "goal_ends", {"card": get_model("loyalty_earning", "GoalCard").objects.get(goal=month).pk}
    reward = get_model("loyalty_rewards", "Reward")(programme=programme, kind="experience", name="Tea", points=100)
    claim = rewards.claim(reward=rewards.save_reward(reward=reward), member=one, key="claim")
    claim.expires_at = until
    claim.save()
    for kind in ("reward", "reward_ends"):
        yield kind, {"claim": claim.pk, "until": until.isoformat()}


def _people(programme, one, two, leaver, resting):
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)
    gift = giving.give(source=one, to=two.email, units=100, key="gift")
    for side in ("giver", "receiver"):
        yield "gift", {"transfer": gift.pk, "side": side, "state": gift.state}
    yield "household", {"invitation": households.invite(member=one, to=two.email, key="house").pk}
    yield "farewell", {"departure": leaving.leave(member=leaver, key="left").pk}
    statuses.set_status(member=resting, status="frozen", key="hold", reason="because", shown=True)
    yield "membership", {"change": get_model("loyalty_members", "StatusChange").objects.get(member=resting).pk}


def _shop(programme, user):
    until = clock.now() + timedelta(days=30)
    card = giftcards.issue(
        value=Decimal(25), key="card", buyer=user, recipient_name="Zoe", recipient_email="z@example.com",
        sender_name="Rose", message="For you", expires_at=until,
    )  # fmt: skip
    for kind in ("giftcard", "giftcard_sent", "giftcard_ends"):
        yield kind, {"card": card.pk, "generation": card.generation, "until": card.expires_at.isoformat()}
    alert = get_model("loyalty_giftcards", "GuessingAlert")
    yield "guessing", {"alert": alert.objects.create(key="k", at=clock.now(), tries=99, addresses=3).pk}
    rules.publish_rule(programme=programme, kind="order", spec={"points": 3}, name="Three")
    guest = {"user": None, "guest_email": "guest@example.com"}
    order = create_order(number="G-1", site=programme.site, date_placed=clock.now(), **guest)
    links = get_model("loyalty_earning", "GuestLink").objects
    for kind, about in (("guest_order", order), ("guest_orders", None)):
        link = links.create(
            programme=programme, nonce=kind, email="guest@example.com", order=about, made_at=clock.now()
        )
        yield kind, {"link": link.pk}
    order = create_order(number="R-1", user=user, site=programme.site)
    refund = get_model("loyalty_payments", "Refund").objects.create(
        key="refund", order=order, amount=Decimal(5), reason="because", created_at=clock.now()
    )
    get_model("loyalty_payments", "RefundLine").objects.create(
        refund=refund, order_line=order.lines.first(), quantity=1, amount=Decimal(5)
    )
    yield "refunded", {"refund": refund.pk}
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        site=programme.site, user=user, order_number="P-1", total=Decimal(10), currency="EUR", state="cancelled",
        basket=get_oscar_model("basket", "Basket").objects.create(owner=user), reason="because",
        created_at=clock.now(), leased_until=clock.now(), expires_at=clock.now(),
    )  # fmt: skip
    attempt.tenders.create(number=1, kind="stripe", state="cancelled", amount=Decimal(10))
    yield "payment_released", {"attempt": attempt.pk}
