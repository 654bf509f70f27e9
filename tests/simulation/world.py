"""One shop with all its people, and what happens to it."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal as D
from types import SimpleNamespace

from appointment.models import Service, StaffMember, WorkingHours
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment import services as calendar
from oscar_loyalty.earning import actions as earning_actions
from oscar_loyalty.earning import adjustments, goals, rules
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import giving, households
from oscar_loyalty.members import services as members
from tests.simulation import invariants
from tests.simulation.audits import Audits
from tests.simulation.bank import STRIPE, Bank
from tests.simulation.database import hang_up
from tests.simulation.faults import Broker, Chance, Killed, Post, Process, one_time, phones
from tests.simulation.scales import Scales, difference
from tests.simulation.statements import Statements

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MEMBERS = ("rose", "lea", "omar", "paul")
#: They are no members yet, and may have ordered as guests.
NEWCOMERS = ("nina", "max")
STAFF = ("boss", "deputy")
#: What has this weight happens in every world.
OFTEN = 8
#: The others happen in this part of the worlds.
SOME = 0.6
#: How often a step is begun anew when there was nothing to be done: no order to refund, no letter to deliver.
TRIES = 4
#: Outcomes after which it is not: something was done, or tried and left its traces, or refused.
ENDS = ("done", "tried", "refused")
#: What Django has put into words, in whatever world.
STATEMENTS = Statements()
#: Something that another app of the shop's gives points for.
QUIZ = earning_actions.register(earning_actions.Action("quiz", "Quiz solved", hidden=True))
SETTINGS = {
    "EMAIL_BACKEND": "tests.simulation.faults.Mail",
    "OSCAR_LOYALTY_STRIPE_SECRET_KEY": "sk_test_shop",
    "OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET": ["whsec_shop"],
    "OSCAR_LOYALTY_MONEY": ["stripe", "on_site"],
    "OSCAR_LOYALTY_APPOINTMENT_AUTO_ATTEND": 24,
    "OSCAR_LOYALTY_LEAVING_DAYS": 10,
    "OSCAR_ALLOW_ANON_CHECKOUT": True,
    "OSCAR_ALLOW_GUEST_CHECKOUT_WITH_ACCOUNT": True,
    # Nobody has to log in again in so short a life.
    "SESSION_COOKIE_AGE": 3600 * 24 * 365,
}


class Broken(AssertionError):
    """Something does not hold any more. ``story`` is all that was done, a line each."""

    def __init__(self, seed, story, problems):
        self.seed, self.story, self.problems = seed, story, problems
        lines = [f"Seed {seed} breaks the books:", *(f"    {each}" for each in problems), "What was done:", *story]
        super().__init__("\n".join(lines))


def prepare():
    """What is there at the beginning of each world, written into the database that all of them are copies of."""
    with clock.frozen(BEGINNING - timedelta(days=1)) as day_before, one_time(day_before), override_settings(**SETTINGS):
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
        for name in (*MEMBERS, *NEWCOMERS):
            user = User.objects.create_user(name, f"{name}@example.com", "petale-demo", first_name=name.title())
            log_in(user)
            if name in NEWCOMERS:
                continue
            member = members.join(programme=programme, user=user, source="test")
            # What they have from before ends within the world's life, in two parts.
            for number, days in enumerate((3, 30)):
                ends = clock.now() + timedelta(days=days)
                key = f"before:{name}:{number}"
                books.earn(account=member.account, units=400, key=key, usable_from=clock.now(), expires_at=ends)
        giving.save_policy(programme=programme, is_active=True, households=True)
        referrals.save_scheme(programme=programme, is_active=True, referrer_points=200, friend_points=100)
        earning_actions.set_rule(programme=programme, action=QUIZ.code, points=30)
        for name in STAFF:
            User.objects.create_superuser(name, f"{name}@example.com", "petale-demo")
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
        _calendar(User.objects.get(username="boss"), get_model("catalogue", "Product").objects.get(title="Haircut"))
        giftcards.set_denomination(value=D("10.00"), points_price=500)
        rules.publish_rule(programme=programme, kind="amount", spec={"points": 10, "per": "1.00"})
        Reward = get_loyalty_model("loyalty_rewards", "Reward")
        common = {"programme": programme, "created_at": clock.now()}
        name = localized(en="Five off", fr="Cinq de moins")
        Reward.objects.create(kind="amount", name=name, points=300, value=5, stock=3, **common)
        Reward.objects.create(kind="experience", name=localized(en="A tour", fr="Une visite"), points=200, **common)

        _begin(programme, *(User.objects.get(username=name).loyalty_memberships.get() for name in MEMBERS))


def _begin(programme, rose, lea, omar, paul):
    """What was begun the day before, so that somebody can go on with it: a gift, an invitation, a stamp card."""
    giving.give(source=rose, to=lea.user.email, units=50, key="before:gift")
    households.invite(member=omar, to=paul.user.email, key="before:household")
    referrals.invitation_of(member=rose)
    gift = [goals.Step(3, points=150)]
    terms = {"kind": "stamps", "name": "Five times", "counts": "visits", "steps": gift, "key": "before:card"}
    goals.create_goal(programme=programme, since=clock.now(), **terms)
    boss = get_user_model().objects.get(username="boss")
    asked = {"units": 5000, "reason": "A mistake at the till", "key": "before:adjustment", "user": boss}
    adjustments.request_adjustment(programme=programme, members=[paul], **asked)


def _calendar(stylist, haircut):
    service = Service.objects.create(name="Haircut", duration=timedelta(hours=1), price=D("30.00"), currency="EUR")
    calendar.link_service(service=service, product=haircut)
    staff = StaffMember.objects.create(user=stylist)
    staff.services_offered.add(service)
    for weekday in range(7):
        WorkingHours.objects.create(staff_member=staff, day_of_week=weekday, start_time=time(8), end_time=time(20))


#: The cookies of those who have logged in, by their names.
COOKIES = {}


def log_in(user):
    client = Client()
    client.force_login(user)
    COOKIES[user.username] = {key: morsel.value for key, morsel in client.cookies.items()}


def browser(name):
    client = Client()
    client.cookies.load(COOKIES[name])
    return client


class Absent(Exception):
    """Whoever would do it is no member."""


class World:
    """A world of one seed. :meth:`live` lets it go on for so many steps and then come to rest.

    :raises Broken: as soon as something does not hold.
    """

    def __init__(self, seed, *, say=None):
        self.seed, self.say = seed, say
        self.chance = Chance(seed)
        self.random = self.chance.random
        self.process = Process()
        self.post, self.broker = Post(self.process), Broker(self.process, self.random)
        self.scales = Scales()
        self.audits = Audits(self.scales)
        #: How many mails of which message nobody knows of whether they count as sent.
        self.unknown = Counter()
        #: What was done how often, and with what outcome.
        self.story, self.deeds, self.keys = [], Counter(), 0
        self.trouble = []
        #: What checks have found of which rows (:func:`tests.simulation.scales.remembered`), and which they ask for.
        self.looked, self.asked = {}, set()
        #: How each order stood when it was last judged (:mod:`tests.simulation.reckoning`).
        self.judged = {}
        #: The same of each visit.
        self.visited = {}
        #: Orders whose customers earned nothing for them when they were judged.
        self.excused = set()

    # Its people and things, read anew each time: others change them

    def setup(self):
        users = {each.username: each for each in get_user_model().objects.all()}
        self.programme = get_loyalty_model("loyalty_members", "Programme").objects.get()
        self.customers = [
            SimpleNamespace(name=name, user=users[name], client=browser(name)) for name in (*MEMBERS, *NEWCOMERS)
        ]
        self.stranger = Client()
        self.boss, self.deputy = (users[name] for name in STAFF)
        products = {each.title: each for each in get_model("catalogue", "Product").objects.all()}
        self.haircut, self.shampoo = products["Haircut"], products["Shampoo"]
        self.card_product = get_loyalty_model("loyalty_giftcards", "Denomination").objects.get().product
        self.earlier = self.found = self.scales.weigh()

    @property
    def now(self):
        return self.clock.at

    def membership(self, customer):
        """What a customer has now, or ``None``."""
        Member = get_loyalty_model("loyalty_members", "Member")
        return Member.objects.select_related("account", "programme").filter(user=customer.user).first()

    def member(self, customer):
        """:raises Absent: when the customer is no member."""
        found = self.membership(customer)
        if found is None:
            raise Absent
        return found

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

        worker = self.random.choice(("celery", "celery", "cron", "inline"))
        with ExitStack() as stack:
            enter = stack.enter_context
            enter(self.chance.governs())
            enter(override_settings(**SETTINGS, OSCAR_LOYALTY_WORKER=worker))
            self.clock = enter(clock.frozen(BEGINNING))
            enter(one_time(self.clock))
            stack.callback(hang_up)
            self.bank = Bank(self.process)
            stack.callback(self.bank.close)
            for each in (self.bank.opens(), self.broker.opens(), self.post.opens(), phones(self.process, self.random)):
                enter(each)
            enter(self.scales)
            enter(STATEMENTS.known())
            self.bank.at(self.now)
            self.setup()
            self.tell(f"background work by {worker}")
            # In each world some things never happen: the others meet more often.
            self.actions = [each for each in ACTIONS if each.weight >= OFTEN or self.random.random() < SOME]
            self.weights = [each.weight for each in self.actions]
            for _ in range(steps):
                self.step(self.choose())
            self.rest()

    def choose(self):
        return self.random.choices(self.actions, self.weights)[0]

    def fate(self):
        """What goes wrong during the next step: how :meth:`Process.runs` is to run, in words told to the reader."""
        named, luck = {}, self.random.random()
        if luck < 0.09:
            named["words"] = int(self.random.expovariate(1 / 90))
            self.trouble.append(f"killed after {named['words']} words")
        elif luck < 0.18:
            named["writes"] = int(self.random.expovariate(1 / 12))
            self.trouble.append(f"killed after {named['writes']} writes")
        if self.random.random() < 0.1:
            fault = self.random.choice(STRIPE)
            self.bank.fail(fault)
            self.trouble.append(f"Stripe: {fault}")
        self.post.fails = self.random.choice(("before", "after")) if self.random.random() < 0.1 else None
        if self.post.fails:
            self.trouble.append(f"mail: {self.post.fails}")
        if self.random.random() < 0.2:
            other = self.choose()
            named |= {"calm": int(self.random.expovariate(1 / 12)), "other": lambda: self.meanwhile(other)}
        return named

    def meanwhile(self, other):
        """Somebody else does something while a step is under way; what that changes is none of the step's doing."""
        self.between = difference(self.before, self.scales.weigh())
        line, self.line = self.line, f"{other.who} {other.__name__.replace('_', ' ')}"
        outcome = self.do(other)
        self.line, self.before = f"{line} [meanwhile {self.line}: {outcome}]", self.scales.weigh()

    def do(self, action):
        try:
            outcome = action(self)
        except Absent:
            outcome = "no member"
        self.deeds[action.__name__, outcome] += 1
        return outcome

    def step(self, action):
        """One thing that somebody does, with or without something that goes wrong meanwhile."""
        self.trouble, self.between = [], {}
        fate, mails = self.fate(), len(self.post.taken)
        self.before = self.found
        try:
            with self.process.runs(**fate):
                for _ in range(TRIES):
                    self.line = f"{action.who} {action.__name__.replace('_', ' ')}"
                    outcome = self.do(action)
                    if outcome in ENDS:
                        break
                    action = self.choose()
        except Killed:
            outcome = "killed"
            self.deeds[action.__name__, outcome] += 1
        except Exception as error:
            self.tell(f"{self.line} {self.trouble}")
            raise Broken(self.seed, self.story, [f"{type(error).__name__}: {error}"]) from error
        self.bank.forgive()
        if outcome == "killed" or self.post.fails == "after":
            # Nobody knows whether a mail taken just then counts as sent.
            self.unknown.update(self.post.taken[mails:])
        self.post.fails = None
        self.tell(self.line + (f": {outcome}" if outcome else "") + (f" {self.trouble}" if self.trouble else ""))
        self.earlier, self.found = self.found, self.scales.weigh()
        changes = self.between | difference(self.before, self.found)
        problems = []
        if outcome == "refused":
            problems = [f"a refused action changed {table}: {rows}" for table, rows in changes.items()]
        self.hold(problems, (*invariants.ALWAYS, invariants.audited))

    def tell(self, line):
        self.story.append(f"{len(self.story) + 1:4} {self.now:%d %b %H:%M} {line}")
        if self.say:
            self.say(self.story[-1])

    def rows(self, table):
        """What a table held after the last step, a dict for each row."""
        self.asked.add(table)
        return self.scales.dicts(self.found, table)

    def rows_before(self, table):
        """What it held before that step."""
        return self.scales.dicts(self.earlier, table)

    def hold(self, problems=(), checks=invariants.ALWAYS):
        """:raises Broken: when there are problems, or a check finds one."""
        problems = [*problems, *(each for check in checks for each in check(self))]
        if problems:
            raise Broken(self.seed, self.story, problems)

    def rest(self):
        """Everybody goes home, all works again, and what was left half done is finished."""
        from tests.simulation.actions.programs import come_to_rest

        come_to_rest(self)
        self.tell("all is at rest")
        self.earlier, heard, self.found = self.found, self.scales.weigh(), self.scales.afresh()
        missed = difference(heard, self.found)
        unheard = [f"the scales did not hear of {table}: {what}" for table, what in missed.items()]
        self.hold(unheard, (*invariants.ALWAYS, invariants.audited, invariants.at_rest))
        #: How many cents Stripe has given back.
        self.refunded = self.bank.books()["currencies"].get("eur", {}).get("refunded", 0)


def live(seed, restore, *, steps=40, say=None):
    """Let the world of ``seed`` live, on a database as new; return it.

    :raises Broken: when something does not hold.
    """
    restore()
    world = World(seed, say=say)
    world.live(steps)
    return world
