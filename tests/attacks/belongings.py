"""Whatever somebody can have."""

from datetime import timedelta
from decimal import Decimal

from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, services
from oscar_loyalty.members import selectors as members
from oscar_loyalty.messaging import services as outbox
from oscar_loyalty.privileges import passes
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.reports import copies
from oscar_loyalty.rewards import services as rewards
from oscar_loyalty.wallet import services as wallet


def give(programme, people):
    """Let Rose have something of every kind; ``people`` are ``rose``, ``lea``, ``noa``, ``eve`` and ``ben``.

    Return a window of early access.
    """
    rose, lea, noa, eve, ben = (people[name] for name in ("rose", "lea", "noa", "eve", "ben"))
    tier = members.tiers(programme).last()
    services.set_tier(member=rose, tier=tier, key="up")
    rose.refresh_from_db()
    for host, guest in ((rose, lea), (eve, ben)):
        invitation = households.invite(member=host, to=guest.email, key=f"house:{host.pk}")
        households.accept(invitation=invitation, member=guest)
    households.invite(member=rose, to=noa.email, key="house:noa")
    giving.give(source=rose, to=noa.email, units=100, key="gift:out")
    giving.give(source=noa, to=rose.email, units=50, key="gift:in")
    giftcards.issue(value=Decimal(25), key="card", buyer=rose.user, recipient_name="Zoe-of-Rose")
    giftcards.issue(
        value=Decimal(35),
        key="later",
        buyer=rose.user,
        recipient_email="z@example.com",
        deliver_at=clock.now() + timedelta(7),
    )
    reward = get_model("loyalty_rewards", "Reward")(
        programme=programme, kind="experience", name=localized(en="Tea"), points=100
    )
    rewards.claim(reward=rewards.save_reward(reward=reward), member=rose, key="claim")
    soap = create_product(title="Soap", price=Decimal("20.00"), num_in_stock=100)
    window = privileges.create(
        programme=programme, tier=tier, target=soap, ends_at=clock.now() + timedelta(days=10), key="w", passes=3
    )
    passes.give(member=rose, subject=passes.find("early", str(window.pk)), key="pass", friend="Zoe-of-Rose")
    copies.request(member=rose)
    message = outbox.queue(kind="joined", key="m", to=rose.email, context={"member": rose.pk}, member=rose)
    outbox.send(message=message)
    wallet.pass_of(member=rose)
    return window
