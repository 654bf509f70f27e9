"""The shop's side of gift cards in the dashboard: each is shown before it is done, and done once."""

import csv
import io
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import bulk, codes, expiry, selectors, services, staff
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit

TOKEN = "0123456789abcdef0123456789abcdef"


def the(name):
    return get_model("loyalty_giftcards", name).objects.get()


def body(response):
    return b"".join(response.streaming_content).decode("utf-8-sig")


@pytest.fixture
def clerk(client, staff):
    """The browser of somebody who manages cards, and nothing else."""
    client.force_login(staff("manage_cards", username="clerk"))
    return client


@pytest.fixture
def _clean(db):
    yield
    assert audit.run(keep=False).findings == []


pytestmark = pytest.mark.usefixtures("_clean")


# One card


def test_a_top_up_is_shown_first_and_done_once(clerk, url, card):
    address = url("giftcard-action", card.uuid, "top-up")
    data = {"amount": "10", "reason": "A long wait", "token": TOKEN}
    page = clerk.post(address, data).content.decode()
    assert "€10.00 is put on the card: from €25.00 to €35.00." in page and "A long wait" in page
    assert selectors.balance(card).amount == 25
    for _press in range(2):
        response = clerk.post(address, data | {"sure": "1"}, follow=True)
        assert "€10.00 was put on the card." in response.content.decode()
    assert selectors.balance(card).amount == 35
    other = clerk.post(address, data | {"sure": "1", "amount": "11"}, follow=True).content.decode()
    assert "sent before with other content" in other and 'value="11"' in other and selectors.balance(card).amount == 35
    page = clerk.get(url("giftcard", card.uuid)).content.decode()
    assert "€10.00 put on it since" in page and "A long wait" in page and "Topped up" in page
    assert "· €10.00 ·" in page
    clerk.cookies["django_language"] = "fr"
    assert "· 10,00 € ·" in clerk.get(url("giftcard", card.uuid)).content.decode().replace("\xa0", " ").replace(
        "\u202f", " "
    )


def test_back_from_the_question_nothing_is_lost(clerk, url, card):
    address = url("giftcard-action", card.uuid, "top-up")
    response = clerk.post(address, {"amount": "10", "reason": "Why", "token": TOKEN, "change": "1"})
    form = response.context["topup_form"]
    assert form["amount"].value() == "10" and form["reason"].value() == "Why" and selectors.balance(card).amount == 25


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "x"}, "amount"),
        ({"amount": "500.01"}, "amount"),
        ({"amount": "1e300"}, "amount"),
        ({"reason": ""}, "reason"),
        ({"token": "x"}, "token"),
    ],
)
def test_mistakes_are_said_at_their_fields(data, field, clerk, url, card):
    filled = {"amount": "10", "reason": "x", "token": TOKEN, "sure": "1"} | data
    response = clerk.post(url("giftcard-action", card.uuid, "top-up"), filled)
    assert set(response.context["topup_form"].errors) == {field}
    assert selectors.balance(card).amount == 25


def test_a_later_end_brings_back_what_expired(clerk, url, time, programme):
    services.set_policy(country="", months=1)
    card = services.issue(value=D("25"), key="short")
    address = url("giftcard-action", card.uuid, "extend")
    early = clerk.post(address, {"until": "2026-03-05", "reason": "x", "token": TOKEN})
    assert set(early.context["extend_form"].errors) == {"until"}
    time.move_to(card.expires_at + timedelta(days=3))
    page = clerk.get(url("giftcard", card.uuid)).content.decode()
    assert "€25.00 have expired" in page and "Ended" in page
    data = {"until": "2026-12-31", "reason": "Kindness", "token": TOKEN}
    page = clerk.post(address, data).content.decode()
    assert "€25.00 that had expired come back" in page and "Dec. 31, 2026" in page
    for _press in range(2):
        assert "later end" in clerk.post(address, data | {"sure": "1"}, follow=True).content.decode()
    assert selectors.balance(card).amount == 25
    card.refresh_from_db()
    assert card.last_day.isoformat() == "2026-12-31" and card.events.filter(kind="extended").count() == 1


