"""What must hold after each step, whoever did what, and whatever went wrong.

1. *Conservation*: points and money come from somewhere and go somewhere: the books, added up anew; the audit besides.
2. *No overspend*: nobody has, holds, spends or gets what is not there; nothing is sold that is not there.
3. *A refused action changes nothing.*
4. *Once and only once*: told or asked twice is done once; one order of an attempt, one card of a piece, one award of a
   cause, one payment of a checkout.
5. *Every order is paid*: tenders are its total, and Stripe says the same of them.
6. *Every message once*: no more mails than messages, but for that very one whose mail the mail server or a kill left
   unknown.
7. *What is owed is done*: the money of a refund is with the customer, each piece of a line of gift cards has its card,
   each mail went out (:mod:`tests.simulation.owed`); each member's order and visit brings its points, and keeps them as
   far as it stands (:mod:`tests.simulation.reckoning`).

The third is looked at in :meth:`tests.simulation.world.World.step`, and the twice of the fourth where something is
told or asked (:func:`tests.simulation.actions.asked`); all others here, from rows alone. ``test_broken.py`` breaks the
shop in each of these ways, and sees that it is noticed.
"""

from collections import Counter, defaultdict
from decimal import Decimal as D

from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.services import SETTLE
from tests.simulation import owed, reckoning
from tests.simulation.scales import remembered

#: What may leave a debt: points taken back that were spent already, and the debt of a membership that was joined.
OWED = {"clawback", "merge"}


@remembered
def conservation(world):
    """The books, added up here once more from their rows alone."""
    found = []
    accounts, entries, lots, uses, holds, parts = (
        world.rows(f"loyalty_ledger_{name}") for name in ("account", "entry", "lot", "lotuse", "hold", "holduse")
    )
    booked, chain = defaultdict(int), defaultdict(list)
    for entry in entries:
        booked[entry["account_id"]] += entry["units"]
        chain[entry["account_id"]].append(entry)
    used, aside, left, free = (defaultdict(int) for _ in range(4))
    for use in uses:
        used[use["lot_id"]] += use["units"]
    is_open = {hold["id"] for hold in holds if hold["state"] == "open"}
    for part in parts:
        aside[part["lot_id"]] += part["units"] if part["hold_id"] in is_open else 0
    for lot in lots:
        left[lot["account_id"]] += lot["remaining"]
        free[lot["account_id"]] += lot["remaining"] - lot["held"]
        if lot["remaining"] != lot["units"] - used[lot["id"]]:
            found.append(f"lot {lot['id']} holds {lot['remaining']} of {lot['units']}, {used[lot['id']]} were used")
        if lot["held"] != aside[lot["id"]]:
            found.append(
                f"lot {lot['id']} of {lot['remaining']} holds {lot['held']} back, its holds say {aside[lot['id']]}"
            )
    for account in accounts:
        pk, balance = account["id"], account["balance"]
        if not booked[pk] == balance == left[pk] - account["debt"]:
            found.append(
                f"account {pk}: entries {booked[pk]}, balance {balance}, lots {left[pk]}, debt {account['debt']}"
            )
        if account["debt"] and free[pk]:
            found.append(f"account {pk} owes {account['debt']}, and has {free[pk]} that could pay")
        after = 0
        for number, entry in enumerate(sorted(chain[pk], key=lambda each: each["sequence"]), 1):
            after += entry["units"]
            if (entry["sequence"], entry["balance_after"]) != (number, after):
                found.append(f"account {pk}: entry {entry['sequence']} leaves {entry['balance_after']}, not {after}")
    return found


def audited(world):
    """The shop's own audit: tenders, cards, claims, awards and messages against the books."""
    return [f"{each.check}, {each.row}: {each.detail}" for each in world.audits.findings()]


