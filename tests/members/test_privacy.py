"""What is held on a member is in the copy of their data, and is gone, or names nobody, once they have left."""

from django.apps import apps
from django.contrib.auth import get_user_model

from oscar_loyalty.members import holdings


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
