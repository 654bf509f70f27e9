"""Points for past orders: whose, by which rules, in which order, and that a killed run, or two at once, do no harm."""

import os
import signal
import subprocess
import sys
import time as clocks
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import transaction

from oscar_loyalty.earning import backfill, past_orders, rules
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from tests import processes

User = get_user_model()
LONG_AGO = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def past(programme, user):
    """An order of the past that nobody has told the programme about: ``past("A", "12.50", days=3)``."""
    Order, Line = get_model("order", "Order"), get_model("order", "Line")

    def past(number, amount, *, days=0, of=user, status="Complete", **fields):
        money = Decimal(amount)
        order = Order(
            number=number,
            site_id=programme.site_id,
            user=of,
            currency="EUR",
            total_incl_tax=money,
            total_excl_tax=money,
            status=status,
            date_placed=LONG_AGO + timedelta(days=days),
            **fields,
        )
        line = Line(
            order=order,
            title="Cut",
            quantity=1,
            line_price_incl_tax=money,
            line_price_excl_tax=money,
            line_price_before_discounts_incl_tax=money,
            line_price_before_discounts_excl_tax=money,
            num_allocated=0,
        )
        Order.objects.bulk_create([order])
        Line.objects.bulk_create([line])
        return order

    return past


def command(*options):
    said = StringIO()
    call_command("loyalty_backfill", *options, stdout=said)
    return said.getvalue()


def entries(member):
    return list(ledger.entries(member.account).order_by("sequence"))


def test_past_orders_bring_points_once(past, member, per_euro, petals):
    past("A", "12.50")
    past("B", "0.40", days=1)
    assert command() == "2 orders brought 12 points to 1 members; 1 of them nothing.\n"
    assert command() == "0 orders brought 0 points to 0 members; 0 of them nothing.\n"
    assert petals() == (12, 0)


def test_a_rebate_was_not_paid(past, member, per_euro, petals):
    order = past("A", "50")
    get_model("order", "Order").objects.filter(pk=order.pk).update(total_incl_tax=45, total_excl_tax=45)
    assert command().startswith("1 orders brought 45 points")
    assert get_model("loyalty_earning", "Award").objects.get().spent == 45


def test_a_dry_run_writes_nothing(past, member, per_euro, petals):
    past("A", "12.50")
    assert command("--dry-run") == "1 orders would bring 12 points to 1 members; 0 of them nothing.\n"
    assert petals() == (0, 0)
    assert not get_model("loyalty_earning", "OrderReview").objects.exists()
    assert command().startswith("1 orders brought 12 points")


def test_a_period(past, member, per_euro):
    for number, days in (("A", 0), ("B", 1), ("C", 2)):
        past(number, "1", days=days)
    assert command("--since", "2024-05-02", "--until", "2024-05-03").startswith("1 orders brought 1 points")
    assert get_model("loyalty_earning", "Award").objects.get().explanation["number"] == "B"
    assert command("--until", "2024-05-02").startswith("1 orders")
    assert command("--since", "2024-05-03").startswith("1 orders")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--since", "May"], "May is no date"),
        (["--until", "2024-02-30"], "is no date"),
        (["--since", "2024-05-02", "--until", "2024-05-02"], "must be before"),
    ],
)
def test_periods_that_cannot_be(programme, options, reason):
    with pytest.raises(CommandError, match=reason):
        command(*options)


def test_without_a_programme(db):
    get_model("loyalty_members", "Programme").objects.all().delete()
    with pytest.raises(CommandError, match="no open programme"):
        command()


def test_orders_before_joining_count_and_strangers_do_not(past, member, per_euro, petals):
    stranger = User.objects.create_user("x", "x@example.com")
    past("A", "12")
    past("B", "50", of=stranger)
    past("C", "50", of=None)
    assert member.joined_at > LONG_AGO
    assert command().startswith("1 orders brought 12 points to 1 members")
    assert petals() == (12, 0)


def test_what_brings_nothing(past, member, per_euro, petals, programme):
    past("cancelled", "12", status="Cancelled")
    other = past("other money", "12")
    get_model("order", "Order").objects.filter(pk=other.pk).update(currency="USD")
    half = past("half cancelled", "5")
    get_model("order", "Line").objects.filter(order=half).update(status="Cancelled")
    assert command() == "1 orders brought 0 points to 0 members; 1 of them nothing.\n"
    members.set_status(member=member, status="frozen")
    past("on hold", "12")
    assert command().startswith("0 orders")
    assert petals() == (0, 0)