@remembered
def no_overspend(world):
    found = []
    lots, uses, entries = (world.rows(f"loyalty_ledger_{name}") for name in ("lot", "lotuse", "entry"))
    for lot in lots:
        if not 0 <= lot["held"] <= lot["remaining"] <= lot["units"]:
            found.append(f"lot {lot['id']} of {lot['units']} has {lot['remaining']}, {lot['held']} of them held")
    taken = Counter()
    for use in uses:
        taken[use["entry_id"]] += use["units"]
    for entry in entries:
        if entry["kind"] not in OWED and entry["units"] < 0 and taken[entry["id"]] != -entry["units"]:
            found.append(f"entry {entry['id']} ({entry['kind']}) spends {-entry['units']}, of {taken[entry['id']]}")
    cards = {card["account_id"]: card for card in world.rows("loyalty_giftcards_giftcard")}
    for account in world.rows("loyalty_ledger_account"):
        if account["id"] in cards and (account["debt"] or account["balance"] < 0):
            found.append(f"card {cards[account['id']]['id']} owes {account['debt']}, balance {account['balance']}")
    claimed = Counter(
        claim["reward_id"]
        for claim in world.rows("loyalty_rewards_claim")
        if claim["state"] not in ("cancelled", "owed")
    )
    for reward in world.rows("loyalty_rewards_reward"):
        if reward["stock"] is not None and claimed[reward["id"]] > reward["stock"]:
            found.append(f"reward {reward['id']}: {claimed[reward['id']]} claims of {reward['stock']}")
    for stock in world.rows("partner_stockrecord"):
        if stock["num_in_stock"] is not None and stock["num_in_stock"] < (stock["num_allocated"] or 0):
            found.append(f"stock {stock['id']}: {stock['num_allocated']} sold of {stock['num_in_stock']}")
    return found


@remembered
def once(world):
    """What has one cause is there once."""
    found = []

    def twice(what, causes):
        found.extend(f"{what} {cause} is there {number} times" for cause, number in causes.items() if number > 1)

    attempts = world.rows("loyalty_payments_paymentattempt")
    twice("the order of attempts", Counter(each["order_id"] for each in attempts if each["order_id"]))
    twice("the order of basket", Counter(each["basket_id"] for each in world.rows("order_order") if each["basket_id"]))
    cards = world.rows("loyalty_giftcards_giftcard")
    twice("card of piece", Counter((each["order_line_id"], each["unit"]) for each in cards if each["order_line_id"]))
    awards = world.rows("loyalty_earning_award")
    # A visit that was marked by mistake has its award taken back, and may bring another.
    stand = [each for each in awards if each["source_type"] in ("order", "booking") and not each["void"]]
    twice("award of", Counter((each["source_type"], each["source_id"]) for each in stand))
    holds = world.rows("loyalty_ledger_hold")
    captures = [each["entry_id"] for each in holds if each.get("entry_id")]
    twice("capture", Counter(captures))
    pieces = {each["id"]: each["quantity"] for each in world.rows("order_line")}
    for line, number in Counter(each["order_line_id"] for each in cards if each["order_line_id"]).items():
        if number > pieces[line]:
            found.append(f"line {line} of {pieces[line]} has {number} cards")
    back = Counter(each["back_id"] for each in world.rows("loyalty_rewards_claim") if each["back_id"])
    twice("points of a reward given back by", back)
    reversals = Counter()
    entries = {each["id"]: each for each in world.rows("loyalty_ledger_entry")}
    for each in entries.values():
        if each["reverses_id"]:
            reversals[each["reverses_id"]] += each["units"]
    for pk, units in reversals.items():
        if abs(units) > abs(entries[pk]["units"]):
            found.append(f"of entry {pk} ({entries[pk]['units']}), {units} were taken back")
    return found


def hexed(value):
    return str(value).replace("-", "")


def every_order_is_paid(world):
    found, tenders = [], defaultdict(list)
    orders = {each["id"]: each for each in world.rows("order_order")}
    attempts = {hexed(each["uuid"]): each for each in world.rows("loyalty_payments_paymentattempt")}
    for tender in world.rows("loyalty_payments_tender"):
        tenders[tender["attempt_id"]].append(tender)
    paid_for = set()
    for attempt in attempts.values():
        if attempt["order_id"] is None:
            continue
        order = orders[attempt["order_id"]]
        paid_for.add(order["id"])
        paid = sum(D(str(tender["amount"])) for tender in tenders[attempt["id"]])
        if round(paid, 2) != round(D(str(order["total_incl_tax"])), 2):
            found.append(f"order {order['number']} of {order['total_incl_tax']} was paid with {paid}")
        if attempt["state"] == "placed":
            open_ = [each["kind"] for each in tenders[attempt["id"]] if each["state"] in ("held", "authorised")]
            # Killed before Stripe was asked for what is set aside: whoever comes by will ask, which is written down.
            if open_ != ["stripe"] or not will_be_settled(attempt["id"]):
                found += [f"order {order['number']} is placed, and its {kind} is only held" for kind in open_]
    found += [f"order {each['number']} was placed and never paid" for pk, each in orders.items() if pk not in paid_for]
    return found + at_the_bank(world, attempts, tenders)


