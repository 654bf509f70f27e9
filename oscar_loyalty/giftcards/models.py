from oscar.core.loading import is_model_registered

from oscar_loyalty.giftcards import abstract_models

__all__ = []

if not is_model_registered("loyalty_giftcards", "Denomination"):

    class Denomination(abstract_models.AbstractDenomination):
        pass

    __all__.append("Denomination")

if not is_model_registered("loyalty_giftcards", "GiftCard"):

    class GiftCard(abstract_models.AbstractGiftCard):
        pass

    __all__.append("GiftCard")

if not is_model_registered("loyalty_giftcards", "GiftCardEvent"):

    class GiftCardEvent(abstract_models.AbstractGiftCardEvent):
        pass

    __all__.append("GiftCardEvent")

if not is_model_registered("loyalty_giftcards", "CodeAttempt"):

    class CodeAttempt(abstract_models.AbstractCodeAttempt):
        pass

    __all__.append("CodeAttempt")