def test_enabling_wants_a_reason(clerk, url, card):
    services.disable(card=card)
    response = clerk.post(url("giftcard-action", card.uuid, "enable"))
    assert set(response.context["enable_form"].errors) == {"reason"}


# The policy


def test_the_policy_and_its_floor(clerk, url):
    page = clerk.get(url("giftcards-policy")).content.decode()
    assert "New Zealand" in page and "12 CFR" in page
    response = clerk.post(url("giftcards-policy"), {"country": "IE", "months": "12"})
    assert "at least 60 months" in str(response.context["form"].errors["months"])
    assert response.context["form"]["months"].value() == "12"
    response = clerk.post(url("giftcards-policy"), {"country": "CA-QC", "months": "12"})
    assert "may not end" in str(response.context["form"].errors["months"])
    assert expiry.policy().pk is None
    clerk.post(url("giftcards-policy"), {"country": "IE", "months": "60"})
    assert (expiry.policy().country, expiry.policy().months) == ("IE", 60)


# Batches


@pytest.fixture
def asked(clerk, url):
    def asked(**fields):
        data = {
            "name": "Christmas",
            "number": "3",
            "value": "20",
            "expiry": "policy",
            "tax_kind": "multi",
            "reason": "For partners",
            "token": TOKEN,
        }
        return clerk.post(url("giftcard-batch-create"), data | fields)

    return asked


