from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.ledger import books


@sweeper("ledger.expiries")
def expiries() -> int:
    """Post the expiries and release the holds that are due. Answers do not wait for it; the books become tidy."""
    return books.expire_due()
