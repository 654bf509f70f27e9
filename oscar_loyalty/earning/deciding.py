"""What orders bring: the rules of their moment, who buys, and what may still be given, asked for many at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from oscar_loyalty import times
from oscar_loyalty.earning import facts
from oscar_loyalty.earning.allowance import Allowance
from oscar_loyalty.earning.awarding import Grant, key_of_order, reference_of_order, tiers_of
from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.earning.engine import Purchase, evaluate
from oscar_loyalty.ledger.books import Ref


class Decider:
    """Decides about orders of ``buyers`` in turn; what one brings counts towards the caps of the next.

    ``placed`` are the moments the orders were placed at, ``given`` those their points are given at. ``rules_at``: the
    rules of this moment hold for all of them, not those of each order's own. ``tier_at`` gives a member's tier at a
    moment, where the caller knows it; ``locked``: they hold the members' locks.
    """

    def __init__(
        self,
        programme: Any,
        buyers: Iterable[Any],
        *,
        placed: Sequence[datetime],
        given: Sequence[datetime],
        rules_at: datetime | None,
        tier_at: Callable[[Any, datetime], Any] | None = None,
        locked: bool = False,
    ) -> None:
        buyers, moments = set(buyers), [rules_at] if rules_at else placed
        self.programme, self.rules_at = programme, rules_at
        self.book = facts.RuleBook(programme, since=min(moments), until=max(moments))
        self._tier_at = tier_at or tiers_of(buyers)
        self._policy = facts.policy_of(programme)
        self._buyers, self._given, self._locked = buyers, given, locked

    @cached_property
    def _circumstances(self) -> Circumstances:
        return Circumstances(self.book, self._buyers)

    @cached_property
    def _allowance(self) -> Allowance:
        # Only now: what is bought has told the book which rules to read.
        return Allowance(self.book, members=self._buyers, moments=self._given, locked=self._locked)

    def grant(
        self,
        bought: Purchase,
        *,
        member: Any,
        order: int,
        number: str,
        placed: datetime,
        at: datetime,
        left_out: Mapping[str, int],
        said: Mapping[str, Any],
    ) -> Grant:
        """Return what an order brings its buyer. ``left_out``: pieces that bring nothing, by the keys of lines."""
        tier = self._tier_at(member, placed)
        purchase = self._circumstances.of(bought, member=member, tier=tier, at=placed, order=order)
        rules = self.book.at(self.rules_at or placed, purchase.lines)
        outcome = evaluate(self._policy, rules, purchase, self._allowance.room(member, at))
        self._allowance.note(member, at, outcome)
        counted = {"counted": dict(outcome.counted)} if len(purchase.lines) > 1 else {}
        return Grant(
            member=member,
            tier=tier,
            outcome=outcome,
            reference=reference_of_order(order),
            key=key_of_order(order),
            source=Ref.of("order", order),
            name=number,
            happened_at=at,
            usable_from=times.days_later(at, self.programme.pending_days),
            expires_at=times.end_of_life(at, self.programme.expiry_months),
            order_lines={line.key: int(line.key) for line in purchase.lines},
            said=dict(said),
            more={"left_out": dict(left_out), **counted},
        )
