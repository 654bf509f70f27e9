from oscar.core.loading import is_model_registered

from oscar_loyalty.earning import abstract_claims, abstract_models, abstract_policy

__all__ = []

if not is_model_registered("loyalty_earning", "Rule"):

    class Rule(abstract_models.AbstractRule):
        pass

    __all__.append("Rule")

if not is_model_registered("loyalty_earning", "RuleVersion"):

    class RuleVersion(abstract_models.AbstractRuleVersion):
        pass

    __all__.append("RuleVersion")

if not is_model_registered("loyalty_earning", "Award"):

    class Award(abstract_models.AbstractAward):
        pass

    __all__.append("Award")

if not is_model_registered("loyalty_earning", "AwardLine"):

    class AwardLine(abstract_models.AbstractAwardLine):
        pass

    __all__.append("AwardLine")

if not is_model_registered("loyalty_earning", "OrderReview"):

    class OrderReview(abstract_models.AbstractOrderReview):
        pass

    __all__.append("OrderReview")

if not is_model_registered("loyalty_earning", "Booking"):

    class Booking(abstract_models.AbstractBooking):
        pass

    __all__.append("Booking")

if not is_model_registered("loyalty_earning", "Adjustment"):

    class Adjustment(abstract_models.AbstractAdjustment):
        pass

    __all__.append("Adjustment")

if not is_model_registered("loyalty_earning", "AdjustmentItem"):

    class AdjustmentItem(abstract_models.AbstractAdjustmentItem):
        pass

    __all__.append("AdjustmentItem")

if not is_model_registered("loyalty_earning", "CustomerNumber"):

    class CustomerNumber(abstract_models.AbstractCustomerNumber):
        pass

    __all__.append("CustomerNumber")

if not is_model_registered("loyalty_earning", "GuestLink"):

    class GuestLink(abstract_claims.AbstractGuestLink):
        pass

    __all__.append("GuestLink")

if not is_model_registered("loyalty_earning", "GuestClaim"):

    class GuestClaim(abstract_claims.AbstractGuestClaim):
        pass

    __all__.append("GuestClaim")

if not is_model_registered("loyalty_earning", "EarningPolicy"):

    class EarningPolicy(abstract_policy.AbstractEarningPolicy):
        pass

    __all__.append("EarningPolicy")