def test_a_batch_is_made_once_while_one_watches(clerk, url, asked):
    for _press in range(2):
        response = asked()
    batch = the("GiftCardBatch")
    assert response["Location"] == url("giftcard-batch", batch.pk)
    page = clerk.get(url("giftcard-batch", batch.pk)).content.decode()
    assert 'http-equiv="refresh"' in page and "<progress" in page and "0 of 3" in page
    due.sweep()
    page = clerk.get(url("giftcard-batch", batch.pk)).content.decode()
    assert 'http-equiv="refresh"' not in page and "finished" in page
    assert batch.cards.count() == 3 and "Christmas" in clerk.get(url("giftcard-batches")).content.decode()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"number": "0"}, "number"),
        ({"number": "10001"}, "number"),
        ({"number": "26"}, "number"),
        ({"value": ""}, "value"),
        ({"value": "-1"}, "value"),
        ({"expiry": "months"}, "months"),
        ({"expiry": "day"}, "last_day"),
        ({"expiry": "day", "last_day": "2020-01-01"}, "last_day"),
        ({"name": " "}, "name"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_a_batch_cannot_be(fields, field, asked):
    response = asked(**fields)
    assert set(response.context["form"].errors) == {field}
    assert not get_model("loyalty_giftcards", "GiftCardBatch").objects.exists()


def test_back_and_other_cards_are_another_batch(asked):
    asked()
    response = asked(number="4")
    assert "sent before with other content" in str(response.context["form"].non_field_errors())
    assert the("GiftCardBatch").number == 3


def test_a_batch_heeds_the_law(asked):
    services.set_policy(country="US", months=60)
    assert set(asked(expiry="months", months="12").context["form"].errors) == {"months"}
    assert set(asked(expiry="day", last_day="2027-06-01").context["form"].errors) == {"last_day"}


def test_the_printer_gets_the_last_day(client, url, asked, staff):
    asked(expiry="day", last_day="2031-05-31")
    due.sweep()
    client.force_login(staff("manage_cards", "export_codes", username="printer"))
    response = client.post(url("giftcard-batch-codes", the("GiftCardBatch").pk, "csv"))
    assert {row["Expires"] for row in csv.DictReader(io.StringIO(body(response)))} == {"2031-05-31"}


def test_codes_leave_only_for_those_who_may_and_it_is_noted(client, clerk, url, asked, staff):
    asked(at_till="on")
    due.sweep()
    batch = the("GiftCardBatch")
    address = url("giftcard-batch-codes", batch.pk, "csv")
    assert clerk.post(address).status_code == 403
    assert "permission of its own" in clerk.get(url("giftcard-batch", batch.pk)).content.decode()
    printer = staff("manage_cards", "export_codes", username="printer")
    client.force_login(printer)
    assert client.get(address).status_code == 405
    response = client.post(address)
    assert response["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(body(response))))
    card = batch.cards.order_by("pk").first()
    assert len(rows) == 3 and rows[0]["Code"] == codes.make(
        uuid=card.uuid, generation=card.generation, key_id=card.key_id
    )
    assert client.post(url("giftcard-batch-codes", batch.pk, "xlsx")).status_code == 200
    assert client.post(url("giftcard-batch-codes", batch.pk, "pdf")).status_code == 404
    events = list(batch.events.filter(kind="exported"))
    assert [event.detail["format"] for event in events] == ["csv", "xlsx"] and events[0].actor_id == str(printer.pk)
    page = client.get(url("giftcard-batch", batch.pk)).content.decode()
    assert "Codes downloaded" in page and "Printer" in page and rows[0]["Code"] not in page


# The till


def test_selling_a_printed_card(clerk, url, asked):
    asked(at_till="on", value="")
    due.sweep()
    card = the("GiftCardBatch").cards.first()
    find = url("giftcards-till")
    assert "has this code" in clerk.post(find, {"typed": "ABCDEFGH"}).content.decode()
    address = clerk.post(find, {"typed": card.label})["Location"]
    assert address == url("giftcard-activate", card.uuid)
    assert "blank" in clerk.get(address).content.decode()
    assert set(clerk.post(address, {"value": "", "token": TOKEN}).context["form"].errors) == {"value"}
    assert set(clerk.post(address, {"value": "501", "token": TOKEN}).context["form"].errors) == {"value"}
    response = clerk.post(address, {"value": "30", "note": "Receipt 9", "token": TOKEN}, follow=True)
    assert "is active, with €30.00 on it" in response.content.decode()
    card.refresh_from_db()
    assert selectors.balance(card).amount == 30
    assert "active already" in clerk.get(address).content.decode()
    page = clerk.get(url("giftcard", card.uuid)).content.decode()
    assert "Activated by mistake?" in page and "Receipt 9" in page
    action = url("giftcard-action", card.uuid, "deactivate")
    assert set(clerk.post(action, {"reason": ""}).context["deactivate_form"].errors) == {"reason"}
    for _press in range(2):
        assert (
            "waits to be sold" in clerk.post(action, {"reason": "Wrong one", "sure": "1"}, follow=True).content.decode()
        )
    card.refresh_from_db()
    assert (card.state, card.value) == ("waiting", 0)


def test_guessing_at_the_till_is_limited(clerk, url, asked, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 3
    for _guess in range(3):
        clerk.post(url("giftcards-till"), {"typed": "2222-2222"})
    assert "Too many wrong codes" in clerk.post(url("giftcards-till"), {"typed": "2222-2222"}).content.decode()


def test_other_cards_are_not_activated_here(clerk, url, card):
    assert clerk.get(url("giftcard-activate", card.uuid)).status_code == 404


# Imports


FILE = "Numéro;Solde;E-mail\nABC-12345;20,00;lou@example.com\n;5;\nABC-999;;\n"


@pytest.fixture
def read(clerk, url, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_FOREIGN_CODES = True

    def read(content=FILE, token=TOKEN, **fields):
        data = {
            "name": "Old till",
            "tax_kind": "multi",
            "token": token,
            "column_code": "Numéro",
            "column_value": "Solde",
            "file": SimpleUploadedFile("cards.csv", content.encode()),
        }
        return clerk.post(url("giftcards-import"), data | fields)

    return read


def test_an_import_is_looked_at_and_then_made(clerk, url, read):
    response = read()
    batch = the("GiftCardBatch")
    assert response["Location"] == url("giftcard-batch", batch.pk)
    page = clerk.get(url("giftcard-batch", batch.pk)).content.decode()
    assert "2 new cards (€25.00)" in page and "1 row is left out" in page and "value: it is missing" in page
    assert "ABC-12345" not in page and "ABC-999" not in page
    assert not get_model("loyalty_giftcards", "GiftCard").objects.exists()
    for _press in range(2):
        clerk.post(url("giftcard-batch-start", batch.pk))
    due.sweep()
    assert batch.cards.count() == 2
    [row] = csv.DictReader(io.StringIO(body(clerk.get(url("giftcard-batch-refused", batch.pk)))))
    assert row["Row"] == "4" and row["Why"].startswith("value") and "ABC" not in str(row)
    read(token="f" * 32)
    batch = selectors.batches().first()
    assert (batch.number, batch.known_number) == (0, 2)
    assert "were brought in before" in clerk.get(url("giftcard-batch", batch.pk)).content.decode()


def test_back_and_another_file_is_another_import(read):
    assert read()["Location"] == read()["Location"]
    assert read("value\n7\n", column_code="", column_value="")["Location"] != read()["Location"]
    assert get_model("loyalty_giftcards", "GiftCardBatch").objects.count() == 2


@pytest.mark.parametrize(
    ("content", "fields", "field"),
    [
        ("", {}, "file"),
        ("\n\n", {}, "file"),
        (FILE, {"column_value": "Nothing"}, "column_value"),
        (FILE, {"column_value": ""}, "column_value"),
        (FILE, {"column_note": "Nothing"}, "column_note"),
        ("PK\x03\x04 no zip", {}, "file"),
    ],
)
def test_files_that_cannot_be_read(content, fields, field, read):
    response = read(content, **fields)
    assert field in response.context["form"].errors
    assert response.context["form"]["name"].value() == "Old till"


def test_too_much_money_for_one_person(clerk, url, read):
    read("code,value\n,501\n", column_code="", column_value="")
    batch = the("GiftCardBatch")
    text = clerk.post(url("giftcard-batch-start", batch.pk), follow=True).content.decode()
    assert "needs somebody who may approve points" in text
    batch.refresh_from_db()
    assert batch.state == "tried"


# Tax


def test_the_tax_of_a_value(owner, url, programme):
    owner.post(url("denomination-create"), {"value": "40", "is_active": "on", "tax_kind": "single"})
    row = get_model("loyalty_giftcards", "Denomination").objects.get()
    assert row.tax_kind == "single" and "single-purpose" in owner.get(url("denominations")).content.decode()
    owner.post(url("denomination", row.pk), {"is_active": "on", "tax_kind": "multi"})
    row.refresh_from_db()
    assert row.tax_kind == "multi"


def test_the_list_as_a_table_says_end_and_tax(owner, url, programme, time):
    services.set_policy(country="", months=12)
    card = services.issue(value=D("5"), key="x", tax_kind="single")
    [row] = csv.DictReader(io.StringIO(body(owner.get(url("giftcards-export", "csv")))))
    assert row["Expires"] == "2027-03-02" == str(card.last_day) and row["Tax"] == "single-purpose"


# Money owed


def test_the_money_owed(time, clerk, url, card, boss):
    staff.top_up(card=card, amount=D("5"), reason="x", key="k", user=boss)
    page = clerk.get(url("giftcards-liability")).content.decode()
    assert "March 2026" in page and "€30.00" in page
    [row] = csv.DictReader(io.StringIO(body(clerk.get(url("giftcards-liability-export", "csv")))))
    assert (row["Month"], row["Opening"], row["Sold and issued"], row["Topped up"], row["Closing"]) == (
        "2026-03",
        "0.00",
        "25.00",
        "5.00",
        "30.00",
    )
    assert clerk.get(url("giftcards-liability-export", "xlsx")).status_code == 200


def test_nothing_owed(clerk, url):
    assert "Nothing is owed" in clerk.get(url("giftcards-liability")).content.decode()
    assert "Many cards at a time" in clerk.get(url("giftcard-batches")).content.decode()


def test_many_batches_cost_no_more(clerk, url, django_assert_max_num_queries, boss):
    for number in range(12):
        bulk.ask(name=f"B{number}", number=1, value=D("5"), key=f"b{number}", user=boss)
    due.sweep()
    with django_assert_max_num_queries(16):
        clerk.get(url("giftcard-batches"))
