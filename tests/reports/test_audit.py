"""The audit is clean when the books are, and finds each row that was changed behind its back."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from oscar_loyalty.due import services as due
from oscar_loyalty.earning.tiering import review
from oscar_loyalty.ledger import books, triggers
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.tiers import give_by_hand
from oscar_loyalty.reports import audit
from oscar_loyalty.reports.selectors import STALE, audit_light


def model(app, name):
    return get_model(f"loyalty_{app}", name)


def sql(row, **fields):
    """Change a row as somebody with a database console would."""
    table = connection.ops.quote_name(row._meta.db_table)
    sets = ", ".join(f"{connection.ops.quote_name(row._meta.get_field(name).column)} = %s" for name in fields)
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {sets} WHERE id = %s", [*fields.values(), row.pk])  # noqa: S608


def found():
    return {finding.check for finding in audit.run(keep=False).findings}


def test_clean_when_clean(order, visit):
    report = audit.run()
    assert report.clean, report.findings
    assert report.checked["Award"] == 2 and report.checked["PaymentAttempt"] == 1
    assert audit_light().colour == "green"


def test_an_empty_shop_is_clean(db):
    assert audit.run().clean


def change_balance(order, visit):
    sql(visit.entry.account, balance=7)


def change_entry(order, visit):
    sql(visit.entry, units=81)


def change_points(order, visit):
    sql(visit, points=79)


def lose_entry(order, visit):
    sql(visit, entry_id=None)


def change_clawback(order, visit):
    books.reverse(entry=visit.entry, units=10, key="behind")


def change_share(order, visit):
    sql(visit.lines.get(), share="70.5")


def change_line(order, visit):
    sql(visit.lines.get(), points=70)


def change_card_currency(order, visit):
    sql(model("giftcards", "GiftCard").objects.get(order=None), currency="USD")


def change_card_state(order, visit):
    sql(model("giftcards", "GiftCard").objects.get(order=order), state="waiting")


def change_card_value(order, visit):
    sql(model("giftcards", "GiftCard").objects.get(order=order), value="5.00")


def change_card_balance(order, visit):
    sql(model("giftcards", "GiftCard").objects.get(order=None).account, balance=-5)


def change_tender(order, visit):
    sql(model("payments", "Tender").objects.get(kind="giftcard"), amount="1.00")


def change_order(order, visit):
    sql(order, total_incl_tax="99.00")


def change_units(order, visit):
    sql(model("payments", "Tender").objects.get(kind="giftcard"), units=1)


def open_hold(order, visit):
    sql(model("payments", "Tender").objects.get(kind="giftcard").hold, state="open", entry_id=None)


def change_allotment(order, visit):
    sql(model("payments", "Allotment").objects.filter(tender__kind="giftcard").first(), amount="0.50")


def change_return(order, visit):
    sql(model("payments", "Allotment").objects.filter(tender__kind="giftcard").first(), returned_units=3)


def leave_group(order, visit):
    visit.member.tier.group.user_set.remove(visit.member.user)


def enter_group(order, visit):
    visit.member.programme.tiers.get(code="gold").group.user_set.add(visit.member.user)


def change_tier(order, visit):
    gold = visit.member.programme.tiers.get(code="gold")
    give_by_hand(member=visit.member, tier=gold, key="behind")
    sql(visit.member, tier_id=visit.member.programme.tiers.get(code="silver").pk)


def lose_change(order, visit):
    tiers = visit.member.programme.tiers
    for code in ("silver", "gold", "silver"):
        give_by_hand(member=visit.member, tier=tiers.get(code=code), key=f"{code}{visit.member.tier_id}")
    visit.member.tier_changes.get(after__code="gold").delete()


def remove_tier(order, visit):
    sql(visit.member.tier, removed_at="2026-01-01 00:00:00+00:00")


def miss_a_rise(order, visit):
    """The review has passed somebody over."""
    due.sweep()
    programme = visit.member.programme
    programme.tiers.filter(code="silver").update(threshold=10)
    model("members", "TierScheme").objects.create(programme=programme, metric="points", window="lifetime")
    reviewed = review.begin(programme=programme)
    reviewed.run.slices.update(done_at=reviewed.began_at)
    sql(reviewed, finished_at=reviewed.began_at, began_at=reviewed.began_at + timedelta(days=1))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (change_tier, "tiers.given"),
        (change_tier, "tiers.history"),
        (lose_change, "tiers.history"),
        (remove_tier, "tiers.programme"),
        (miss_a_rise, "tiers.reviewed"),
        (change_balance, "ledger.balance"),
        (change_entry, "ledger.balance_after"),
        (change_points, "awards.points"),
        (lose_entry, "awards.entry"),
        (lose_entry, "entries.award"),
        (change_clawback, "awards.clawback"),
        (change_share, "awards.shares"),
        (change_line, "awards.lines"),
        (change_card_currency, "giftcards.currency"),
        (change_card_state, "giftcards.waiting"),
        (change_card_value, "giftcards.value"),
        (change_card_balance, "giftcards.overdrawn"),
        (change_tender, "payments.sum"),
        (change_order, "payments.order"),
        (change_units, "payments.capture"),
        (open_hold, "payments.hold"),
        (change_allotment, "payments.allotted"),
        (change_return, "payments.returns"),
        (leave_group, "tiers.missing"),
        (enter_group, "tiers.extra"),
    ],
)
def test_finds_what_was_changed_behind_its_back(change, check, order, visit):
    assert found() == set()
    change(order, visit)
    assert check in found()


def test_finds_that_entries_can_be_changed(order, visit):
    triggers.remove()
    try:
        assert "ledger.triggers" in found()
    finally:
        triggers.install()


def run_command(*arguments):
    out = io.StringIO()
    code = 0
    try:
        call_command("loyalty_audit", *arguments, stdout=out, no_color=True)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue()


def test_the_command_says_so(order, visit):
    code, text = run_command()
    assert code == 0 and "The books agree." in text
    sql(visit, points=79)
    code, text = run_command()
    assert code == 1
    assert f"awards.points: award {visit.reference}: 79 points, entry has 80" in text
    assert audit_light().colour == "red" and audit_light().run.findings >= 1


def test_the_command_as_json(order, visit):
    code, text = run_command("--json", "--dry-run")
    report = json.loads(text)
    assert code == 0 and report["clean"] is True and report["findings"] == []
    assert report["checked"]["Entry"] == model("ledger", "Entry").objects.count()
    # A dry run leaves the light alone.
    assert audit_light().run is None and audit_light().colour == "amber"
    sql(visit, points=79)
    code, text = run_command("--json")
    report = json.loads(text)
    assert code == 1 and not report["clean"]
    assert {"check": "awards.points", "row": f"award {visit.reference}", "detail": "79 points, entry has 80"} in report[
        "findings"
    ]


def test_the_light_fades(time, db):
    audit.run()
    assert audit_light().colour == "green"
    time.advance(days=STALE.days + 1)
    assert audit_light().colour == "amber"


def test_the_audit_costs_the_same_whatever_the_number_of_rows(order, visit, django_assert_max_num_queries):
    with django_assert_max_num_queries(60):
        audit.run()
