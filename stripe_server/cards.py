"""The test cards of docs.stripe.com/testing that this server knows, by number and by ``pm_card_`` name."""

from typing import NamedTuple

from .errors import CardError

DECLINED = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
#: Reported as the error's code itself; the others are ``card_declined`` with a decline code.
OWN_CODES = ("expired_card", "incorrect_cvc", "processing_error")


class Card(NamedTuple):
    number: str
    name: str
    brand: str = "visa"
    #: Why it is declined, or None.
    decline: str | None = None
    three_d_secure: bool = False
    #: What becomes of a refund later: "succeeded" of one that began pending, "failed" of one that began succeeded.
    refund: str | None = None
    #: A charge with it is disputed at once.
    disputed: bool = False

    @property
    def last4(self):
        return self.number[-4:]

    @property
    def fingerprint(self):
        """The same for the same number, always; sixteen letters, as Stripe's."""
        from .store import letters

        return letters(self.number, 16)

    def error(self):
        code = self.decline if self.decline in OWN_CODES else "card_declined"
        more = {"decline_code": self.decline} if code == "card_declined" else {}
        return CardError(DECLINED[self.decline], code=code, keep=True, **more)


CARDS = (
    Card("4242424242424242", "pm_card_visa"),
    Card("5555555555554444", "pm_card_mastercard", "mastercard"),
    Card("378282246310005", "pm_card_amex", "amex"),
    Card("4000000000000002", "pm_card_visa_chargeDeclined", decline="generic_decline"),
    Card("4000000000009995", "pm_card_visa_chargeDeclinedInsufficientFunds", decline="insufficient_funds"),
    Card("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", decline="lost_card"),
    Card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", decline="expired_card"),
    Card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", decline="incorrect_cvc"),
    Card("4000000000000119", "pm_card_chargeDeclinedProcessingError", decline="processing_error"),
    Card("4000002500003155", "pm_card_authenticationRequiredOnSetup", three_d_secure=True),
    Card("4000002760003184", "pm_card_authenticationRequired", three_d_secure=True),
    Card("4000000000007726", "pm_card_pendingRefund", refund="succeeded"),
    Card("4000000000005126", "pm_card_refundFail", refund="failed"),
    Card("4000000000000259", "pm_card_createDispute", disputed=True),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_NAME = {card.name: card for card in CARDS}
GOOD, BAD = CARDS[0], CARDS[3]


def find(text):
    """The card of a number as a person types it, or of a name."""
    digits = "".join(sign for sign in text if sign.isdigit())
    card = BY_NAME.get(text) or BY_NUMBER.get(digits)
    if card is None:
        raise CardError("Your card number is incorrect.", code="incorrect_number", param="number")
    return card
