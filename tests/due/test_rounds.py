"""A round of a large table: each row has its turn, whatever comes and goes meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows():
    """``rows(7)``: so many rows of a table, in their order."""
    return lambda number: [due.leave(kind="x", key=f"{each}").pk for each in range(number)]


def look(size=2):
    """Look at a part, and say that it was; return the primary keys that are in it."""
    Due = get_model("loyalty_due", "Due")
    part = rounds.part("test", Due, size=size)
    found = set(Due.objects.filter(part.where()).values_list("pk", flat=True))
    assert found == {pk for some in part.ranges() for pk in Due.objects.filter(some).values_list("pk", flat=True)}
    part.over()
    return found


def positions():
    return dict(get_model("loyalty_due", "Round").objects.values_list("name", "reached"))


def test_an_empty_table_and_a_small_one_are_looked_at_whole(rows):
    assert look() == set()
    pks = rows(2)
    assert look() == set(pks)
    assert positions() == {}


def test_the_newest_are_in_every_part_and_the_others_take_turns(rows):
    pks = rows(7)
    newest = set(pks[5:])
    assert look() == newest | set(pks[0:2])
    assert look() == newest | set(pks[2:4])
    assert look() == newest | {pks[4]}
    assert positions() == {"test": 0}


def test_what_was_not_looked_at_to_its_end_comes_again(rows):
    rows(7)
    Due = get_model("loyalty_due", "Due")
    first = rounds.part("test", Due, size=2)
    assert rounds.part("test", Due, size=2) == first
    first.over()
    then = rounds.part("test", Due, size=2)
    assert then != first
    # Another sweep, which had begun before, ends only now.
    first.over()
    assert rounds.part("test", Due, size=2) == then


def test_a_table_that_has_become_smaller_is_begun_anew(rows):
    pks = rows(9)
    for _sweep in range(3):
        look()
    Due = get_model("loyalty_due", "Due")
    Due.objects.filter(pk__gt=pks[4]).delete()
    assert look() == {*pks[:2], *pks[3:5]}
    assert look() == set(pks[2:5])


@given(st.lists(st.integers(1, 2**40), unique=True, max_size=25), st.integers(1, 9))
def test_a_round_looks_at_every_row(numbers, size):
    """Whatever primary keys there are: after one round of parts each was in one of them, and no part was large."""
    Due, Round = get_model("loyalty_due", "Due"), get_model("loyalty_due", "Round")
    Due.objects.all().delete()
    Round.objects.all().delete()
    Due.objects.bulk_create([Due(pk=pk, kind="x", key=str(pk), due_at="2026-03-02T12:00Z") for pk in numbers])
    parts = [look(size) for _sweep in range(len(numbers) // size + 1)]
    assert set().union(*parts) == set(numbers)
    assert all(len(part) <= 2 * size for part in parts)


def test_newest(rows):
    pks = rows(5)
    Due = get_model("loyalty_due", "Due")
    assert set(rounds.newest(Due, 2).values_list("pk", flat=True)) == set(pks[3:])
    assert set(rounds.newest(Due, 5).values_list("pk", flat=True)) == set(pks)
    assert not rounds.newest(get_model("loyalty_due", "BulkRun"), 2).exists()
