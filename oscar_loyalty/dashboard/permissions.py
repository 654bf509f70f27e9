"""Who may open which page: Oscar's ``permissions_map``, a list being "all of these", a tuple "one of these lists"."""

from oscar_loyalty.dashboard.navigation import ADJUST, APPROVE, CARDS, CODES, PROGRAMME, REFUND, VIEW


def _staff(*permissions: str) -> list[str]:
    return ["is_staff", *permissions]


#: Pages that are not named here need the permission to see members and movements.
DEFAULT = _staff(VIEW)

PERMISSIONS = {
    "loyalty-member-adjust": _staff(VIEW, ADJUST),
    "loyalty-members-adjust": _staff(VIEW, ADJUST),
    "loyalty-member-tier": _staff(VIEW, PROGRAMME),
    "loyalty-member-status": _staff(VIEW, PROGRAMME),
    "loyalty-member-welcome": _staff(VIEW, PROGRAMME),
    "loyalty-members-enrol": _staff(VIEW, PROGRAMME),
    "loyalty-adjustments": (_staff(VIEW), _staff(APPROVE)),
    "loyalty-adjustment": (_staff(VIEW), _staff(APPROVE)),
    # Whoever asked may call it off; the service decides who is who.
    "loyalty-adjustment-decide": (_staff(APPROVE), _staff(ADJUST)),
    "loyalty-guest-order-send": _staff(VIEW, PROGRAMME),
    "loyalty-giftcards": _staff(CARDS),
    "loyalty-giftcards-export": _staff(CARDS),
    "loyalty-giftcard": _staff(CARDS),
    "loyalty-giftcard-action": _staff(CARDS),
    "loyalty-denominations": _staff(CARDS),
    "loyalty-denomination-create": _staff(CARDS),
    "loyalty-denomination": _staff(CARDS),
    "loyalty-giftcards-till": _staff(CARDS),
    "loyalty-giftcard-activate": _staff(CARDS),
    "loyalty-giftcard-batches": _staff(CARDS),
    "loyalty-giftcard-batch-create": _staff(CARDS),
    "loyalty-giftcard-batch": _staff(CARDS),
    "loyalty-giftcard-batch-start": _staff(CARDS),
    "loyalty-giftcard-batch-codes": _staff(CARDS, CODES),
    "loyalty-giftcard-batch-refused": _staff(CARDS),
    "loyalty-giftcards-import": _staff(CARDS),
    "loyalty-giftcards-policy": _staff(CARDS),
    "loyalty-giftcards-liability": _staff(CARDS),
    "loyalty-giftcards-liability-export": _staff(CARDS),
    "loyalty-custom-amount": _staff(CARDS),
    # As Oscar's own page of an order, and to refund it.
    "loyalty-refunds": _staff("order.view_order", REFUND),
    "loyalty-refund-part": _staff("order.view_order", REFUND),
    "loyalty-payment-settle": _staff(VIEW, PROGRAMME),
    "loyalty-programme": _staff(PROGRAMME),
    "loyalty-tier-create": _staff(PROGRAMME),
    "loyalty-tier": _staff(PROGRAMME),
    "loyalty-rules": _staff(PROGRAMME),
    "loyalty-rule-create": _staff(PROGRAMME),
    "loyalty-rule": _staff(PROGRAMME),
    "loyalty-rule-end": _staff(PROGRAMME),
    "loyalty-health-audit": _staff(VIEW),
    "loyalty-health-retry": _staff(PROGRAMME),
    "loyalty-health-resend": _staff(PROGRAMME),
    "loyalty-goal-create": _staff(VIEW, PROGRAMME),
    "loyalty-goal": _staff(VIEW, PROGRAMME),
    "loyalty-goal-end": _staff(VIEW, PROGRAMME),
    "loyalty-member-stamp": _staff(VIEW, ADJUST),
    "loyalty-limits": _staff(PROGRAMME),
    "loyalty-actions": _staff(PROGRAMME),
    "loyalty-scans": _staff(PROGRAMME),
    "loyalty-scan-code": _staff(PROGRAMME),
    "loyalty-referral-terms": _staff(PROGRAMME),
    "loyalty-referral-decide": _staff(VIEW, APPROVE),
    # Reading needs the permission to see; trying has the machine work.
    "loyalty-simulation-new": _staff(VIEW, PROGRAMME),
    "loyalty-simulation-action": _staff(VIEW, PROGRAMME),
}