def test_the_status_that_gives_points(past, member, per_euro, programme, petals):
    members.save_programme(programme=programme, award_on_status="Complete")
    past("A", "12")
    pending = past("B", "5", status="Pending")
    moved = past("C", "3", status="Being processed")
    moved.status_changes.create(old_status="Complete", new_status="Complete")
    assert command().startswith("2 orders brought 15 points")
    get_model("order", "Order").objects.filter(pk=pending.pk).update(status="Complete")
    assert command().startswith("1 orders brought 5 points")


def test_orders_that_were_reviewed_are_left_alone(order, member, petals):
    assert command().startswith("0 orders")
    assert petals() == (0, 172)


def test_rules_of_now_or_of_then(past, member, per_euro, petals):
    past("A", "12")
    assert command("--rules", "then", "--dry-run").startswith("1 orders would bring 0 points")
    assert command("--rules", "now").startswith("1 orders brought 12 points")


def test_points_live_from_the_day_of_the_order_or_from_today(past, member, per_euro, programme, petals, later):
    members.save_programme(programme=programme, expiry_months=24)
    past("A", "12")
    later(days=100)
    assert command().startswith("1 orders brought 12 points")
    # Earned and expired on their days, both in the past: the history is that of somebody who was there.
    assert petals() == (0, 0)
    past("B", "5", days=1)
    command("--from-today")
    assert petals() == (0, 5)
    later(days=14)
    assert petals() == (5, 0)


def test_the_books_of_each_member_are_in_the_order_of_time(past, member, programme, per_euro, monkeypatch):
    monkeypatch.setattr(backfill, "SLICE", 3)
    friend = members.join(programme=programme, user=User.objects.create_user("x", "x@example.com"))
    for number, days in enumerate([5, 1, 3, 2, 4, 0, 6]):
        past(f"A{number}", str(days + 1), days=days)
        past(f"B{number}", str(days + 1), days=days, of=friend.user)
    assert command().startswith("14 orders brought 56 points to 2 members")
    for one in (member, friend):
        written = entries(one)
        assert [entry.units for entry in written] == [1, 2, 3, 4, 5, 6, 7]
        assert [entry.effective_at for entry in written] == sorted(entry.effective_at for entry in written)


def test_progress_tells_how_far_it_is(past, member, per_euro, programme, monkeypatch):
    """By whole customers: a slice has all orders of each of its own."""
    monkeypatch.setattr(backfill, "SLICE", 2)
    others = [User.objects.create_user(f"u{number}", f"u{number}@example.com") for number in range(3)]
    for who in others:
        members.join(programme=programme, user=who)
    for number, who in enumerate([member.user, member.user, member.user, *others]):
        past(str(number), "1", of=who)
    told = []
    backfill.run(programme=programme, dry_run=True, progress=lambda *numbers: told.append(numbers))
    backfill.run(programme=programme, progress=lambda *numbers: told.append(numbers))
    assert told == [(3, 6), (4, 6), (6, 6)] * 2


def written():
    """All that a backfill writes, whatever the primary keys of what is new."""
    from django.db.models import F

    award, line = get_model("loyalty_earning", "Award"), get_model("loyalty_earning", "AwardLine")
    entry, lot = get_model("loyalty_ledger", "Entry"), get_model("loyalty_ledger", "Lot")
    review, due = get_model("loyalty_earning", "OrderReview"), get_model("loyalty_due", "Due")

    def rows(model, order, *without, **more):
        fields = [f.attname for f in model._meta.concrete_fields if f.attname not in ("id", *without)]
        renamed = {f"its_{name}": F(path) for name, path in more.items()}
        return list(model.objects.order_by(*order).values(*fields, **renamed))

    return {
        "entries": rows(entry, ["account", "sequence"], "recorded_at"),
        "lots": rows(lot, ["entry__account", "entry__sequence"], "entry_id", key="entry__key"),
        "uses": list(
            get_model("loyalty_ledger", "LotUse")
            .objects.order_by("entry__account", "entry__sequence")
            .values_list("entry__key", "lot__entry__key", "units")
        ),
        "accounts": rows(get_model("loyalty_ledger", "Account"), ["pk"]),
        "awards": rows(award, ["reference"], "entry_id", key="entry__key"),
        "lines": rows(line, ["award__reference", "order_line", "rule_version"], "award_id", of="award__reference"),
        "reviews": rows(review, ["order"], "reviewed_at"),
        "told": sum(len(row.payload["awards"]) for row in due.objects.filter(kind="earning.follow")),
    }


