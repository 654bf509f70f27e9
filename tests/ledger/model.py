"""The ledger once more, as plainly as can be: lists in memory, no lock, no query, nothing shared with the books.

It is what the books are compared with. Written from their docstrings, so that both can only agree if both are right.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FAR = datetime.max


class Refused(Exception):
    """The operation must raise the ledger's exception of this name, and change nothing."""

    def __init__(self, name, missing=None):
        super().__init__(name)
        self.name, self.missing = name, missing


@dataclass(eq=False)
class Lot:
    account: int
    earning: str
    """Key of the entry by which these units first came into the books."""
    remaining: int
    start: datetime | None
    end: datetime | None
    held: int = 0

    @property
    def free(self):
        return self.remaining - self.held

    def alive(self, at):
        return self.end is None or self.end > at

    def started(self, at):
        return self.start is not None and self.start <= at

    def shown(self):
        return self.remaining, self.held, self.start, self.end


@dataclass(eq=False)
class Hold:
    account: int
    parts: list[tuple[Lot, int]]
    until: datetime
    state: str = "open"

    @property
    def units(self):
        return sum(units for _, units in self.parts)


@dataclass(eq=False)
class Entry:
    account: int
    units: int
    parts: list[tuple[Lot, int]] = field(default_factory=list)
    returned: int = 0
    clawed: int = 0
    """What was asked back of an earning, and of that, what had not expired."""
    asked: int = 0


