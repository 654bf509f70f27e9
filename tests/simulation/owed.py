"""What is owed is done: money that was given back has gone back, what was bought is there, what was written is sent.

The other side of "not twice" and "not too much": a shop that does nothing at all does nothing twice.
"""

from collections import Counter, defaultdict
from decimal import Decimal as D

from oscar_loyalty.loading import get_model
from tests.simulation.scales import remembered

#: The status in which an order that is paid at the salon has been paid.
PAID = "Complete"


def cents(amount):
    return round(D(str(amount)) * 100)


def returned(world):
    """What has gone back, and what is to, in cents, by the tenders' primary keys and the returns' states."""
    tender_of = {each["id"]: each["tender_id"] for each in world.rows("loyalty_payments_allotment")}
    sums = defaultdict(Counter)
    for part in world.rows("loyalty_payments_tenderreturn"):
        sums[tender_of[part["allotment_id"]]][part["state"]] += cents(part["amount"])
    return sums


def back_at_the_bank(reference, intent, parts):
    """Of a card's payment, what counts as given back is with the customer, and nothing is that nobody wanted."""
    done, more = parts["done"], parts["waiting"]
    if intent["captured"] and not done <= intent["refunded"] <= done + more:
        yield f"{reference}: {intent['refunded']} cents went back at Stripe, {done} of {done + more} are said to have"


@remembered
def every_refund_goes_back(world):
    """What a refund says is what goes back, by whatever paid for the order."""
    parts = defaultdict(int)
    for part in world.rows("loyalty_payments_tenderreturn"):
        parts[part["refund_id"]] += cents(part["amount"])
    return [
        f"refund {each['id']} of {each['amount']} gives {parts[each['id']]} cents back"
        for each in world.rows("loyalty_payments_refund")
        if cents(each["amount"]) != parts[each["id"]]
    ]


def unpaid_lines(world):
    """The order lines that something else than they were paid with yet was to pay for."""
    placed = {each["id"]: each["order_id"] for each in world.rows("loyalty_payments_paymentattempt")}
    settled = {each["order_id"] for each in world.rows("order_orderstatuschange") if each["new_status"] == PAID}
    # Oscar writes the change after the order: a process may have been killed between the two.
    settled |= {each["id"] for each in world.rows("order_order") if each["status"] == PAID}
    tenders = {each["id"]: each for each in world.rows("loyalty_payments_tender")}
    found = set()
    for part in world.rows("loyalty_payments_allotment"):
        tender = tenders[part["tender_id"]]
        here = tender["kind"] != "on_site" or placed[tender["attempt_id"]] in settled
        if cents(part["amount"]) and not (here and tender["state"] == "captured"):
            found.add(part["order_line_id"])
    return found


@remembered
def every_card_is_made(world):
    """Each piece has its card as soon as there is an order; none works that is not paid for, and each that does was
    loaded with what it is worth."""
    found, made, loaded = [], Counter(), Counter()
    cards, unpaid = world.rows("loyalty_giftcards_giftcard"), unpaid_lines(world)
    for entry in world.rows("loyalty_ledger_entry"):
        loaded[entry["account_id"]] += entry["units"] if entry["kind"] == "loaded" else 0
    for card in cards:
        made[card["order_line_id"]] += 1
        if card["state"] == "active" and card["order_line_id"] in unpaid:
            found.append(f"card {card['id']} works, and line {card['order_line_id']} is not paid for")
        worth = cents(card["value"]) if card["activated_at"] else 0
        if loaded[card["account_id"]] != worth:
            found.append(f"card {card['id']} of {worth} cents was loaded with {loaded[card['account_id']]}")
    for line in world.rows("order_line"):
        if line["product_id"] == world.card_product.pk and made[line["id"]] != line["quantity"]:
            found.append(f"line {line['id']} of {line['quantity']} gift cards has {made[line['id']]}")
    return found


def left_over(world):
    """At rest, nobody waits: no return, no message, no card that is paid for."""
    found, unpaid = [], unpaid_lines(world)
    for part in get_model("loyalty_payments", "TenderReturn").objects.exclude(state="done"):
        found.append(f"return {part.pk} of {part.amount} is {part.state}: {part.error}")
    for message in get_model("loyalty_messaging", "Message").objects.exclude(state__in=["sent", "cancelled"]):
        found.append(f"message {message.pk} ({message.kind}) is {message.state}: {message.error}")
    for card in get_model("loyalty_giftcards", "GiftCard").objects.filter(state="waiting"):
        if card.order_line_id not in unpaid:
            found.append(f"card {card.pk} waits, and all is paid for")
    return found
