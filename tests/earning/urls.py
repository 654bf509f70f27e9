"""A shop's view that places an order, for tests of what happens around it."""

import os

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponse
from django.urls import path
from oscar.apps.order.signals import order_placed
from oscar.apps.partner.strategy import Selector
from oscar.core.loading import get_model
from oscar.test.factories import create_order


def place(request):
    """Place an order of one product; ``die`` is the moment at which the process is killed."""
    die = request.GET.get("die")
    user = get_user_model().objects.get(username="rose")
    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = Selector().strategy()
    basket.add_product(get_model("catalogue", "Product").objects.get(title="Shampoo"), 1)
    if die == "commit":
        # With ATOMIC_REQUESTS: before any of the callbacks that the order's own signals register.
        transaction.on_commit(lambda: os._exit(9))
    if die == "signal":
        receivers, order_placed.receivers = order_placed.receivers, []
        order_placed.connect(lambda **kwargs: os._exit(9), weak=False)
        order_placed.receivers += receivers
        order_placed.sender_receivers_cache.clear()
    order = create_order(basket=basket, user=user, number=request.GET["number"])
    return HttpResponse(order.number)


urlpatterns = [path("place/", place)]
