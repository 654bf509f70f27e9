from oscar.core.loading import is_model_registered

from oscar_loyalty.giftcards import abstract_batches, abstract_models

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

if not is_model_registered("loyalty_giftcards", "ExpiryPolicy"):

    class ExpiryPolicy(abstract_batches.AbstractExpiryPolicy):
        pass

    __all__.append("ExpiryPolicy")

if not is_model_registered("loyalty_giftcards", "GiftCardBatch"):

    class GiftCardBatch(abstract_batches.AbstractGiftCardBatch):
        pass

    __all__.append("GiftCardBatch")

if not is_model_registered("loyalty_giftcards", "GiftCardBatchEvent"):

    class GiftCardBatchEvent(abstract_batches.AbstractGiftCardBatchEvent):
        pass

    __all__.append("GiftCardBatchEvent")

if not is_model_registered("loyalty_giftcards", "CustomAmount"):

    class CustomAmount(abstract_models.AbstractCustomAmount):
        pass

    __all__.append("CustomAmount")

if not is_model_registered("loyalty_giftcards", "RetiredCode"):

    class RetiredCode(abstract_models.AbstractRetiredCode):
        pass

    __all__.append("RetiredCode")

if not is_model_registered("loyalty_giftcards", "GuessingAlert"):

    class GuessingAlert(abstract_models.AbstractGuessingAlert):
        pass

    __all__.append("GuessingAlert")
