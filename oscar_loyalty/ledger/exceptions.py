"""What the ledger refuses."""


class LedgerError(Exception):
    """The ledger refuses; nothing has been written."""


class KeyConflict(LedgerError):
    """The key has been used already, for something else."""


class InsufficientUnits(LedgerError):
    """There are not enough usable units; ``missing`` says how many more it takes."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} units are missing.")
        self.missing = missing


class HoldClosed(LedgerError):
    """The hold has been captured, released, or has run past its limit."""


class Blocked(LedgerError):
    """Units that must be taken back have been spent, and the caller asked to refuse in that case."""


class ImmutableEntry(LedgerError):
    """Entries are never changed or deleted."""
