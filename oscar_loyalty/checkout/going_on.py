"""Where a checkout goes on after its customer was sent elsewhere to pay: to the order, or back to the basket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.urls import reverse
from oscar.core.loading import get_class

from oscar_loyalty.checkout import cards
from oscar_loyalty.earning import awaited
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import exceptions, links, services

#: Where the session keeps the attempt whose customer was sent elsewhere.
KEY = "loyalty_attempt"


class Elsewhere(BaseException):
    """Carries the news through Oscar's ``submit``, whose ``except Exception`` would take it for a failure."""

    def __init__(self, problem: exceptions.PaymentProblem) -> None:
        self.problem = problem


@contextmanager
def elsewhere() -> Iterator[None]:
    """Another request places this order, or has: not an error of paying, for which Oscar's own handling would reopen
    the basket and blame the card."""
    try:
        yield
    except (exceptions.AlreadyPlaced, exceptions.UnderWay) as problem:
        raise Elsewhere(problem) from problem


def address(attempt: Any, page: str) -> str:
    """Return the signed address of an attempt's page, ``"paid"`` or ``"back"``, in the active language."""
    return reverse(f"loyalty-checkout:{page}", kwargs={"token": links.make(attempt)})


def remember(request: Any, attempt: Any) -> None:
    """Let this visitor be asked what became of the payment when they come back by themselves."""
    request.session[KEY] = str(attempt.uuid)


def unfinished(request: Any) -> Any:
    """Return the attempt that this visitor has left half way, or ``None``; a visitor with another basket goes on."""
    uuid = request.session.get(KEY)
    if uuid is None:
        return None
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.select_related("basket")
    attempt = attempts.filter(uuid=uuid).first()
    if attempt is not None and attempt.state == "placed":
        # By Stripe's message or the sweep: this visitor has not been shown the order. With something in the basket,
        # where to and how may be that of the next checkout already.
        _end(request, addresses=request.basket.is_empty)
        return None
    if not request.basket.is_empty:
        return None
    if attempt is not None and attempt.state == "cancelled":
        basket = attempt.basket
        # It is with the customer already, alone or merged into another.
        if basket is None or basket.status != basket.OPEN or basket.pk == request.basket.pk:
            attempt = None
    if attempt is None:
        del request.session[KEY]
        return None
    return attempt


def payment_page(attempt: Any) -> str:
    """Return the address at which an open attempt can still be paid, or ``""``."""
    tender = services.provider_tender(attempt)
    if attempt.state != "open" or attempt.giving_up or tender is None or not attempt.snapshot.get("redirected"):
        return ""
    return str(tender.detail.get("url", ""))


def show_order(request: Any, order: Any) -> None:
    """Let this visitor see the thank-you page of ``order``, and end the checkout."""
    _end(request)
    request.session["checkout_order_id"] = order.pk
    awaited.expect(request, order)


def _end(request: Any, *, addresses: bool = True) -> None:
    """The order is placed: the next one starts without its points and cards, and without its ``addresses``."""
    cards.forget(request)
    request.session.pop(KEY, None)
    if addresses:
        get_class("checkout.utils", "CheckoutSessionData")(request).flush()


def give_back(request: Any, attempt: Any) -> bool:
    """Make the basket of a cancelled attempt the visitor's own again; return whether there is one to give back."""
    request.session.pop(KEY, None)
    basket = attempt.basket
    if basket is None or basket.status != basket.OPEN:
        return False
    if basket.owner_id is not None and basket.owner_id != request.user.pk:
        return False
    mine = request.basket
    found = mine.pk
    # Looking for the visitor's basket, Oscar has made one of all open ones: this one may be in another by now.
    basket.refresh_from_db(fields=["status"])
    if found == basket.pk or basket.status != basket.OPEN:
        return True
    if request.user.is_authenticated and basket.owner_id is None:
        # A guest's, who has logged in since.
        if found is not None:
            # As Oscar does with what was in the basket before somebody logs in.
            mine.merge(basket, add_quantities=False)
            return True
        basket.owner = request.user
        basket.save(update_fields=["owner"])
    basket.strategy = request.strategy
    if found is not None:
        # What was put into another basket meanwhile stays.
        basket.merge(mine)
    request.basket = request._basket_cache = basket
    # A guest's cookie names the other basket, or none: Oscar writes it anew.
    request.cookies_to_delete.append(settings.OSCAR_BASKET_COOKIE_OPEN)
    return True
