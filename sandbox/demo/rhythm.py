"""When the demo's customers come and what they buy: weeks with full Saturdays, a rush in December, a quiet August."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, time, timedelta
from random import Random

from django.utils import timezone

from sandbox.demo.people import Person
from sandbox.shop.data.people import STYLISTS, Stylist
from sandbox.shop.data.products import PRODUCTS
from sandbox.shop.data.services import SERVICES

ITEMS = {item.upc: item for item in (*SERVICES, *PRODUCTS)}
#: How busy the salon is, by month and by weekday (Monday first).
MONTHS = {1: 0.85, 2: 0.9, 3: 1.0, 4: 1.0, 5: 1.1, 6: 1.15, 7: 0.9, 8: 0.6, 9: 1.05, 10: 1.0, 11: 1.05, 12: 1.45}
WEEKDAYS = [0.7, 0.8, 0.9, 1.0, 1.3, 1.7, 0.0]
#: Who shops in the web shop when: Sunday evenings, mostly.
WEB_WEEKDAYS = [1.0, 0.9, 0.9, 1.0, 0.8, 0.9, 1.8]
#: How far ahead the book is filled.
AHEAD = 21


@dataclass(frozen=True)
class Visit:
    """A booked service; ``outcome`` is "attended", "missed", "cancelled", or "made" while it is still to come."""

    number: int
    person: Person
    service: str
    stylist: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    outcome: str
    told_at: datetime | None


@dataclass(frozen=True)
class Purchase:
    """An order in the web shop, or at the desk after a visit."""

    number: int
    person: Person
    placed_at: datetime
    lines: tuple[tuple[str, int], ...]
    cancelled_at: datetime | None = None


@dataclass(frozen=True)
class Rhythm:
    visits: list[Visit]
    purchases: list[Purchase]


class Book:
    """The salon's appointment book: nobody has two customers at once."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, Date], list[tuple[datetime, datetime]]] = defaultdict(list)

    def place(self, *, day: Date, service: str, rng: Random) -> tuple[Stylist, datetime, datetime] | None:
        """Find a free time on ``day`` with somebody who gives the service, and take it."""
        item = ITEMS[service]
        length = timedelta(minutes=item.minutes)
        staff = [person for person in STYLISTS if item.category in person.shelves and weekday(day) in person.hours]
        for stylist in rng.sample(staff, len(staff)):
            opens, closes = stylist.hours[weekday(day)]
            first = datetime.combine(day, opens)
            steps = int((datetime.combine(day, closes) - first - length) / timedelta(minutes=30)) + 1
            for step in rng.sample(range(steps), min(steps, 6)):
                start = first + step * timedelta(minutes=30)
                key = (stylist.person.email, day)
                if all(end <= start or start + length <= begin for begin, end in self.taken[key]):
                    self.taken[key].append((start, start + length))
                    return stylist, aware(start), aware(start + length)
        return None


def weekday(day: Date) -> int:
    """Return the weekday as the calendar counts: Sunday is 0."""
    return (day.weekday() + 1) % 7


def aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment, timezone.get_default_timezone())


