"""Members' cards, brought in line with what counts for them; all of it under the locks of members and accounts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.earning import prizes
from oscar_loyalty.earning.stamping import Event, Sheet, Terms, lay
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs
from oscar_loyalty.sql import Database

#: How long before its end a card that is begun is reminded of.
REMIND = timedelta(days=7)
#: Kind of the due rows of these reminders.
REMINDER = "earning.card_ends"
#: Rows handled by one round of the sweep.
SLICE = 200
#: Reminders left by one round of the sweep: one statement, whatever their number.
REMINDERS = 2000


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def terms_of(goal: Any) -> Terms:
    return Terms(
        size=goal.size,
        head_start=goal.head_start,
        head_start_each=goal.head_start_each,
        repeats=goal.repeats,
        days=goal.days,
        until=goal.until,
        ended=goal.ended_at,
    )


def family_of(goal: Any) -> list[Any]:
    """Return the goal with its predecessors and successors, the oldest first, with their steps."""
    rows = _model("Goal").objects.filter(Q(pk=goal.family) | Q(first=goal.family)).order_by("pk")
    return list(rows.select_related("programme").prefetch_related("steps"))


def layout(goals: Sequence[Any], stamps: Iterable[Any]) -> dict[int, list[Sheet]]:
    """Return the cards of one member, by goal: what a goal of the family has counted, its successor does not.

    ``stamps`` are the member's of all the goals, in the order of time.
    """
    by_goal: dict[int, list[Any]] = defaultdict(list)
    for stamp in stamps:
        by_goal[stamp.goal_id].append(stamp)
    used: dict[str, int] = defaultdict(int)
    result: dict[int, list[Sheet]] = {}
    reached = False
    for goal in goals:
        events = [
            Event(stamp.source, stamp.happened_at, max(0, stamp.quantity - stamp.taken_back - used[stamp.source]))
            for stamp in by_goal[goal.pk]
        ]
        # Who has reached an earlier form of what is reached once has reached it.
        sheets = [] if reached and not goal.repeats else lay(terms_of(goal), events)
        for sheet in sheets:
            for key, number, _at in sheet.places:
                used[key] += number
        reached = reached or any(sheet.full_at for sheet in sheets)
        result[goal.pk] = sheets
    return result


@transaction.atomic
def settle(*, goals: Sequence[Any], members: Sequence[Any], keep: bool = False) -> None:
    """Lay out the members' cards of a family of goals anew; give what is reached, take back what no longer is.

    With ``keep`` nothing is taken back: what the cards no longer give was given ahead.

    The caller has locked the members and their accounts. Three queries read everything; what is written is written in
    bulk, but for points, which the ledger books one by one.
    """
    pks = [member.pk for member in members]
    by_member: dict[int, list[Any]] = defaultdict(list)
    rows = _model("Stamp").objects.filter(goal__in=[goal.pk for goal in goals], member__in=pks)
    for stamp in rows.order_by("happened_at", "pk"):
        by_member[stamp.member_id].append(stamp)
    Card, Prize = _model("GoalCard"), _model("GoalPrize")
    cards = {
        (card.member_id, card.goal_id, card.round): card
        for card in Card.objects.filter(goal__in=[goal.pk for goal in goals], member__in=pks)
    }
    known: dict[int, dict[int, Any]] = defaultdict(dict)
    for prize in Prize.objects.filter(card__in=[card.pk for card in cards.values()]).select_related("award"):
        known[prize.card_id][prize.step_id] = prize
    changed_stamps, changed_cards, new_cards, gone = [], [], [], []
    laid: list[tuple[Any, Any, Any, Sheet | None]] = []
    now = clock.now()
    for member in members:
        sheets_of = layout(goals, by_member[member.pk])
        counted: dict[tuple[int, str], int] = defaultdict(int)
        for goal in goals:
            sheets = sheets_of[goal.pk]
            for sheet in sheets:
                for key, number, _at in sheet.places:
                    counted[goal.pk, key] += number
            rounds = [r for (m, g, r) in cards if m == member.pk and g == goal.pk]
            for number in range(1, max([len(sheets), *rounds], default=0) + 1):
                sheet = sheets[number - 1] if number <= len(sheets) else None
                card = cards.get((member.pk, goal.pk, number))
                if card is None and sheet is None:
                    continue
                if sheet is None and card.pk not in known:
                    gone.append(card.pk)
                    continue
                if card is None:
                    card = Card(goal=goal, member=member, round=number)
                    new_cards.append(card)
                elif _differs(card, sheet, now):
                    changed_cards.append(card)
                _write(card, sheet, now)
                laid.append((member, goal, card, sheet))
        for stamp in by_member[member.pk]:
            if stamp.counted != counted[stamp.goal_id, stamp.source]:
                stamp.counted = counted[stamp.goal_id, stamp.source]
                changed_stamps.append(stamp)
    if gone:
        Card.objects.filter(pk__in=gone).delete()
    if new_cards:
        Card.objects.bulk_create(new_cards, batch_size=500)
    if changed_cards:
        fields = ["head_start", "count", "state", "started_at", "ends_at", "full_at"]
        Card.objects.bulk_update(changed_cards, fields, batch_size=200)
    if changed_stamps:
        _model("Stamp").objects.bulk_update(changed_stamps, ["counted"], batch_size=200)
    for member, goal, card, sheet in laid:
        _settle_prizes(member, goal, card, sheet, known[card.pk], keep)


def _state(sheet: Sheet, now: Any) -> str:
    if sheet.full_at is not None:
        return "full"
    return "expired" if sheet.ends_at is not None and sheet.ends_at <= now else "open"


def _values(card: Any, sheet: Sheet | None, now: Any) -> tuple[Any, ...]:
    if sheet is None:
        # Everything on it was returned; it stays for the prizes it gave.
        return (0, 0, "open", card.started_at, card.ends_at, None)
    return (sheet.head_start, sheet.count, _state(sheet, now), sheet.started_at, sheet.ends_at, sheet.full_at)


def _differs(card: Any, sheet: Sheet | None, now: Any) -> bool:
    present = (card.head_start, card.count, card.state, card.started_at, card.ends_at, card.full_at)
    return present != _values(card, sheet, now)


def _write(card: Any, sheet: Sheet | None, now: Any) -> None:
    (card.head_start, card.count, card.state, card.started_at, card.ends_at, card.full_at) = _values(card, sheet, now)


def _settle_prizes(member: Any, goal: Any, card: Any, sheet: Sheet | None, known: dict[int, Any], keep: bool) -> None:
    for step in goal.steps.all():
        at = sheet.reached(step.after) if sheet is not None else None
        prize = known.get(step.pk)
        if at is None:
            if prize is not None and prize.state == "given" and (keep or prize.ahead):
                _note_ahead(prize, True)
            elif prize is not None and prize.state == "given":
                prize.card, prize.step = card, step
                prizes.take(prize)
                prize.save()
            elif prize is not None and prize.state == "owed":
                prize.state = "taken"
                prize.save()
            continue
        if prize is not None and prize.state == "given":
            _note_ahead(prize, False)
            continue
        if prize is None:
            prize = _model("GoalPrize")(card=card, step=step, reached_at=at)
            prize.save()
        prize.card, prize.step, prize.reached_at, prize.state = card, step, at, "owed"
        card.goal = goal
        prizes.give(prize, member=member)
        prize.save()


def _note_ahead(prize: Any, ahead: bool) -> None:
    if prize.ahead != ahead:
        prize.ahead = ahead
        prize.save(update_fields=["ahead"])


@sweeper("earning.goals")
def look_after() -> int:
    """Close cards whose time is over, remind of those that end soon, give what was owed to members on hold."""
    now = clock.now()
    Card = _model("GoalCard")
    done = Card.objects.filter(state="open", ends_at__lte=now).update(state="expired")
    done += _leave_reminders(now)
    owed = _model("GoalPrize").objects.filter(
        state="owed", card__member__status="active", card__member__programme__is_active=True
    )
    for member, goal in owed.order_by().values_list("card__member", "card__goal").distinct()[:SLICE]:
        with transaction.atomic():
            current = lock_heirs([member], accounts=True)[member]
            settle(goals=family_of(_model("Goal").objects.get(pk=goal)), members=[current])
        done += 1
    return int(done)


def _leave_reminders(now: datetime) -> int:
    """Leave word of cards that are begun and end soon, once for each card and end."""
    Card, Due = _model("GoalCard"), get_model("loyalty_due", "Due")
    db = Database(Due)
    ends = "CAST(card.ends_at AT TIME ZONE 'UTC' AS text)" if db.is_postgresql else "card.ends_at"
    return due.leave_selected(
        kind=REMINDER,
        key="$key",
        payload={"card": "card.id"},
        source="""
            FROM $cards card JOIN $goals goal ON goal.id = card.goal_id
            WHERE card.state = %s AND card.ends_at > %s AND card.ends_at <= %s AND card.count > 0 AND NOT goal.hidden
            AND NOT EXISTS (SELECT 1 FROM $dues left_before WHERE left_before.kind = %s AND left_before.key = $key)
            ORDER BY card.ends_at, card.id LIMIT $most
        """,
        params=[Card.OPEN, db.moment(now), db.moment(now + REMIND), REMINDER],
        names={
            "cards": db.table(Card),
            "goals": db.table(_model("Goal")),
            "dues": db.table(Due),
            "key": f"card.id || ':' || REPLACE({ends}, ' ', 'T') || '+00:00'",
            "most": REMINDERS,
        },
        at=now,
    )
