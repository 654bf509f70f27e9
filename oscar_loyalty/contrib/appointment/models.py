from oscar.core.loading import is_model_registered

from oscar_loyalty.contrib.appointment import abstract_models

__all__ = []

if not is_model_registered("loyalty_appointment", "ServiceLink"):

    class ServiceLink(abstract_models.AbstractServiceLink):
        pass

    __all__.append("ServiceLink")

if not is_model_registered("loyalty_appointment", "AppointmentState"):

    class AppointmentState(abstract_models.AbstractAppointmentState):
        pass

    __all__.append("AppointmentState")

if not is_model_registered("loyalty_appointment", "SlotClaim"):

    class SlotClaim(abstract_models.AbstractSlotClaim):
        pass

    __all__.append("SlotClaim")
