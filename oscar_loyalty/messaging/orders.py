"""The confirmation of an order: Oscar's own message, with how the order was paid, sent by Oscar's own dispatcher.

So a template that the shop has edited counts, and so does its own ``OrderDispatcher``; the order keeps its
communication event and the customer the mail, as if the view had sent it.
"""

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from oscar.core.loading import get_class

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.messaging.links import absolute, root
from oscar_loyalty.messaging.registry import sender
from oscar_loyalty.payments import selectors as payments

log = logging.getLogger("oscar_loyalty")
EVENT = "ORDER_PLACED"
FOLDER = "oscar_loyalty/messages/order_placed"


@sender("order_placed")
def send_confirmation(message: Any) -> bool:
    """Send the confirmation of the order that ``message`` is about, unless there is nobody left to send it to."""
    orders = get_model("order", "Order").objects.select_related("user", "site")
    order = orders.filter(pk=message.context["order"]).first()
    if order is None or not order.email:
        return False
    dispatcher = get_class("order.utils", "OrderDispatcher")(logger=log)
    dispatcher.dispatch_order_messages(order, write(order), EVENT)
    return True


def write(order: Any) -> dict[str, str]:
    """Return Oscar's message about ``order`` in the active language: ``subject``, ``body``, ``html`` and ``sms``.

    The templates get ``loyalty_paid_text`` and ``loyalty_paid_html``, how the order was paid, beside Oscar's own
    context. Where a template does not show it, it stands at the end.
    """
    site = order.site or default_site()
    paid = {"order": order, "paid": payments.paid_with(order), "programme": _programme(order)}
    text = render_to_string(f"{FOLDER}/paid.txt", paid).strip()
    html = render_to_string(f"{FOLDER}/paid.html", paid).strip()
    url = _status_url(order, site)
    messages = get_model("communication", "CommunicationEventType").objects.get_and_render(
        EVENT,
        {
            "user": order.user or AnonymousUser(),
            "order": order,
            "lines": order.lines.all(),
            "site": site,
            "request": None,
            "status_path": url.removeprefix(root(site)),
            "status_url": url,
            # Plain text is not escaped.
            "loyalty_paid_text": mark_safe(text),  # noqa: S308  # nosec B308 B703
            "loyalty_paid_html": SafeString(html),  # nosec B703
        },
    )
    # Oscar's own templates make the address of the order themselves, with a scheme that few shops have set.
    plain = f"{settings.OSCAR_URL_SCHEMA}://{site.domain}{url.removeprefix(root(site))}"
    for name in ("body", "html"):
        messages[name] = messages[name].replace(plain, url)
    if paid["paid"]:
        if messages["body"] and text not in messages["body"]:
            messages["body"] = f"{messages['body'].rstrip()}\n\n{text}\n"
        if messages["html"] and html not in messages["html"]:
            before, end, after = messages["html"].rpartition("</body>")
            messages["html"] = f"{before}{html}{end}{after}" if end else messages["html"] + html
    return messages


def _status_url(order: Any, site: Any) -> str:
    if order.user_id:
        return absolute("order", site, order_number=order.number)
    return absolute("guest_order", site, order_number=order.number, hash=order.verification_hash())


def _programme(order: Any) -> Any:
    return order.payment_attempt.member.programme if order.payment_attempt.member_id else None
