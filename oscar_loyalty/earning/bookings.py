"""What a calendar tells us: the contract between a booking app and the programme.

Made gives pending points; attended makes them usable after the programme's delay; missed and cancelled take them back;
corrected sets right what was told wrongly. Every function takes the calendar's own, unique ``reference``; telling the
same thing twice changes nothing. The calls may arrive in any order, also before :func:`made`: what happened later wins.
Nothing happens in the future: a ``happened_at`` that is still to come is now.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import facts, followers, linking
from oscar_loyalty.earning.allowance import Allowance
from oscar_loyalty.earning.awarding import Grant, give, mark_back, take_back, tiers_of
from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.earning.engine import evaluate
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.locking import lock_heirs

STATES = ("made", "attended", "missed", "cancelled")


@transaction.atomic
def made(
    *,
    reference: str,
    service: Any,
    starts_at: datetime | None,
    member: Any = None,
    user: Any = None,
    email: str = "",
    price: Decimal | None = None,
    currency: str = "",
    order_line: Any = None,
    source: str = "",
    programme: Any = None,
    happened_at: datetime | None = None,
) -> Any:
    """Record a booking and give its pending points; return the booking.

    ``service`` is a product, or a title where the service is none. Whose it is: ``member``, ``user``, or the member
    with ``email``; nobody's booking is recorded and earns nothing. Without a price, points per piece and per visit
    still come. ``order_line`` says which line of an order paid for it; without, one of the same customer and service is
    looked for.

    :raises ValueError: when the site has no programme.
    """
    at = clock.past(happened_at)
    booking = _get(reference, programme or (member.programme if member else None), at)
    if booking.made_at is not None:
        return booking
    product = None if isinstance(service, str) else service
    booking.product = product
    booking.title = (product.get_title() if product else service)[:255]
    booking.member = member or _member(booking.programme, user, email)
    booking.price, booking.currency = price, currency or booking.programme.currency
    booking.starts_at = booking.starts_at or starts_at
    booking.source, booking.made_at = source[:32], at
    if order_line is None and booking.member is not None:
        # Members come before the lines of their orders, as whoever reviews an order takes them.
        lock_heirs([booking.member.pk])
    line = order_line or linking.line_for(booking)
    booking.order_line = line
    booking.save()
    _settle(booking)
    if line is not None:
        # The order's own award, if it was made already, leaves this piece to the booking from now on.
        _review(line.order_id)
    return booking


@transaction.atomic
def rescheduled(*, reference: str, starts_at: datetime, happened_at: datetime | None = None) -> Any:
    """Move a booking to another time; return it."""
    at = clock.past(happened_at)
    booking = _get(reference, None, at)
    if booking.moved_at is None or booking.moved_at <= at:
        booking.starts_at, booking.moved_at = starts_at, at
        booking.save(update_fields=["starts_at", "moved_at"])
    return booking


def attended(*, reference: str, happened_at: datetime | None = None) -> Any:
    """The customer came (``happened_at``: when the visit was): the points become usable after the delay."""
    return _move(reference, "attended", happened_at)


def missed(*, reference: str, happened_at: datetime | None = None) -> Any:
    """The customer did not come: the points are taken back."""
    return _move(reference, "missed", happened_at)


def cancelled(*, reference: str, happened_at: datetime | None = None) -> Any:
    """The booking was called off: the points are taken back."""
    return _move(reference, "cancelled", happened_at)


def corrected(*, reference: str, state: str, happened_at: datetime | None = None) -> Any:
    """Set the state right ("made", "attended", "missed", "cancelled"), whatever was told before; return the booking.

    ``happened_at`` is when the state came about, such as the time of the visit; the points count from then.

    :raises ValueError: for another state.
    """
    return _move(reference, state, happened_at, force=True)


@transaction.atomic
def _move(reference: str, state: str, happened_at: datetime | None, *, force: bool = False) -> Any:
    if state not in STATES:
        raise ValueError(f"A booking cannot be {state!r}.")
    at = clock.past(happened_at)
    booking = _get(reference, None, at)
    # A time that is still to come says nothing new of a state that is so already.
    untimed = happened_at is None or happened_at > at or at == booking.state_at
    same = booking.state == state and (not force or untimed)
    if same or (at < booking.state_at and not force and booking.state != "made"):
        return booking
    booking.state, booking.state_at = state, at
    booking.save(update_fields=["state", "state_at"])
    _settle(booking)
    if booking.order_line_id:
        _review(booking.order_line.order_id)
    return booking


def _review(order: int) -> None:
    due.again(kind="earning.review_order", key=str(order), payload={"order": order})


def _get(reference: str, programme: Any, at: datetime) -> Any:
    """Return the booking, locked; one that we hear of for the first time is opened, its details to follow."""
    rows = get_model("loyalty_earning", "Booking").objects
    locked = rows.select_for_update(of=("self",)).select_related("programme", "member", "product", "award__entry")
    found = locked.filter(reference=reference).first()
    if found is not None:
        return as_locked(found)
    programme = programme or members.programme_of()
    if programme is None:
        raise ValueError("This site has no loyalty programme.")
    try:
        with transaction.atomic():
            rows.create(programme=programme, reference=reference, state="made", state_at=at, recorded_at=clock.now())
    except IntegrityError:
        # Somebody else told us in the same moment.
        pass
    return as_locked(locked.get(reference=reference))


def _member(programme: Any, user: Any, email: str) -> Any:
    found = members.member_for(user, programme) if user is not None else None
    if found is None and email:
        rows = get_model("loyalty_members", "Member").objects.filter(programme=programme, email__iexact=email.strip())
        alone = list(rows.filter(merged_into__isnull=True).select_related("account", "tier", "programme")[:2])
        # Two people with one e-mail: better nobody than the wrong one.
        found = alone[0] if len(alone) == 1 else None
    return found


def _settle(booking: Any) -> None:
    """Bring the points in line with the booking's state."""
    if booking.made_at is None or booking.member is None:
        return
    award = get_model("loyalty_earning", "Award").objects.select_for_update(of=("self",))
    current = award.select_related("entry", "programme").filter(pk=booking.award_id).first()
    alive = current is not None and (current.points == 0 or current.clawed_back < current.points)
    if booking.state in ("missed", "cancelled"):
        if alive:
            mark_back(award=current, spent_back=current.spent, void=True)
            detail = {"why": booking.state, "source": "booking", "number": booking.title, "lines": [booking.title]}
            key = f"clawback:booking:{booking.pk}:{booking.rounds}"
            take_back(award=current, target=current.points, key=key, explanation=detail, happened_at=booking.state_at)
    elif not alive:
        _award(booking)
    else:
        mark_back(award=current, spent_back=Decimal(0), void=False)
        _retime(booking, current)


