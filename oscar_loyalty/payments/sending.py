"""Money that a provider gives back: it waits in the outbox until the provider has said yes or no."""

from typing import Any

from django.db import transaction

from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import oscar_records, tenders
from oscar_loyalty.payments.exceptions import ProviderRefused

#: Kind of the due rows that ask a provider.
GIVE_BACK = "payments.give_back"


def _parts() -> Any:
    return get_model("loyalty_payments", "TenderReturn").objects


def leave(part: Any) -> None:
    """Let the provider be asked to give ``part`` back, as soon as the caller's transaction has committed."""
    due.again(kind=GIVE_BACK, key=str(part.pk), payload={"part": part.pk})


def send(*, pk: int) -> str:
    """Ask the provider to give back the ``TenderReturn`` ``pk``, and return its state then.

    It asks over the network, so it must not run inside a transaction; asked twice, the provider gives once.

    :raises ProviderDown: when there was no answer: ask again later.
    """
    part = _parts().select_related("allotment__tender__attempt", "refund").get(pk=pk)
    if part.state != "waiting":
        return str(part.state)
    reference, error = "", ""
    try:
        reference = tenders.of(part.allotment.tender.kind).give_back(part=part)  # type: ignore[attr-defined]
    except ProviderRefused as refusal:
        error = str(refusal)[:255] or refusal.code
    with transaction.atomic():
        row = _locked(pk)
        if row.state == "waiting":
            row.state, row.reference, row.error = "failed" if error else "done", reference, error
            row.save(update_fields=["state", "reference", "error"])
            if row.state == "done":
                oscar_records.record_return(row)
    return str(row.state)


def _locked(pk: int) -> Any:
    return _parts().select_for_update(of=("self",)).select_related("allotment__tender__attempt", "refund").get(pk=pk)


@transaction.atomic
def try_again(*, part: Any) -> Any:
    """Ask the provider once more for a part that it refused, or that still waits; return the part."""
    row = _locked(part.pk)
    if row.state in ("failed", "waiting"):
        row.state, row.error = "waiting", ""
        row.save(update_fields=["state", "error"])
        leave(row)
    return row


@transaction.atomic
def given_otherwise(*, part: Any, reference: str = "") -> Any:
    """Note that the shop has given back, in its own way, a part that the provider refused; return the part."""
    row = _locked(part.pk)
    if row.state == "failed":
        row.state, row.reference = "done", reference[:255]
        row.save(update_fields=["state", "reference"])
    return row
