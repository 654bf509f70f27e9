"""Cards are what is left of what was bought, whatever came when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.earning.stamping import Event, Terms, lay

START = datetime(2026, 1, 1, tzinfo=UTC)
pieces = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12)


@given(pieces, st.integers(1, 12), st.data())
def test_stamps_are_pieces_bought_less_pieces_returned(bought, size, data):
    head = data.draw(st.integers(0, size - 1))
    each = data.draw(st.booleans())
    left = [max(0, number - back) for number, back in bought]
    events = [Event(str(i), START + timedelta(days=i), number) for i, number in enumerate(left)]
    sheets = lay(Terms(size=size, head_start=head, head_start_each=each), events)
    assert sum(number for sheet in sheets for _key, number, _at in sheet.places) == sum(left)
    assert all(sheet.count == size for sheet in sheets[:-1])
    # The prizes are the full cards: as many as the stamps, with those at the start, fill.
    total = sum(left)
    first = size - head
    rest = size - head if each else size
    expected = 0 if total < first else 1 + (total - first) // rest
    assert sum(sheet.full_at is not None for sheet in sheets) == expected


@given(pieces, st.integers(1, 12))
def test_once_is_never_more_than_one_card(bought, size):
    events = [Event(str(i), START + timedelta(days=i), number) for i, (number, _back) in enumerate(bought)]
    sheets = lay(Terms(size=size, repeats=False), events)
    assert len(sheets) <= 1
    assert sum(sheet.count for sheet in sheets) == min(size, sum(number for number, _back in bought))
