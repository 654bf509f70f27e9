from oscar.core.loading import is_model_registered

from oscar_loyalty.earning import (
    abstract_actions,
    abstract_claims,
    abstract_drafts,
    abstract_goals,
    abstract_models,
    abstract_policy,
    abstract_referrals,
)

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
if not is_model_registered("loyalty_earning", "Goal"):

    class Goal(abstract_goals.AbstractGoal):
        pass

    __all__.append("Goal")

if not is_model_registered("loyalty_earning", "GoalStep"):

    class GoalStep(abstract_goals.AbstractGoalStep):
        pass

    __all__.append("GoalStep")

if not is_model_registered("loyalty_earning", "GoalCard"):

    class GoalCard(abstract_goals.AbstractGoalCard):
        pass

    __all__.append("GoalCard")

if not is_model_registered("loyalty_earning", "Stamp"):

    class Stamp(abstract_goals.AbstractStamp):
        pass

    __all__.append("Stamp")

if not is_model_registered("loyalty_earning", "GoalPrize"):

    class GoalPrize(abstract_goals.AbstractGoalPrize):
        pass

    __all__.append("GoalPrize")
if not is_model_registered("loyalty_earning", "ActionRule"):

    class ActionRule(abstract_actions.AbstractActionRule):
        pass

    __all__.append("ActionRule")

if not is_model_registered("loyalty_earning", "MemberProfile"):

    class MemberProfile(abstract_actions.AbstractMemberProfile):
        pass

    __all__.append("MemberProfile")

if not is_model_registered("loyalty_earning", "ReferralScheme"):

    class ReferralScheme(abstract_referrals.AbstractReferralScheme):
        pass

    __all__.append("ReferralScheme")

if not is_model_registered("loyalty_earning", "Invitation"):

    class Invitation(abstract_referrals.AbstractInvitation):
        pass

    __all__.append("Invitation")

if not is_model_registered("loyalty_earning", "Referral"):

    class Referral(abstract_referrals.AbstractReferral):
        pass

    __all__.append("Referral")

if not is_model_registered("loyalty_earning", "ReferralReward"):

    class ReferralReward(abstract_referrals.AbstractReferralReward):
        pass

    __all__.append("ReferralReward")

if not is_model_registered("loyalty_earning", "ReferralDevice"):

    class ReferralDevice(abstract_referrals.AbstractReferralDevice):
        pass

    __all__.append("ReferralDevice")


if not is_model_registered("loyalty_earning", "Draft"):

    class Draft(abstract_drafts.AbstractDraft):
        pass

    __all__.append("Draft")

if not is_model_registered("loyalty_earning", "DraftItem"):

    class DraftItem(abstract_drafts.AbstractDraftItem):
        pass

    __all__.append("DraftItem")
