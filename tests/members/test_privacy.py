"""What is held on a member is in the copy of their data, and is gone, or names nobody, once they have left."""

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import giving, holdings, households, leaving, services, sharing


def columns_that_name_a_person():
    """Every column of ours that leads to a member, an account of the ledger or a user."""
    found = set()
    people = [("loyalty_members", "Member"), ("loyalty_ledger", "Account")]
    for model in [*(apps.get_model(*names) for names in people), get_user_model()]:
        for field in model._meta.get_fields(include_hidden=True):
            if not field.auto_created or field.concrete or field.related_model is None or not field.field.concrete:
                continue
            label = field.related_model._meta.app_label
            if label.startswith("loyalty_") or label == "wagtail_club":
                found.add(f"{field.related_model._meta.label}.{field.field.name}")
    return found


def test_every_column_that_names_a_person_is_in_the_copy_or_it_is_said_why_not():
    """A new table with a member or a user in it needs a holding, or a word why it is in none."""
    # A gift card's account is the card's own.
    found = columns_that_name_a_person() - {"loyalty_giftcards.GiftCard.account"}
    known = {*holdings.COLUMNS, *holdings.LEFT_OUT}
    assert found - known == set()
    assert known - found == set()
    assert not set(holdings.COLUMNS) & set(holdings.LEFT_OUT)


def test_a_holding_says_what_becomes_of_it():
    with pytest.raises(ValueError, match="either how it is erased or why it is kept"):
        holdings.hold("test", "Test", lambda person: None, columns=[])


def test_gifts_that_wait_go_back_and_the_household_is_left(programme, member, give):
    giving.save_policy(programme=programme, is_active=True, households=True)
    other = services.join(programme=programme, email="other@example.com")
    give(500)
    give(300, to=other)
    mine = giving.give(source=member, to=other.email, units=200, key="mine")
    theirs = giving.give(source=other, to=member.number, units=100, key="theirs")
    invitation = households.invite(member=member, to=other.email, key="home")
    households.accept(invitation=invitation, member=other)
    leaving.leave(member=member, key="left")
    for gift, state in ((mine, "cancelled"), (theirs, "declined")):
        gift.refresh_from_db()
        assert gift.state == state
    assert ledger.usable(other.account) == 300
    assert sharing.household_of(member) is None
    # Nothing more can be given, by either.
    assert ledger.balance(member.account).held == 0
