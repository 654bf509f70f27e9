"""What the owner changes in the middle: rules, boosters, limits, tiers, rewards, goals, early access, terms."""

from datetime import timedelta
from decimal import Decimal as D

from oscar_loyalty.earning import actions as earning_actions
from oscar_loyalty.earning import drafts, goals, limits, rules
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.earning.tiering import proposals
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.members import tiers
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.rewards import services as rewards
from tests.simulation.actions import action, asked, rows


@action("the owner", 3)
def changes_a_rule(world):
    kind = world.random.choice(["amount", "product", "end"])
    if kind == "product":
        points = world.random.choice([None, 0, 40, 80])
        return asked(world, rules.set_product_points, product=world.haircut, points=points, programme=world.programme)
    rule = world.pick(rows("earning", "Rule", kind="amount", state="live"))
    if kind == "end" and rows("earning", "Rule", kind="amount", state="live").count() > 1:
        return asked(world, rules.end_rule, rule=rule)
    spec = {"points": world.random.choice([1, 5, 10, 20]), "per": "1.00"}
    rule = rule if world.random.random() < 0.7 else None
    return asked(world, rules.publish_rule, programme=world.programme, kind="amount", rule=rule, spec=spec)


@action("the owner", 2)
def changes_a_booster(world):
    booster = world.pick(rows("earning", "Rule", kind="booster", state="live"))
    if booster is not None and world.random.random() < 0.5:
        return asked(world, rules.end_rule, rule=booster)
    spec = world.random.choice([{"times": 2}, {"times": 3, "when": {"weekdays": [0, 1]}}, {"plus": 50}])
    return asked(world, rules.publish_rule, programme=world.programme, kind="booster", spec=spec, rule=booster)


@action("the owner", 2)
def publishes_a_draft(world):
    draft = world.pick(rows("earning", "Draft"))
    if draft is None or world.random.random() < 0.4:
        draft = drafts.start(programme=world.programme, name="Spring", key=world.key())
        spec = {"points": world.random.choice([2, 15]), "per": "1.00"}
        rule = world.pick(rows("earning", "Rule", kind="amount", state="live"))
        return asked(world, drafts.put, draft=draft, rule=rule, kind="amount", spec=spec)
    if world.random.random() < 0.2:
        return asked(world, drafts.call_off, draft=draft)
    at = world.random.choice([None, world.now + timedelta(days=1)])
    return asked(world, drafts.publish, draft=draft, at=at)


@action("the owner", 2)
def changes_the_limits(world):
    fields = world.random.choice(
        [
            {"stacking": "best"},
            {"stacking": "multiply"},
            {"cap_order": 250},
            {"cap_day": 300},
            {"cap_order": None, "cap_day": None},
            {"budget": 3000},
            {"budget": None},
        ]
    )
    return asked(world, limits.save_limits, programme=world.programme, **fields)


@action("the owner", 2)
def changes_how_tiers_are_reached(world):
    ladder = list(members.tiers(world.programme))
    first = world.random.choice([20, 60, 100])
    thresholds = {each.pk: D(first * 2**number) for number, each in enumerate(ladder[1:])}
    metric = world.random.choice(["spend", "spend", "points", "hand"])
    fields = {"metric": metric, "window": "rolling", "months": 12, "grace_days": 0, "warning_days": 7}

    def change():
        proposal = proposals.make(programme=world.programme, fields=fields, thresholds=thresholds)
        proposals.apply(proposal=proposals.of(proposal))

    return asked(world, change)


@action("the owner", 2)
def gives_a_tier_by_hand(world):
    member = world.member(world.pick(world.customers))
    if world.random.random() < 0.4:
        return asked(world, tiers.end_by_hand, member=member, key=world.key())
    tier = world.pick(members.tiers(world.programme))
    until = world.random.choice([None, world.now + timedelta(days=3)])
    return asked(world, tiers.give_by_hand, member=member, tier=tier, key=world.key(), until=until)