def will_be_settled(attempt):
    return get_model("loyalty_due", "Due").objects.filter(kind=SETTLE, key=str(attempt), state="waiting").exists()


def at_the_bank(world, attempts, tenders):
    found, seen, returned = [], set(), owed.returned(world)
    for intent in world.bank.books()["payment_intents"].values():
        reference = hexed(intent["client_reference_id"])
        attempt = attempts.get(reference)
        if attempt is None or reference in seen:
            found.append(f"a payment of nobody's, or a second one: {reference}")
            continue
        seen.add(reference)
        tender = next((each for each in tenders[attempt["id"]] if each["kind"] == "stripe"), None)
        kept = intent["captured"] - intent["refunded"] - intent["disputed"]
        if tender is None:
            found.append(f"Stripe was asked for {reference}, which has no part for it")
            continue
        cents = round(D(str(tender["amount"])) * 100)
        if attempt["state"] == "placed" and tender["state"] == "captured" and intent["captured"] != cents:
            found.append(f"{reference}: {intent['captured']} cents were taken for {tender['amount']}")
        elif intent["captured"] > cents or intent["refunded"] > intent["captured"]:
            found.append(f"{reference}: {intent['captured']} cents taken, {intent['refunded']} back, of {cents}")
        elif attempt["order_id"] is None and kept:
            found.append(f"{reference}: money was taken, and there is no order")
        if attempt["order_id"] is not None:
            found += owed.back_at_the_bank(reference, intent, returned[tender["id"]])
    return found


def every_message_once(world):
    found, post = [], world.post
    states = {each["id"]: each["state"] for each in world.rows("loyalty_messaging_message")}
    taken = Counter(post.taken)
    if taken.pop(None, 0):
        found.append("a mail went out that is no message of ours")
    for message, number in taken.items():
        # What was written to somebody goes with that person.
        most = (states.get(message, "sent") == "sent") + world.unknown[message]
        if number > most:
            found.append(f"{number} mails for message {message}, {most} may be")
    sent = [message for message, state in states.items() if state == "sent" and not taken[message]]
    found += [f"message {message} counts as sent, and no mail went out" for message in sent]
    return found


ALWAYS = (
    conservation,
    no_overspend,
    once,
    every_order_is_paid,
    every_message_once,
    owed.every_refund_goes_back,
    owed.every_card_is_made,
    reckoning.every_order_is_rewarded,
    reckoning.every_visit_is_rewarded,
)


def at_rest(world):
    """Once everything has been done that was left half done, nothing is left half done."""
    found = []
    Attempt, Hold = get_model("loyalty_payments", "PaymentAttempt"), get_model("loyalty_ledger", "Hold")
    Due = get_model("loyalty_due", "Due")
    found += [f"attempt {each.pk} is still open" for each in Attempt.objects.filter(state="open")]
    found += [f"hold {each.pk} ({each.key}) is still open" for each in Hold.objects.filter(state="open")]
    late = Due.objects.filter(state="waiting", due_at__lte=world.now)
    found += [f"{each.kind} {each.key} waits: {each.last_error.splitlines()[:1]}" for each in late]
    dead = Due.objects.filter(state="dead")
    found += [f"{each.kind} {each.key} was given up: {each.last_error.splitlines()[:1]}" for each in dead]
    errors = get_model("loyalty_due", "Heartbeat").objects.exclude(error="")
    found += [f"the sweep {each.name} fails: {each.error}" for each in errors]
    for intent in world.bank.books()["payment_intents"].values():
        attempt = Attempt.objects.get(uuid=intent["client_reference_id"])
        kept = intent["captured"] - intent["refunded"] - intent["disputed"]
        if attempt.state != "placed" and (kept or intent["authorised"]):
            found.append(
                f"{attempt.uuid} ({attempt.state}): the bank has {kept} taken, {intent['authorised']} set aside"
            )
        if attempt.state == "placed" and intent["authorised"]:
            found.append(f"{attempt.uuid}: an order is there, and its money was never taken")
    return found + owed.left_over(world) + reckoning.forgotten(world)
