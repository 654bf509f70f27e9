from oscar.core.loading import is_model_registered

from oscar_loyalty.rewards import abstract_models
from oscar_loyalty.rewards.conditions import OwnVoucher

__all__ = ["OwnVoucher"]

if not is_model_registered("loyalty_rewards", "Reward"):

    class Reward(abstract_models.AbstractReward):
        pass

    __all__.append("Reward")

if not is_model_registered("loyalty_rewards", "Claim"):

    class Claim(abstract_models.AbstractClaim):
        pass

    __all__.append("Claim")

if not is_model_registered("loyalty_rewards", "RewardPolicy"):

    class RewardPolicy(abstract_models.AbstractRewardPolicy):
        pass

    __all__.append("RewardPolicy")

if not is_model_registered("loyalty_rewards", "RewardCode"):

    class RewardCode(abstract_models.AbstractRewardCode):
        pass

    __all__.append("RewardCode")
