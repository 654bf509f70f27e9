"""The guard of ``tests/quadratic.py`` sees what it is there for."""

from types import FunctionType

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from oscar_loyalty.loading import get_model
from tests.quadratic import LongList


def excluded(users, members):
    return users.exclude(pk__in=members.values("user")).count()


def one_of_several(users, members):
    return users.exclude(is_staff=False, pk__in=members.values("user")).count()


def of_nullable(users, members):
    return members.exclude(user__in=users.values("pk")).count()


def by_exists(users, members):
    return users.exclude(Exists(members.filter(user=OuterRef("pk")))).count()


def within(users, members):
    return users.filter(pk__in=members.values("user")).count()


def by_keys(users, members):
    return users.exclude(pk__in=list(members.values_list("user", flat=True))).count()


def play(function):
    """Run it as if it stood in a module of ours."""
    known = {"__name__": "oscar_loyalty.example", "Exists": Exists, "OuterRef": OuterRef}
    ours = FunctionType(function.__code__, known)
    return ours(get_user_model().objects.all(), get_model("loyalty_members", "Member").objects.all())


@pytest.mark.parametrize("function", [excluded, one_of_several, of_nullable])
def test_what_is_not_in_a_long_list_is_refused(function, member):
    with pytest.raises(LongList, match="is not in a list of"):
        play(function)


@pytest.mark.parametrize(("function", "number"), [(by_exists, 0), (within, 1), (by_keys, 0)])
def test_what_has_no_cliff_is_not(function, number, member):
    assert play(function) == number
