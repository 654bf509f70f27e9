"""Gift cards in the dashboard: found, disabled, given another code, sold in values. Their codes are nowhere."""

import csv
import io
from decimal import Decimal

import pytest
from django.core import mail

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model


@pytest.fixture
def sent(card):
    """The card's mail has gone out."""
    due.sweep()
    mail.outbox.clear()
    return card


def test_searching(owner, url, card, programme, user):
    other = services.issue(value=Decimal(40), key="test:other", recipient_name="Max", activate=False)
    books.spend(account=card.account, units=1000, key="spend")

    def found(**query):
        return [row.pk for row in owner.get(url("giftcards"), query).context["page_obj"].object_list]

    assert found() == [other.pk, card.pk]
    assert found(q=card.label) == [card.pk] and found(q="lou@example.com") == [card.pk] and found(q="Max") == [other.pk]
    assert found(state="waiting") == [other.pk]
    text = owner.get(url("giftcards")).content.decode()
    assert "€15.00" in text and "€25.00" in text
    assert "never by its code" in owner.get(url("giftcards"), {"q": services.code_of(card)}).content.decode()


def test_no_code_is_shown(owner, url, sent):
    code = services.code_of(sent)
    for address in [url("giftcards"), url("giftcard", sent.uuid), url("giftcards-export", "csv")]:
        response = owner.get(address)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert code.encode() not in body and code.replace("-", "").encode() not in body
        assert sent.lookup.encode() not in body


def test_off_and_on(owner, url, sent, boss):
    action = lambda name, **data: owner.post(url("giftcard-action", sent.uuid, name), data)  # noqa: E731
    response = action("disable", reason="")
    assert set(response.context["disable_form"].errors) == {"reason"}
    question = action("disable", reason="Stolen").content.decode()
    assert "Stolen" in question and "Nothing can be paid" in question and selectors.balance(sent).amount == 25
    assert action("disable", reason="Stolen", change="1").context["disable_form"]["reason"].value() == "Stolen"
    for _click in range(2):
        assert action("disable", reason="Stolen", sure="1").status_code == 302
    text = owner.get(url("giftcard", sent.uuid)).content.decode()
    assert "disabled" in text and "Stolen" in text and "Ada Boss" in text and "Enable the card" in text
    assert selectors.balance(sent).amount == 0
    for _click in range(2):
        action("enable", reason="Found", sure="1")
    sent.refresh_from_db()
    assert sent.state == "active" and selectors.balance(sent).amount == 25
    assert owner.post(url("giftcard-action", sent.uuid, "burn")).status_code == 404
    assert owner.get(url("giftcard-action", sent.uuid, "disable"))["Location"] == url("giftcard", sent.uuid)


def test_another_code_once(owner, url, sent):
    before = services.code_of(sent)
    page = owner.get(url("giftcard", sent.uuid)).content.decode()
    assert 'name="generation" value="1"' in page
    question = owner.post(url("giftcard-action", sent.uuid, "reissue"), {"reason": "Lost", "generation": "1"})
    assert "lou@example.com" in question.content.decode()
    for _click in range(2):
        owner.post(url("giftcard-action", sent.uuid, "reissue"), {"reason": "Lost", "generation": "1", "sure": "1"})
    sent.refresh_from_db()
    assert sent.generation == 2 and services.code_of(sent) != before
    due.sweep()
    to_friend = [message for message in mail.outbox if message.to == ["lou@example.com"]]
    assert len(to_friend) == 1 and services.code_of(sent) in to_friend[0].body
    services.disable(card=sent)
    text = owner.post(
        url("giftcard-action", sent.uuid, "reissue"), {"reason": "Again", "generation": "2", "sure": "1"}, follow=True
    ).content.decode()
    assert "is not active" in text


