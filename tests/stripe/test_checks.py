"""Cards set up wrongly: each way has its own check, and a shop without keys hears of it only if it wants cards."""

import pytest

from oscar_loyalty.payments.stripe import checks


def said(settings, **values):
    for name, value in values.items():
        setattr(settings, f"OSCAR_LOYALTY_{name}", value)
    return [message.id for check in (checks.money, checks.stripe, checks.live) for message in check(None)]


GOOD = {"MONEY": ["stripe", "on_site"], "STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"MONEY": ["on_site"], "STRIPE_SECRET_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}, []),
        ({"STRIPE_SECRET_KEY": ""}, ["loyalty.W030"]),
        ({"MONEY": []}, ["loyalty.E020"]),
        ({"MONEY": ["cheque"]}, ["loyalty.E020"]),
        ({"MONEY": "stripe"}, ["loyalty.E020"]),
        ({"STRIPE_SECRET_KEY": "pk_test_1"}, ["loyalty.E022"]),
        ({"STRIPE_SECRET_KEY": "rk_live_1"}, []),
        ({"STRIPE_WEBHOOK_SECRET": []}, ["loyalty.W031"]),
        ({"HOLD_MINUTES": 44}, ["loyalty.E023"]),
        ({"HOLD_MINUTES": 45}, []),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, ["loyalty.W032"]),
    ],
)
def test_what_is_said(settings, change, expected):
    assert said(settings, **{**GOOD, **change}) == expected


def test_without_the_client(settings, monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert said(settings, **GOOD) == ["loyalty.E021"]
