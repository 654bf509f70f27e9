from oscar.core.loading import is_model_registered

from oscar_loyalty.privileges import abstract_models

__all__ = []

if not is_model_registered("loyalty_privileges", "EarlyAccess"):

    class EarlyAccess(abstract_models.AbstractEarlyAccess):
        pass

    __all__.append("EarlyAccess")

if not is_model_registered("loyalty_privileges", "GuestPass"):

    class GuestPass(abstract_models.AbstractGuestPass):
        pass

    __all__.append("GuestPass")

if not is_model_registered("loyalty_privileges", "GuestPassEvent"):

    class GuestPassEvent(abstract_models.AbstractGuestPassEvent):
        pass

    __all__.append("GuestPassEvent")
