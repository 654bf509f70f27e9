"""Finding the card of a code as somebody typed it, in a way that tells a guesser nothing.

However a code is wrong (no code at all, unknown, not paid, disabled, used up, of another currency or Site, replaced
by a newer one), the answer is the same exception, after the same queries and the same HMACs.
"""

from typing import Any

from oscar_loyalty.giftcards import codes, guard, selectors
from oscar_loyalty.giftcards.exceptions import CodeRefused
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model

#: Worked on in place of what cannot be a code.
NO_CODE = codes.ALPHABET[0] * codes.SYMBOLS


def look_up(code: str, *, who: Guard, currency: str = "", site: Any = None, empty_ok: bool = False) -> Any:
    """Return the card with a code as somebody typed it, in ``currency`` and of ``site`` if given, with something on
    it.

    ``empty_ok`` finds a used-up card as well, for the page that shows balances. Every code that is refused counts as a
    try of ``who``'s account, session and address, and of the code itself. The count is a row of the database: call
    this outside of a transaction, or catch the error inside it, since rolling back the transaction takes the count
    back too.

    :raises TooManyTries: when one of ``who``'s has none left.
    :raises CodeRefused: whatever is wrong with the code.
    """
    guard.reserve(who)
    fingerprints = codes.fingerprints(code) or codes.fingerprints(NO_CODE)
    cards = selectors.cards(site).filter(lookup__in=fingerprints)
    card = cards.select_related("account").order_by("pk").first()
    retired = get_model("loyalty_giftcards", "RetiredCode").objects.filter(lookup__in=fingerprints).exists()
    has_money = _has_money(card)
    known = card is not None or retired
    allowed = guard.reserve_code(fingerprints[0] if fingerprints else NO_CODE, known=known)
    if card is None or not allowed or not _usable(card, currency) or not (has_money or (empty_ok and not card.ended)):
        raise CodeRefused
    guard.give_back(who)
    guard.give_back_code(fingerprints[0])
    return card


def _usable(card: Any, currency: str) -> bool:
    return bool(card.state == "active" and (not currency or card.currency == currency))


def _has_money(card: Any) -> bool:
    # Without a card, an account that does not exist is asked for: that takes as long.
    account = card.account if card is not None else get_model("loyalty_ledger", "Account")(pk=0)
    balance = ledger.balances([account])[account.pk]
    # What an own checkout has set aside is still on the card; whether enough is free is decided when paying.
    return balance.usable + balance.held > 0