def _terms(booking: Any) -> tuple[datetime | None, datetime | None]:
    """Return from when and until when the points are good; nobody knows before the visit."""
    if booking.state != "attended":
        return None, None
    programme = booking.programme
    usable_from = booking.state_at + timedelta(hours=programme.booking_delay_hours)
    return usable_from, times.end_of_life(booking.state_at, programme.expiry_months)


def _award(booking: Any) -> None:
    booking.member = lock_heirs([booking.member_id])[booking.member_id]
    programme, member = booking.programme, booking.member
    if not programme.is_active or not member.can_earn:
        return
    if member.joined_at > booking.made_at or booking.made_at < programme.started_at:
        return
    if members.rests([member])(member, booking.made_at):
        return
    tier = tiers_of([member])(member, booking.made_at)
    book = facts.RuleBook(programme, since=booking.made_at)
    purchase = facts.booking_purchase(booking, book)
    # The slots of boosters are about when the customer comes, the rules are those of when they booked.
    purchase = Circumstances(book, [member]).of(
        purchase, member=member, tier=tier, at=booking.starts_at or booking.made_at, booking=booking
    )
    counted_at = booking.made_at if booking.rounds == 0 else booking.state_at
    room = Allowance(book, members=[member], moments=[counted_at]).room(member, counted_at)
    outcome = evaluate(facts.policy_of(programme), book.at(booking.made_at, purchase.lines), purchase, room)
    usable_from, expires_at = _terms(booking)
    booking.rounds += 1
    prefix = "booking" if booking.rounds == 1 else f"booking-{booking.rounds}"
    (booking.award,) = give(
        [
            Grant(
                member=member,
                tier=tier,
                outcome=outcome,
                reference=f"{prefix}:{booking.reference}",
                key=f"award:booking:{booking.pk}:{booking.rounds}",
                source=Ref.of("booking", booking.pk),
                name=booking.title,
                happened_at=counted_at,
                usable_from=usable_from,
                expires_at=expires_at,
                order_lines={"booking": booking.order_line_id} if booking.order_line_id else {},
                more={"reference": booking.reference},
            )
        ]
    )
    booking.save(update_fields=["award", "rounds"])


def _retime(booking: Any, award: Any) -> None:
    usable_from, expires_at = _terms(booking)
    if award.usable_from == usable_from:
        return
    if award.entry is None:
        _note_terms(award, usable_from)
        return
    if usable_from is None:
        # It was not attended after all, but is still to come: the points wait again, in another award.
        detail = {"why": "corrected", "source": "booking", "number": booking.title, "lines": [booking.title]}
        key = f"clawback:booking:{booking.pk}:{booking.rounds}"
        mark_back(award=award, spent_back=award.spent, void=True)
        take_back(award=award, target=award.points, key=key, explanation=detail, happened_at=booking.state_at)
        _award(booking)
        return
    # A visit may be put back to where it was: each time is another.
    before = get_model("loyalty_ledger", "Entry").objects.filter(
        kind="matured", source_type=award.entry.source_type, source_id=award.entry.source_id
    )
    books.mature(
        entry=award.entry,
        key=f"attended:booking:{booking.pk}:{booking.rounds}:{before.count()}",
        usable_from=usable_from,
        expires_at=expires_at,
        explanation={"why": "attended", "source": "booking", "number": booking.title},
        happened_at=booking.state_at,
    )
    _note_terms(award, usable_from)


def _note_terms(award: Any, usable_from: datetime | None) -> None:
    award.usable_from = usable_from
    award.save(update_fields=["usable_from"])
    followers.tell_moved(award)
