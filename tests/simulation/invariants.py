"""What must hold after each step, whoever did what, and whatever went wrong.

1. *Conservation*: points and money come from somewhere and go somewhere: the books, added up anew; the audit besides.
2. *No overspend*: nobody has, holds or gets less than nothing; nothing is sold that is not there.
3. *A refused action changes nothing.*
4. *Once and only once*: told or asked twice is done once.
5. *Every order is paid*: tenders are its total, and Stripe says the same of them.
6. *Every message once*: no more mails than messages, but for those where the mail server or a kill left it unknown.
"""

from collections import defaultdict

from django.db import connection

from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit

#: What waits, what was tried, and what was looked at: not what anybody owns.
NOT_OWNED = {
    "loyalty_due_due",
    "loyalty_due_heartbeat",
    "loyalty_giftcards_codeattempt",
    "loyalty_giftcards_guessingalert",
    "loyalty_payments_stripeevent",
    "loyalty_reports_auditrun",
}


def _tables():
    names = connection.introspection.table_names()
    owned = {name for name in names if name.startswith("loyalty_")} - NOT_OWNED
    return sorted(owned | {"order_order", "order_line", "partner_stockrecord", "voucher_voucher"})


class Scales:
    """Weighs all that anybody owns."""

    def __init__(self):
        self.tables = _tables()

    def weigh(self):
        """All rows of all tables of worth, as they are."""
        return {table: self.rows(table) for table in self.tables}

    def rows(self, table):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def difference(before, after):
    """The tables, with rows gone and come, in which two weighings differ."""
    found = {}
    for table, rows in before.items():
        if rows != after[table]:
            old, new = set(map(repr, rows)), set(map(repr, after[table]))
            found[table] = {"gone": sorted(old - new)[:3], "come": sorted(new - old)[:3]}
    return found


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
    used, aside, left = defaultdict(int), defaultdict(int), defaultdict(int)
    for use in uses:
        used[use["lot_id"]] += use["units"]
    is_open = {hold["id"] for hold in holds if hold["state"] == "open"}
    for part in parts:
        aside[part["lot_id"]] += part["units"] if part["hold_id"] in is_open else 0
    for lot in lots:
        left[lot["account_id"]] += lot["remaining"]
        if lot["remaining"] != lot["units"] - used[lot["id"]]:
            found.append(f"lot {lot['id']} holds {lot['remaining']} of {lot['units']}, {used[lot['id']]} were used")
        if not 0 <= lot["held"] == aside[lot["id"]] <= lot["remaining"]:
            found.append(
                f"lot {lot['id']} of {lot['remaining']} holds {lot['held']} back, its holds say {aside[lot['id']]}"
            )
    for account in accounts:
        pk, balance = account["id"], account["balance"]
        if not booked[pk] == balance == left[pk] - account["debt"]:
            found.append(
                f"account {pk}: entries {booked[pk]}, balance {balance}, lots {left[pk]}, debt {account['debt']}"
            )
        after = 0
        for number, entry in enumerate(sorted(chain[pk], key=lambda each: each["sequence"]), 1):
            after += entry["units"]
            if (entry["sequence"], entry["balance_after"]) != (number, after):
                found.append(f"account {pk}: entry {entry['sequence']} leaves {entry['balance_after']}, not {after}")
    return found


def audited(world):
    """The shop's own audit: tenders, cards, claims, awards and messages against the books."""
    return [f"{each.check}, {each.row}: {each.detail}" for each in audit.run(keep=False).findings]


def no_overspend(world):
    found = []
    with connection.cursor() as cursor:
        for what, query in (
            ("a lot", "SELECT id FROM loyalty_ledger_lot WHERE held < 0 OR held > remaining OR remaining > units"),
            ("a reward", "SELECT id FROM loyalty_rewards_reward WHERE stock IS NOT NULL AND stock < 0"),
            ("a stock", "SELECT id FROM partner_stockrecord WHERE num_in_stock < COALESCE(num_allocated, 0)"),
        ):
            cursor.execute(query)
            found += [f"{what} is overdrawn: {row[0]}" for row in cursor.fetchall()]
    return found


def every_order_is_paid(world):
    found = []
    Attempt = get_model("loyalty_payments", "PaymentAttempt")
    attempts = {str(each.uuid): each for each in Attempt.objects.prefetch_related("tenders").select_related("order")}
    for attempt in attempts.values():
        if attempt.order_id is None:
            continue
        paid = sum(tender.amount for tender in attempt.tenders.all())
        if paid != attempt.order.total_incl_tax:
            found.append(f"order {attempt.order.number} of {attempt.order.total_incl_tax} was paid with {paid}")
    seen = set()
    for intent in world.bank.books()["payment_intents"].values():
        reference = intent["client_reference_id"]
        attempt = attempts.get(reference)
        if attempt is None or reference in seen:
            found.append(f"a payment of nobody's, or a second one: {reference}")
            continue
        seen.add(reference)
        tender = next((each for each in attempt.tenders.all() if each.kind == "stripe"), None)
        kept = intent["captured"] - intent["refunded"] - intent["disputed"]
        if tender is None:
            found.append(f"Stripe was asked for {reference}, which has no part for it")
        elif attempt.state == "placed" and tender.state == "captured" and intent["captured"] != tender.amount * 100:
            found.append(f"{reference}: {intent['captured']} cents were taken for {tender.amount}")
        elif attempt.order_id is None and kept:
            found.append(f"{reference}: money was taken, and there is no order")
    return found


def every_message_once(world):
    Message = get_model("loyalty_messaging", "Message")
    sent = Message.objects.filter(state="sent").count()
    taken = len(world.post.taken)
    if not sent <= taken <= sent + world.unknown:
        return [f"{taken} mails for {sent} messages, {world.unknown} of them unknown"]
    return []


ALWAYS = (conservation, no_overspend, every_order_is_paid, every_message_once)


def at_rest(world):
    """Once everything has been done that was left half done, nothing is left half done."""
    found = []
    Attempt, Hold = get_model("loyalty_payments", "PaymentAttempt"), get_model("loyalty_ledger", "Hold")
    Due = get_model("loyalty_due", "Due")
    found += [f"attempt {each.pk} is still open" for each in Attempt.objects.filter(state="open")]
    found += [f"hold {each.pk} ({each.key}) is still open" for each in Hold.objects.filter(state="open")]
    late = Due.objects.filter(state="waiting", due_at__lte=world.now)
    found += [f"{each.kind} {each.key} waits: {each.last_error.splitlines()[:1]}" for each in late]
    for intent in world.bank.books()["payment_intents"].values():
        attempt = Attempt.objects.get(uuid=intent["client_reference_id"])
        kept = intent["captured"] - intent["refunded"] - intent["disputed"]
        if attempt.state != "placed" and (kept or intent["authorised"]):
            found.append(
                f"{attempt.uuid} ({attempt.state}): the bank has {kept} taken, {intent['authorised']} set aside"
            )
        if attempt.state == "placed" and intent["authorised"]:
            found.append(f"{attempt.uuid}: an order is there, and its money was never taken")
    return found