def test_the_mail_once_more(owner, url, sent):
    page = owner.get(url("giftcard", sent.uuid)).content.decode()
    assert "lou@example.com" in page and 'name="tries" value="1"' in page
    for _click in range(2):
        assert (
            owner.post(url("giftcard-action", sent.uuid, "resend"), {"tries": "1", "reason": "Lost"}).status_code == 302
        )
    assert [event.detail["reason"] for event in sent.events.filter(kind="resent")] == ["Lost"]
    due.sweep()
    owner.post(url("giftcard-action", sent.uuid, "resend"), {"tries": "1"})
    due.sweep()
    assert [message.to for message in mail.outbox] == [["lou@example.com"]]


def test_nothing_to_send_again(owner, url, programme):
    quiet = services.issue(value=Decimal(10), key="test:quiet", deliver=False)
    text = owner.post(url("giftcard-action", quiet.uuid, "resend"), {"tries": "0"}, follow=True).content.decode()
    assert "There is no e-mail about this card" in text


def test_the_list_as_a_table(owner, url, card):
    response = owner.get(url("giftcards-export", "csv"), {"state": "active"})
    [row] = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert (row["Card"], row["Value"], row["Left on it"], row["Recipient"]) == (card.label, "25.00", "25.00", "Lou")


def test_values_and_their_prices(owner, url, programme):
    Denomination = get_model("loyalty_giftcards", "Denomination")
    assert "You sell no gift cards yet" in owner.get(url("denominations")).content.decode()
    data = {"value": "40", "price": "", "points_price": "3400", "is_active": "on"}
    for _click in range(2):
        assert owner.post(url("denomination-create"), data).status_code == 302
    row = Denomination.objects.get()
    assert (row.value, row.points_price, row.is_active) == (40, 3400, True)
    assert row.product.stockrecords.get().price == 40
    text = owner.get(url("denominations")).content.decode()
    assert "3,400\xa0petals" in text and "€40.00" in text
    response = owner.post(url("denomination-create"), data | {"points_price": "1"})
    assert set(response.context["form"].errors) == {"value"}
    owner.post(url("denomination", row.pk), {"price": "38", "points_price": ""})
    row.refresh_from_db()
    assert (row.value, row.points_price, row.is_active) == (40, None, False)
    assert row.product.stockrecords.get().price == 38
    page = owner.get(url("denomination", row.pk))
    assert "38.00" in page.content.decode() and "value" not in page.context["form"].fields


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ({}, {"price": "38"}),
        ({"price": "38"}, {}),
        ({}, {"points_price": "1"}),
        ({}, {"tax_kind": "single"}),
        ({}, {"is_active": ""}),
        ({"is_active": ""}, {}),
    ],
)
def test_a_new_value_never_changes_a_card_that_is_there(there, new, owner, url, programme):
    def sold():
        row = get_model("loyalty_giftcards", "Denomination").objects.get()
        record = row.product.stockrecords.get()
        return row.points_price, row.tax_kind, row.is_active, row.product.is_public, record.price

    data = {"value": "40", "price": "", "points_price": "3400", "tax_kind": "multi", "is_active": "on"}
    owner.post(url("denomination-create"), data | there)
    before = sold()
    form = owner.post(url("denomination-create"), data | new).context["form"]
    assert form.errors == {"value": ["There is a card of this value already: change that one."]}
    assert sold() == before
    # The same in other words is a second click.
    again = data | there | {"price": there.get("price", "40.0")}
    assert owner.post(url("denomination-create"), again).status_code == 302
    assert sold() == before


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"value": "0"}, "value"),
        ({"value": "NaN"}, "value"),
        ({"value": "1e309"}, "value"),
        ({"value": "10", "price": "-1"}, "price"),
        ({"value": "10", "points_price": "0"}, "points_price"),
    ],
)
def test_mistakes_are_said_at_their_fields(data, field, owner, url, programme):
    response = owner.post(url("denomination-create"), data)
    assert set(response.context["form"].errors) == {field}
    assert not get_model("loyalty_giftcards", "Denomination").objects.exists()


def test_cards_need_no_programme(owner, url):
    assert owner.get(url("giftcards")).status_code == 200
    assert owner.get(url("denominations")).status_code == 200
    assert owner.post(url("denomination-create"), {"value": "10", "is_active": "on"}).status_code == 302
