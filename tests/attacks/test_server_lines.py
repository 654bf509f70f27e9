"""The guide to a public server says what the code does: limits of sizes, and what stands before Django."""

import re
from pathlib import Path

import pytest

from oscar_loyalty.dashboard import pictures
from oscar_loyalty.dashboard.giftcards import staff_forms
from oscar_loyalty.dashboard.rewards import forms as rewards
from oscar_loyalty.giftcards import bulk
from oscar_loyalty.payments.stripe.views import LARGEST as EVENT

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024
#: Wagtail's own, where a shop says nothing else.
WAGTAILS = 10 * MEGABYTE


@pytest.fixture(scope="module")
def guide():
    return (ROOT / "docs/howto/public-server.md").read_text()


@pytest.fixture(scope="module")
def lines(guide):
    """The settings of nginx, by name."""
    block = re.search(r"```nginx\n(.*?)```", guide, re.DOTALL)[1]
    found = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in block.splitlines())):
        # Each is whole: a name, values, and the semicolon without which nginx does not begin.
        match = re.fullmatch(r"([a-z_]+)((?: [\w$:.=-]+)+);", line)
        assert match, line
        found.setdefault(match[1], []).append(match[2].split())
    return found


def test_every_upload_of_ours_gets_through_with_its_form_and_little_more(lines):
    [[size]] = lines["client_max_body_size"]
    most = int(size.removesuffix("m")) * MEGABYTE
    largest = max(pictures.LARGEST, staff_forms.LARGEST, rewards.MOST_BYTES, EVENT, WAGTAILS)
    assert largest + 100_000 < most <= largest + 3 * MEGABYTE


def test_requests_are_taken_in_whole_and_say_whom_they_are_from(lines):
    assert lines["proxy_request_buffering"] == lines["proxy_buffering"] == [["on"]]
    headers = dict(lines["proxy_set_header"])
    assert headers["Host"] == "$host"
    assert headers["X-Forwarded-For"] == "$proxy_add_x_forwarded_for"
    zones = {value.partition("=")[2].partition(":")[0] for _by, value in lines["limit_conn_zone"]}
    assert {zone for zone, _number in lines["limit_conn"]} <= zones


def test_the_limits_of_the_table_are_those_of_the_code(guide):
    def row(start):
        return next(line for line in guide.splitlines() if line.startswith(f"| {start}"))

    assert f"{staff_forms.LARGEST // MEGABYTE} MB" in row("gift cards from a table")
    assert f"{bulk.MOST:,} cards" in row("gift cards from a table")
    assert f"{rewards.MOST_BYTES // 1_000_000} MB, {rewards.MOST_CODES:,} codes" in row("a partner's codes")
    picture = row("the picture of a reward")
    assert f"{pictures.LARGEST // MEGABYTE} MB, {pictures.MOST_PIXELS // 1_000_000} million points" in picture
