"""One shop with all its people, and what happens to it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from types import SimpleNamespace

from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.earning import rules
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import giving
from oscar_loyalty.members import services as members
from tests.simulation import invariants
from tests.simulation.database import hang_up
from tests.simulation.faults import STRIPE, Bank, Chance, Killed, Mail, Post, Process

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMERS = ("rose", "lea", "omar", "paul")
SETTINGS = {
    "EMAIL_BACKEND": "tests.simulation.faults.Mail",
    "OSCAR_LOYALTY_STRIPE_SECRET_KEY": "sk_test_shop",
    "OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET": ["whsec_shop"],
    "OSCAR_LOYALTY_MONEY": ["stripe", "on_site"],
}


class Broken(AssertionError):
    """Something does not hold any more. ``story`` is all that was done, a line each."""

    def __init__(self, seed, story, problems):
        self.seed, self.story, self.problems = seed, story, problems
        lines = [f"Seed {seed} breaks the books:", *(f"    {each}" for each in problems), "What was done:", *story]
        super().__init__("\n".join(lines))


def prepare():
    """What is there at the beginning of each world, written into the database that all of them are copies of."""
    with clock.frozen(BEGINNING - timedelta(days=1)), override_settings(**SETTINGS):
        User = get_user_model()
        programme = members.create_programme(
            name="Pétales",
            points_name_one=localized(en="petal", fr="pétale"),
            points_name_many=localized(en="petals", fr="pétales"),
            cancelled_order_statuses=["Cancelled"],
            cancelled_line_statuses=["Cancelled"],
            paid_statuses=["Complete"],
            redemption_points=100,
            redemption_amount=D("1.00"),
            points_at_checkout=True,
        )
        for name in CUSTOMERS:
            user = User.objects.create_user(name, f"{name}@example.com", "petale-demo", first_name=name.title())
            member = members.join(programme=programme, user=user, source="test")
            # What they have from before ends within the world's life, in two parts.
            for number, days in enumerate((3, 30)):
                ends = clock.now() + timedelta(days=days)
                key = f"before:{name}:{number}"
                books.earn(account=member.account, units=400, key=key, usable_from=clock.now(), expires_at=ends)
        giving.save_policy(programme=programme, is_active=True, households=True)
        User.objects.create_superuser("boss", "boss@example.com", "petale-demo")
        kind = get_model("catalogue", "ProductClass").objects.create(
            slug="service", name="Service", requires_shipping=False, track_stock=False
        )
        goods = get_model("catalogue", "ProductClass").objects.create(
            slug="goods", name="Goods to be fetched", requires_shipping=False, track_stock=True
        )
        for title, of, price, stock in (("Haircut", kind, "30.00", None), ("Shampoo", goods, "12.50", 6)):
            product = create_product(title=title, product_class=of.name)
            create_stockrecord(product, price=D(price), num_in_stock=stock, partner_name="Salon")
            product.stockrecords.update(price_currency="EUR")
        giftcards.set_denomination(value=D("10.00"), points_price=500)
        rules.publish_rule(programme=programme, kind="amount", spec={"points": 10, "per": "1.00"})
        Reward = get_loyalty_model("loyalty_rewards", "Reward")
        common = {"programme": programme, "created_at": clock.now()}
        name = localized(en="Five off", fr="Cinq de moins")
        Reward.objects.create(kind="amount", name=name, points=300, value=5, stock=3, **common)
        Reward.objects.create(kind="experience", name=localized(en="A tour", fr="Une visite"), points=200, **common)


class World:
    """A world of one seed. :meth:`live` lets it go on for so many steps and then come to rest.

    :raises Broken: as soon as something does not hold.
    """

    def __init__(self, seed, *, say=None):
        self.seed, self.say = seed, say
        self.chance = Chance(seed)
        self.random = self.chance.random
        self.process = Process()
        self.post = Mail.post = Post(self.process)
        self.story, self.unknown, self.keys = [], 0, 0
        self.last = None

    # Its people and things, read anew each time: others change them

    def setup(self):
        User = get_user_model()
        self.programme = get_loyalty_model("loyalty_members", "Programme").objects.get()
        self.customers = []
        for name in CUSTOMERS:
            user = User.objects.get(username=name)
            client = Client()
            client.force_login(user)
            self.customers.append(SimpleNamespace(name=name, user=user, client=client))
        self.boss = User.objects.get(username="boss")
        self.owner = Client()
        self.owner.force_login(self.boss)
        products = {each.title: each for each in get_model("catalogue", "Product").objects.all()}
        self.haircut, self.shampoo = products["Haircut"], products["Shampoo"]
        self.card_product = get_loyalty_model("loyalty_giftcards", "Denomination").objects.get().product
        self.scales = invariants.Scales()

    @property
    def now(self):
        return self.clock.at

    def member(self, customer):
        Member = get_loyalty_model("loyalty_members", "Member")
        return Member.objects.select_related("account", "programme").get(user=customer.user)

    def key(self):
        """A new idempotency key."""
        self.keys += 1
        return f"world:{self.keys}"

    def pick(self, rows):
        rows = list(rows)
        return self.random.choice(rows) if rows else None

    def later(self, **delta):
        self.clock.advance(**delta)
        self.bank.at(self.now)

    # Its life

    def live(self, steps):
        from tests.simulation.actions import ACTIONS

        with (
            self.chance.governs(),
            override_settings(**SETTINGS),
            clock.frozen(BEGINNING) as self.clock,
        ):
            self.bank = Bank(self.process)
            try:
                with self.bank.opens():
                    self.bank.at(self.now)
                    self.setup()
                    weights = [each.weight for each in ACTIONS]
                    for _ in range(steps):
                        self.step(self.random.choices(ACTIONS, weights)[0])
                    self.rest()
            finally:
                self.bank.close()
                hang_up()

    def step(self, action):
        """One thing that somebody does, with or without something that goes wrong meanwhile."""
        words = int(self.random.expovariate(1 / 90)) if self.random.random() < 0.18 else None
        fault = self.random.choice(STRIPE) if self.random.random() < 0.1 else None
        self.post.fails = self.random.choice(("before", "after")) if self.random.random() < 0.1 else None
        if fault:
            self.bank.fail(fault)
        trouble = [f"killed after {words} words"] if words is not None else []
        trouble += [f"Stripe: {fault}"] if fault else []
        trouble += [f"mail: {self.post.fails}"] if self.post.fails else []
        before, mails = self.scales.weigh(), len(self.post.taken)
        self.line = f"{action.who} {action.__name__.replace('_', ' ')}"
        try:
            with self.process.runs(words):
                outcome = action(self)
        except Killed:
            outcome = "killed"
        except Exception as error:
            self.tell(f"{self.line} {trouble}")
            raise Broken(self.seed, self.story, [f"{type(error).__name__}: {error}"]) from error
        if outcome == "killed" or self.post.fails == "after":
            # Nobody knows whether a mail taken just then counts as sent.
            self.unknown += len(self.post.taken) - mails
        self.bank.forgive()
        self.post.fails = None
        self.tell(f"{self.line}{': ' + outcome if outcome else ''}{' [' + ', '.join(trouble) + ']' if trouble else ''}")
        self.found = self.scales.weigh()
        changes = invariants.difference(before, self.found)
        problems = [f"a refused action changed {table}: {rows}" for table, rows in changes.items()]
        if outcome != "refused":
            problems = []
        # The audit costs more than a step does: it comes where something went wrong, and now and then.
        audited = trouble or self.random.random() < 0.1
        if changes:
            self.hold(problems, (*invariants.ALWAYS, *([invariants.audited] if audited else [])))

    def tell(self, line):
        self.story.append(f"{len(self.story) + 1:4} {self.now:%d %b %H:%M} {line}")
        if self.say:
            self.say(self.story[-1])

    def rows(self, table):
        """What a table held after the last step, a dict for each row."""
        return self.found[table]

    def hold(self, problems=(), checks=invariants.ALWAYS):
        """:raises Broken: when there are problems, or a check finds one."""
        problems = [*problems, *(each for check in checks for each in check(self))]
        if problems:
            raise Broken(self.seed, self.story, problems)

    def rest(self):
        """Everybody goes home, all works again, and what was left half done is finished."""
        from tests.simulation.actions import deliver, sweep

        for hours in (1, 12, 36, 24 * 40):
            for delivery, event in self.bank.letters():
                deliver(self, delivery, event)
            sweep(self)
            self.later(hours=hours)
        sweep(self)
        sweep(self)
        self.tell("all is at rest")
        self.found = self.scales.weigh()
        self.hold(checks=(*invariants.ALWAYS, invariants.audited, invariants.at_rest))


def live(seed, restore, *, steps=40, say=None):
    """Let the world of ``seed`` live, on a database as new; return its story.

    :raises Broken: when something does not hold.
    """
    restore()
    world = World(seed, say=say)
    world.live(steps)
    return world.story
