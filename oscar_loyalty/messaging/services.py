"""The outbox: messages are queued in the transaction of what they tell, and sent by whoever comes by.

A message is sent under the lock of its row and marked in the same transaction, so no two workers send it. If the
process dies after the mail server took it and before the commit, it is sent again: nobody misses a gift card for it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Case, CharField, Exists, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast, Concat, Left, StrIndex
from django.template.loader import render_to_string
from django.utils.translation import override
from django.views.decorators.debug import sensitive_variables

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import asking
from oscar_loyalty.messaging.attachments import Attachment, attach
from oscar_loyalty.messaging.exceptions import DeliveryFailed
from oscar_loyalty.messaging.registry import afterwards, builders, senders, to_members

#: Kind of the due rows that send.
SEND = "messaging.send"


def _model() -> Any:
    return get_model("loyalty_messaging", "Message")


@transaction.atomic
def queue(
    *,
    kind: str,
    key: str,
    to: str,
    language: str = "",
    context: dict[str, Any] | None = None,
    member: Any = None,
    site_id: int | None = None,
    at: datetime | None = None,
) -> Any:
    """Put a message into the outbox, once for each ``key``, to be sent at ``at`` (default: now); return it.

    ``context`` holds ids only: the text is written when it is sent, by the builder of ``kind``. Without an address
    nothing is queued, and ``None`` is returned. ``site_id`` is the Site whose message
    it is; a member's is that of the programme.

    :raises LookupError: when nobody builds messages of this kind.
    """
    if kind not in builders and kind not in senders:
        raise LookupError(f"Nobody builds messages of the kind {kind!r}.")
    if not to:
        return None
    message, _made = _model().objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "to": to,
            "language": language or settings.LANGUAGE_CODE,
            "context": context or {},
            "member": member,
            "site_id": member.programme.site_id if site_id is None and member is not None else site_id,
            "created_at": clock.now(),
        },
    )
    due.leave(kind=SEND, key=str(message.pk), payload={"message": message.pk}, at=at)
    return message


def queue_guest_order(*, link: Any, language: str = "") -> Any:
    """Queue the mail to whoever has placed ``link.order`` without an account, once; return it."""
    key = f"guest_order:{link.pk}"
    return queue(
        kind="guest_order",
        key=key,
        to=link.order.guest_email,
        language=language,
        context={"link": link.pk},
        site_id=link.programme.site_id,
    )


@transaction.atomic
def send(*, message: Any) -> Any:
    """Write a message and send it, unless it was sent before; return it.

    What is no longer true, such as the code of a disabled card, is not sent, nor what the member no longer agrees to,
    nor what has no address any more: the message is then ``cancelled``.

    :raises DeliveryFailed: when it could not be written or sent.
    """
    row = _model().objects.select_for_update(no_key=True).get(pk=message.pk)
    if row.state in ("sent", "cancelled"):
        return row
    try:
        went = _deliver(row)
    except Exception as error:
        failed = DeliveryFailed(_name(error))
    else:
        failed = None
    if failed is not None:
        # Outside of the handler above, so that the first error, which might quote the message, is not chained to it.
        raise failed
    row.state = "sent" if went else "cancelled"
    row.tries, row.error, row.sent_at = row.tries + 1, "", clock.now() if went else None
    row.save(update_fields=["to", "state", "tries", "error", "sent_at"])
    if went and row.kind in afterwards:
        afterwards[row.kind](row)
    return row


@transaction.atomic
def resend(*, message: Any) -> Any:
    """Send a message once more, or one that was given up: written anew, as things stand now. Return it.

    What is written to a member goes to the e-mail they have now, and ``to`` says so at once.
    """
    row = _model().objects.select_for_update(no_key=True).get(pk=message.pk)
    row.state, row.error, row.sent_at = "waiting", "", None
    if row.kind in to_members and row.member is not None:
        # Of whoever was erased, only the goodbye itself still knows the address.
        row.to = row.member.email or row.to
    row.save(update_fields=["to", "state", "error", "sent_at"])
    due.again(kind=SEND, key=str(row.pk), payload={"message": row.pk})
    return row


@dataclass(frozen=True)
class Letter:
    """A message as it is sent; ``to`` is "" where there is nobody to send it to."""

    to: str
    subject: str
    text: str
    html: str
    files: tuple[Attachment, ...] = ()
    unsubscribe_url: str = ""


@sensitive_variables()
def write(message: Any) -> Letter | None:
    """Return what ``message`` says in its language, or ``None`` when there is nothing to say any more."""
    with override(message.language or settings.LANGUAGE_CODE):
        context = builders[message.kind](message)
        if context is None:
            return None
        # The member that the text is about, with the link that is made for their e-mail: never another's address.
        to = context["member"].email if message.kind in to_members else message.to
        context = {"message": message, "unsubscribe_url": asking.unsubscribe_url(message), **context}
        folder = f"oscar_loyalty/messages/{message.kind}"
        subject = " ".join(render_to_string(f"{folder}/subject.txt", context).split())
        text = render_to_string(f"{folder}/body.txt", context).strip() + "\n"
        if context["unsubscribe_url"]:
            text += "\n" + render_to_string("oscar_loyalty/messages/unsubscribe.txt", context).strip() + "\n"
        html = render_to_string(f"{folder}/body.html", {**context, "subject": subject})
        return Letter(to, subject, text, html, tuple(context.get("files", ())), context["unsubscribe_url"])


@sensitive_variables()
def _deliver(message: Any) -> bool:
    if not asking.wanted(message):
        return False
    if message.kind in senders:
        with override(message.language or settings.LANGUAGE_CODE):
            return senders[message.kind](message)
    letter = write(message)
    if letter is None or not letter.to:
        return False
    message.to = letter.to
    headers = {"Auto-Submitted": "auto-generated"}
    if letter.unsubscribe_url:
        # The button that mail programs show: one click, without a page (RFC 8058).
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        letter.subject,
        letter.text,
        getattr(settings, "OSCAR_FROM_EMAIL", None) or settings.DEFAULT_FROM_EMAIL,
        [letter.to],
        headers=headers,
    )
    mail.attach_alternative(letter.html, "text/html")
    for file in letter.files:
        attach(mail, file)
    mail.send()
    return True


def _name(error: Exception) -> str:
    number = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {number}" if isinstance(number, int) else type(error).__name__


@handler(SEND)
def send_due(row: Any) -> None:
    """Send the message of a due row; if that fails, the row tries again later."""
    message = _model().objects.filter(pk=row.payload["message"]).first()
    if message is not None:
        send(message=message)


@sweeper("messaging.outbox")
def follow_due() -> int:
    """Let the outbox show which messages could not be sent so far: that try was rolled back, its due row knows.

    One statement for all, and nothing is written for what is shown already: what was given up stays for ever.
    """
    first_line = Left("last_error", StrIndex(Concat("last_error", Value("\n")), Value("\n")) - 1)
    tried = get_model("loyalty_due", "Due").objects.filter(
        kind=SEND, key=Cast(OuterRef("pk"), CharField()), state__in=["waiting", "dead"], tries__gt=0
    )
    tried = tried.annotate(
        shown=Case(When(state="dead", then=Value("dead")), default=Value("failed")), error=Left(first_line, 255)
    )
    unsent = _model().objects.filter(state__in=["waiting", "failed", "dead"])
    behind = unsent.filter(Exists(tried.exclude(shown=OuterRef("state"), tries=OuterRef("tries"))))
    said = {name: Subquery(tried.values(name)) for name in ("tries", "error")}
    return int(behind.update(state=Subquery(tried.values("shown")), **said))
