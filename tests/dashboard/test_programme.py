"""The programme and its tiers, as the owner makes and changes them."""

from decimal import Decimal

import pytest
from django.test import override_settings
from oscar.test.factories import create_order

from oscar_loyalty.earning import rules
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.members.selectors import programme_of


@pytest.fixture
def data():
    """What the form sends for a new programme."""
    return {
        "name": "Pétales",
        "points_name_one_0": "petal",
        "points_name_one_1": "pétale",
        "points_name_many_0": "petals",
        "points_name_many_1": "pétales",
        "currency": "eur",
        "is_active": "on",
        "award_on_status": "Complete",
        "cancelled_order_statuses": ["Cancelled"],
        "cancelled_line_statuses": ["Cancelled"],
        "paid_statuses": ["Complete"],
        "pending_days": "14",
        "booking_delay_hours": "4",
        "expiry_months": "",
        "grace_days": "30",
        "earn_tax": "incl",
        "rounding": "down",
        "redemption_points": "100",
        "redemption_amount": "1.00",
        "points_share": "100",
        "minimum_cash": "0.00",
        "clawback_policy": "debt",
        "adjust_limit": "500",
    }


def test_the_owner_makes_a_programme(owner, url, data):
    page = owner.get(url("programme")).content.decode()
    assert "Make your programme" in page
    response = owner.post(url("programme"), data)
    assert response.status_code == 302 and response["Location"] == url("start")
    programme = programme_of()
    assert programme.points_name_many.data == {"en": "petals", "fr": "pétales"}
    assert (programme.currency, programme.award_on_status, programme.expiry_months) == ("EUR", "Complete", None)
    assert programme.cancelled_order_statuses == ["Cancelled"]
    assert [str(tier.name) for tier in programme.tiers.all()] == ["Bronze", "Silver", "Gold"]
    # A second click changes nothing and makes no second one.
    assert owner.post(url("programme"), data).status_code == 302
    assert get_model("loyalty_members", "Programme").objects.count() == 1


CALLED = {
    "Oscar's own": (
        {
            "Pending": ("Being processed", "Cancelled"),
            "Being processed": ("Complete", "Cancelled"),
            "Complete": (),
            "Cancelled": (),
        },
        ["Cancelled"],
        ["Complete"],
    ),
    "French": (
        {
            "Impayée": ("Payée", "Annulée"),
            "Payée": ("Terminée", "Refusée"),
            "Terminée": (),
            "Annulée": (),
            "Refusée": (),
        },
        ["Annulée", "Refusée"],
        ["Payée"],
    ),
    "some only follow others": ({"new": ("paid", "void"), "paid": ("shipped",)}, ["void"], ["paid"]),
    "it is not over": ({"Open": ("Cancellation asked for",), "Cancellation asked for": ("Open",)}, [], []),
    "none": ({}, [], []),
}


@pytest.mark.parametrize(("pipeline", "cancelled", "paid"), CALLED.values(), ids=CALLED)
def test_a_new_programme_proposes_what_statuses_mean_by_their_names(owner, url, settings, pipeline, cancelled, paid):
    settings.OSCAR_ORDER_STATUS_PIPELINE = settings.OSCAR_LINE_STATUS_PIPELINE = pipeline
    form = owner.get(url("programme")).context["form"]
    assert sorted(form["cancelled_order_statuses"].value()) == cancelled
    assert sorted(form["cancelled_line_statuses"].value()) == cancelled
    assert form["paid_statuses"].value() == paid
    assert set(cancelled + paid) <= {value for value, _label in form.fields["paid_statuses"].choices}


