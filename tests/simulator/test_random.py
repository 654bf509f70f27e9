"""Whatever the shop did, the rules as published give once more exactly what was awarded: through the public doors."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.earning import bookings, drafts, limits, rules
from oscar_loyalty.earning.exceptions import DraftConflict, WrongRule
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.members import statuses
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.reports.simulation import sources
from oscar_loyalty.reports.simulation.purchases import Purchases
from oscar_loyalty.reports.simulation.replay import play


@pytest.fixture(autouse=True)
def _clock(time, programme):
    """The clock stands before the programme is made."""


@pytest.fixture
def other(programme):
    user = get_user_model().objects.create_user("other", "other@example.com", "x")
    return members.join(programme=programme, user=user, source="test")


WHEN = st.fixed_dictionaries(
    {},
    optional={
        "weekdays": st.lists(st.integers(0, 6), min_size=1, max_size=4),
        "from": st.sampled_from(["08:00", "12:00", "22:00"]),
        "until": st.sampled_from(["02:00", "13:00"]),
        "channels": st.sampled_from([["order"], ["booking"]]),
        "tiers": st.just(["high"]),
        "first": st.just(True),
        "birthday_month": st.just(True),
        "segments": st.just(["new"]),
    },
)
CAPS = st.fixed_dictionaries({}, optional={name: st.integers(5, 90) for name in ("order", "day", "member")})
#: A quarter of what owners set, each with all the rest.
SPECS = {
    "amount": st.fixed_dictionaries(
        {"points": st.sampled_from(["1", "0.7", "3"])},
        optional={
            "per": st.sampled_from(["1", "3"]),
            "threshold": st.sampled_from(["10", "30"]),
            "when": WHEN,
            "caps": CAPS,
        },
    ),
    "unit": st.fixed_dictionaries({"points": st.sampled_from(["7", "40"])}, optional={"when": WHEN, "caps": CAPS}),
    "order": st.fixed_dictionaries({"points": st.just("5")}, optional={"threshold": st.just("20"), "caps": CAPS}),
    "visit": st.fixed_dictionaries({"points": st.just("12")}, optional={"when": WHEN, "caps": CAPS}),
    "exclude": st.fixed_dictionaries({}, optional={"when": WHEN}),
    "booster": st.one_of(
        st.fixed_dictionaries({"times": st.sampled_from(["2", "1.5"])}, optional={"when": WHEN, "caps": CAPS}),
        st.fixed_dictionaries({"plus": st.sampled_from(["9", "25"])}, optional={"when": WHEN, "caps": CAPS}),
    ),
}
RULE = st.sampled_from(sorted(SPECS)).flatmap(lambda kind: st.tuples(st.just(kind), SPECS[kind]))
LIMITS = st.fixed_dictionaries(
    {"stacking": st.sampled_from(["best", "add", "multiply"])},
    optional={
        "cap_order": st.integers(20, 90),
        "cap_day": st.integers(20, 120),
        "cap_member": st.integers(50, 300),
        "budget": st.integers(50, 500),
    },
)
WHO, NUMBER, ABOUT = st.integers(0, 1), st.integers(0, 9), st.sampled_from([None, 0, 1])
STEP = st.one_of(
    st.tuples(st.just("order"), WHO, st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3)),
    st.tuples(st.just("order"), WHO, st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3)),
    st.tuples(st.just("visit"), WHO, st.integers(0, 2)),
    st.tuples(st.sampled_from(["attended", "missed", "cancelled", "corrected"]), NUMBER),
    st.tuples(st.just("status"), NUMBER, st.sampled_from(["Being processed", "Cancelled"])),
    st.tuples(st.just("line"), NUMBER),
    st.tuples(st.just("refund"), NUMBER, st.integers(0, 3), st.integers(1, 3000)),
    st.tuples(st.just("rule"), RULE, ABOUT),
    st.tuples(st.just("change"), NUMBER, RULE),
    st.tuples(st.just("end"), NUMBER),
    st.tuples(st.just("draft"), RULE, ABOUT, NUMBER, st.sampled_from([0, 0, 30])),
    st.tuples(st.just("tier"), WHO, st.booleans()),
    st.tuples(st.just("hold"), WHO),
    st.tuples(st.just("later"), st.sampled_from([1, 5, 30, 200])),
    st.tuples(st.just("sweep")),
)


class Shop:
    """A small shop with two members, to which things happen."""

    def __init__(self, programme, place, cancel, sweep, later, products, people):
        self.programme, self.place, self.cancel, self.sweep, self.later = programme, place, cancel, sweep, later
        self.products, self.people = products, people
        self.orders, self.visits, self.number = [], [], 0
        self.tiers = [
            members.save_tier(programme=programme, code=code, rank=rank, name=code, multiplier=times)
            for code, rank, times in [("low", 50, D(1)), ("high", 60, D("1.5"))]
        ]

    def key(self):
        self.number += 1
        return f"{self.number}"

    def about(self, about):
        if about is None:
            return {}
        return {"target": "product", "target_object": self.products[about]}

    def live(self, number):
        found = list(get_model("loyalty_earning", "Rule").objects.filter(programme=self.programme, state="live"))
        return found[number % len(found)] if found else None

    def do(self, what, *given):
        getattr(self, f"do_{what}")(*given)

    def do_order(self, who, lines):
        order = self.place(*[(self.products[at], n) for at, n in dict(lines).items()], by=self.people[who].user)
        self.orders.append(order)

    def do_visit(self, who, at):
        reference = f"v{self.key()}"
        bookings.made(
            reference=reference,
            service=self.products[at],
            starts_at=clock.now() + timedelta(hours=20),
            member=self.people[who],
            price=D("44.90"),
        )
        self.visits.append(reference)

    def _visited(self, function, number):
        if self.visits:
            function(reference=self.visits[number % len(self.visits)])

    def do_attended(self, number):
        self._visited(bookings.attended, number)

    def do_missed(self, number):
        self._visited(bookings.missed, number)

    def do_cancelled(self, number):
        self._visited(bookings.cancelled, number)

    def do_corrected(self, number):
        self._visited(lambda reference: bookings.corrected(reference=reference, state="made"), number)

    def _order(self, number):
        if not self.orders:
            return None
        order = self.orders[number % len(self.orders)]
        order.refresh_from_db()
        return order

    def do_status(self, number, status):
        order = self._order(number)
        if order is not None and status in order.available_statuses():
            self.cancel(order, status)

    def do_line(self, number):
        order = self._order(number)
        line = order and order.lines.first()
        if line is not None and "Cancelled" in line.available_statuses():
            self.cancel(line)

    def do_refund(self, number, at, cents):
        order = self._order(number)
        if order is None:
            return
        lines = list(order.lines.all())
        line = lines[at % len(lines)]
        wish = {"lines": {line.pk: 1}} if at == 3 else {"amounts": {line.pk: D(cents) / 100}}
        try:
            refunds.refund(order=order, key=self.key(), **wish)
        except RefundRefused:
            note("refused")

    def do_rule(self, rule, about):
        kind, spec = rule
        self._published(kind=kind, spec=spec, **self.about(about))

    def do_change(self, number, rule):
        before = self.live(number)
        if before is not None and before.kind == rule[0]:
            self._published(kind=before.kind, spec=rule[1], rule=before)

    def _published(self, **fields):
        try:
            with transaction.atomic():
                rules.publish_rule(programme=self.programme, **fields)
        except (WrongRule, IntegrityError):
            note("refused")

    def do_end(self, number):
        rule = self.live(number)
        if rule is not None:
            rules.end_rule(rule=rule)

    def do_draft(self, rule, about, number, hours):
        draft = drafts.start(programme=self.programme, name="D")
        try:
            with transaction.atomic():
                drafts.put(draft=draft, kind=rule[0], spec=rule[1], **self.about(about))
                other = self.live(number)
                if other is not None and number % 3 == 0:
                    drafts.put(draft=draft, rule=other, ends=True)
                drafts.publish(draft=draft, at=clock.now() + timedelta(hours=hours))
        except (DraftConflict, WrongRule, IntegrityError):
            note("refused")

    def do_tier(self, who, high):
        self.people[who].refresh_from_db()
        members.set_tier(member=self.people[who], tier=self.tiers[high], key=self.key())

    def do_hold(self, who):
        member = self.people[who]
        member.refresh_from_db()
        status = "frozen" if member.status == "active" else "active"
        statuses.set_status(member=member, status=status, reason="-", actor=Ref("user", "1"))

    def do_later(self, hours):
        self.later(hours=hours)

    def do_sweep(self):
        self.sweep()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    limits_set=LIMITS,
    terms=st.fixed_dictionaries(
        {
            "rounding": st.sampled_from(["down", "nearest", "up"]),
            "earn_tax": st.sampled_from(["incl", "excl"]),
            "award_on_status": st.sampled_from(["", "Being processed"]),
        }
    ),
    begin=st.lists(RULE, min_size=1, max_size=3),
    steps=st.lists(STEP, min_size=3, max_size=25),
)
def test_whatever_happened_the_rules_as_published_give_what_was_awarded(
    programme, member, other, place, cancel, sweep, later, time, haircut, shampoo, limits_set, terms, begin, steps
):
    before = time.at
    with transaction.atomic():
        # What the example before did to them was rolled back.
        for one in (member, other):
            one.refresh_from_db()
        members.save_programme(programme=programme, **terms)
        limits.save_limits(programme=programme, **limits_set)
        soap = create_product(title="Soap", price=D("3.33"), product_class="Care", num_in_stock=1000)
        shop = Shop(programme, place, cancel, sweep, later, [haircut, shampoo, soap], [member, other])
        for kind, spec in begin:
            shop.do_rule((kind, spec), None)
        for step in steps:
            shop.do(*step)
            time.at += timedelta(minutes=1)
        sweep()
        found = compare(programme)
        transaction.set_rollback(True)
    time.at = before
    programme.refresh_from_db()
    programme.__dict__["_state"].fields_cache.clear()
    assert found[0] == found[1]


def compare(programme):
    """Replay the rules as published; return what each purchase and each rule brings in it, and what was awarded."""
    fresh = type(programme).objects.get(pk=programme.pk)
    since, until = clock.now() - timedelta(days=900), clock.now() + timedelta(days=1)
    each = []
    tally = play(
        fresh,
        sources.rules_of(fresh, "published", since, until),
        sources.rules_of(fresh, "today", since, until),
        Purchases(fresh, since, until),
        each=lambda past, points: each.append((past.kind, past.pk, points)),
    )
    awards = get_model("loyalty_earning", "Award").objects.filter(source_type__in=["order", "booking"])
    given_to = [(award.source_type, int(award.source_id), award.points) for award in awards]
    by_rule = Counter()
    for version, points in get_model("loyalty_earning", "AwardLine").objects.values_list("rule_version", "points"):
        by_rule[version] += points
    replayed = {version: row["given"] for version, row in tally.rules.items()}
    stands = sum(award.points - award.clawed_back for award in awards)
    return (
        (sorted(each), replayed, tally.points, tally.awarded),
        (sorted(given_to), dict(by_rule), stands, stands),
    )
