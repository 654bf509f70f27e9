"""Which messages a member has agreed to, and how a mail lets them change their mind."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.earning import actions
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.consents import Kind, allows, register, token
from oscar_loyalty.messaging.links import absolute
from oscar_loyalty.messaging.registry import consents


def wanted(message: Any) -> bool:
    """Whether the member may get ``message`` now: it needs no consent, or has it."""
    consent = consents.get(message.kind)
    return consent is None or message.member is None or allows(message.member, consent)


def unsubscribe_url(message: Any) -> str:
    """Return the address at which the member withdraws what ``message`` needs; "" where it needs nothing."""
    consent = consents.get(message.kind)
    if consent is None or message.member is None:
        return ""
    return absolute("unsubscribe", message.member.programme.site, token=token(message.member, consent))


def _stop(code: str) -> Any:
    """What waits in the outbox is not sent any more, and says so."""

    def changed(member: Any, given: bool) -> None:
        if given:
            return
        kinds = [kind for kind, consent in consents.items() if consent == code]
        rows = get_model("loyalty_messaging", "Message").objects.filter(member=member, kind__in=kinds)
        rows.filter(state__in=["waiting", "failed", "dead"]).update(state="cancelled")

    return changed


def _news(member: Any, given: bool) -> None:
    """Whoever subscribes gets what the owner gives for it, once; whoever leaves keeps it."""
    _stop("news")(member, given)
    if given:
        actions.perform(member=member, action="newsletter", reference="newsletter")


register(
    Kind(
        "news",
        _("News and offers by e-mail"),
        _("Now and then: what is new, private sales and offers for members. Only if you want it."),
        changed=_news,
    )
)
register(
    Kind(
        "updates",
        _("What you have reached, by e-mail"),
        _("A new tier, a full stamp card, a friend who came by you. Part of your membership, as long as you like it."),
        default=True,
        changed=_stop("updates"),
    )
)
register(
    Kind(
        "reminders",
        _("Reminders by e-mail"),
        _("Before a reward, a stamp card or your tier ends. Without them you may lose something without noticing."),
        default=True,
        changed=_stop("reminders"),
    )
)
