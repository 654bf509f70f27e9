"""Lets the plan happen, week after week, through the services that a shop would call, each at its own time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from appointment.models import Appointment, AppointmentRequest, StaffMember
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from oscar.core.loading import get_model

from oscar_loyalty.contrib.appointment.exceptions import SlotTaken
from oscar_loyalty.earning import bookings
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from sandbox.demo import checkout
from sandbox.demo.orders import Clerk
from sandbox.demo.people import Person
from sandbox.demo.progress import Progress
from sandbox.demo.rhythm import ITEMS, Purchase, Rhythm, Visit, aware
from sandbox.shop.data.people import OWNER

WEEK = timedelta(days=7)
#: What somebody spends within a year to be given a tier, in euros.
STEPS = [("gold", Decimal(1000)), ("silver", Decimal(480))]
#: Who of the demo's accounts has which tier from which week on, whatever they spend.
FIXED = {"gold": {9: "silver", 18: "gold"}, "bronze": {}}
#: Order numbers of what goes through the checkout; plain orders have theirs below, Oscar's own begin at 100,000.
CHECKOUTS, PER_WEEK = 30000, 20


class History:
    """Everything that happened at the salon until ``now``. Run again, it adds what is missing."""

    def __init__(
        self, *, programme: Any, people: Sequence[Person], rhythm: Rhythm, now: datetime, seed: int, progress: Progress
    ) -> None:
        self.programme, self.people, self.rhythm = programme, list(people), rhythm
        self.now, self.rng, self.progress = now, Random(f"history {seed}"), progress
        self.today = timezone.localtime(now, timezone.get_default_timezone()).date()
        self.moments = moments_of(rhythm)
        self.users: dict[str, Any] = {}
        self.members: dict[str, Any] = {}
        self.spent: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
        self.cards: list[tuple[datetime, Any, Person]] = []
        self.products = get_model("catalogue", "Product").objects.in_bulk(list(ITEMS), field_name="upc")

    def happen(self) -> None:
        """Make the members, then let the weeks pass, then fill the book of the weeks to come."""
        self._people()
        clerk = Clerk(programme=self.programme, users=self.users, now=self.now)
        started = self.programme.started_at
        weeks = int((self.now - started) / WEEK) + 1
        self.progress.begin("weeks", weeks)
        for week in range(weeks):
            begin, end = started + week * WEEK, min(started + (week + 1) * WEEK, self.now)
            self._orders(clerk, begin, end)
            self._visits(begin, end)
            if week % 4 == 0:
                self._tiers(week, begin)
            self._checkouts(clerk, week, begin, end)
            self.progress.step()
        self._calendar()

    # Who

    def _people(self) -> None:
        User = get_user_model()
        started, span = self.programme.started_at, self.now - self.programme.started_at
        nobody = make_password(None)
        known = {user.email: user for user in User.objects.filter(email__in=[person.email for person in self.people])}
        moments = {person.email: started + span * person.joined for person in self.people}
        new = [
            User(
                username=person.email.partition("@")[0],
                email=person.email,
                first_name=person.first_name,
                last_name=person.last_name,
                password=nobody,
                date_joined=moments[person.email],
            )
            for person in self.people
            if person.account and person.email not in known
        ]
        User.objects.bulk_create(new)
        self.users = known | {user.email: user for user in new}
        self.progress.begin("members", len(self.people))
        with transaction.atomic():
            for person in sorted(self.people, key=lambda person: person.joined):
                self.members[person.email] = services.join(
                    programme=self.programme,
                    user=self.users.get(person.email),
                    email=person.email,
                    first_name=person.first_name,
                    last_name=person.last_name,
                    source="registration" if person.account else "salon",
                    language=person.language,
                    happened_at=moments[person.email],
                )
                self.progress.step()

    # What they did

    def _orders(self, clerk: Clerk, begin: datetime, end: datetime) -> None:
        placed = [purchase for purchase in self.rhythm.purchases if begin <= purchase.placed_at < end]
        clerk.place([purchase for purchase in placed if self._is_theirs(purchase)])
        for purchase in placed:
            if purchase.cancelled_at is None:
                total = sum(ITEMS[upc].price * quantity for upc, quantity in purchase.lines)
                self.spent[purchase.person.email].append((purchase.placed_at, Decimal(total)))

    def _is_theirs(self, purchase: Purchase) -> bool:
        return purchase.person.email in self.users

    def _visits(self, begin: datetime, end: datetime) -> None:
        """Tell the contract what the desk would have told it; what is still to come is in the calendar."""
        with transaction.atomic():
            for at, event, visit in self.moments:
                if begin <= at < end:
                    self._tell(at, event, visit)

    def _tell(self, at: datetime, event: str, visit: Visit) -> None:
        reference = f"salon:{visit.number}"
        item = ITEMS[visit.service]
        if event == "made":
            bookings.made(
                reference=reference,
                service=self.products[visit.service],
                member=self.members[visit.person.email],
                starts_at=visit.starts_at,
                price=item.price,
                currency=self.programme.currency,
                source="salon",
                happened_at=at,
            )
        else:
            getattr(bookings, event)(reference=reference, happened_at=at)
        if event == "attended":
            self.spent[visit.person.email].append((at, item.price))

    def _tiers(self, week: int, at: datetime) -> None:
        """Once a month, Hélène goes through the list and thanks the best."""
        tiers = {tier.code: tier for tier in members.tiers(self.programme)}
        owner = get_user_model().objects.get(email=OWNER.email)
        for person in self.people:
            member = self.members[person.email]
            if person.demo:
                wanted = [code for since, code in FIXED[person.demo].items() if since <= week][-1:]
            else:
                year = sum(amount for moment, amount in self.spent[person.email] if moment > at - timedelta(days=365))
                wanted = [code for code, least in STEPS if year >= least][:1]
            tier = tiers[wanted[0]] if wanted else None
            if tier is not None and tier.rank > member.tier.rank:
                services.set_tier(
                    member=member,
                    tier=tier,
                    key=f"demo:{person.number}:{tier.code}",
                    actor=Ref.of("user", owner.pk),
                    reason="A faithful customer",
                    happened_at=at,
                )

    # Gift cards

    def _checkouts(self, clerk: Clerk, week: int, begin: datetime, end: datetime) -> None:
        number = CHECKOUTS + week * PER_WEEK
        moment = begin + timedelta(days=5, hours=11)
        if moment >= end:
            return
        for index, (person, value) in enumerate(self._rewarded(week, moment)):
            order = self._buy(number + index, person, value, moment, pay_with_points=True)
            self.cards.append((moment, checkout.first_card(order), person))
        for index in range(self._presents(begin)):
            giver, friend = self.rng.sample([person for person in self.people if person.email in self.users], 2)
            if moment < max(self.members[giver.email].joined_at, self.members[friend.email].joined_at):
                continue
            order = self._buy(
                number + 5 + index,
                giver,
                self.rng.choice([25, 25, 40, 50, 50, 100]),
                moment + timedelta(hours=3),
                recipient_name=friend.first_name,
                recipient_email=friend.email,
                message="Joyeux anniversaire !" if giver.language == "fr" else "Happy birthday!",
            )
            self.cards.append((moment, checkout.first_card(order), friend))
        self._spend_cards(clerk, number + 10, moment + timedelta(hours=6))

    def _rewarded(self, week: int, at: datetime) -> list[tuple[Person, int]]:
        """Return who buys a gift card with points this week: now and then somebody who has enough."""
        weeks = int((self.now - self.programme.started_at) / WEEK)
        found = []
        if week == weeks - 40:
            # Old enough that what she has left expires soon.
            gold = [person for person in self.people if person.demo == "gold"]
            found += [(person, 10) for person in gold if self._usable([person], at)[0] >= 1000]
        rich = [person for person in self.people if person.email in self.users and person.habit.weeks]
        rich = [person for person in rich if not person.demo]
        if self.rng.random() < 0.55 and rich:
            able = [(person, have) for person, have in zip(rich, self._usable(rich, at), strict=True) if have >= 1000]
            if able:
                person, have = self.rng.choice(able)
                found.append((person, 25 if have >= 2300 else 10))
        return found

    def _usable(self, people: Sequence[Person], at: datetime) -> list[int]:
        accounts = [self.members[person.email].account for person in people]
        found = ledger.balances(accounts, at)
        return [found[account.pk].usable for account in accounts]

    def _presents(self, begin: datetime) -> int:
        return self.rng.choice([2, 3, 4]) if begin.month == 12 and begin.day < 24 else int(self.rng.random() < 0.45)

    def _buy(self, number: int, person: Person, value: int, at: datetime, **chosen: Any) -> Any:
        return checkout.check_out(
            number=str(number),
            user=self.users[person.email],
            programme=self.programme,
            lines=[(checkout.gift_card(value), 1, checkout.options(**chosen))],
            at=at,
        )

    def _spend_cards(self, clerk: Clerk, number: int, at: datetime) -> None:
        """Let some of the cards be spent, some weeks after they were bought."""
        ready = [entry for entry in self.cards if entry[0] < at - timedelta(days=10) and entry[2].demo != "gold"]
        for index, entry in enumerate(ready[:3]):
            if self.rng.random() < 0.35:
                self.cards.remove(entry)
                _since, card, person = entry
                upc = self.rng.choice([upc for upc, item in ITEMS.items() if not item.minutes])
                checkout.check_out(
                    number=str(number + index),
                    user=self.users[person.email],
                    programme=self.programme,
                    lines=[(self.products[upc], 1, [])],
                    at=at,
                    cards=[card],
                    address=clerk.address(person),
                )

    # What is to come

    def _calendar(self) -> None:
        """Write the visits of today and of the weeks to come into the booking calendar itself."""
        ahead = [visit for visit in self.rhythm.visits if visit.outcome == "made"]
        self.progress.begin("calendar", len(ahead))
        staff = {row.user.email: row for row in StaffMember.objects.select_related("user")}
        known = set(
            AppointmentRequest.objects.filter(id_request__startswith="demo-").values_list("id_request", flat=True)
        )
        for visit in ahead:
            if f"demo-{visit.number}" not in known:
                self._write_down(visit, staff[visit.stylist])
            self.progress.step()

    @transaction.atomic
    def _write_down(self, visit: Visit, stylist: Any) -> None:
        client = self.users.get(visit.person.email)
        if client is None:
            # Who has no account rings: the calendar keeps such customers as users of its own.
            return
        start, end = timezone.localtime(visit.starts_at), timezone.localtime(visit.ends_at)
        service = self.products[visit.service].calendar_links.select_related("service").get().service
        try:
            request = AppointmentRequest.objects.create(
                date=start.date(),
                start_time=start.time(),
                end_time=end.time(),
                service=service,
                staff_member=stylist,
                id_request=f"demo-{visit.number}",
            )
            appointment = Appointment.objects.create(client=client, appointment_request=request)
        except SlotTaken:
            # Somebody was here before the demo.
            return
        Appointment.objects.filter(pk=appointment.pk).update(created_at=visit.made_at)


def moments_of(rhythm: Rhythm) -> list[tuple[datetime, str, Visit]]:
    """Return what happened to the visits that are over, in the order in which it did."""
    moments: list[tuple[datetime, str, Visit]] = []
    for visit in rhythm.visits:
        if visit.outcome != "made":
            moments.append((visit.made_at, "made", visit))
            moments.append((visit.told_at or visit.ends_at, visit.outcome, visit))
    return sorted(moments, key=lambda moment: (moment[0], moment[1] != "made", moment[2].number))


def midnight(day: Any) -> datetime:
    return aware(datetime.combine(day, datetime.min.time()))
