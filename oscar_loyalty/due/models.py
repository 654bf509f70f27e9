from oscar.core.loading import is_model_registered

from oscar_loyalty.due import abstract_models

__all__ = []

if not is_model_registered("loyalty_due", "Due"):

    class Due(abstract_models.AbstractDue):
        pass

    __all__.append("Due")

if not is_model_registered("loyalty_due", "Heartbeat"):

    class Heartbeat(abstract_models.AbstractHeartbeat):
        pass

    __all__.append("Heartbeat")

if not is_model_registered("loyalty_due", "Round"):

    class Round(abstract_models.AbstractRound):
        pass

    __all__.append("Round")

if not is_model_registered("loyalty_due", "BulkRun"):

    class BulkRun(abstract_models.AbstractBulkRun):
        pass

    __all__.append("BulkRun")

if not is_model_registered("loyalty_due", "BulkSlice"):

    class BulkSlice(abstract_models.AbstractBulkSlice):
        pass

    __all__.append("BulkSlice")
