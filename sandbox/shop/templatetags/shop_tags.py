"""Tags for the sandbox's own templates."""

from django import template
from django.urls import reverse, translate_url
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

from oscar_loyalty.privileges import access
from sandbox.shop import selectors

register = template.Library()


@register.simple_tag(takes_context=True)
def page_in(context, language):
    """Return the address of the page being shown, in ``language``."""
    page = context.get("page")
    if hasattr(page, "get_translations"):  # a page of the club may have another slug in each language
        translation = page.get_translations(inclusive=True).filter(locale__language_code=language).live().first()
        if translation:
            return translation.get_url(context.get("request"))
    request = context.get("request")
    return translate_url(request.get_full_path(), language) if request else "/"


@register.simple_tag
def calendar_service(product):
    """Return the calendar's service behind ``product``, or ``None`` for one that cannot be booked."""
    return selectors.booking_service(product)


@register.simple_tag
def booking_url(product):
    """Return where ``product`` is booked, or nothing for one that is not a service."""
    service = selectors.booking_service(product)
    return reverse("appointment:appointment_request", args=[service.pk]) if service else ""


@register.simple_tag(takes_context=True)
def may_book(context, product):
    """Whether this visitor may book ``product`` now: it may be for members first."""
    return access.viewer(request=context.get("request")).gate(product).allowed


@register.filter
def minutes(duration):
    """Return a duration as whole minutes."""
    return int(duration.total_seconds() // 60)


@register.filter
def status_in_words(html, order):
    """Say the status of ``order`` in the reader's language: Oscar shows the word of the database."""
    if not order.status:
        return html
    said = f"<p>{escape(gettext(order.status))}</p>"
    # Oscar's own page, which is safe already.
    return mark_safe(html.replace(f"<p>{escape(order.status)}</p>", said, 1))  # noqa: S308  # nosec B308 B703
