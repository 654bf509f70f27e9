from oscar.core.loading import is_model_registered

from oscar_loyalty.ledger import abstract_models

__all__ = []

if not is_model_registered("loyalty_ledger", "Account"):

    class Account(abstract_models.AbstractAccount):
        pass

    __all__.append("Account")

if not is_model_registered("loyalty_ledger", "Entry"):

    class Entry(abstract_models.AbstractEntry):
        pass

    __all__.append("Entry")

if not is_model_registered("loyalty_ledger", "EntryNote"):

    class EntryNote(abstract_models.AbstractEntryNote):
        pass

    __all__.append("EntryNote")

if not is_model_registered("loyalty_ledger", "Lot"):

    class Lot(abstract_models.AbstractLot):
        pass

    __all__.append("Lot")

if not is_model_registered("loyalty_ledger", "LotUse"):

    class LotUse(abstract_models.AbstractLotUse):
        pass

    __all__.append("LotUse")

if not is_model_registered("loyalty_ledger", "Hold"):

    class Hold(abstract_models.AbstractHold):
        pass

    __all__.append("Hold")

if not is_model_registered("loyalty_ledger", "HoldUse"):

    class HoldUse(abstract_models.AbstractHoldUse):
        pass

    __all__.append("HoldUse")