@pytest.mark.parametrize("page", ["overview", "start"])
def test_the_owner_is_told_while_no_status_means_cancelled_or_paid(owner, url, settings, programme, page):
    programme.cancelled_order_statuses, programme.cancelled_line_statuses, programme.paid_statuses = [], [], []
    programme.save()

    def told():
        text = owner.get(url(page)).content.decode()
        return ["No status means cancelled yet" in text, "No status means paid yet" in text]

    # Without gift cards, nothing waits for a payment.
    assert told() == [True, False]
    catalogue.set_denomination(value=Decimal(10))
    assert told() == [True, True]
    settings.OSCAR_LOYALTY_MONEY, settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = ["stripe"], "sk_test_1"
    assert told() == [True, False]
    # A card for the till waits for nothing of the kind; one of an order, whoever has taken its money, does.
    giftcards.issue(value=Decimal(10), key="till", activate=False)
    assert told() == [True, False]
    giftcards.issue(value=Decimal(10), key="waits", activate=False, order=create_order())
    programme.cancelled_line_statuses = ["Cancelled"]
    programme.save()
    assert told() == [False, True]
    programme.paid_statuses = ["Complete"]
    programme.save()
    assert told() == [False, False]
    programme.cancelled_line_statuses, settings.OSCAR_ORDER_STATUS_PIPELINE = [], {}
    programme.save()
    assert told() == [False, False]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Points would expire before they can be spent: at most 27, or more months until expiry."),
        (
            "fr",
            "Les points expireraient avant de pouvoir être dépensés\xa0: 27 au plus, ou davantage de mois"
            " avant expiration.",
        ),
    ],
)
def test_points_that_would_expire_before_they_can_be_spent_are_refused(owner, url, data, language, words):
    data |= {"pending_days": "60", "expiry_months": "1"}
    response = owner.post(url("programme"), data, headers={"Accept-Language": language})
    assert response.context["form"].errors == {"pending_days": [words]}
    assert programme_of() is None


def test_every_field_has_a_sentence_of_help(owner, url):
    form = owner.get(url("programme")).context["form"]
    assert [bound.name for bound in form if not bound.help_text] == []
    shown = {bound.name for _title, _icon, fields in form.fieldsets() for bound in fields}
    assert shown == set(form.fields)


def test_mistakes_are_said_at_their_fields_and_lose_nothing(owner, url, data, programme):
    data |= {
        "name": "Roses",
        "currency": "xyz",
        "award_on_status": "Cancelled",
        "paid_statuses": ["Cancelled"],
        "redemption_points": "0",
        "points_name_one_0": "",
        "points_name_one_1": "",
    }
    response = owner.post(url("programme"), data)
    form = response.context["form"]
    assert set(form.errors) == {"currency", "award_on_status", "paid_statuses", "redemption_points", "points_name_one"}
    text = response.content.decode()
    assert 'value="Roses"' in text and 'value="pétales"' in text
    assert 'aria-invalid="true"' in text and 'id="id_currency_error"' in text
    programme.refresh_from_db()
    assert programme.name == "Pétales"


def test_changes_are_kept(owner, url, data, programme):
    owner.post(url("programme"), data | {"expiry_months": "12", "is_active": ""})
    programme.refresh_from_db()
    assert programme.expiry_months == 12 and not programme.is_active


@override_settings(OSCAR_ORDER_STATUS_PIPELINE={"Neu": (), "Fertig": ()})
def test_a_status_that_the_shop_no_longer_has_is_still_there(owner, url, programme):
    text = owner.get(url("programme")).content.decode()
    for status in ("Neu", "Fertig", "Cancelled"):
        assert f'value="{status}"' in text


def test_tiers(owner, url, programme, member):
    data = {
        "name_0": "Platinum",
        "name_1": "Platine",
        "rank": "4",
        "multiplier": "2",
        "colour": "#AABBCC",
        "perks_0": "Champagne\nA seat",
        "perks_1": "",
    }
    services.set_tier(member=member, tier=programme.tiers.get(code="gold"), key="t")
    assert owner.post(url("tier-create"), data).status_code == 302
    tier = programme.tiers.get(rank=4)
    assert (tier.code, tier.colour, tier.multiplier, tier.perk_list) == (
        "platinum",
        "#aabbcc",
        2,
        ["Champagne", "A seat"],
    )
    # A second click is no mistake; another tier of this rank is.
    assert owner.post(url("tier-create"), data).status_code == 302
    response = owner.post(url("tier-create"), data | {"name_0": "Diamond", "colour": "red"})
    assert set(response.context["form"].errors) == {"rank", "colour"}
    assert programme.tiers.count() == 4
    owner.post(url("tier", tier.pk), data | {"rank": "0", "name_0": "Welcome"})
    tier.refresh_from_db()
    assert (str(tier.name), tier.code, tier.rank) == ("Welcome", "platinum", 0)
    # Whoever stands above a tier is in its group.
    assert member.user.groups.filter(pk=tier.group_id).exists()


