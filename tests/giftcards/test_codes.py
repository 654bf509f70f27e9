import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured

from oscar_loyalty.giftcards import codes

CARD = uuid.UUID("12345678-1234-5678-1234-567812345678")
FIRST, SECOND = "first " * 8, "second " * 8


@pytest.fixture(autouse=True)
def _ring(settings):
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {"1": FIRST, "2": SECOND}


def make(**changes):
    return codes.make(**({"uuid": CARD, "generation": 1, "key_id": "1"} | changes))


def test_a_code_has_five_groups_of_signs_that_do_not_look_alike():
    groups = make().split("-")
    assert [len(group) for group in groups] == [4] * 5
    assert set("".join(groups)) <= set(codes.ALPHABET)
    assert len(set(codes.ALPHABET)) == 32 and not set("01IO") & set(codes.ALPHABET)


def test_a_code_depends_on_card_generation_and_key():
    made = {make(), make(generation=2), make(key_id="2"), make(uuid=uuid.uuid4())}
    assert len(made) == 4
    assert make() == make()


def test_codes_use_every_sign_evenly():
    signs = "".join(make(generation=number).replace("-", "") for number in range(1, 500))
    assert set(signs) == set(codes.ALPHABET)
    assert max(map(signs.count, codes.ALPHABET)) < 2 * min(map(signs.count, codes.ALPHABET))


@pytest.mark.parametrize("change", [str.lower, lambda c: c.replace("-", ""), lambda c: f"  {c.replace('-', ' – ')}\n"])
def test_a_code_is_found_however_it_is_typed(change):
    assert codes.fingerprint(make(), key_id="1") in codes.fingerprints(change(make()))


@pytest.mark.parametrize("typed", ["", "ABCD", "0" * 20, "A" * 21, "é" * 20, "A" * 100_000, "\x00", "𝟚" * 20 + "x"])
def test_what_cannot_be_a_code_is_not_looked_for(typed):
    assert codes.fingerprints(typed) == []


def test_the_fingerprint_is_neither_the_code_nor_made_like_it():
    found = codes.fingerprint(make(), key_id="1")
    assert len(found) == 64
    assert codes.normalise(make()).lower() not in found


def test_new_codes_use_the_first_key_and_a_lost_key_is_named(settings):
    assert codes.current_key_id() == "1"
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {}
    with pytest.raises(ImproperlyConfigured):
        codes.current_key_id()
    with pytest.raises(ImproperlyConfigured, match="'1'"):
        make()


def test_codes_that_are_in_peoples_mailboxes_never_change():
    assert make() == "ATXU-2HA4-NHZW-MCMQ-DK8B"
    found = "7edbed6e1875faec2a420171ab65e8febde84963682c5db2500ccfd9743cd3e5"
    assert codes.fingerprint(make(), key_id="1") == found
