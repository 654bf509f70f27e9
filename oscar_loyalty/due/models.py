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
