"""What programs do: background work, workers, schedulers, Stripe, and time itself."""

from datetime import timedelta
from functools import partial

from django.core.management import call_command

from oscar_loyalty.due import services as due
from oscar_loyalty.payments import sending
from tests.simulation.actions import action, rows, told_again


def sweep(world):
    call_command("loyalty_run", verbosity=0)


@action("the background work", 8)
def comes_by(world):
    sweep(world)
    return "done"


@action("two schedulers", 3)
def come_by_at_the_same_tick(world):
    world.process.other, world.process.calm = (lambda: sweep(world)), world.random.randrange(60)
    sweep(world)
    return "done"


@action("a worker", 14)
def does_a_task(world):
    task = world.broker.give()
    if task is None:
        return "no task"
    luck = world.random.random()
    if luck < 0.25:
        # It was given out once more while the first worker is still at it.
        world.process.other, world.process.calm = (lambda: due.run(task)), world.random.randrange(8)
        world.line += ", at the same time as another one"
    done = due.run(task)
    world.line += f": task {task}, {'done' if done else 'not done'}"
    if done and luck > 0.75 and not world.trouble:
        told_again(world, due.run, pk=task)
    return "done"


@action("time", 14)
def goes_by(world):
    delta = world.random.choice([{"minutes": 3}, {"minutes": 20}, {"hours": 6}, {"days": 2}, {"days": 20}])
    world.later(**delta)
    world.line += f": {timedelta(**delta)}"
    return "done"


def deliver(world, delivery, event, *, forget=True):
    payload, signature = world.bank.letter(event)
    response = world.stranger.post(
        "/stripe/webhook/", payload, content_type="application/json", headers={"stripe-signature": signature}
    )
    if forget and response.status_code == 200:
        world.bank.delivered(delivery)
    return response.status_code


@action("Stripe", 8)
def tells_something(world):
    letter = world.pick(world.bank.letters())
    if letter is None:
        return "no news"
    status = deliver(world, *letter, forget=world.random.random() < 0.7)
    world.line += f": {status}"
    return "done"


@action("Stripe", 3)
def tells_something_old(world):
    letter = world.pick(world.bank.old_letters())
    if letter is None:
        return "no news"
    status = deliver(world, *letter)
    if status == 200 and not world.trouble:
        told_again(world, partial(deliver, world, *letter))
    return "done"


def come_to_rest(world):
    """All tasks and letters are given out, and the background work comes by until it has nothing left to do."""
    for hours in (1, 24 * 2, 24 * 40):
        world.later(hours=hours)
        for part in rows("payments", "TenderReturn", state="failed"):
            # What Stripe has refused is asked for once more by the staff.
            sending.try_again(refund=part.refund, tender=part.allotment.tender)
        for delivery, event in world.bank.letters():
            deliver(world, delivery, event)
        while world.broker.queue:
            due.run(world.broker.queue.pop(0))
        sweep(world)
    sweep(world)
    told_again(world, partial(sweep, world))
