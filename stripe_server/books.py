"""What the money did, summed, so that a test can compare it with a shop's own ledger."""

from collections import defaultdict

from .resources.disputes import has_the_money

KEYS = ("authorised", "captured", "refunded", "released", "disputed", "net")


def books(store, scope):
    """Per currency and per PaymentIntent, in smallest units.

    ``authorised`` is what is held now and can still be captured, ``captured`` what was ever taken, ``refunded`` what
    went back of it, ``released`` what was held and never taken, ``disputed`` what open and lost disputes took away, and
    ``net`` what the shop has: captured - refunded - disputed.
    """
    sessions = {row["payment_intent"]: row for row in store.many("checkout.session", scope) if row["payment_intent"]}
    charges = _by(store, scope, "charge", "payment_intent")
    refunds, disputes = (_by(store, scope, kind, "charge") for kind in ("refund", "dispute"))
    totals = defaultdict(lambda: dict.fromkeys(KEYS, 0))
    intents = {}
    for intent in reversed(store.many("payment_intent", scope)):
        sums = dict.fromkeys(KEYS, 0)
        sums["authorised"] = intent["amount_capturable"]
        for charge in charges.get(intent.id, []):
            sums["captured"] += charge["amount_captured"]
            for refund in refunds.get(charge.id, []):
                if refund["status"] in ("succeeded", "pending"):
                    sums["released" if refund.private["release"] else "refunded"] += refund["amount"]
            for dispute in disputes.get(charge.id, []):
                if has_the_money(dispute):
                    sums["disputed"] += dispute["amount"]
        sums["net"] = sums["captured"] - sums["refunded"] - sums["disputed"]
        for key in KEYS:
            totals[intent["currency"]][key] += sums[key]
        session = sessions.get(intent.id)
        intents[intent.id] = {
            "currency": intent["currency"],
            "amount": intent["amount"],
            "status": intent["status"],
            "metadata": intent["metadata"],
            "session": session.id if session else None,
            "client_reference_id": session["client_reference_id"] if session else None,
            **sums,
        }
    return {"currencies": dict(totals), "payment_intents": intents}


def _by(store, scope, kind, owner):
    found = defaultdict(list)
    for row in store.many(kind, scope):
        found[row[owner]].append(row)
    return found


def balance(store, scope):
    """The Balance object: no fees, no payouts, all of it available at once."""
    currencies = books(store, scope)["currencies"]
    amounts = [
        {"amount": sums["net"], "currency": currency, "source_types": {"card": sums["net"]}}
        for currency, sums in sorted(currencies.items())
    ]
    empty = [{**one, "amount": 0, "source_types": {"card": 0}} for one in amounts]
    return {"object": "balance", "available": amounts, "livemode": scope.livemode, "pending": empty}