class Writer:
    """Writes the salon's months, one customer after the other."""

    def __init__(self, *, people: list[Person], start: Date, now: datetime, seed: int) -> None:
        self.people, self.start, self.now = people, start, now
        self.rng = Random(f"rhythm {seed}")
        self.today = timezone.localtime(now, timezone.get_default_timezone()).date()
        self.days = (self.today - start).days
        self.book = Book()
        self.visits: list[Visit] = []
        self.purchases: list[Purchase] = []

    def write(self) -> Rhythm:
        for person in self.people:
            if person.demo == "gold":
                self.gold(person)
            elif person.demo == "bronze":
                self.bronze(person)
            else:
                self.live(person)
        self.visits.sort(key=lambda visit: visit.made_at)
        self.purchases.sort(key=lambda purchase: purchase.placed_at)
        return Rhythm(self.visits, self.purchases)

    def joined(self, person: Person) -> Date:
        return self.start + timedelta(days=int(person.joined * self.days))

    # The customers of every day

    def live(self, person: Person) -> None:
        habit, rng = person.habit, self.rng
        first = self.joined(person)
        if habit.weeks:
            day, left = first + timedelta(days=rng.randrange(0, 10)), habit.stays
            last = self.today + timedelta(days=AHEAD)
            while day <= last and left > 0:
                if rng.random() < MONTHS[day.month] and self.visit(person, self.busy_day(day)):
                    left -= 1
                pause = max(1.5, rng.gauss(habit.weeks, habit.weeks / 4))
                day += timedelta(days=round(pause * 7))
        orders = habit.web * (self.today - first).days / 365
        for _each in range(int(orders) + (rng.random() < orders % 1)):
            self.web_order(person, first)

    def busy_day(self, day: Date) -> Date:
        """Return a day near ``day``, rather a Saturday than a Monday."""
        week = [day + timedelta(days=offset) for offset in range(-3, 4)]
        return self.rng.choices(week, [WEEKDAYS[near.weekday()] for near in week])[0]

    def visit(self, person: Person, day: Date, *, service: str = "", outcome: str = "", shops: bool = True) -> bool:
        rng = self.rng
        if not service:
            services = person.services
            service = person.usual if rng.random() < 0.6 else rng.choices(list(services), list(services.values()))[0]
        day = max(day, self.joined(person))
        for later in range(6):
            place = self.book.place(day=day + timedelta(days=later), service=service, rng=rng)
            if place is not None:
                break
        else:
            return False
        stylist, starts_at, ends_at = place
        ahead = timedelta(days=rng.randrange(1, 24), minutes=rng.randrange(0, 600))
        earliest = aware(datetime.combine(self.joined(person), time(8, 30)))
        made_at = max(earliest, starts_at - ahead)
        if made_at >= min(starts_at, self.now):
            made_at = min(starts_at, self.now) - timedelta(minutes=rng.randrange(20, 90))
        to_come = timezone.localtime(starts_at).date() >= self.today
        chance = rng.random()
        if not outcome:
            outcome = "attended" if chance < 0.915 else "missed" if chance < 0.95 else "cancelled"
        if to_come:
            outcome, told_at = "made", None
        elif outcome == "cancelled":
            told_at = made_at + (starts_at - made_at) * rng.uniform(0.3, 0.98)
        else:
            told_at = ends_at if outcome == "attended" else starts_at + timedelta(minutes=20)
        number = len(self.visits) + 1
        self.visits.append(
            Visit(number, person, service, stylist.person.email, starts_at, ends_at, made_at, outcome, told_at)
        )
        if outcome == "attended" and shops and person.account and rng.random() < person.habit.shops:
            self.order(person, ends_at + timedelta(minutes=rng.randrange(3, 15)), rng.choice([1, 1, 1, 2]))
        return True

    def web_order(self, person: Person, first: Date) -> None:
        rng, span = self.rng, (self.today - first).days
        if span < 2 or not person.account:
            return
        days = [first + timedelta(days=rng.randrange(1, span)) for _each in range(4)]
        day = rng.choices(days, [MONTHS[day.month] * WEB_WEEKDAYS[day.weekday()] for day in days])[0]
        at = aware(datetime.combine(day, time(rng.choice([8, 12, 13, 18, 20, 21, 21, 22]), rng.randrange(60))))
        self.order(person, at, rng.choice([1, 1, 2, 2, 3]))

    def order(self, person: Person, at: datetime, size: int) -> None:
        if at >= self.now:
            return
        rng = self.rng
        items = rng.sample(PRODUCTS, size)
        lines = tuple((item.upc, 2 if item.price < 25 and rng.random() < 0.15 else 1) for item in items)
        cancelled = None
        if rng.random() < 0.03:
            cancelled = at + timedelta(hours=rng.randrange(2, 120))
            cancelled = cancelled if cancelled < self.now else None
        self.purchases.append(Purchase(len(self.purchases) + 1, person, at, lines, cancelled))

    # The demo's own accounts: their balances tell a story

    def gold(self, person: Person) -> None:
        """Comes every four weeks for colour and more, since the first day; has one visit behind and two ahead."""
        for back in range(self.days - 3, 2, -28):
            day = self.today - timedelta(days=back)
            self.visit(person, day, service="MP-S07", outcome="attended", shops=False)
            self.visit(person, day + timedelta(days=9), service="MP-S10", outcome="attended", shops=False)
            if back % 56 < 28:
                self.bought(person, day + timedelta(days=2), [("MP-104", 1), ("MP-101", 2), ("MP-105", 1)])
            else:
                self.visit(person, day + timedelta(days=16), service="MP-S12", outcome="attended", shops=False)
        self.visit(person, self.today - timedelta(days=40), service="MP-S09", outcome="missed", shops=False)
        self.bought(person, self.today - timedelta(days=4), [("MP-504", 1), ("MP-601", 1)])
        self.visit(person, self.today + timedelta(days=6), service="MP-S06", shops=False)
        self.visit(person, self.today + timedelta(days=19), service="MP-S10", shops=False)

    def bronze(self, person: Person) -> None:
        """Twelve haircuts within the year, at 50 points, and a shampoo at 40: that is 640."""
        for number in range(min(12, self.days // 29)):
            day = self.today - timedelta(days=12 + 28 * number)
            self.visit(person, day, service="MP-S02", outcome="attended", shops=False)
        self.bought(person, self.today - timedelta(days=30), [("MP-101", 1)])
        self.visit(person, self.today + timedelta(days=8), service="MP-S02", shops=False)

    def bought(self, person: Person, day: Date, lines: list[tuple[str, int]]) -> None:
        at = aware(datetime.combine(day, time(19, 40)))
        if self.joined(person) < day and at < self.now:
            self.purchases.append(Purchase(len(self.purchases) + 1, person, at, tuple(lines)))
