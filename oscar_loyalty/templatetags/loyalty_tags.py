"""Tags for the shop's own templates. None of them ever breaks a page: an error is logged, and nothing is shown."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import Any

from django import template
from django.db import connection, transaction
from django.template.base import Parser, Token
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from oscar_loyalty import times
from oscar_loyalty.checkout import going_on
from oscar_loyalty.earning import guests
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import designs
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.members import selectors as members
from oscar_loyalty.money import Money, format_money
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.payments import services as payment_services
from oscar_loyalty.payments.planning import NOT_MONEY
from oscar_loyalty.storefront import selectors as storefront

log = logging.getLogger("oscar_loyalty")
register = template.Library()

#: An order with more refunds than this shows the newest.
MOST_REFUNDS = 25


@contextmanager
def _savepoint() -> Iterator[None]:
    """A failed query must not take the shop's own transaction with it; a tag that asks nothing makes no savepoint."""
    begun = False
    with ExitStack() as stack:

        def ask(execute: Any, *query: Any) -> Any:
            nonlocal begun
            if not begun:
                begun = True
                stack.enter_context(transaction.atomic())
            return execute(*query)

        with connection.execute_wrapper(ask):
            yield


def careful(otherwise: Any = "", *, queries: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``otherwise`` where the tag fails; ``queries``: whether it asks the database at all."""

    def decorate(tag: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(tag)
        def inner(*args: Any, **kwargs: Any) -> Any:
            try:
                with _savepoint() if queries and connection.in_atomic_block else nullcontext():
                    return tag(*args, **kwargs)
            except Exception:
                log.exception("The tag %s failed", tag.__name__)
                return otherwise

        return inner

    return decorate


def render(context: Any, name: str, **data: Any) -> str:
    """Render one of our partials with ``data``, and with what every page has."""
    page = context.template.engine.get_template(f"oscar_loyalty/partials/{name}.html")
    shared = {key: context.get(key) for key in ("request", "user", "csrf_token")}
    return str(page.render(context.new({**shared, **data})))


@register.simple_tag(takes_context=True)
@careful(queries=False)
def loyalty_styles(context):
    """Link the style sheet, once for each page."""
    request = context.get("request")
    if request is not None:
        if getattr(request, "_loyalty_styles", False):
            return ""
        request._loyalty_styles = True
    return format_html('<link rel="stylesheet" href="{}">', static("oscar_loyalty/loyalty.css"))


@register.filter
@careful(None, queries=False)
def last_day(end):
    """The day to show for an end that is not part of what it ends: ``{{ lot.expires_at|last_day|date }}``."""
    return times.last_day(end)


@register.simple_tag(takes_context=True)
@careful(queries=False)
def loyalty_points(context, number):
    """Write a number of points in the programme's own words: "1,000 petals"."""
    programme = context.get("programme")
    if not hasattr(programme, "points_label"):
        programme = members.programme_for(request=context.get("request"))
    return programme.points_label(int(number)) if programme else str(number)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_balance(context, css="nav-link"):
    """Link to the member pages with what can be spent now; nothing for others."""
    request = context["request"]
    member = members.member_of_request(request)
    if member is None or member.status == "closed":
        return ""
    return render(context, "balance", programme=member.programme, usable=members.usable_of_request(request), css=css)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_earn_product(context, product):
    """Say what one piece of ``product`` brings, and why."""
    preview = earning.preview_product(product, context["request"])
    return _earn(context, preview)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_earn_basket(context):
    """Say what the basket brings, line by line, and why; at checkout, less what points and gift cards pay of it."""
    request = context["request"]
    paid = storefront.paid_by_line(request.basket, context.get("loyalty_plan"), _basket_points(request))
    shipping, total = context.get("shipping_charge"), context.get("order_total")
    whole = total.incl_tax if total is not None and total.is_tax_known else None
    preview = earning.preview_basket(request.basket, request, shipping=shipping, total=whole, paid=paid)
    return _earn(context, preview, lines=True)


def _earn(context: Any, preview: Any, **data: Any) -> str:
    if preview is None or not preview.points:
        return ""
    return render(context, "earn", preview=preview, programme=preview.programme, **data)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_earn_order(context, order):
    """Say what a placed order brings, and from when on."""
    preview = earning.preview_order(order)
    if preview is None or not preview.points:
        return ""
    return render(context, "earned", preview=preview, programme=preview.programme)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_keep_order(context, order):
    """Say to whoever has ordered as a guest how the points and gift cards of ``order`` come to an account."""
    programme = members.programme_for(site=order.site)
    if programme is None or order.user_id is not None or not order.guest_email:
        return ""
    (waiting,) = guests.waiting([order], programme)
    if not waiting:
        return ""
    return render(context, "keep", programme=programme, waiting=waiting, order=order)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_order_summary(context, order):
    """Say how a placed order was paid, and what it brings."""
    paid = payments.paid_with(order)
    preview = earning.preview_order(order)
    brings = preview is not None and preview.points
    if not brings and not any(part.kind in NOT_MONEY for part in paid):
        return ""
    return render(
        context,
        "order_summary",
        order=order,
        paid=paid,
        preview=preview if brings else None,
        programme=members.programme_of_order(order) or (preview.programme if preview else None),
    )


@register.simple_tag(takes_context=True)
@careful()
def loyalty_order_cards(context, order):
    """Show the gift cards that an order bought, with how they are taxed; nothing, where it bought none."""
    cards = list(giftcards.cards_of_order(order))
    return render(context, "order_cards", order=order, cards=cards) if cards else ""


@register.simple_tag(takes_context=True)
@careful()
def loyalty_order_payment(context, order):
    """A table of what paid a placed order and what went back, for the dashboard's page of it."""
    paid = payments.paid_with(order)
    if not paid:
        return ""
    page = context.template.engine.get_template("oscar_loyalty/dashboard/partials/order_payment.html")
    return str(page.render(context.new({"order": order, "paid": paid, "programme": members.programme_of_order(order)})))


@register.simple_tag
@careful(otherwise=[])
def loyalty_paid_with(order):
    """Return how an order was paid, for a shop's own markup."""
    return payments.paid_with(order)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_refunds(context, order):
    """Show a customer what was refunded of an order, and where it went."""
    rows = list(payments.refunds_of(order)[:MOST_REFUNDS])
    for refund in rows:
        refund.backs = payments.backs(refund.returns.all())
    return render(context, "refunds", refunds=[refund for refund in rows if refund.amount], order=order)


def _basket_points(request: Any) -> storefront.BasketPoints:
    """Several tags of a page ask for it, while nothing is written any more."""
    if not hasattr(request, "_loyalty_basket_points"):
        request._loyalty_basket_points = storefront.points_of_basket(request)
    return request._loyalty_basket_points


@register.simple_tag(takes_context=True)
@careful()
def loyalty_basket_giftcards(context):
    """Show the gift cards of the basket, each with its switch between points and money."""
    points = _basket_points(context["request"])
    return render(context, "basket_giftcards", points=points, programme=points.programme) if points.lines else ""


@register.simple_tag(takes_context=True)
@careful()
def loyalty_basket_back(context):
    """Offer the basket of a payment that this visitor has left half way."""
    request = context["request"]
    attempt = going_on.unfinished(request)
    if attempt is None or payment_services.provider_tender(attempt) is None:
        return ""
    return render(context, "basket_back", page=going_on.address(attempt, "paid"), open=attempt.state == "open")


@register.simple_tag(takes_context=True)
@careful()
def loyalty_basket_covered(context):
    """Rows for a table of totals: what points and gift cards pay, and what is left."""
    points, plan, total = _basket_points(context["request"]), context.get("loyalty_plan"), context.get("order_total")
    if total is None or not total.is_tax_known or points.problem:
        return ""
    cards = Money(plan.cards, points.covered.currency) if plan is not None else None
    at_rate = plan.at_rate if plan is not None else None
    if not points.used and not cards and at_rate is None:
        return ""
    rest = plan.money if plan is not None else total.incl_tax - points.covered.amount
    rest = Money(rest, points.covered.currency)
    rate = (at_rate.points, Money(at_rate.amount, points.covered.currency)) if at_rate is not None else None
    return render(context, "totals", points=points, rate=rate, cards=cards, rest=rest, programme=points.programme)


@register.simple_tag(takes_context=True)
@careful(otherwise=None)
def loyalty_basket_points(context):
    """Return how the basket's gift cards are paid: ``used``, ``missing``, ``problem``."""
    return _basket_points(context["request"])


@register.simple_tag(takes_context=True)
@careful()
def loyalty_join_tick(context):
    """A tick for the registration form; its name is ``loyalty_join``."""
    request = context["request"]
    programme = members.programme_for(request=request)
    if programme is None or programme.auto_enrol:
        return ""
    # Whoever comes from a button that says so wants to join.
    given = request.POST if request.method == "POST" else request.GET
    ticked = bool(given.get("loyalty_join"))
    return render(context, "join_tick", programme=programme, ticked=ticked)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_join(context, source="account"):
    """An invitation to join for whoever is no member; ``source`` says where: account, checkout, giftcards, club."""
    request = context["request"]
    programme = members.programme_for(request=request)
    if programme is None or members.member_of_request(request) is not None:
        return ""
    return render(context, "join", programme=programme, source=source, next=request.get_full_path())


@register.simple_tag
@careful(queries=False)
def loyalty_money(amount, currency):
    """Write an amount as the shop writes its prices."""
    return format_money(amount, currency)


@register.simple_tag
@careful(otherwise=False)
def loyalty_is_giftcard(product):
    """Whether ``product`` is a gift card."""
    return giftcards.is_giftcard(product)


@register.tag
def loyalty_plain_lines(parser: Parser, token: Token) -> "PlainLinesNode":
    """``{% loyalty_plain_lines lines %}…{% endloyalty_plain_lines %}``: gift cards read as people say it.

    Oscar writes a line's options behind its title as they are stored ("Pay with points = 'True'"). Within the block,
    that is replaced by whom the card is for.
    """
    _name, lines = token.split_contents()
    content = parser.parse(["endloyalty_plain_lines"])
    parser.delete_first_token()
    return PlainLinesNode(parser.compile_filter(lines), content)


class PlainLinesNode(template.Node):
    def __init__(self, lines: Any, nodelist: Any) -> None:
        self.lines, self.nodelist = lines, nodelist

    def render(self, context: Any) -> str:
        text = self.nodelist.render(context)
        lines = self.lines.resolve(context, ignore_failures=True) or []
        return mark_safe(_plain(text, lines))  # noqa: S308  # nosec B308 B703


@careful(otherwise=None)
def _plain_titles(lines: Iterable[Any]) -> list[tuple[str, str]]:
    found = []
    for line in lines:
        if giftcards.is_giftcard(line.product):
            options = giftcards.line_options(line)
            title = getattr(line, "title", "") or line.product.get_title()
            if options.amount is not None:
                currency = getattr(line, "price_currency", "") or line.order.currency
                title = _("Gift card %(value)s") % {"value": format_money(options.amount, currency)}
            parts = [title, options.recipient_name]
            if options.recipient_name and options.deliver_on is not None:
                parts.append(date_format(options.deliver_on))
            if options.design:
                parts.append(designs.get(options.design).name)
            plain = " · ".join(str(part) for part in parts if part)
            found.append((str(conditional_escape(line.description)), str(conditional_escape(plain))))
    return found


def _plain(text: str, lines: Iterable[Any]) -> str:
    for written, plain in _plain_titles(lines() if callable(lines) else lines) or []:
        text = text.replace(written, plain)
    return text
