"""Codes that are tried by the thousand: few tries each, and no way to keep others out."""

from decimal import Decimal

import pytest
from django.contrib.sites.models import Site
from django.test import Client

from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model

BALANCE = "/gift-cards/balance/"
WRONG = "AAAA-AAAA-AAAA-AAAA-AAAA"


@pytest.fixture(autouse=True)
def _here(programme):
    Site.objects.filter(pk=programme.site_id).update(domain="testserver")
    Site.objects.clear_cache()


@pytest.fixture
def card(programme):
    return giftcards.issue(value=Decimal(25), key="card", deliver=False)


def ask(code, address="198.51.100.1", client=None, **headers):
    return (client or Client()).post(BALANCE, {"code": code}, REMOTE_ADDR=address, headers=headers)


def said(response):
    return " ".join(response.context["form"].errors.get("code", []))


def tire(address="198.51.100.1", **headers):
    """Use up all tries of an address."""
    for _try in range(conf.GIFTCARD_ATTEMPTS):
        assert ask(WRONG, address, **headers).status_code == 200


def test_a_new_browser_gives_no_new_tries(card):
    tire()
    code = giftcards.code_of(card)
    assert "card" not in ask(code).context or not ask(code).context.get("card")
    assert ask(code, "203.0.113.9").context["card"] == card


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "client-ip", "true-client-ip"])
def test_a_header_gives_no_new_tries(card, header):
    for number in range(conf.GIFTCARD_ATTEMPTS):
        ask(WRONG, **{header: f"192.0.2.{number}"})
    response = ask(giftcards.code_of(card), **{header: "192.0.2.250"})
    assert not response.context.get("card")


def test_a_new_account_gives_no_new_tries(card, django_user_model):
    tire()
    client = Client()
    client.force_login(django_user_model.objects.create_user("eve", "eve@example.com", "x"))
    assert not ask(giftcards.code_of(card), client=client).context.get("card")


def test_an_account_takes_its_tries_along(card, django_user_model):
    """From another address each time, and signed in anew."""
    eve = django_user_model.objects.create_user("eve", "eve@example.com", "x")
    for number in range(conf.GIFTCARD_ATTEMPTS + 1):
        client = Client()
        client.force_login(eve)
        response = ask(
            giftcards.code_of(card) if number == conf.GIFTCARD_ATTEMPTS else WRONG, f"192.0.2.{number}", client
        )
    assert not response.context.get("card")


def test_nobody_is_kept_out_by_somebody_elses_tries(card, user):
    """Neither at another address nor with another account: whoever guesses harms themselves."""
    for number in range(8):
        tire(f"192.0.2.{number}")
    client = Client()
    client.force_login(user)
    assert ask(giftcards.code_of(card), "203.0.113.9", client).context["card"] == card


def test_who_waits_may_try_again(card, time):
    tire()
    time.advance(hours=1, minutes=1)
    assert ask(giftcards.code_of(card)).context["card"] == card


def test_every_wrong_code_is_answered_alike(card):
    """To the letter of the page; what it costs is compared in tests/giftcards/test_guessing.py."""
    codes = {"unknown": WRONG, "disabled": giftcards.code_of(card), "no code": "x", "long": "A" * 60, "lines": "----"}
    get_model("loyalty_giftcards", "GiftCard").objects.filter(pk=card.pk).update(state="disabled")
    answers = {}
    for number, (kind, code) in enumerate(codes.items()):
        response = ask(code, f"192.0.2.{number}")
        answers[kind] = (response.status_code, said(response))
    assert answers["unknown"][1]
    assert len(set(answers.values())) == 1, answers


def test_codes_that_nobody_can_guess():
    """What opens without a count of tries has enough of chance in it that no number of tries matters."""
    import math

    from oscar_loyalty.earning.referrals.services import LETTERS
    from oscar_loyalty.wallet.abstract_models import new_token

    # A million members' invitations, a million tries a day: one hit in years, of a first name.
    assert math.log2(len(LETTERS)) * 8 > 38
    assert len(new_token()) >= 32
