"""What follows orders: each leaves a row or calls a service, and never raises into the shop."""

import logging

from django.db import transaction
from django.db.models.signals import post_save
from oscar.apps.order.signals import order_status_changed

from oscar_loyalty.defaults import conf
from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.payments import closing, refunds, returns, sending, services, settling, watching
from oscar_loyalty.payments.stripe import webhooks

log = logging.getLogger("oscar_loyalty")

#: Orders that one sweep looks after, for each reason to.
MOST = 500


def follow_order(sender, instance, created, raw=False, **kwargs):
    """However an order is made, its basket's holds and its gift cards are looked after; written with the order
    itself."""
    if not created or raw:
        return
    try:
        due.gather(kind=closing.ELSEWHERE, key=str(instance.pk), payload={"order": instance.pk})
    except Exception:
        log.exception("No row could be left for order %s; the sweep will find it", instance.number)


def follow_status(sender, order, new_status, **kwargs):
    """An order paid at the salon reached a status that means paid: its gift cards can go out."""
    try:
        # A savepoint, so that even a failing database statement does not spoil the shop's change of status.
        with transaction.atomic():
            if new_status in _paid_statuses(order):
                services.mark_paid(order=order)
    except Exception:
        log.exception("The gift cards of order %s could not be activated; the sweep will try again", order.number)


def _paid_statuses(order):
    programme = members.programme_of_order(order)
    return programme.paid_statuses if programme else []


@handler(closing.ELSEWHERE)
def order_placed(row):
    order = get_model("order", "Order").objects.filter(pk=row.payload["order"]).first()
    if order is not None:
        services.order_placed_elsewhere(order=order)


@handler("payments.return_lines")
def return_lines(row):
    order = get_model("order", "Order").objects.get(pk=row.payload["order"])
    cancelled = {int(pk): int(quantity) for pk, quantity in row.payload["lines"].items()}
    returns.return_lines(order=order, cancelled=cancelled, shipping=bool(row.payload.get("whole")))


@handler(services.SETTLE, atomic=False)
def settle(row):
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.get(pk=row.payload["attempt"])
    settling.settle(attempt=attempt, at_once=True)


@handler(sending.GIVE_BACK, atomic=False)
def give_back(row):
    sending.send(pk=row.payload["part"])


@handler("payments.come_back")
def come_back(row):
    refunds.come_back(order=get_model("order", "Order").objects.get(pk=row.payload["order"]))


@sweeper("payments.attempts")
def attempts() -> int:
    """Finish the attempts whose request has died, whose customer does not come back, or whose money is owed."""
    return settling.sweep()


@sweeper("payments.deadlines")
def deadlines() -> int:
    """Tell somebody of money that will be lost unless it is taken within a day."""
    return watching.tell_late()


@handler(watching.TELL)
def tell_late(row):
    watching.tell(pk=row.payload["tender"])


@sweeper("payments.events")
def events() -> int:
    """Forget what old events say of people; that they came is kept."""
    return webhooks.forget()


@sweeper("payments.paid")
def paid() -> int:
    """Activate the cards of orders that are paid by now, where nobody heard of it."""
    done = 0
    for programme in get_model("loyalty_members", "Programme").objects.all():
        if programme.paid_statuses:
            orders = members.orders_of(programme).filter(
                status__in=programme.paid_statuses, loyalty_giftcards__state="waiting"
            )
            done += sum(services.mark_paid(order=order) for order in orders.distinct()[:MOST])
    return done


@sweeper("payments.cards")
def cards() -> int:
    """Make the gift cards of orders for which no row was left."""
    done = 0
    # Their products first, which are few: by their kind, the database would go through all lines ever sold.
    Product = get_model("catalogue", "Product")
    kind = Product.objects.filter(product_class__slug=conf.GIFTCARD_CLASS_SLUG)
    products = list(kind.values_list("pk", flat=True))
    products += Product.objects.filter(parent__in=products).values_list("pk", flat=True)
    part = rounds.part("payments.cards", get_model("order", "Order"))
    lines = get_model("order", "Line").objects.filter(loyalty_giftcards__isnull=True, product__in=products)
    lines = lines.filter(part.where("order"))
    for programme in get_model("loyalty_members", "Programme").objects.all() if products else ():
        # An attempt makes the cards with its order; what was sold before the programme is none of its business.
        orders = members.orders_of(programme).filter(
            pk__in=lines.values("order"),
            payment_attempt__isnull=True,
            date_placed__gte=programme.started_at,
        )
        for order in orders.order_by("pk")[:MOST]:
            services.order_placed_elsewhere(order=order)
            done += 1
    if done < MOST:
        part.over()
    return done


def connect():
    from oscar.core.loading import get_model as oscar_model

    post_save.connect(follow_order, sender=oscar_model("order", "Order"), dispatch_uid="loyalty_payments_order")
    order_status_changed.connect(follow_status, dispatch_uid="loyalty_payments_status")
