from oscar_loyalty import clock
from oscar_loyalty.due import slices
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.ledger import expiring


@sweeper("ledger.expiries")
def expiries() -> int:
    """Post the expiries and release the holds that are due. Answers do not wait for it; the books become tidy."""
    if (run := expiring.begin(at=clock.now())) is not None:
        slices.share_with_workers(run)
    return expiring.expire_due()
