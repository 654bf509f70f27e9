from oscar.core.loading import is_model_registered

from oscar_loyalty.reports.abstract_models import AbstractAuditRun

__all__ = []

if not is_model_registered("loyalty_reports", "AuditRun"):

    class AuditRun(AbstractAuditRun):
        pass

    __all__.append("AuditRun")
