"""What an order brings, reckoned once more in a few lines of our own from rows alone: no code of the shop's is asked.

An award is judged at the step in which it is first there, and an order without one at the step in which it was first
reviewed: by the rows of before that step or of after it, since somebody else may have come in between.
"""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction as F
from functools import cached_property
from itertools import product
from math import floor, inf

from django.utils.timezone import localtime

CANCELLED = "Cancelled"
#: What brings no points itself.
NO_MONEY = ("points_line", "points", "giftcard")
TABLES = {
    name.rpartition("_")[2]: name
    for name in (
        "order_order",
        "order_line",
        "loyalty_earning_award",
        "loyalty_earning_awardline",
        "loyalty_earning_booking",
        "loyalty_earning_earningpolicy",
        "loyalty_earning_guestclaim",
        "loyalty_earning_orderreview",
        "loyalty_earning_rule",
        "loyalty_earning_ruleversion",
        "loyalty_ledger_entry",
        "loyalty_members_member",
        "loyalty_members_statuschange",
        "loyalty_payments_allotment",
        "loyalty_payments_paymentattempt",
        "loyalty_payments_refundline",
        "loyalty_payments_tender",
    )
}


def read(value):
    return json.loads(value) if isinstance(value, str) else value or {}


def moment(value):
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Shop:
    """What stood in the rows at one moment; ``rows`` gives those of a table."""

    def __init__(self, rows, card):
        self.rows, self.card = rows, card

    def all(self, name):
        return self.rows(TABLES[name])

    # Orders

    @cached_property
    def orders(self):
        return {each["id"]: each for each in self.all("order")}

    @cached_property
    def lines(self):
        found = defaultdict(list)
        for line in self.all("line"):
            found[line["order_id"]].append(line)
        return found

    @cached_property
    def awards(self):
        return {int(each["source_id"]): each for each in self.all("award") if each["source_type"] == "order"}

    @cached_property
    def reviewed(self):
        return {each["order_id"] for each in self.all("orderreview") if each["reviewed_at"]}

    @cached_property
    def claimed(self):
        return {each["order_id"] for each in self.all("guestclaim")}

    @cached_property
    def refunded(self):
        """Pieces and amount that were refunded, by order line."""
        found = defaultdict(lambda: [0, F(0)])
        for each in self.all("refundline"):
            found[each["order_line_id"]][0] += each["quantity"]
            found[each["order_line_id"]][1] += F(str(each["amount"]))
        return found

    @cached_property
    def not_money(self):
        """What points and gift cards have paid, by order line."""
        tenders = {each["id"] for each in self.all("tender") if each["kind"] in NO_MONEY}
        found = defaultdict(F)
        for part in self.all("allotment"):
            found[part["order_line_id"]] += F(str(part["amount"])) if part["tender_id"] in tenders else 0
        return found

    def booked(self, *, ever=False):
        """Pieces that a booking earns for, by order line; ``ever``: called off since or not."""
        found = [each for each in self.all("booking") if ever or each["state"] != "cancelled"]
        return Counter(each["order_line_id"] for each in found if each["order_line_id"])

    def is_cancelled(self, order):
        return self.orders[order]["status"] == CANCELLED

    def gone(self, line, *, by_amount=False):
        """How many pieces of a line were cancelled or refunded; ``by_amount``: also those of which money went back."""
        if line["status"] == CANCELLED or self.is_cancelled(line["order_id"]):
            return F(line["quantity"])
        pieces, amount = self.refunded[line["id"]] if line["id"] in self.refunded else (0, F(0))
        price = F(str(line["line_price_incl_tax"]))
        if not by_amount:
            return F(pieces)
        return line["quantity"] * min(F(1), amount / price) if price else F(pieces)

    # People

    @cached_property
    def members(self):
        return {each["id"]: each for each in self.all("member")}

    def earns(self, order):
        """Whether the customer of an order, a row, has a membership that earns for it."""
        row = self.orders.get(order["id"])
        if row is not None and row["status"] == CANCELLED:
            return False
        # Not there yet: it may have been placed and cancelled within one step.
        row = row or order
        if row["user_id"] is None:
            return False
        own = next((each for each in self.members.values() if each["user_id"] == row["user_id"]), None)
        return own is not None and self.earns_at(own, moment(row["date_placed"]), late=row["id"] in self.claimed)

    def earns_at(self, member, at, *, late=False):
        """Whether a membership, or what it was joined with, earns for what was bought then (``late``: before it)."""
        heir = member
        while heir["merged_into_id"]:
            heir = self.members[heir["merged_into_id"]]
        changes = [each for each in self.all("statuschange") if each["member_id"] == heir["id"]]
        changes = sorted(changes, key=lambda each: (moment(each["happened_at"]), each["id"]))
        then = [each["after"] for each in changes if moment(each["happened_at"]) <= at]
        in_time = moment(heir["joined_at"]) <= at or late
        return heir["status"] == "active" and (not then or then[-1] == "active") and in_time

    # Points

    def rules(self, at):
        """The rules in force at a moment: the version's number, its kind, product and words."""
        of = {each["id"]: each for each in self.all("rule")}
        for each in sorted(self.all("ruleversion"), key=lambda each: each["id"]):
            until = moment(each["valid_to"])
            if moment(each["valid_from"]) <= at and (until is None or at < until):
                rule, spec = of[each["rule_id"]], read(each["spec"])
                days = spec.get("when", {}).get("weekdays")
                if days is None or localtime(at).weekday() in days:
                    yield rule["kind"], rule["product_id"], spec

    def counts(self, order, pieces):
        """What counts of an order: product, pieces, and the money paid for them, by order line."""
        found = {}
        for line in self.lines[order]:
            price, number = F(str(line["line_price_incl_tax"])), line["quantity"] - pieces[line["id"]]
            money = price - self.not_money[line["id"]] if line["id"] in self.not_money else price
            if line["product_id"] != self.card and number > 0 and (money > 0 or not price):
                found[line["id"]] = line["product_id"], number, money * number / line["quantity"], money, price
        return found

    def limits(self):
        return next(iter(self.all("earningpolicy")), None) or {
            "stacking": "multiply", "cap_order": None, "cap_day": None, "budget": None
        }  # fmt: skip

    def points(self, order, pieces, rules, stacking):
        """The points of an order without ``pieces`` of its lines, before all limits."""
        rules = list(rules)
        each = {about: F(spec["points"]) for kind, about, spec in rules if kind == "unit"}
        rate = [F(spec["points"]) / F(spec.get("per", "1")) for kind, _about, spec in rules if kind == "amount"]
        counted = self.counts(order, pieces)
        total = F(0)
        for about, number, amount, money, price in counted.values():
            if about in each:
                total += each[about] * number * (money / price if price else 1)
            elif rate:
                total += rate[-1] * amount
        times = [F(spec["times"]) for kind, _about, spec in rules if kind == "booster" and "times" in spec]
        plus = [F(spec["plus"]) for kind, _about, spec in rules if kind == "booster" and "plus" in spec]
        if stacking == "best":
            times, plus = times and [max(times)], plus and [max(plus)]
        factor = F(1)
        for number in times:
            factor = factor + number - 1 if stacking == "add" else factor * number
        return floor(total * factor + (sum(plus) if counted else 0))

    def room(self, award, limits):
        """Between which numbers the room lies that day's cap and budget left for an award: what was taken back since
        of what was there before may have been taken back before."""
        day = localtime(moment(award["happened_at"])).date()
        before = [each for each in self.all("award") if each["id"] < award["id"]]
        today = [
            each
            for each in before
            if each["member_id"] == award["member_id"]
            and each["source_type"] in ("order", "booking")
            and localtime(moment(each["happened_at"])).date() == day
        ]
        least, most = [inf], [inf]
        for limit, others in ((limits["cap_day"], today), (limits["budget"], before)):
            if limit is not None:
                least.append(max(0, limit - sum(each["points"] for each in others)))
                most.append(max(0, limit - sum(each["points"] - each["clawed_back"] for each in others)))
        return min(least), min(most)


