"""A worker that is killed while it sends a gift card, a mail server that is down, a broker that is away."""

from decimal import Decimal as D

import pytest
from django.core.management import call_command

from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from tests.faults.process import Process, mail_into, mails
from tests.faults.test_checkout import place, ready, sweep  # noqa: F401

OUTBOX = "oscar_loyalty.messaging.services"
#: What is killed where, and how often the card's mail was handed to the mail server in the end.
BOUNDARIES = {
    "before the message is written": (f"{OUTBOX}:queue:before", 1),
    "before the message is committed": (f"{OUTBOX}:queue:after", 1),
    "before the mail server is asked": (f"{OUTBOX}:_deliver:before", 1),
    # Nobody can know whether it went; a card that comes twice is better than none, and it is the same card.
    "after the mail server has it": (f"{OUTBOX}:_deliver:after", 2),
}
SUBJECT = "A gift card for you: €25.00 at example.com"


@pytest.fixture(params=[False], ids=[""])
def atomic(request):
    """There is no request here."""
    return request.param


@pytest.fixture
def worker(transactional_db, mail_folder):
    """Start a sweep in a process of its own."""
    started = []

    def worker(**named):
        process = Process(lambda: call_command("loyalty_run", verbosity=0), **mail_into(mail_folder) | named)
        started.append(process)
        return process

    yield worker
    for process in started:
        process.stop()


@pytest.fixture
def card(transactional_db, programme):
    return giftcards.issue(value=D("25.00"), key="fault", recipient_email="friend@example.com")


@pytest.mark.parametrize("name", BOUNDARIES)
def test_kill_9_at_each_step_of_a_delivery(name, card, worker, later, mail_folder):
    boundary, copies = BOUNDARIES[name]
    assert worker(boundary=boundary).wait() == -9
    # The next sweep leaves the row alone that a worker may still be at; the one after the lease takes it over.
    assert worker().wait() == 0
    with later(minutes=6):
        call_command("loyalty_run", verbosity=0)
        call_command("loyalty_run", verbosity=0)
    assert mails(mail_folder).count(SUBJECT) == copies
    message = get_model("loyalty_messaging", "Message").objects.get(kind="giftcard")
    assert (message.state, card.events.filter(kind="sent").count()) == ("sent", 1)


def test_two_workers_at_once_send_it_once(card, worker, mail_folder):
    both = [worker(), worker()]
    assert [process.wait() for process in both] == [0, 0]
    call_command("loyalty_run", verbosity=0)
    assert mails(mail_folder) == [SUBJECT]


@pytest.mark.parametrize(
    "down",
    [
        {"EMAIL_BACKEND": "tests.messaging.broken.EmailBackend"},
        {"OSCAR_LOYALTY_WORKER": "celery", "CELERY_BROKER_URL": "redis://127.0.0.1:1/0"},
    ],
    ids=["mail server", "broker"],
)
def test_an_order_is_placed_while_something_is_down(down, ready, window, open_shop, later, mail_folder):  # noqa: F811
    _member, basket, _card = ready
    customer = window().at(open_shop(**down))
    assert place(customer, basket)[:2] == (302, "/checkout/thank-you/")
    assert customer.get("/checkout/thank-you/")[0] == 200
    assert not [subject for subject in mails(mail_folder) if "gift card" in subject]
    sweep(later)
    assert mails(mail_folder).count("Your gift card: €10.00 at example.com") == 1
