"""The guard of ``tests/joined.py`` sees what it is there for."""

from types import FunctionType

import pytest
from django.apps import apps
from django.db import transaction

from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked
from tests.joined import FIXED, JoinedUnderLock


def in_one_go(rows):
    return rows.select_for_update(of=("self",)).select_related("tier").first()


def further_on(rows):
    return list(rows.select_related("merged_into").select_for_update(of=("self",)))


def known_to_be_fixed(rows):
    return rows.select_for_update(of=("self",)).select_related("account").first()


def looked_at_again(rows):
    return [as_locked(row) for row in rows.select_for_update(of=("self",)).select_related("tier")]


def not_joined(rows):
    return rows.select_for_update().first().tier


def not_locked(rows):
    return rows.select_related("tier").first()


def play(function):
    """Run it as if it stood in a module of ours."""
    ours = FunctionType(function.__code__, {"__name__": "oscar_loyalty.example", "as_locked": as_locked})
    with transaction.atomic():
        return ours(get_model("loyalty_members", "Member").objects.order_by("pk"))


@pytest.mark.parametrize("function", [in_one_go, further_on])
def test_a_joined_row_under_a_lock_is_refused(function, member):
    with pytest.raises(JoinedUnderLock, match=r"loyalty_members\.Member\.(tier|merged_into)"):
        play(function)


@pytest.mark.parametrize("function", [known_to_be_fixed, looked_at_again, not_joined, not_locked])
def test_what_cannot_be_stale_is_not(function, member):
    assert play(function)


def test_every_key_that_is_said_to_be_fixed_is_there():
    for key in FIXED:
        model, name = key.rsplit(".", 1)
        assert apps.get_model(model)._meta.get_field(name).is_relation
