"""Two other ledgers for Django in the same run: django-oscar-accounts 3.0.1 (BSD) and django-hordak 2.0.0 (MIT).

    make bench PEERS=1
    python scripts/services.py postgresql -- python -m benchmarks.peers [--quick]

Both come from the Python package index, into an environment of their own (benchmarks/requirements-peers.txt), and run
as they are on today's Django and Oscar, by the calls that their documentation names. They move money between two
accounts: an earning comes from the shop's account, a spend goes to it. Neither knows an idempotency key, lots that end,
holds or an explanation. django-oscar-accounts locks nothing: two at once may both spend the same. Hordak keeps no
balance and refuses no overdraft; so whoever spends asks it for the balance first, without a lock, which is the least
that a shop must do. The table shows our time by theirs, pair by pair: below one we are ahead. We spend over three lots.
"""

import argparse
import os
import sys
from pathlib import Path as File

import django

from benchmarks.side_by_side import Path

SPENT, BEHIND = 30, (10, 10_000)
WRITTEN = File("var/bench-peers.md")


class Beside(Path):
    """Ours is the ledger's own path; the other is a peer's, through Django as ours."""

    plain = False
    bound = 1.0

    def __init__(self, ours, peer):
        self.path, self.peer = ours, peer
        self.name, self.act = ours.name, "earn" if "earn" in ours.name else "spend"

    def prepare(self, accounts):
        self.path.prepare(accounts)

    def ours(self, account, key):
        self.path.ours(account, key)

    def floor(self, connection, account, key):
        getattr(self.peer, self.act)(account, key)


class OscarAccounts:
    name = "django-oscar-accounts"

    def __init__(self):
        from oscar_accounts.models import Account

        # A new account cannot be saved: it asks for its transactions first, which Django refuses since 4.0.
        [self.shop] = Account.objects.bulk_create([Account(name="Shop", credit_limit=None)])
        self.of = {}

    def open(self, accounts, history):
        """Give each of our accounts its counterpart, with so many transfers behind it and enough to spend."""
        from django.db import connection
        from oscar_accounts.models import Account

        for account in accounts:
            [made] = Account.objects.bulk_create([Account(name=f"Member {account}")])
            self.of[account] = made.pk
            with connection.cursor() as cursor:
                cursor.execute(
                    "WITH moved AS (INSERT INTO oscar_accounts_transfer (reference, source_id, destination_id, amount,"
                    " username, date_created) SELECT 'history:' || %s || ':' || n, %s, %s, 1000, '', now()"
                    " FROM generate_series(1, %s) n RETURNING id, date_created)"
                    " INSERT INTO oscar_accounts_transaction (transfer_id, account_id, amount, date_created)"
                    " SELECT moved.id, side.account, side.amount, date_created FROM moved,"
                    " (VALUES (%s, -1000), (%s, 1000)) side (account, amount)",
                    [made.pk, self.shop.pk, made.pk, history, self.shop.pk, made.pk],
                )
            made.save()

    def earn(self, account, key):
        from oscar_accounts import facade
        from oscar_accounts.models import Account

        mine = Account.objects.get(pk=self.of[account])
        facade.transfer(self.shop, mine, 10, merchant_reference=key)

    def spend(self, account, key):
        from oscar_accounts import facade
        from oscar_accounts.models import Account

        mine = Account.objects.get(pk=self.of[account])
        facade.transfer(mine, self.shop, SPENT, merchant_reference=key)


class Hordak:
    name = "django-hordak"

    def __init__(self):
        from hordak.models import Account

        self._migrate()
        self.shop = Account.objects.create(name="Shop", code="1", type="AS", currencies=["EUR"])
        self.of = {}

    def _migrate(self):
        """Make its tables anew by its migrations, which bring the triggers that its promises are made of."""
        from django.apps import apps
        from django.core.management import call_command
        from django.db import connection

        with connection.cursor() as cursor:
            for model in apps.get_app_config("hordak").get_models():
                if model._meta.managed:
                    cursor.execute(f"DROP TABLE {connection.ops.quote_name(model._meta.db_table)} CASCADE")
        call_command("migrate", "contenttypes", fake=True, verbosity=0)
        call_command("migrate", "hordak", verbosity=0)

    def open(self, accounts, history):
        from django.db import connection
        from hordak.models import Account

        for account in accounts:
            made = Account.objects.create(name=f"Member {account}", code=f"2{account}", type="LI", currencies=["EUR"])
            self.of[account] = made.pk
            with connection.cursor() as cursor:
                cursor.execute(
                    "WITH moved AS (INSERT INTO hordak_transaction (uuid, timestamp, date, description)"
                    " SELECT gen_random_uuid(), now(), now(), 'history' FROM generate_series(1, %s) RETURNING id)"
                    " INSERT INTO hordak_leg (uuid, transaction_id, account_id, credit, debit, currency, description)"
                    " SELECT gen_random_uuid(), moved.id, side.account, side.credit, side.debit, 'EUR', '' FROM moved,"
                    " (VALUES (%s, NULL, 1000), (%s, 1000, NULL)) side (account, credit, debit)",
                    [history, self.shop.pk, made.pk],
                )

    def _money(self, units):
        from moneyed import Money

        return Money(units, "EUR")

    def earn(self, account, key):
        from django.db import transaction
        from hordak.models import Account

        with transaction.atomic():
            mine = Account.objects.get(pk=self.of[account])
            mine.transfer_to(self.shop, self._money(10), description=key)

    def spend(self, account, key):
        from django.db import transaction
        from hordak.models import Account

        with transaction.atomic():
            mine = Account.objects.get(pk=self.of[account])
            if mine.get_balance()["EUR"].amount < SPENT:
                raise ValueError("There is not enough.")
            self.shop.transfer_to(mine, self._money(SPENT), description=key)


def main(quick):
    from benchmarks import ledger
    from benchmarks.databases import settle
    from benchmarks.side_by_side import Table, compare
    from oscar_loyalty.ledger import audit

    peers = [OscarAccounts(), Hordak()]
    places = [("own", BEHIND[0], ledger.accounts(80, BEHIND[0]))]
    places += [("one for all", history, ledger.accounts(1, history)) for history in BEHIND]
    for _kind, history, accounts in places:
        for peer in peers:
            peer.open(accounts, history)
    settle()
    heads = (
        "path",
        "peer",
        "account",
        "entries behind",
        "processes",
        "theirs",
        "ours",
        "ours by theirs",
        "by processor",
    )
    table = Table(*heads, "ahead")
    for path in (ledger.Earn(), ledger.Spend()):
        for peer in peers:
            for processes in (1, 4):
                for kind, history, accounts in places:
                    found = compare(
                        Beside(path, peer),
                        accounts,
                        processes=processes,
                        rounds=5 if quick else 21,
                        size=10 if quick else 20,
                        name=f"{peer.name}:{processes}:{kind}:{history}",
                    )
                    table.add(
                        path.name,
                        peer.name,
                        kind,
                        f"{history:,}",
                        processes,
                        f"{found.floor * 1e6:.0f} µs",
                        f"{found.ours * 1e6:.0f} µs",
                        found.by_clock,
                        found.by_cpu,
                        "yes" if found.by_clock.median < 1 else "NO",
                    )
    if findings := list(audit.audit()):
        sys.exit(f"The books are not in order: {findings[:3]}")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peers_settings"
    django.setup()
    from benchmarks.databases import of_its_own
    from benchmarks.side_by_side import machine

    with of_its_own():
        table = main(options.quick)
        text = "\n\n".join([machine(), table.markdown()])
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(text + "\n")
