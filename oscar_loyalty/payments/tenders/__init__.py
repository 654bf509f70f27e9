"""The ways of paying, by the name that ``Tender.kind`` stores."""

from oscar_loyalty.payments.tenders.base import Asked, Look, Provider, TenderKind, Ways
from oscar_loyalty.payments.tenders.money import Later, OnSite, Shop
from oscar_loyalty.payments.tenders.own import GiftCard, Points, PointsLine

_kinds: dict[str, TenderKind] = {}


def register(kind: TenderKind) -> TenderKind:
    """Let tenders of ``kind.kind`` be paid by this class; the last one registered counts. Return it."""
    _kinds[kind.kind] = kind
    return kind


def of(kind: str) -> TenderKind:
    """Return the class of a kind.

    :raises LookupError: when nobody knows it.
    """
    return _kinds[kind]


def provider(kind: str) -> Provider:
    """Return the class of a kind that is paid through somebody who is asked over the network.

    :raises LookupError: when it is not such a kind.
    """
    found = of(kind)
    if not isinstance(found, Provider):
        raise LookupError(f"Tenders of the kind {kind!r} have no provider.")
    return found


def providers() -> list[str]:
    """Return the kinds that are paid through somebody who is asked over the network."""
    return [kind for kind in _kinds if is_provider(kind)]


def is_provider(kind: str) -> bool:
    """Return whether tenders of this kind are paid through somebody who is asked over the network."""
    return isinstance(_kinds.get(kind), Provider)


for _class in (PointsLine, Points, GiftCard, OnSite, Shop, Later):
    register(_class())

__all__ = ["Asked", "Look", "Provider", "TenderKind", "Ways", "is_provider", "of", "provider", "providers", "register"]
