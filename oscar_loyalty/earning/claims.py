"""All writes of guest orders: the links that are sent, and taking what waits, once."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import get_language

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import guests, orders
from oscar_loyalty.earning.exceptions import AskedAlready, MembershipRests, NotProven, OrderTaken
from oscar_loyalty.giftcards import buyers
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.members.exceptions import ProgrammeClosed

#: How long to wait before a link to the same address is asked for again, and how often in a day: nobody's mailbox is
#: to be flooded.
PAUSE, DAILY = timedelta(minutes=10), 3
#: Orders taken by one press of the button; more than anybody has. What is left waits for the next press.
MOST = 50


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@transaction.atomic
def link_for(*, order: Any, programme: Any) -> Any:
    """Return the link that brings ``order`` to whoever reads the mail sent to its address; always the same one."""
    email = order.guest_email.strip().lower()
    defaults = {"programme": programme, "nonce": uuid4().hex, "made_at": clock.now()}
    return _model("GuestLink").objects.get_or_create(order=order, email=email, defaults=defaults)[0]


@transaction.atomic
def ask(*, user: Any, programme: Any) -> Any:
    """Have a link for all guest orders of the account's address sent there, if there are any; return the link.

    Nothing here tells whether there are: what is sent is found out by the due row's handler.

    :raises AskedAlready: when that was asked a moment ago, or too often today.
    """
    # Two windows of one customer take turns.
    user = get_user_model().objects.select_for_update(of=("self",)).get(pk=user.pk)
    email, now = (user.email or "").strip().lower(), clock.now()
    before = _model("GuestLink").objects.filter(email=email, order__isnull=True, made_at__gt=now - timedelta(days=1))
    made = list(before.values_list("made_at", flat=True))
    if len(made) >= DAILY or any(at > now - PAUSE for at in made):
        raise AskedAlready
    link = _model("GuestLink").objects.create(
        programme=programme, nonce=uuid4().hex, email=email, asked_by=user, made_at=now
    )
    due.leave(kind="earning.guest_address", key=str(link.pk), payload={"link": link.pk, "language": get_language()})
    return link


@transaction.atomic
def claim(*, link: Any, user: Any) -> list[Any]:
    """Bring what waits behind ``link`` to ``user``, who has opened it; return the claims. Again by the same: the same.

    The address of the link is proven to be the user's from then on. Who is no member becomes one.

    :raises OrderTaken: when somebody else was faster, or has used the link.
    :raises ProgrammeClosed: while the programme is not open.
    :raises MembershipRests: when the user's membership is on hold or closed.
    """
    row = (
        _model("GuestLink").objects.select_for_update(of=("self",)).select_related("programme", "order").get(pk=link.pk)
    )
    if row.used_at is not None:
        if row.used_by_id != user.pk:
            raise OrderTaken
        return list(row.claims.select_related("order", "member"))
    if row.order_id is not None:
        found = [row.order] if guests.is_of(row.order, row.email, row.programme) else []
        source = "order"
    else:
        found = list(guests.guest_orders([row.email], row.programme)[:MOST])
        source = "address"
    taken = _take(found, programme=row.programme, user=user, emails=[row.email], source=source, link=row)
    if row.order_id is not None and not taken:
        raise OrderTaken
    row.used_by, row.used_at = user, clock.now()
    row.save(update_fields=["used_by", "used_at"])
    return taken


@transaction.atomic
def claim_proven(*, user: Any, programme: Any) -> list[Any]:
    """Bring all guest orders of the addresses that ``user`` has proven lately to ``user``; return the new claims.

    :raises NotProven: when there is no such address.
    :raises ProgrammeClosed: while the programme is not open.
    :raises MembershipRests: when the user's membership is on hold or closed.
    """
    emails = sorted(guests.proven(user, programme))
    if not emails:
        raise NotProven
    found = list(guests.guest_orders(emails, programme)[:MOST])
    return _take(found, programme=programme, user=user, emails=emails, source="proven")


def _take(
    found: Iterable[Any], *, programme: Any, user: Any, emails: list[str], source: str, link: Any = None
) -> list[Any]:
    if not programme.is_active:
        raise ProgrammeClosed(programme.name)
    found = sorted(found, key=lambda order: order.pk)
    if not found:
        return []
    # The reviews first, as whoever reviews an order does, and all of them before any member: they and we take turns,
    # and so do two buttons of one customer.
    orders.locked_reviews([order.pk for order in found])
    member = _member(programme, user, emails)
    claims = [_take_one(order, member=member, user=user, emails=emails, source=source, link=link) for order in found]
    return [claim for claim in claims if claim is not None]


def _member(programme: Any, user: Any, emails: list[str]) -> Any:
    own = members.member_for(user, programme)
    if own is None:
        # Who has read the mailbox also has the membership that was opened with its address alone.
        alone = next(filter(None, (guests.membership_for(user, email, programme) for email in emails)), None)
        if alone is not None:
            own = member_services.attach_user(member=alone, user=user)
    if own is None:
        own = member_services.join(programme=programme, user=user, source="guest")
    if not own.can_earn:
        raise MembershipRests(own.number)
    return own


def _take_one(order: Any, *, member: Any, user: Any, emails: list[str], source: str, link: Any) -> Any:
    done = _model("GuestClaim").objects.filter(order=order.pk).select_related("order", "member").first()
    if done is not None:
        return done if done.member_id == member.pk else None
    rows = guests.placed_with(emails, member.programme).filter(pk=order.pk)
    if not rows.update(user=user):
        return None
    row = get_model("order", "Order").objects.get(pk=order.pk)
    claim = _model("GuestClaim")(
        order=row, member=member, email=row.guest_email.strip().lower(), source=source, link=link
    )
    claim.claimed_at = clock.now()
    claim.save()
    buyers.take_over(order=row, user=user)
    orders.review_order(order=row)
    return claim
