"""The ways of paying, by the name that ``Tender.kind`` stores."""

from oscar_loyalty.payments.tenders.base import Look, Provider, TenderKind
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


for _class in (PointsLine, Points, GiftCard, OnSite, Shop, Later):
    register(_class())

__all__ = ["Look", "Provider", "TenderKind", "of", "register"]
