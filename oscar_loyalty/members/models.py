from oscar.core.loading import is_model_registered

from oscar_loyalty.members import (
    abstract_models,
    abstract_privacy,
    abstract_proposals,
    abstract_sharing,
    abstract_tiers,
)
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

if not is_model_registered("loyalty_members", "TierProposal"):

    class TierProposal(abstract_proposals.AbstractTierProposal):
        pass

    __all__.append("TierProposal")

if not is_model_registered("loyalty_members", "TierProposalMove"):

    class TierProposalMove(abstract_proposals.AbstractTierProposalMove):
        pass

    __all__.append("TierProposalMove")

if not is_model_registered("loyalty_members", "SharingPolicy"):

    class SharingPolicy(abstract_sharing.AbstractSharingPolicy):
        pass

    __all__.append("SharingPolicy")

if not is_model_registered("loyalty_members", "Transfer"):

    class Transfer(abstract_sharing.AbstractTransfer):
        pass

    __all__.append("Transfer")

if not is_model_registered("loyalty_members", "Household"):

    class Household(abstract_sharing.AbstractHousehold):
        pass

    __all__.append("Household")

if not is_model_registered("loyalty_members", "HouseholdMember"):

    class HouseholdMember(abstract_sharing.AbstractHouseholdMember):
        pass

    __all__.append("HouseholdMember")

if not is_model_registered("loyalty_members", "HouseholdInvitation"):

    class HouseholdInvitation(abstract_sharing.AbstractHouseholdInvitation):
        pass

    __all__.append("HouseholdInvitation")

if not is_model_registered("loyalty_members", "Consent"):

    class Consent(abstract_privacy.AbstractConsent):
        pass

    __all__.append("Consent")

if not is_model_registered("loyalty_members", "DataExport"):

    class DataExport(abstract_privacy.AbstractDataExport):
        pass

    __all__.append("DataExport")

if not is_model_registered("loyalty_members", "Departure"):

    class Departure(abstract_privacy.AbstractDeparture):
        pass

    __all__.append("Departure")
