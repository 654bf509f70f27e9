from oscar.core.loading import is_model_registered

from oscar_loyalty.members import abstract_models

__all__ = []

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