@dataclass
class Books:
    """All accounts. ``entries`` are those that can be undone or given other times, by key."""

    book: dict[int, int] = field(default_factory=dict)
    debt: dict[int, int] = field(default_factory=dict)
    into: dict[int, int] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    expired: dict[tuple[int, str], int] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    def open(self, account):
        self.book[account] = self.debt[account] = 0

    def attempt(self, operation, *args):
        """Run one operation; what is refused leaves no trace."""
        before = deepcopy(self.__dict__)
        try:
            return getattr(self, operation)(*args)
        except Refused:
            self.__dict__.update(before)
            raise

    # What is common

    def home(self, account):
        while account in self.into:
            account = self.into[account]
        return account

    def trail(self, account):
        found = [account]
        while found[-1] in self.into:
            found.append(self.into[found[-1]])
        return found

    def once(self, key, *content):
        """Say whether the key has been used already for the same."""
        if key in self.keys and self.keys[key] != content:
            raise Refused("KeyConflict")
        repeated = key in self.keys
        self.keys[key] = content
        return repeated

    def due(self, at, *accounts):
        for account in {step for one in accounts for step in self.trail(one)}:
            # One after the other: who owes pays from what is free first.
            for hold in sorted(self.holds.values(), key=lambda hold: hold.until):
                if hold.account == account and hold.state == "open" and hold.until <= at:
                    self.free(hold)
            for lot in self.lots:
                if lot.account == account and not lot.alive(at) and lot.free:
                    name = account, lot.earning
                    self.expired[name] = self.expired.get(name, 0) + lot.free
                    self.book[account] -= lot.free
                    lot.remaining = lot.held

    def free(self, hold, state="released"):
        hold.state = state
        for lot, units in hold.parts:
            lot.held -= units
        if state == "released":
            for lot, _ in hold.parts:
                self.pay(lot)

    def found(self, account, at, pending=False):
        """Lots of the account that can be taken from, in the order in which they are."""
        lots = [lot for lot in self.lots if lot.account == account and lot.free and lot.alive(at)]
        lots = [lot for lot in lots if pending or lot.started(at)]
        return self.in_order(lots)

    def in_order(self, lots):
        def naive(moment):
            return moment.replace(tzinfo=None) if moment else FAR

        return sorted(lots, key=lambda lot: (naive(lot.end), naive(lot.start), self.lots.index(lot)))

    def choose(self, account, units, at):
        lots = self.found(account, at)
        missing = units + self.debt[account] - sum(lot.free for lot in lots)
        if missing > 0:
            raise Refused("InsufficientUnits", missing)
        chosen = []
        for lot in lots:
            part = min(lot.free, units)
            units -= part
            if part:
                chosen.append((lot, part))
        return chosen

    def pay(self, lot):
        """Whoever owes has nothing free: what comes, comes back, or comes free pays first, whatever its dates."""
        paid = min(lot.free, self.debt[lot.account])
        self.debt[lot.account] -= paid
        lot.remaining -= paid

    def bring(self, account, earning, units, start, end):
        self.lots.append(Lot(account, earning, units, start, end))
        self.pay(self.lots[-1])

    # The operations

    def earn(self, account, units, key, start, end, at, kind="earn"):
        if self.once(key, "earn", account, units, kind):
            return
        home = self.home(account)
        self.due(at, account)
        self.book[home] += units
        self.entries[key] = Entry(account, units)
        self.bring(home, key, units, start, end)

    def earn_many(self, earnings):
        for earning in earnings:
            self.earn(*earning)

    def spend(self, account, units, key, at, kind="spend"):
        if self.once(key, "spend", account, units, kind):
            return
        home = self.home(account)
        self.due(at, account)
        chosen = self.choose(home, units, at)
        for lot, part in chosen:
            lot.remaining -= part
        self.book[home] -= units
        self.entries[key] = Entry(home, -units, chosen)

    def hold(self, account, units, key, until, at):
        if self.once(f"hold {key}", account, units):
            return
        home = self.home(account)
        self.due(at, account)
        chosen = self.choose(home, units, at)
        for lot, part in chosen:
            lot.held += part
        self.holds[key] = Hold(home, chosen, until)

    def capture(self, name, key, at):
        hold = self.holds[name]
        if self.once(key, "capture", name):
            return
        if hold.state != "open" or hold.until <= at:
            raise Refused("HoldClosed")
        self.due(at, hold.account)
        self.free(hold, "captured")
        for lot, part in hold.parts:
            lot.remaining -= part
        self.book[hold.account] -= hold.units
        self.entries[key] = Entry(hold.account, -hold.units, hold.parts)

    def release(self, name, at):
        hold = self.holds[name]
        if hold.state == "captured":
            raise Refused("HoldClosed")
        self.due(at, hold.account)
        if hold.state == "open":
            self.free(hold)
            self.due(at, hold.account)

    def reverse(self, name, units, key, policy, grace, at):
        entry = self.entries[name]
        if self.once(key, "reverse", name, units):
            return
        self.due(at, entry.account)
        left = abs(entry.units) - entry.asked - entry.returned
        units = left if units is None else units
        if units > left:
            raise Refused("ValueError")
        if entry.units > 0:
            self.claw_back(name, entry, units, policy, at)
        else:
            self.give_back(entry, units, grace, at)

    def claw_back(self, name, entry, units, policy, at):
        trail = self.trail(entry.account)
        home = trail[-1]
        gone = sum(self.expired.get((account, name), 0) for account in trail)
        entry.asked += units
        units = max(0, min(units, entry.units - gone - entry.clawed))
        entry.clawed += units
        own = [lot for lot in self.found(home, at, pending=True) if lot.earning == name]
        others = [lot for lot in self.found(home, at, pending=True) if lot.earning != name]
        for lot in own + others:
            part = min(lot.free, units)
            lot.remaining -= part
            self.book[home] -= part
            units -= part
        if units and policy == "block":
            raise Refused("Blocked")
        if policy == "debt":
            self.debt[home] += units
            self.book[home] -= units

    def give_back(self, entry, units, grace, at):
        home = self.home(entry.account)
        self.book[home] += units
        # As if the smaller spend had been made: of what was taken, the last goes back first.
        skip = entry.returned
        entry.returned += units
        for lot, taken in reversed(entry.parts):
            passed = min(skip, taken)
            skip -= passed
            part = min(taken - passed, units)
            units -= part
            if not part:
                continue
            end = lot.end if lot.alive(at) else at + grace
            if lot.account == home:
                lot.remaining += part
                lot.end = end
                self.pay(lot)
            else:
                self.bring(home, lot.earning, part, lot.start, end)

    def transfer(self, source, target, units, key, at):
        if self.once(key, "transfer", source, target, units):
            return
        giver, taker = self.home(source), self.home(target)
        if giver == taker:
            raise Refused("ValueError")
        self.due(at, source, target)
        self.move(giver, taker, self.choose(giver, units, at))

    def move(self, giver, taker, chosen):
        for lot, part in chosen:
            lot.remaining -= part
            self.book[giver] -= part
            self.book[taker] += part
            self.bring(taker, lot.earning, part, lot.start, lot.end)

    def merge(self, source, target, key, at):
        if self.once(f"merge {key}", source, target):
            return
        giver, taker = self.home(source), self.home(target)
        if giver == taker:
            del self.keys[f"merge {key}"]
            if source == target:
                raise Refused("ValueError")
            return
        self.due(at, source, target)
        if any(hold.account == giver and hold.state == "open" for hold in self.holds.values()):
            raise Refused("Blocked")
        self.move(giver, taker, [(lot, lot.free) for lot in self.found(giver, at, pending=True)])
        debt = self.debt[giver]
        self.book[giver] += debt
        self.book[taker] -= debt
        self.debt[taker] += debt
        self.debt[giver] = 0
        for lot in self.found(taker, at, pending=True):
            self.pay(lot)
        self.into[giver] = taker

    def retime(self, name, key, kind, at, times):
        entry = self.entries[name]
        if self.once(key, kind, name):
            return
        self.due(at, entry.account)
        for lot in self.lots:
            if lot.account == self.home(entry.account) and lot.earning == name and lot.remaining:
                for side, moment in times.items():
                    setattr(lot, side, moment)
        self.due(at, entry.account)

    def expire_due(self, at):
        self.due(at, *self.book)

    # What it says

    def balance(self, account, at):
        lots = [lot for lot in self.lots if lot.account == account and lot.remaining and lot.alive(at)]
        open_holds = [hold for hold in self.holds.values() if hold.state == "open" and hold.account == account]
        held = {id(lot): 0 for lot in lots}
        for hold in open_holds:
            if hold.until > at:
                for lot, units in hold.parts:
                    held[id(lot)] = held.get(id(lot), 0) + units
        usable = sum(lot.remaining - held[id(lot)] for lot in lots if lot.started(at))
        ends = sorted({lot.end for lot in lots if lot.started(at) and lot.end})
        return {
            "usable": max(0, usable - self.debt[account]),
            "pending": sum(lot.remaining - held[id(lot)] for lot in lots if not lot.started(at)),
            "held": sum(held.values()),
            "debt": self.debt[account],
            "book": self.book[account],
            "next_expiry": (
                (ends[0], sum(lot.remaining for lot in lots if lot.started(at) and lot.end == ends[0]))
                if ends
                else None
            ),
        }

    def open_lots(self, account):
        lots = [lot for lot in self.lots if lot.account == account and lot.remaining]
        return [lot.shown() for lot in self.in_order(lots)]
