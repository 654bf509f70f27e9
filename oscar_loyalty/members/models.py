from oscar.core.loading import is_model_registered

from oscar_loyalty.members import abstract_models, abstract_tiers
from oscar_loyalty.members.benefits import TierCondition

__all__ = ["TierCondition"]

if not is_model_registered("loyalty_members", "Programme"):

    class Programme(abstract_models.AbstractProgramme):
        pass

    __all__.append("Programme")

if not is_model_registered("loyalty_members", "Tier"):

    class Tier(abstract_models.AbstractTier):
        pass

    __all__.append("Tier")

if not is_model_registered("loyalty_members", "Member"):

    class Member(abstract_models.AbstractMember):
        pass

    __all__.append("Member")

if not is_model_registered("loyalty_members", "TierChange"):

    class TierChange(abstract_models.AbstractTierChange):
        pass

    __all__.append("TierChange")

if not is_model_registered("loyalty_members", "StatusChange"):

    class StatusChange(abstract_models.AbstractStatusChange):
        pass

    __all__.append("StatusChange")

if not is_model_registered("loyalty_members", "TierScheme"):

    class TierScheme(abstract_tiers.AbstractTierScheme):
        pass

    __all__.append("TierScheme")

if not is_model_registered("loyalty_members", "TierTerm"):

    class TierTerm(abstract_tiers.AbstractTierTerm):
        pass

    __all__.append("TierTerm")

if not is_model_registered("loyalty_members", "TierOffer"):

    class TierOffer(abstract_tiers.AbstractTierOffer):
        pass

    __all__.append("TierOffer")

if not is_model_registered("loyalty_members", "TierReview"):

    class TierReview(abstract_tiers.AbstractTierReview):
        pass

    __all__.append("TierReview")
