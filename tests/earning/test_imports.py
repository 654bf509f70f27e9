"""Imports of members, balances and purchases: what comes in, what is refused, and that twice is once."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import adjustments, cells, imports
from oscar_loyalty.earning.cells import RowError
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging
from oscar_loyalty.members import services as members
from oscar_loyalty.tables import Row

User = get_user_model()


@pytest.fixture
def bring(programme, tmp_path):
    """Import a text: ``bring("balances", "email,points\\n…", dry_run=True)``; return what the command said."""

    def bring(kind, content, *options, **more):
        path = tmp_path / "table.csv"
        path.write_text(content, encoding="utf-8", newline="")
        said = StringIO()
        call_command("loyalty_import", kind, str(path), *options, stdout=said, **more)
        return said.getvalue()

    return bring


def orders():
    return get_model("order", "Order").objects.order_by("date_placed", "pk")


def imported(number):
    return get_model("loyalty_earning", "CustomerNumber").objects.get(number=number).member


def refused(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


PURCHASES = """customer,date,amount,quantity
7,20250101,11.77,1
7,20250102,12.00,1
7,20250102,12.00,1
8,20250103,0.00,2
"""

# Members


def test_members_come_in_once(bring, programme):
    table = (
        "customer,email,first_name,last_name,joined,language\n"
        "1,Rose@Example.com,Rose,Martin,2024-05-06,fr\n2,,محمد,علي,,xx\n,ana@example.com,Ana,,,FR-be\n"
    )
    said = bring("members", table)
    assert "3 rows are new, 0 were known, 0 are refused. 3 members are new." in said
    assert "0 rows are new, 3 were known" in bring("members", table)
    rose, other = imported("1"), imported("2")
    assert (rose.email, rose.full_name, rose.language, rose.source) == (
        "rose@example.com",
        "Rose Martin",
        "fr",
        "import",
    )
    assert rose.joined_at.date().isoformat() == "2024-05-06"
    assert rose.tier.code == "bronze" and rose.tier.group in rose.user.groups.all()
    assert (other.full_name, other.email, other.language) == ("محمد علي", "", "en")
    assert get_model("loyalty_members", "Member").objects.get(email="ana@example.com").language == "fr"
    assert not mail.outbox


def test_a_dry_run_writes_nothing(bring):
    assert "4 rows would be new" in (said := bring("transactions", PURCHASES, "--dry-run"))
    assert "2 members would be new" in said and "35.77 EUR" in said
    assert not User.objects.exists() and not orders().exists()
    assert not get_model("loyalty_members", "Member").objects.exists()


def test_a_dry_run_counts_over_slices(bring, monkeypatch):
    monkeypatch.setattr(imports, "SLICE", 2)
    assert "2 members would be new" in bring("transactions", PURCHASES, "--dry-run")


def test_a_user_of_the_shop_is_found_by_mail(bring, user):
    User.objects.filter(pk=user.pk).update(email="Rose@example.com")
    bring("members", "customer,email\n1,rose@EXAMPLE.com\n")
    assert imported("1").user == user
    assert User.objects.count() == 1
    # Later files need not know the mail.
    bring("transactions", "customer,date,amount\n1,2025-01-01,5\n")
    assert orders().get().user == user


def test_two_numbers_with_one_mail_are_one_member(bring):
    bring("members", "customer,email\n1,ana@example.com\n2,ana@example.com\n1,\n")
    assert imported("1") == imported("2")
    assert User.objects.count() == 1


def test_who_was_imported_can_set_a_password(bring, client):
    bring("members", "customer,email\n1,ana@example.com\n")
    client.post(reverse("password-reset"), {"email": "ana@example.com"})
    assert [message.to for message in mail.outbox] == [["ana@example.com"]]


def test_a_member_by_mail_alone_keeps_the_balance(bring, programme, give):
    alone = members.join(programme=programme, email="ana@example.com")
    give(30, to=alone)
    bring("balances", "email,points\nana@example.com,12\n")
    alone.refresh_from_db()
    assert alone.user is None
    bring("transactions", "customer,email,date,amount\n1,ana@example.com,2025-01-01,5\n")
    alone.refresh_from_db()
    assert alone.user == orders().get().user
    assert imported("1") == alone
    assert ledger.balance(alone.account).usable == 42


def test_merged_members_are_followed(bring, programme, user):
    bring("members", "customer,email\n1,old@example.com\n")
    gone, kept = imported("1"), members.join(programme=programme, user=user)
    merging.merge(source=gone, target=kept, key="m")
    bring("balances", "customer,points\n1,5\n")
    assert ledger.balance(kept.account).usable == 5


def test_a_closed_membership_is_refused(bring, member):
    members.set_status(member=member, status="frozen")
    assert "1 × this membership is on hold or closed" in bring("balances", "email,points\nrose@example.com,5\n")


def test_whose_account_was_deleted_is_refused(bring):
    bring("members", "customer\n1\n")
    imported("1").user.delete()
    assert "1 × this member's account in the shop was deleted" in bring(
        "transactions", "customer,date,amount\n1,2025-01-01,5\n"
    )


def test_a_shop_that_knows_customers_by_mail(bring, monkeypatch):
    monkeypatch.setitem(User._meta.get_field("email").__dict__, "unique", True)
    said = bring("members", "customer,email\n1,\n2,ana@example.com\n")
    assert "1 × email: it is missing, and this shop knows its customers by it" in said
    assert imported("2").email == "ana@example.com"


# Balances


def test_balances(bring, member, tmp_path, time):
    table = (
        f'email,card,points,expires,reason\nrose@example.com,,"1,000",,Old card\n,{member.number},20,2026-12-31,\n'
        "rose@example.com,,5,2026-01-01,\nrose@example.com,,0,,\nrose@example.com,,-3,,\n,123456789012,5,,\n,12,5,,\n"
    )
    said = bring("balances", table, "--rejected", str(tmp_path / "rejected.csv"))
    assert "2 rows are new, 0 were known, 5 are refused" in said and "1,020 points" in said
    assert "0 rows are new, 2 were known, 5 are refused" in bring("balances", table)
    assert ledger.balance(member.account).usable == 1020
    assert sorted(row["refused because"] for row in refused(tmp_path / "rejected.csv")) == [
        "card: it is no card number: those have 12 digits",
        "card: nobody has this number",
        "points: it is not between 1 and 100000000",
        "points: it is not between 1 and 100000000",
        "these points have expired",
    ]
    notes = get_model("loyalty_ledger", "EntryNote").objects.values_list("text", flat=True)
    assert list(notes) == ["Old card"]


# Purchases


def test_purchases_become_orders(bring, programme):
    assert "4 rows are new, 0 were known, 0 are refused. 2 members are new." in bring("transactions", PURCHASES)
    first, *rest = orders()
    assert (first.total_incl_tax, first.currency, first.status) == (Decimal("11.77"), "EUR", "Complete")
    assert first.date_placed == datetime(2025, 1, 1, 11, tzinfo=UTC)
    assert first.user == imported("7").user
    assert len(rest) == 3
    line = orders().last().lines.get()
    assert (line.quantity, line.line_price_incl_tax, line.unit_price_incl_tax) == (2, 0, 0)
    assert imported("7").joined_at == first.date_placed


def test_the_same_file_twice_changes_nothing(bring):
    bring("transactions", PURCHASES)
    assert "0 rows are new, 4 were known, 0 are refused. 0 members are new." in bring("transactions", PURCHASES)
    # Nor does it when fewer columns are mapped, in another order, or with other marks.
    again = "date;amount;customer\r\n2025-01-02;12,00;7\r\n2025-01-01;11,77;7\r\n20250102;€ 12;7\r\n"
    assert "0 rows are new, 3 were known" in bring("transactions", again)
    assert orders().count() == 4


def test_a_grown_file_brings_what_is_new(bring):
    bring("transactions", PURCHASES)
    grown = PURCHASES + "7,20250102,12.00,1\n9,20250109,5,1\n"
    assert "2 rows are new, 4 were known, 0 are refused. 1 members are new." in bring("transactions", grown)
    assert orders().count() == 6


def test_references(bring):
    table = "customer,date,amount,reference\n7,20250101,5,A1\n7,20250101,5,A2\n"
    assert "2 rows are new" in bring("transactions", table)
    said = bring("transactions", f"{table}8,20250101,6,A2\n")
    assert "0 rows are new, 2 were known, 1 are refused" in said and "reference: another purchase has it" in said
    assert sorted(order.number for order in orders()) == ["IMP-A1", "IMP-A2"]


def test_rough_rows_are_refused_with_their_reasons(bring, tmp_path):
    table = (
        "customer,date,amount,quantity,total\n"
        "1,2025-01-01,NaN,1,\n1,2025-01-01,inf,1,\n1,2025-01-01,1e309,1,\n1,2025-01-01,-5.00,1,\n"
        '1,2025-01-01,=1+1,1,\n1,2025-01-01,1.0055,1,\n1,2025-01-01,"1,234",1,\n1,2025-02-30,1,1,\n1,2999-01-01,1,1,\n'
        "1,,1,1,\n,2025-01-01,1,1,\n1,2025-01-01,1,0,\n1,2025-01-01,1,1.5,\n1,2025-01-01,,1,\n"
        '1,2025-01-01,1,1,=1+1\n1,2025-01-01,1,1,,6\n"1,2025-01-01,1\n1,1066-10-14,1,1,\n'
    )
    said = bring("transactions", table, "--rejected", str(tmp_path / "rejected.csv"))
    # A formula in a column that nobody asked for does no harm.
    assert "1 rows are new, 0 were known, 17 are refused" in said
    found = refused(tmp_path / "rejected.csv")
    assert [row["refused because"] for row in found] == [
        "amount: it is no number",
        "amount: it is no number",
        "amount: it is too large to be believed",
        "amount: it is below zero",
        "amount: it is a formula, not a value",
        "amount: it has more than two decimals",
        "amount: it may be a thousand or three decimals: write it without marks for thousands",
        "date: it is no date: write 2026-03-31, or say how the file writes it",
        "date: it is a date that cannot be",
        "date: it is missing",
        "the customer is missing",
        "quantity: it is not between 1 and 10000",
        "quantity: it is no whole number",
        "amount: it is missing",
        "there are more cells than columns",
        "its quotes are broken",
        "date: it is a date that cannot be",
    ]
    assert found[0]["refused row"] == "2" and found[0]["amount"] == "NaN" and found[-1]["refused row"] == "19"
    # Neither a formula nor what looks like one runs when the file is opened.
    assert found[4]["amount"] == "'=1+1" and found[3]["amount"] == "'-5.00"


def test_dates_as_the_file_writes_them(bring):
    bring("transactions", "customer,date,amount\n1,31/03/2025,5\n", "--dates", "%d/%m/%Y")
    assert orders().get().date_placed == datetime(2025, 3, 31, 10, tzinfo=UTC)


def test_the_status_of_past_orders(bring):
    bring("transactions", PURCHASES, "--status", "Being processed")
    assert orders().first().status == "Being processed"
    with pytest.raises(CommandError, match=r"no status Lost; there are: Pending, "):
        bring("transactions", PURCHASES, "--status", "Lost")


def test_columns_by_other_names(bring):
    table = "id  when  cds  dollars\n7  20250101  1  11.77\n"
    maps = [f"--map={pair}" for pair in ("customer=id", "date=when", "quantity=cds", "amount=dollars")]
    assert "1 rows are new" in bring("transactions", table, *maps, "--delimiter", "blank")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--map=date"], "wants FIELD=COLUMN"),
        (["--map=colour=x"], "no field “colour”; there are: customer, "),
        (["--map=date=x"], "no column “x”; there are: customer, on, amount"),
        ([], "which column is the date"),
        (["--map=date=on", "--columns=a,on,amount"], "which column tells the customer"),
        (["--columns=a,a"], "same name"),
        (["--rejected={file}"], "cannot go to the file they come from"),
        (["--map=date=on", "--rejected={folder}"], "cannot be written"),
    ],
)
def test_what_the_command_cannot_do(bring, tmp_path, options, reason):
    options = [option.format(file=tmp_path / "table.csv", folder=tmp_path) for option in options]
    with pytest.raises(CommandError, match=reason):
        bring("transactions", "customer,on,amount\n1,x,1\n", *options)


def test_without_a_programme(db, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("customer\n1\n")
    get_model("loyalty_members", "Programme").objects.all().delete()
    with pytest.raises(CommandError, match="no open programme"):
        call_command("loyalty_import", "members", str(path))


def test_somebody_else_is_faster(bring, programme, monkeypatch):
    """A visitor registers between the look and the write: the slice is written again."""
    real, tries = imports._write_members, []

    def once_too_late(batch, register, status):
        tries.append(1)
        if len(tries) == 1:
            User.objects.create(username="x")
            User.objects.create(username="x")
        return real(batch, register, status)

    monkeypatch.setattr(imports, "_write_members", once_too_late)
    assert "1 rows are new" in bring("members", "customer\n1\n")
    assert len(tries) == 2


def test_two_members_without_mail_work_through_the_shop(bring, programme, client, django_capture_on_commit_callbacks):
    bring("transactions", PURCHASES)
    first, second = imported("7"), imported("8")
    staff = User.objects.create_user("owner", "owner@example.com", "petale-demo", is_staff=True, is_superuser=True)
    with django_capture_on_commit_callbacks(execute=True):
        for member in (first, second):
            member.user.first_name = "Somebody"
            member.user.save()
            members.set_tier(member=member, tier=programme.tiers.get(code="gold"), key=f"gold:{member.pk}")
        adjustments.request_adjustment(
            programme=programme, members=[first, second], units=5, reason="Thanks", key="thanks", user=staff
        )
    due.sweep()
    assert ledger.balance(second.account).usable == 5
    for member in (first, second):
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
        for name in ("customer:order-list", "customer:profile-view"):
            assert client.get(reverse(name)).status_code == 200
        order = orders().filter(user=member.user).first()
        assert client.get(reverse("customer:order", args=[order.number])).status_code == 200
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("dashboard:order-detail", args=[orders().first().number])).status_code == 200
    assert not mail.outbox
    assert not get_model("loyalty_messaging", "Message").objects.exists()


# Anything

ANY = settings(deadline=None, max_examples=200)
ROUGH = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789.,eE+-' /:TZ", max_size=24),
    st.sampled_from(
        ["NaN", "sNaN", "-inf", "1e309", "-0", "1E-999", "9" * 400, "0001-01-01", "9999-12-31T23:59-14:00"]
    ),
)


@ANY
@given(
    field=st.sampled_from(sorted(cells.PARSERS)), cell=ROUGH, pattern=st.sampled_from(["", "%d/%m/%Y", "%", "%Q %H"])
)
@example(field="date", cell="0001-01-01T00:00:00+14:00", pattern="")
@example(field="amount", cell="1e999", pattern="")
def test_any_cell_is_a_value_or_refused(field, cell, pattern):
    try:
        found = cells.value(field, cell, pattern)
    except RowError as error:
        assert str(error).startswith(f"{field}: ")
        return
    if field == "amount":
        assert 0 <= found <= cells.DEAREST and found.as_tuple().exponent >= -2
        assert not found.is_signed()
    elif field in ("points", "quantity"):
        assert 1 <= found <= 100_000_000
    elif field in cells.DATES and found is not None:
        assert found.tzinfo is UTC and 1969 <= found.year <= 2200


@ANY
@given(
    values=st.dictionaries(st.sampled_from(sorted(imports.KINDS["transactions"])), ROUGH),
    problem=st.sampled_from(["", "", "", "broken"]),
)
def test_any_row_is_understood_or_refused(values, problem):
    columns = {name: name for name in imports.KINDS["transactions"]}
    try:
        found = imports.understand(Row(2, values, (), problem), columns)
    except RowError as error:
        assert str(error)
    else:
        assert not problem and set(found) == set(columns)
        assert found["customer"] or found["email"] or found["card"]


@ANY
@given(
    number=st.decimals(min_value=0, max_value=999_999, places=2),
    marks=st.sampled_from([(",", "."), (".", ","), ("'", "."), ("\u202f", ","), (" ", ","), ("", "."), ("", ",")]),
)
def test_amounts_in_the_usual_ways(number, marks):
    thousands, point = marks
    text = f"{number:,.2f}".replace(",", "x").replace(".", point).replace("x", thousands)
    assert cells.amount(text) == number
    assert cells.amount(f"{text} €") == number


@pytest.mark.parametrize(
    ("cell", "points"),
    [("1,000", 1000), ("1.000", 1000), ("1 000 000", 1_000_000), ("12.0", 12), ("0.500e1", 5), ("١٢", 12)],
)
def test_whole_numbers_in_the_usual_ways(cell, points):
    assert cells.value("points", cell) == points


@pytest.mark.parametrize(
    "cell", ["1.2340", "1,00", "1.2.3", "1,00,000", "0x10", "1_000", "12.000,5", "٪", "", "+", "."]
)
def test_what_is_no_whole_number(cell):
    with pytest.raises(RowError):
        if cells.value("points", cell) == 1:
            raise RowError("one")
