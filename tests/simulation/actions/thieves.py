"""What thieves try."""

import json

from django.urls import reverse

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import awaited
from oscar_loyalty.members import giving
from tests.simulation.actions import REFUSALS, action, rows
from tests.simulation.actions.customers import PREVIEW


@action("a thief", 2)
def guesses_a_code(world):
    thief = world.pick(world.customers)
    code = "".join(world.random.choice("ABCDEFGHJKMNPQRSTUVWXYZ23456789") for _ in range(20))
    thief.client.post(PREVIEW, {"loyalty_add_card": "1", "code": code})
    return "refused"


@action("a thief", 2)
def forges_a_webhook(world):
    event = {"id": "evt_forged", "object": "event", "type": "checkout.session.completed", "data": {"object": {}}}
    response = world.customers[0].client.post(
        "/stripe/webhook/",
        json.dumps(event),
        content_type="application/json",
        headers={"stripe-signature": "t=1,v1=00"},
    )
    assert response.status_code == 400, "a forged webhook was believed"
    return "refused"


@action("a thief", 2)
def takes_what_is_not_theirs(world):
    thief = world.pick(world.customers)
    claim = world.pick(rows("rewards", "Claim").exclude(member__user=thief.user))
    transfer = world.pick(rows("members", "Transfer").exclude(target__user=thief.user).exclude(source__user=thief.user))
    if transfer is not None and world.random.random() < 0.5:
        try:
            giving.accept(transfer=transfer, member=world.member(thief))
        except REFUSALS:
            return "refused"
        raise AssertionError("somebody accepted a gift of points that was not for them")
    if claim is None:
        return "none there"
    if awaited.KEY in thief.client.session:
        # Whatever page they open, the award of their own order is made before.
        return "waits for an award"
    address = reverse("loyalty-account:reward-back", args=[claim.uuid])
    response = thief.client.post(address)
    # Whoever is no member is sent to the page where one joins.
    refused = (403, 404, 405) if world.membership(thief) else (302,)
    assert response.status_code in refused, f"{address} answered {response.status_code} to somebody else"
    return "refused"


@action("a thief", 1)
def forges_a_task(world):
    """A number that no row has, and one whose time has not come."""
    # Nobody comes in between: its time might.
    with world.process.alone():
        early = rows("due", "Due", state="waiting", due_at__gt=world.now).first()
        for pk in (999_999, early.pk if early else 0):
            assert not due.run(pk), "a worker did what was not due"
    return "refused"
