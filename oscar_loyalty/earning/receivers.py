"""What follows orders and bookings: each leaves a row or calls a service, and never raises into the shop."""

import logging
from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from oscar.apps.order.signals import order_line_status_changed, order_placed, order_status_changed

from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning import awaited, bookings, orders, rules, signals, versions
from oscar_loyalty.loading import get_model

log = logging.getLogger("oscar_loyalty")

#: What Oscar's thank-you page notes on an order: that the statistics have counted it.
NO_NEWS = {"analytics_tracked"}


def follow_order(sender, instance, raw=False, update_fields=None, **kwargs):
    """However an order is made or moved: the row is there exactly if the order is."""
    if not raw and not (update_fields and NO_NEWS.issuperset(update_fields)):
        _leave(instance.pk)


def follow_line(sender, instance, created, raw=False, **kwargs):
    if not raw and not created:
        _leave(instance.order_id)


def _leave(order):
    try:
        due.gather(kind=awaited.REVIEW, key=str(order), payload={"order": order})
    except Exception:
        log.exception("No row could be left for order %s; the sweep will find it", order)


def review_placed(sender, order, **kwargs):
    _review_on_commit(order)


def review_moved(sender, order, **kwargs):
    _review_on_commit(order)


def review_line(sender, line, **kwargs):
    _review_on_commit(line.order)


def _review_on_commit(order):
    if awaited.is_left():
        return
    # After the commit: what paid for which line is written in the order's transaction, after this signal.
    transaction.on_commit(partial(_review, order), robust=True)


def _review(order):
    try:
        orders.review_order(order=order)
    except Exception:
        log.exception("Order %s could not be reviewed; the sweep will try again", order.number)


@handler(awaited.REVIEW)
def review_order(row):
    order = get_model("order", "Order").objects.filter(pk=row.payload["order"]).first()
    if order is not None:
        orders.review_order(order=order)


@handler("earning.end_rule")
def end_rule(row):
    rule = get_model("loyalty_earning", "Rule").objects.filter(pk=row.payload["rule"]).first()
    if rule is not None:
        versions.settle_end(rule=rule)


@handler("earning.name_rule")
def name_rule(row):
    rule = get_model("loyalty_earning", "Rule").objects.filter(pk=row.payload["rule"]).first()
    if rule is not None:
        rules.settle_name(rule=rule)


@sweeper("earning.orders")
def review_orders() -> int:
    """Review the orders that nobody reviewed since they were placed or moved."""
    done, problem = 0, None
    part = rounds.part("earning.orders", get_model("order", "Order"))
    found = orders.unreviewed(part)
    for order in found:
        try:
            orders.review_order(order=order)
            done += 1
        except Exception as error:
            # One broken order must not keep the others waiting; the light turns red all the same.
            log.exception("Order %s could not be reviewed", order.number)
            problem = error
    if len(found) < orders.MOST:
        part.over()
    if problem is not None:
        raise problem
    return done


def _tell(function):
    def receive(sender, signal, **kwargs):
        try:
            function(**kwargs)
        except Exception:
            log.exception("Booking %s could not be recorded", kwargs.get("reference"))

    return receive


#: Kept here, since signals hold their receivers weakly.
TOLD = {
    name: _tell(getattr(bookings, name))
    for name in ("made", "rescheduled", "attended", "missed", "cancelled", "corrected")
}


def follow_product_review(sender, instance, raw=False, **kwargs):
    """Approved, rejected or deleted: what it brought follows."""
    if not raw:
        payload = {"review": instance.pk, "user": instance.user_id}
        _again("earning.product_review", instance.pk, payload)


def follow_profile(sender, instance, raw=False, **kwargs):
    """A name or an address is there: a profile may be complete now."""
    user = instance.user_id
    fields = kwargs.get("update_fields")
    if hasattr(instance, "number") and not (fields and {"first_name", "last_name"} & set(fields)):
        return
    if not raw and user:
        _again("earning.profile", user, {"user": user})


def _again(kind, key, payload):
    try:
        due.gather(kind=kind, key=str(key), payload=payload)
    except Exception:
        log.exception("No row %s could be left for %s", kind, key)


def connect():
    from oscar.core.loading import get_model as oscar_model

    for signal, name in ((post_save, "saved"), (post_delete, "deleted")):
        signal.connect(
            follow_product_review,
            sender=oscar_model("reviews", "ProductReview"),
            dispatch_uid=f"loyalty_review_{name}",
        )
    address = oscar_model("address", "UserAddress")
    post_save.connect(follow_profile, sender=address, dispatch_uid="loyalty_profile_address")
    member = oscar_model("loyalty_members", "Member")
    post_save.connect(follow_profile, sender=member, dispatch_uid="loyalty_profile_member")

    post_save.connect(follow_order, sender=oscar_model("order", "Order"), dispatch_uid="loyalty_earning_order")
    post_save.connect(follow_line, sender=oscar_model("order", "Line"), dispatch_uid="loyalty_earning_line")
    order_placed.connect(review_placed, dispatch_uid="loyalty_earning_placed")
    order_status_changed.connect(review_moved, dispatch_uid="loyalty_earning_moved")
    order_line_status_changed.connect(review_line, dispatch_uid="loyalty_earning_line_moved")
    for name, receive in TOLD.items():
        getattr(signals, f"booking_{name}").connect(receive, dispatch_uid=f"loyalty_booking_{name}")