@pytest.mark.parametrize("expiry", [None, 1])
def test_thousands_at_once_are_as_one_by_one(past, member, per_euro, programme, haircut, monkeypatch, expiry):
    """What is written past the models is what the usual way writes: boosters, limits, debts and all."""
    rules.publish_rule(
        programme=programme, kind="booster", spec={"times": "1.5"}, target="product", target_object=haircut
    )
    rules.publish_rule(programme=programme, kind="order", spec={"points": 7, "threshold": "20", "caps": {"member": 30}})
    members.save_programme(programme=programme, expiry_months=expiry, award_on_status="Complete")
    people = [member, *(members.join(programme=programme, user=User.objects.create_user(f"u{n}")) for n in range(4))]
    lines = get_model("order", "Line").objects
    for number in range(40):
        order = past(f"N{number}", f"{number % 13 * 3}.7{number % 10}", days=number * 3, of=people[number % 5].user)
        if number % 3:
            lines.filter(order=order).update(product=haircut, title=haircut.title)
        if number % 7 == 0:
            order.status_changes.create(old_status="", new_status="Complete")
    # One who owes, and one of whom a line is cancelled.
    books.earn(account=people[1].account, units=30, key="e", usable_from=LONG_AGO, happened_at=LONG_AGO)
    entry = get_model("loyalty_ledger", "Entry").objects.get(key="e")
    books.spend(account=people[1].account, units=30, key="s", happened_at=LONG_AGO)
    books.reverse(entry=entry, key="r", happened_at=LONG_AGO)
    lines.filter(order__number="N2").update(status="Cancelled")
    found = []
    for usual in (False, True):
        if usual:
            monkeypatch.setattr(
                past_orders, "_others", lambda _programme, past, *_more: {order.user for order in past.values()}
            )
        with transaction.atomic():
            outcome = backfill.run(programme=programme)
            found.append((outcome, written()))
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert found[0][0].orders == 40 and found[0][0].members == 5
    assert ("expire" in {row["kind"] for row in found[0][1]["entries"]}) is bool(expiry)


def test_points_of_the_past_pay_what_is_owed(past, member, programme, petals, cancel, order, later):
    """An order cancelled after its points were spent leaves a debt."""
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    cancel(order)
    past("A", "120")
    assert command().startswith("1 orders brought 120 points")
    assert petals() == (20, 0)


# Several processes


@pytest.fixture
def crowd(transactional_db, programme, past, time):
    """Ten members with forty past orders each, in the test's database, for other processes to work on."""
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    found = []
    for number in range(10):
        who = User.objects.create_user(f"u{number}", f"u{number}@example.com")
        found.append(members.join(programme=programme, user=who))
        for place in range(40):
            past(f"{number}-{place}", "3", of=who, days=place)
    return found


WORK = """
import django; django.setup()
from django.core.management import call_command
from oscar_loyalty.earning import backfill
backfill.SLICE = 7
call_command("loyalty_backfill")
"""


def start():
    return subprocess.Popen(
        [sys.executable, "-c", WORK],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def awarded():
    return get_model("loyalty_earning", "Award").objects.count()


def prove(crowd):
    for member in crowd:
        written = entries(member)
        assert [entry.units for entry in written] == [3] * 40
        assert [entry.effective_at for entry in written] == sorted(entry.effective_at for entry in written)
    assert awarded() == 400


def test_a_killed_run_goes_on_where_it_was(crowd):
    """kill -9 in the middle of it: slices are done or not, and the next run does what is left."""
    process = start()
    limit = clocks.monotonic() + 100
    while awarded() < 21 and process.poll() is None and clocks.monotonic() < limit:
        clocks.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = awarded()
    assert process.returncode == -signal.SIGKILL
    assert 0 < done < 400 and done % 40 == 0
    assert command().startswith(f"{400 - done} orders brought {3 * (400 - done):,} points")
    prove(crowd)


def test_two_at_once_award_every_order_once(crowd):
    processes_ = [start(), start()]
    said = [process.communicate(timeout=200) for process in processes_]
    assert [process.returncode for process in processes_] == [0, 0], said
    # What each says it did is what it did, and not the other.
    assert sum(int(out.split()[0]) for out, _error in said) == 400, said
    prove(crowd)


def test_two_imports_at_once_bring_every_row_once(transactional_db, programme, tmp_path):
    path = tmp_path / "table.csv"
    lines = [f"{n % 30},2025-01-{n % 28 + 1:02},{n % 7}.50" for n in range(400)]
    path.write_text("\n".join(["customer,date,amount", *lines]))
    work = (
        "import sys, django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from oscar_loyalty.earning import imports\n"
        "imports.SLICE = 10\n"
        "call_command('loyalty_import', 'transactions', sys.argv[1])\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", work, os.fspath(path)],
            env=processes.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _number in range(2)
    ]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(int(out.split()[0]) for out, _error in said) == 400, said
    assert get_model("order", "Order").objects.count() == 400
    assert get_model("loyalty_members", "Member").objects.count() == 30
