from oscar.core.loading import is_model_registered

from oscar_loyalty.wallet import abstract_models

__all__ = []

if not is_model_registered("loyalty_wallet", "WalletPass"):

    class WalletPass(abstract_models.AbstractWalletPass):
        pass

    __all__.append("WalletPass")

if not is_model_registered("loyalty_wallet", "Registration"):

    class Registration(abstract_models.AbstractRegistration):
        pass

    __all__.append("Registration")