def left_out(shop, order, gone, booked):
    """Pieces of an order that brought nothing: cancelled or refunded as in ``gone``, or booked as in ``booked``."""
    beside, then = booked.booked(), {line["id"]: line for line in gone.lines[order]}
    return {
        pk: beside[pk] + (int(gone.gone(then[pk])) if pk in then else 0)
        for pk in (line["id"] for line in shop.lines[order])
    }


def fits(award, order, now, shops):
    """Whether the points of an award can be reckoned from what was there before the step, or after it."""
    placed = moment(now.orders[order]["date_placed"])
    for ruled, gone, booked, limited in product(shops, repeat=4):
        limits = limited.limits()
        points = now.points(order, left_out(now, order, gone, booked), ruled.rules(placed), limits["stacking"])
        points = min([points, *(each for each in [limits["cap_order"]] if each is not None)])
        least, most = now.room(award, limits)
        if min(points, least) <= award["points"] <= min(points, most):
            return True
    return False


def every_order_is_rewarded(world):
    """Each member's order has its award as soon as it was reviewed, of so many points as it brings."""
    found = []
    now = Shop(world.rows, world.card_product.pk)
    before = Shop(world.rows_before, world.card_product.pk)
    for order, row in now.orders.items():
        award = now.awards.get(order)
        stands = award and award["id"], order in now.reviewed, order in now.claimed
        if world.judged.get(order, (None, False, False)) == stands:
            continue
        world.judged[order] = stands
        earns = {shop.earns(row) for shop in (before, now)}
        # Later it may look otherwise: whoever joined two memberships is a member since the first of them.
        (world.excused.add if False in earns else world.excused.discard)(order)
        if award is None and stands[1] and False not in earns:
            found.append(f"order {order} was reviewed, and brought nothing")
        if award is not None and True not in earns:
            found.append(f"order {order} brought {award['points']} points to somebody who earns nothing for it")
        if award is not None and not fits(award, order, now, (now, before)):
            rules = now.rules(moment(now.orders[order]["date_placed"]))
            limits, pieces = now.limits(), left_out(now, order, now, now)
            points = now.points(order, pieces, rules, limits["stacking"])
            most = f"{points}, at most {limits['cap_order']} for an order, {limits['cap_day']} in a day"
            found.append(f"order {order} brought {award['points']} points, not {most}")
    return found


