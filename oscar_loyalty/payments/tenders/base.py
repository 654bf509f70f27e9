"""What a tender can do. Each kind is one small class: hold, capture, cancel, refund; a provider's also authorise."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty.payments.exceptions import AttemptClosed


class TenderKind:
    """A way of paying.

    All methods but a provider's run inside the transaction of the attempt or of the order, and ask nobody outside the
    database. Each is safe to run twice.
    """

    #: How it is stored in ``Tender.kind``.
    kind = ""
    #: What Oscar's payment source is called; empty where somebody else records it.
    source = ""
    #: Whether it is money: neither points nor a gift card.
    money = True
    #: Whether its part of the order is paid once the order is placed; else when somebody says so later.
    paid_when_placed = True
    #: Whether there is nobody to ask and nothing to set aside before the order is placed.
    waits_for_nobody = False

    def minimum(self, currency: str) -> Decimal:
        """Return the least that can be paid this way, apart from nothing."""
        return Decimal(0)

    def unit(self, currency: str) -> Decimal:
        """Return the amount of which all that is paid this way is a multiple."""
        return Decimal("0.01")

    def account(self, *, plan: Any, member: Any, card: Any) -> Any:
        """Return the account of the ledger that it is taken from, or ``None``."""
        return None

    def units(self, *, plan: Any, currency: str) -> int:
        """Return what it takes from that account: points, or minor units of a gift card's currency."""
        return 0

    def hold(self, *, attempt: Any, number: int, plan: Any, member: Any, card: Any) -> Any:
        """Set aside what the tender takes, until the attempt's limit, and return the hold (``None``: nothing).

        :raises PaymentProblem: when there is not enough.
        """
        return None

    def capture(self, *, tender: Any, order: Any) -> None:
        """Take what was set aside, in the transaction that places the order; sets the tender's entry and state.

        :raises AttemptClosed: when it is not set aside any more.
        """
        tender.state = "captured"

    def cancel(self, *, tender: Any) -> None:
        """Let go of what was set aside; sets the tender's state."""
        tender.state = "cancelled"

    def debited(self, *, tender: Any) -> Any:
        """Return the part of the amount that Oscar's payment source shows as paid when the order is placed."""
        return tender.amount

    def refund(self, *, tender: Any, units: int, key: str, grace: timedelta, explanation: dict[str, Any]) -> Any:
        """Give ``units`` back and return the ledger's entry (``None`` where the ledger has no part in it)."""
        return None


@dataclass(frozen=True)
class Look:
    """What a provider says of a payment at this moment.

    ``state``: ``"pending"``, the customer may still pay; ``"authorised"``, the money is set aside for us;
    ``"captured"``, it is ours; ``"gone"``, nobody can pay for it any more and nothing is set aside.
    ``amount`` is what is set aside or taken, where there is any; ``detail`` what a person may be shown of it.
    """

    state: str
    reference: str = ""
    amount: Decimal | None = None
    capture_before: datetime | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """Where the customer pays: ``session`` is what the provider calls that page, ``url`` its address."""

    session: str
    url: str
    until: datetime


@dataclass(frozen=True)
class Ways:
    """The addresses of ours to which the provider sends the customer, and what the page needs to know beside."""

    paid: str
    back: str
    email: str = ""
    language: str = ""
    text: str = ""


class Provider(TenderKind):
    """A tender whose money is somebody else's until that somebody has confirmed it.

    These methods ask the provider over the network: never call one inside a transaction. Each is a function of the
    tender as it is stored, and asking again is asking once.

    :raises ProviderDown: when the provider gave no answer; whoever asked tries again later.
    :raises ProviderRefused: when it will never say yes to this.
    """

    paid_when_placed = False

    def capture(self, *, tender: Any, order: Any) -> None:
        """The order is written; its money was set aside before, and is taken right after (:meth:`take`)."""
        if tender.state != "authorised":
            raise AttemptClosed(_("The payment has not been confirmed, so the order could not be placed."))

    def debited(self, *, tender: Any) -> Any:
        return Decimal(0)

    def authorise(self, *, tender: Any, ways: Ways) -> Asked:
        """Ask for the money."""
        raise NotImplementedError

    def look(self, *, tender: Any) -> Look:
        """Return how the payment stands."""
        raise NotImplementedError

    def close(self, *, tender: Any) -> Look:
        """Let nobody pay any more from now on; return how it stands then: somebody may have been quicker."""
        raise NotImplementedError

    def withdraw(self, *, tender: Any) -> Look:
        """Let the money go that was set aside (or was taken meanwhile); return how it stands then."""
        raise NotImplementedError

    def take(self, *, tender: Any) -> Look:
        """Take all of the authorised money, once."""
        raise NotImplementedError

    def give_back(self, *, part: Any) -> str:
        """Give back what a refund owes by a tender (:class:`~oscar_loyalty.payments.sending.Owed`) and return the
        provider's reference.

        Its ``key`` names this try: make the idempotency key of it.
        """
        raise NotImplementedError
