from oscar.core.loading import is_model_registered

from oscar_loyalty.reports.abstract_models import AbstractAuditRun
from oscar_loyalty.reports.abstract_simulation import AbstractSimulatedMember, AbstractSimulation

__all__ = []

if not is_model_registered("loyalty_reports", "AuditRun"):

    class AuditRun(AbstractAuditRun):
        pass

    __all__.append("AuditRun")

if not is_model_registered("loyalty_reports", "Simulation"):

    class Simulation(AbstractSimulation):
        pass

    __all__.append("Simulation")

if not is_model_registered("loyalty_reports", "SimulatedMember"):

    class SimulatedMember(AbstractSimulatedMember):
        pass

    __all__.append("SimulatedMember")