@pytest.mark.parametrize(
    ("other", "fields"),
    [({"multiplier": "1.5"}, {"rank"}), ({"perks_0": "Tea"}, {"rank"}), ({"multiplier": "-4"}, {"rank", "multiplier"})],
)
def test_the_same_new_tier_with_other_fields_is_refused(other, fields, owner, url, programme):
    ruby = {"name_0": "Ruby", "name_1": "Rubis", "rank": "9", "multiplier": "1.2", "discount": "", "colour": "#112233"}
    for _click in range(2):
        assert owner.post(url("tier-create"), ruby).status_code == 302
    form = owner.post(url("tier-create"), ruby | other).context["form"]
    assert set(form.errors) == fields and {name: form.data[name] for name in other} == other
    assert programme.tiers.get(rank=9).multiplier == Decimal("1.2")


def test_a_new_tier_takes_in_those_above_it(owner, url, programme, member):
    services.set_tier(member=member, tier=programme.tiers.get(code="gold"), key="t")
    owner.post(url("tier-create"), {"name_0": "First", "rank": "0", "multiplier": "1", "colour": "#aabbcc"})
    assert member.user.groups.filter(pk=programme.tiers.get(code="first").group_id).exists()


def test_in_french(owner, url, programme):
    response = owner.get(url("programme"), headers={"accept-language": "fr"})
    assert response.status_code == 200


def test_an_example_says_what_points_pay_at_checkout(owner, url, data, programme):
    assert "on an order of" not in owner.get(url("programme")).content.decode()
    owner.post(url("programme"), data | {"points_at_checkout": "on", "points_share": "90", "minimum_cash": "5.00"})
    page = owner.get(url("programme")).content.decode()
    assert "on an order of €40.00, at most €35.00 can be paid with 3,500\xa0petals." in page
    owner.post(url("programme"), data | {"points_at_checkout": "on", "points_share": "50", "minimum_cash": "5.00"})
    assert "at most €20.00 can be paid with 2,000\xa0petals." in owner.get(url("programme")).content.decode()
    owner.post(url("programme"), data | {"points_at_checkout": "on", "minimum_cash": "50.00"})
    assert "no points can be used on an order of €40.00" in owner.get(url("programme")).content.decode()


@pytest.mark.parametrize(("field", "value"), [("points_share", "0"), ("points_share", "101"), ("currency", "KWD")])
def test_what_cannot_be_is_said_at_its_field(owner, url, data, programme, field, value):
    form = owner.post(url("programme"), data | {field: value}).context["form"]
    assert set(form.errors) == {field}


def test_a_rate_that_gives_away_too_much_is_asked_for_once_more(owner, url, data, programme):
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"})
    save_limits(programme=programme, margin_limit=10)
    assert owner.post(url("programme"), data).status_code == 302
    shown = owner.post(url("programme"), data | {"redemption_amount": "8.00"})
    text = " ".join(shown.content.decode().split())
    assert shown.status_code == 200 and "This may give away 16% of a price" in text
    programme.refresh_from_db()
    assert programme.redemption_amount == 1
    assert owner.post(url("programme"), data | {"redemption_amount": "8.00", "known": "16.0"}).status_code == 302
    # Less than what is in force is not asked for.
    assert owner.post(url("programme"), data | {"redemption_amount": "7.00"}).status_code == 302
    programme.refresh_from_db()
    assert programme.redemption_amount == 7