def every_visit_is_rewarded(world):
    """A member's visit that is to come or took place has its points, and one that did not take place has none left."""
    found = []
    now, before = (Shop(rows, world.card_product.pk) for rows in (world.rows, world.rows_before))
    awards = {each["id"]: each for each in now.all("award")}
    for visit in now.all("booking"):
        stands = visit["state"], visit["state_at"], visit["award_id"], visit["member_id"]
        if visit["made_at"] is None or world.visited.get(visit["id"]) == stands:
            continue
        world.visited[visit["id"]] = stands
        award, at = awards.get(visit["award_id"]), moment(visit["made_at"])
        left = award is not None and award["clawed_back"] < award["points"]
        who = [shop.members.get(visit["member_id"]) for shop in (before, now)]
        earned = [one is not None and shop.earns_at(one, at) for shop, one in zip((before, now), who, strict=True)]
        if visit["state"] in ("missed", "cancelled") and left:
            found.append(f"visit {visit['id']} was {visit['state']}, and keeps its {award['points']} points")
        elif visit["state"] in ("made", "attended") and all(earned) and (award is None or award["void"]):
            found.append(f"visit {visit['id']} brought nothing")
    return found


def forgotten(world):
    """At rest, each order was looked at, and what was cancelled or refunded since has taken its points along."""
    found, shop = [], Shop(world.rows, world.card_product.pk)
    shares = defaultdict(list)
    for row in shop.all("awardline"):
        shares[row["award_id"]].append((row["order_line_id"], F(str(row["share"]))))
    back = defaultdict(int)
    for entry in shop.all("entry"):
        if entry["reverses_id"]:
            why = read(entry["explanation"])
            back[entry["reverses_id"]] += why.get("written_off", 0) + why.get("expired", 0) - entry["units"]
    for order, row in shop.orders.items():
        award = shop.awards.get(order)
        if order not in shop.reviewed:
            found.append(f"order {order} was never reviewed")
        if award is None:
            if order not in world.excused and shop.earns(row):
                found.append(f"order {order} has no award")
            continue
        least, most = (taken_back(shop, order, award, shares[award["id"]], ever=ever) for ever in (False, True))
        if not least <= award["clawed_back"] <= most:
            found.append(f"of the {award['points']} points of order {order}, {award['clawed_back']} are taken back, "
                         f"{least} are to be")  # fmt: skip
        if award["entry_id"] and back[award["entry_id"]] != award["clawed_back"]:
            found.append(
                f"of order {order}, {award['clawed_back']} points count as taken, {back[award['entry_id']]} are"
            )
    return found


def taken_back(shop, order, award, shares, *, ever):
    """How many points of an award are to be taken back; ``ever``: with the bookings that were called off since, whose
    piece may have been taken off before."""
    if shop.is_cancelled(order):
        return award["points"]
    before, booked = read(award["explanation"]).get("left_out", {}), shop.booked(ever=ever)
    part = {}
    for line in shop.lines[order]:
        earned = line["quantity"] - before.get(str(line["id"]), 0)
        if earned > 0:
            gone = (
                max(shop.gone(line), shop.gone(line, by_amount=True)) + booked[line["id"]] + earned - line["quantity"]
            )
            part[line["id"]] = min(F(1), max(F(0), gone / earned))
    counted = shop.counts(order, Counter({int(pk): number for pk, number in before.items()}))
    weights = {pk: amount for pk, (_about, _number, amount, _money, _price) in counted.items()}
    of_all = sum(part[pk] * weight for pk, weight in weights.items()) / (sum(weights.values()) or 1)
    lost = sum(share * (of_all if line is None else part.get(line, of_all)) for line, share in shares)
    return min(award["points"], floor(lost + F(1, 2)))
