"""Days that nobody means: said at their field, on every form and filter, before anything is counted with them."""

from datetime import date

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import specs
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation import services as simulations

pytestmark = pytest.mark.django_db

TOKEN = "0" * 32
NAME = {"name_0": "Tea", "name_1": "Thé"}
FIRST, LAST = "0001-01-01", "9999-12-31"
SAID = ["Write a day of the years from 1970 to 2199."]


@pytest.fixture
def refused(owner, url):
    """Send a form whose ``days`` cannot be; nothing but them is wrong."""

    def refused(page, *args, days, form="form", **data):
        response = owner.post(url(page, *args), {"token": TOKEN, **data, **days})
        assert response.status_code == 200
        assert dict(response.context[form].errors) == dict.fromkeys(days, SAID)

    return refused


@pytest.mark.parametrize("by", ["all", "service", "member"])
@pytest.mark.parametrize("asked", [{"until": LAST}, {"since": FIRST}, {"since": LAST}, {"until": FIRST}])
def test_the_filter_of_movements(asked, by, owner, url, programme):
    for page in (url("movements"), url("movements-export", "csv")):
        assert owner.get(page, {**asked, "by": by}).status_code == 200
    assert dict(owner.get(url("movements"), asked).context["form"].errors) == dict.fromkeys(asked, SAID)


def test_each_form_of_the_owner(refused, programme, member, haircut, card):
    gold = programme.tiers.last().pk
    refused("member-tier", member.pk, tier=gold, reason="x", days={"last_day": LAST}, form="tier_form")
    refused("giftcard-action", card.uuid, "extend", reason="x", days={"until": LAST}, form="extend_form")
    batch = {"name": "x", "number": "1", "at_till": "on", "expiry": "day", "tax_kind": "multi", "reason": "r"}
    refused("giftcard-batch-create", **batch, days={"last_day": LAST})
    stamps = {"kind": "stamps", **NAME, "counts": "pieces", "target": "everything", "size": "10", "points": "5"}
    refused("goal-create", **stamps, days={"until": LAST})
    tea = {**NAME, "points": "5", "validity_days": "30", "is_active": "on"}
    refused("reward-create", "experience", **tea, days={"first_day": FIRST, "last_day": LAST})
    refused("simulation-new", rules="today", breakage="20", days={"since": FIRST, "until": LAST})
    early = {"target": "product", "product": haircut.pk, "tier": gold, "others": "priceless"}
    refused("early-create", **early, passes="0", pass_days="7", days={"opens_day": FIRST, "ends_day": LAST})
    refused("limits", stacking="best", budget="10", days={"budget_since": FIRST, "budget_until": LAST})
    every = {"kind": "amount", "points": "1", "per": "1", "target": "everything"}
    refused("rule-create", **every, days={"since": FIRST, "to": LAST})


def test_the_calendar_of_the_browser_knows(owner, url, programme):
    text = owner.get(url("limits")).content.decode()
    assert text.count('min="1970-01-01" max="2199-12-31"') == 2


@pytest.mark.parametrize("day", [date.min, date.max, LAST])
def test_no_rule_is_published_for_such_a_day(day, programme):
    for field in ("since", "to"):
        with pytest.raises(WrongRule):
            specs.clean_when({field: day})


@pytest.mark.parametrize("days", [{"since": date.min}, {"until": date.max}])
def test_a_simulation_of_such_days_comes_to_an_end(days, programme):
    asked = {"since": date(2026, 1, 1), "until": date(2026, 1, 31), **days}
    row = simulations.ask(programme=programme, key="k", rules="today", title="Today", **asked)
    due.sweep()
    row.refresh_from_db()
    tries = get_model("loyalty_due", "Due").objects.get(kind="reports.simulate").tries
    # PostgreSQL knows a time before the first year; Python does not, nor one after the last.
    if row.state == row.DONE:
        assert "since" in days and tries == 0
    else:
        assert (row.state, "OverflowError" in row.error, tries) == (row.FAILED, True, 1)
