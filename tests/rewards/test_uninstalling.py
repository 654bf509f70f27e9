"""Before the plugin leaves a shop, its offers end: what Oscar stores of them names no class of ours any more."""

from decimal import Decimal as D

import pytest
from django.core.management import CommandError, call_command

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import benefits, selectors, services
from oscar_loyalty.rewards import services as rewards

Condition, Offer = get_model("offer", "Condition"), get_model("offer", "ConditionalOffer")
Voucher = get_model("voucher", "Voucher")


@pytest.fixture
def gold(member):
    *_, tier = selectors.tiers(member.programme)
    tier.discount = D(10)
    tier.save()
    benefits.sync(tier=tier)
    services.set_tier(member=member, tier=tier, key="gold")
    return tier


@pytest.fixture
def voucher(give, reward, member):
    give(500)
    return rewards.claim(reward=reward(), member=member, key="five").voucher


def ours():
    return Condition.objects.filter(proxy_class__startswith="oscar_loyalty").count()


def test_offers_and_vouchers_end_and_can_be_read_without_us(gold, voucher, member, soap, basket_with, capsys):
    assert basket_with(member.user, (soap, 1), vouchers=[voucher]).total_discount >= D("5.00")
    call_command("loyalty_uninstall", "--dry-run")
    assert "2 offers of tiers and rewards, 1 vouchers" in capsys.readouterr().out
    assert ours() == 2

    call_command("loyalty_uninstall", "--no-input")
    assert "Ended 2 offers and 1 vouchers." in capsys.readouterr().out
    assert ours() == 0
    assert set(Offer.objects.values_list("status", flat=True)) == {Offer.SUSPENDED}
    voucher.refresh_from_db()
    assert voucher.is_expired() and not voucher.basket_set.exists()
    for condition in Condition.objects.all():
        assert condition.name and condition.description
    # Nobody gets what was for members, even if an offer is opened again.
    Offer.objects.update(status=Offer.OPEN, end_datetime=None)
    assert basket_with(member.user, (soap, 3)).total_discount == 0

    call_command("loyalty_uninstall", "--no-input")
    assert "Ended 0 offers and 0 vouchers." in capsys.readouterr().out


def test_a_tier_that_is_saved_afterwards_has_an_offer_of_its_own(gold, member, soap, basket_with):
    call_command("loyalty_uninstall", "--no-input")
    benefits.sync(tier=gold)
    assert ours() == 1
    assert basket_with(member.user, (soap, 1)).total_discount == D("2.00")
    call_command("loyalty_uninstall", "--no-input")
    assert ours() == 0


def test_it_asks_first(gold, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("loyalty_uninstall")
    assert ours() == 1
