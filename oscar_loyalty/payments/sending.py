"""Money that a provider gives back: it waits in the outbox until the provider has said yes or no."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import oscar_records, tenders
from oscar_loyalty.payments.exceptions import ProviderDown, ProviderRefused

#: Kind of the due rows that ask a provider.
GIVE_BACK = "payments.give_back"
#: How the references of parts begin that the shop has given back in its own way.
OTHERWISE = "otherwise"
#: References of parts that no provider has to give back: the money was never taken, or the customer's bank gave it.
NEVER_TAKEN, BY_THE_BANK = "never taken", "by the bank"


def _parts() -> Any:
    return get_model("loyalty_payments", "TenderReturn").objects


@dataclass(frozen=True)
class Owed:
    """What a refund owes by one tender, to be given back in one go: the sum of its parts, under the first one's
    ``pk`` and ``key``."""

    pk: int
    key: str
    amount: Decimal
    allotment: Any
    refund: Any


def leave(part: Any) -> None:
    """Let the provider be asked for what ``part``'s refund owes by its tender, once the caller has committed."""
    key = f"{part.refund_id}:{part.allotment.tender_id}"
    due.again(kind=GIVE_BACK, key=key, payload={"part": part.pk})


def send(*, pk: int) -> str:
    """Ask the provider for all that the refund of the ``TenderReturn`` ``pk`` owes by its tender; return how it ended.

    It asks over the network, so it must not run inside a transaction; asked twice, the provider gives once.

    :raises ProviderDown: when there was no answer: ask again later.
    """
    rows = _parts().select_related("allotment__tender__attempt", "refund")
    part = rows.get(pk=pk)
    tender = part.allotment.tender
    # All parts of a refund by one tender are written together, and wait, fail and end together (``_locked_of``): who
    # asks for them twice at once asks for the same amount under the same key.
    group = list(rows.filter(refund=part.refund_id, allotment__tender=tender, state="waiting").order_by("pk"))
    if part.state != "waiting" or not group:
        return str(part.state)
    if tender.state == "authorised":
        raise ProviderDown("The money is set aside, and not ours yet: it is given back once it was taken.")
    if tender.state != "captured":
        close(tender=tender, reference=NEVER_TAKEN)
        return "done"
    first = group[0]
    amount = sum((row.amount for row in group), Decimal(0))
    owed = Owed(first.pk, first.key, amount, first.allotment, first.refund)
    reference, error = "", ""
    try:
        reference = tenders.of(tender.kind).give_back(part=owed)  # type: ignore[attr-defined]
    except ProviderRefused as refusal:
        error = str(refusal)[:255] or refusal.code
    asked = {(row.pk, row.key) for row in group}
    with transaction.atomic():
        for row in _locked_of(part.refund, tender):
            # What has been asked anew meanwhile, under another key, has an answer of its own to come.
            if row.state == "waiting" and (row.pk, row.key) in asked:
                row.state, row.reference, row.error = "failed" if error else "done", reference, error
                row.save(update_fields=["state", "reference", "error"])
                if row.state == "done":
                    oscar_records.record_return(row)
    return "failed" if error else "done"


def _locking() -> Any:
    return _parts().select_for_update(of=("self",)).select_related("allotment__tender__attempt", "refund")


def _locked(pk: int) -> Any:
    return _locking().get(pk=pk)


def _locked_of(refund: Any, tender: Any) -> list[Any]:
    """Return all parts of ``refund`` by ``tender``, locked: they go from one state to the next together."""
    return list(_locking().filter(refund=refund, allotment__tender=tender).order_by("pk"))


@transaction.atomic
def try_again(*, refund: Any, tender: Any) -> int:
    """Ask the provider once more for what ``refund`` owes by ``tender``: for the parts that still wait, or, where none
    do, for those that it refused. Return how many these are.

    What was refused is asked under another ``key``, which whoever asks makes the provider's idempotency key of.
    """
    rows = _locked_of(refund, tender)
    owed = [row for row in rows if row.state == "waiting"]
    if not owed:
        owed = [row for row in rows if row.state == "failed"]
        for row in owed:
            # Another name: a provider answers what it was asked before under the same name as it did then.
            stem, _mark, number = row.key.partition(":again:")
            row.state, row.error, row.key = "waiting", "", f"{stem}:again:{int(number or 0) + 1}"
            row.save(update_fields=["state", "error", "key"])
    if owed:
        leave(owed[0])
    return len(owed)


@transaction.atomic
def bounced(*, reference: str, error: str) -> int:
    """What a provider had given back has not arrived after all: the parts of that reference failed. Return how many."""
    done = 0
    for pk in _parts().filter(reference=reference, state="done").order_by("pk").values_list("pk", flat=True):
        row = _locked(pk)
        if row.state == "done":
            oscar_records.unrecord_return(row)
            row.state, row.error = "failed", error[:255]
            row.save(update_fields=["state", "error"])
            done += 1
    return done


@transaction.atomic
def close(*, tender: Any, reference: str) -> int:
    """Nobody owes anything by ``tender`` any more: the parts that wait, or that its provider refused, are done without
    it. ``reference`` says why. Return how many.
    """
    owed = _parts().filter(allotment__tender=tender, state__in=["waiting", "failed"]).order_by("pk")
    done = 0
    for pk in owed.values_list("pk", flat=True):
        row = _locked(pk)
        if row.state != "done":
            row.state, row.reference, row.error = "done", reference, ""
            row.save(update_fields=["state", "reference", "error"])
            done += 1
    return done


@transaction.atomic
def given_otherwise(*, refund: Any, tender: Any, actor: Ref = NOBODY) -> int:
    """Note that the shop has given back, in its own way, what the provider of ``tender`` refused to give for
    ``refund``; return how many parts these are.

    Their ``reference``, which is otherwise the provider's, then names the ``actor``, if there is one:
    "otherwise:user:5".
    """
    refused = [row for row in _locked_of(refund, tender) if row.state == "failed"]
    for row in refused:
        row.state, row.reference = "done", ":".join(filter(None, (OTHERWISE, actor.type, actor.id)))
        row.save(update_fields=["state", "reference"])
    return len(refused)
