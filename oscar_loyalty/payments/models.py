from oscar.core.loading import is_model_registered

from oscar_loyalty.payments import abstract_models

__all__ = []

if not is_model_registered("loyalty_payments", "PaymentAttempt"):

    class PaymentAttempt(abstract_models.AbstractPaymentAttempt):
        pass

    __all__.append("PaymentAttempt")

if not is_model_registered("loyalty_payments", "Tender"):

    class Tender(abstract_models.AbstractTender):
        pass

    __all__.append("Tender")

if not is_model_registered("loyalty_payments", "Allotment"):

    class Allotment(abstract_models.AbstractAllotment):
        pass

    __all__.append("Allotment")

if not is_model_registered("loyalty_payments", "TenderReturn"):

    class TenderReturn(abstract_models.AbstractTenderReturn):
        pass

    __all__.append("TenderReturn")

if not is_model_registered("loyalty_payments", "Refund"):

    class Refund(abstract_models.AbstractRefund):
        pass

    __all__.append("Refund")

if not is_model_registered("loyalty_payments", "RefundLine"):

    class RefundLine(abstract_models.AbstractRefundLine):
        pass

    __all__.append("RefundLine")

if not is_model_registered("loyalty_payments", "StripeEvent"):

    class StripeEvent(abstract_models.AbstractStripeEvent):
        pass

    __all__.append("StripeEvent")