@action("the owner", 2)
def changes_a_reward(world):
    reward = world.pick(rows("rewards", "Reward"))
    field, values = world.random.choice(
        [("points", [100, 300, 500]), ("stock", [1, 3, 8]), ("is_active", [True, True, False]), ("limit", [1, 2, None])]
    )
    setattr(reward, field, world.random.choice(values))
    world.line += f": reward {reward.pk}, {field} {getattr(reward, field)}"
    return asked(world, rewards.save_reward, reward=reward)


@action("the owner", 1)
def changes_what_becomes_of_rewards(world):
    fields = world.random.choice(
        [{"cancelled_order": "points"}, {"cancelled_order": "voucher"}, {"expired": "back"}, {"own_cancel": False}]
    )
    return asked(world, rewards.save_policy, programme=world.programme, **fields)


@action("the owner", 2)
def changes_the_terms(world):
    fields = world.random.choice(
        [
            {"redemption_points": 200},
            {"redemption_points": 100},
            {"points_at_checkout": False},
            {"points_at_checkout": True},
            {"points_share": 50},
            {"minimum_cash": D("1.00")},
            {"pending_days": 0},
            {"pending_days": 3},
            {"expiry_months": 1},
            {"clawback_policy": "write_off"},
            {"clawback_policy": "debt"},
            {"grace_days": 5},
        ]
    )
    world.line += f": {fields}"
    programme = type(world.programme).objects.get(pk=world.programme.pk)
    outcome = asked(world, member_services.save_programme, programme=programme, **fields)
    world.programme.refresh_from_db()
    return outcome


@action("the owner", 2)
def changes_a_stamp_card(world):
    goal = world.pick(rows("earning", "Goal", state="live"))
    luck = world.random.random()
    if goal is not None and luck < 0.2:
        return asked(world, goals.end_goal, goal=goal)
    gift = {"points": 150} if world.random.random() < 0.6 else {"reward": world.pick(rows("rewards", "Reward")).pk}
    terms = {
        "kind": "stamps",
        "name": "Five times",
        "steps": [goals.Step(world.random.choice([2, 3]), **gift)],
        "counts": world.random.choice(["pieces", "orders", "visits"]),
        "key": world.key(),
    }
    if goal is not None and luck < 0.6:
        return asked(world, goals.change_goal, goal=goal, **terms)
    since = world.now - timedelta(days=world.random.choice([0, 5]))
    return asked(world, goals.create_goal, programme=world.programme, since=since, **terms)


@action("somebody at the till", 2)
def stamps_a_card(world):
    member, goal = world.member(world.pick(world.customers)), world.pick(rows("earning", "Goal"))
    if goal is None:
        return "none there"
    named = {"member": member, "goal": goal, "reason": "A visit", "key": world.key()}
    return asked(world, goals.add_stamp, quantity=world.random.choice([1, 2]), **named)


@action("the owner", 2)
def opens_something_early(world):
    window = world.pick(rows("privileges", "EarlyAccess"))
    if window is not None and world.random.random() < 0.6:
        return asked(world, world.random.choice([privileges.end, privileges.end, privileges.go_on]), window=window)
    tier = world.pick(list(members.tiers(world.programme))[:2])
    target = world.pick([world.haircut, world.shampoo])
    ends_at = world.now + timedelta(days=world.random.choice([1, 4]))
    named = {"programme": world.programme, "tier": tier, "target": target, "key": world.key()}
    return asked(world, privileges.create, ends_at=ends_at, **named)


@action("the owner", 1)
def changes_what_friends_bring(world):
    fields = world.random.choice(
        [{"referrer_points": 300}, {"friend_points": 0}, {"is_active": False}, {"is_active": True}]
    )
    return asked(world, referrals.save_scheme, programme=world.programme, **fields)


@action("the owner", 1)
def changes_what_else_brings_points(world):
    named = {"programme": world.programme, "points": world.random.choice([0, 20, 60])}
    action = world.random.choice(["quiz", "scan", "welcome", "birthday"])
    return asked(world, earning_actions.set_rule, action=action, **named)


@action("the owner", 1)
def changes_what_a_card_costs(world):
    denomination = rows("giftcards", "Denomination").get()
    price = world.random.choice([None, 400, 500])
    return asked(world, catalogue.set_points_price, denomination=denomination, points_price=price)
