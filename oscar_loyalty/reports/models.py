from oscar.core.loading import is_model_registered

from oscar_loyalty.reports.abstract_files import AbstractExportFile, AbstractExportPiece
from oscar_loyalty.reports.abstract_models import AbstractAuditRun
from oscar_loyalty.reports.abstract_simulation import AbstractSimulatedMember, AbstractSimulation
from oscar_loyalty.reports.abstract_totals import AbstractCounting, AbstractDayTotal, AbstractStanding

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

if not is_model_registered("loyalty_reports", "DayTotal"):

    class DayTotal(AbstractDayTotal):
        pass

    __all__.append("DayTotal")

if not is_model_registered("loyalty_reports", "Counting"):

    class Counting(AbstractCounting):
        pass

    __all__.append("Counting")

if not is_model_registered("loyalty_reports", "Standing"):

    class Standing(AbstractStanding):
        pass

    __all__.append("Standing")

if not is_model_registered("loyalty_reports", "ExportFile"):

    class ExportFile(AbstractExportFile):
        pass

    __all__.append("ExportFile")

if not is_model_registered("loyalty_reports", "ExportPiece"):

    class ExportPiece(AbstractExportPiece):
        pass

    __all__.append("ExportPiece")
