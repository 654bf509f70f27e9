"""The ladder on the owner's pages: proposed, looked at, saved; tiers taken away; tiers by hand with an end."""

import re
from decimal import Decimal as D
from urllib.parse import parse_qs, urlsplit

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.earning.tiering import preview, selectors, services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import tiers as moving
from tests.earning.tier_help import ladder, spend, tier

TOKEN = "0123456789abcdef0123456789abcde"
RULES = {"metric": "spend", "window": "rolling", "months": "12", "grace_days": "30", "warning_days": "14"}


@pytest.fixture
def tiers(programme):
    return {each.code: each for each in members.tiers(programme)}


@pytest.fixture
def propose(owner, url, tiers):
    """Send the form of the rules: ``propose(silver="200", gold="500")``."""

    def propose(silver="200", gold="500", **fields):
        steps = {f"threshold_{tiers['silver'].pk}": silver, f"threshold_{tiers['gold'].pk}": gold}
        return owner.post(url("tiers"), RULES | steps | fields)

    return propose


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_what_was_looked_at_is_what_is_saved(owner, url, propose, many, programme, tiers):
    people = many(4, points=0)
    for person, amount in zip(people, (0, 100, 250, 900), strict=True):
        spend(person, amount)
    response = propose()
    assert response.status_code == 302
    assert selectors.scheme_of(programme).metric == "hand"
    shown = owner.get(response["Location"])
    text = text_of(shown)
    assert "Bronze → Silver · 1" in text and "Bronze → Gold · 1" in text and "€500.00" in text
    assert [row["member"] for row in shown.context["page_obj"].object_list] == people[2:]
    proposal = parse_qs(urlsplit(response["Location"]).query)["p"][0]
    for _click in range(2):
        done = owner.post(url("tiers-preview"), {"p": proposal, "tell": "on"})
        assert done["Location"] == url("tiers")
    scheme = selectors.scheme_of(programme)
    assert (scheme.metric, scheme.months, scheme.warning_days) == ("spend", 12, 14)
    assert list(members.tiers(programme).values_list("threshold", flat=True)) == [None, D(200), D(500)]
    for _sweep in range(2):
        due.sweep()
    assert [tier(person) for person in people] == ["bronze", "bronze", "silver", "gold"]
    assert get_model("loyalty_messaging", "Message").objects.filter(kind="tier_up").count() == 2
    assert "Last review" in text_of(owner.get(url("tiers")))


def test_nobody_hears_of_it_if_the_owner_does_not_want_to(owner, url, propose, member):
    spend(member, 300)
    proposal = parse_qs(urlsplit(propose()["Location"]).query)["p"][0]
    owner.post(url("tiers-preview"), {"p": proposal})
    due.sweep()
    due.sweep()
    assert tier(member) == "silver"
    assert not get_model("loyalty_messaging", "Message").objects.filter(kind="tier_up").exists()


def test_a_proposal_that_is_out_of_date_is_not_saved(owner, url, propose, programme, tiers):
    address = propose()["Location"]
    proposal = parse_qs(urlsplit(address).query)["p"][0]
    ladder(programme, metric="visits", silver=3, gold=8)
    assert "Begin anew" in text_of(owner.get(address))
    done = owner.post(url("tiers-preview"), {"p": proposal}, follow=True)
    assert "nothing was saved" in text_of(done)
    assert selectors.scheme_of(programme).metric == "visits"
    assert owner.get(url("tiers-preview"), {"p": proposal[:-3]}).status_code == 404
    assert owner.get(url("tiers-preview")).url == url("tiers")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"silver": "600"}, "gold"),
        ({"silver": "2.5", "gold": "4", "metric": "visits"}, "silver"),
        ({"silver": "-1"}, "silver"),
        ({"silver": "", "gold": ""}, "metric"),
        ({"months": "0"}, "months"),
        ({"grace_days": "999"}, "grace_days"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(propose, tiers, fields, wrong):
    response = propose(**fields)
    name = f"threshold_{tiers[wrong].pk}" if wrong in tiers else wrong
    assert response.status_code == 200 and set(response.context["form"].errors) == {name}
    assert f'value="{fields.get("silver", "200")}"' in response.content.decode() or not fields.get("silver", "200")


def test_who_would_fall_is_listed_by_pages(owner, url, propose, many, programme, tiers, django_assert_max_num_queries):
    people = many(40, points=0)
    for person in people:
        spend(person, 300, told=False)
    ladder(programme, silver=200, gold=500)
    services.settle(programme=programme, members=[person.pk for person in people])
    address = propose(silver="400", gold="800")["Location"]
    with django_assert_max_num_queries(24):
        shown = owner.get(address)
    assert shown.context["which"] == "falling" and shown.context["paginator"].num_pages == 2
    assert "Silver → Bronze · 40" in text_of(shown) and "Nobody falls today" in text_of(shown)
    second = owner.get(f"{address}&show=falling&page=2")
    assert len(second.context["page_obj"].object_list) == 15
    assert 'rel="prev"' in second.content.decode()


def test_the_page_of_the_tiers(owner, url, programme, many, tiers, django_assert_max_num_queries):
    many(3, points=0)
    ladder(programme)
    gold = tiers["gold"]
    data = {
        "name_0": "Gold",
        "rank": "3",
        "multiplier": "1.5",
        "colour": "#aabbcc",
        "discount": "10",
        "free_shipping": "on",
        "support_0": "+33 1 23 45 67 89",
    }
    assert owner.post(url("tier", gold.pk), data)["Location"] == url("tiers")
    with django_assert_max_num_queries(16):
        text = text_of(owner.get(url("tiers")))
    assert "10% off" in text and "free delivery" in text and "€500.00" in text and "in the last 12 months" in text
    assert get_model("offer", "ConditionalOffer").objects.filter(status="Open").count() == 2
    owner.post(url("tier", gold.pk), data | {"discount": "", "free_shipping": ""})
    assert not get_model("offer", "ConditionalOffer").objects.filter(status="Open").exists()


def test_a_tier_that_gives_away_too_much_is_asked_for_once_more(owner, url, programme, tiers):
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"})
    save_limits(programme=programme, margin_limit=10)
    address = url("tier", tiers["gold"].pk)
    data = {"name_0": "Gold", "rank": "3", "multiplier": "1", "colour": "#aabbcc", "discount": "5"}
    assert owner.post(address, data).status_code == 302
    text = text_of(shown := owner.post(address, data | {"discount": "9", "multiplier": "2"}))
    assert shown.status_code == 200 and "Your limit is 10%" in text and "for Gold" in text
    assert members.tiers(programme).last().discount == 5
    known = str(shown.context["margin"].percent)
    assert owner.post(address, data | {"discount": "9", "multiplier": "2", "known": known}).status_code == 302
    assert members.tiers(programme).last().discount == 9
    # What makes it no worse is not asked for, nor what has no part in it.
    assert owner.post(address, data | {"discount": "9", "multiplier": "1.8"}).status_code == 302
    silver = {"name_0": "Silver", "rank": "2", "multiplier": "1", "colour": "#aabbcc", "perks_0": "Tea"}
    assert owner.post(url("tier", tiers["silver"].pk), silver).status_code == 302
    new = {"name_0": "Ruby", "rank": "4", "multiplier": "3", "colour": "#aabbcc"}
    assert owner.post(url("tier-create"), new).context["margin"].tier.rank == 4
    assert members.tiers(programme).count() == 3


def test_many_members_are_looked_at_by_a_worker(owner, url, propose, many, tiers, monkeypatch):
    people = many(5, points=0)
    for person in people:
        spend(person, 300, told=False)
    monkeypatch.setattr(preview, "SLICE", 2)
    monkeypatch.setattr(preview, "ask", lambda proposal, ask=preview.ask: ask(proposal=proposal, most=0))
    address = propose()["Location"]
    shown = owner.get(address)
    assert "2 of 5 members so far" in text_of(shown) and "Save these rules" not in text_of(shown)
    progress = f"{url('tiers-preview-progress')}?{urlsplit(address).query}"
    assert owner.get(progress).json() == {"over": False, "percent": 40}
    due.sweep()
    assert owner.get(progress).json() == {"over": True, "percent": 100}
    shown = owner.get(address)
    assert "Bronze → Silver · 5" in text_of(shown) and "Save these rules" in text_of(shown)
    assert len(shown.context["page_obj"].object_list) == 5


def test_a_rank_goes_with_what_a_tier_is_reached_from(owner, url, programme, member, tiers):
    ladder(programme)
    data = {"name_0": "X", "multiplier": "1", "colour": "#aabbcc"}
    response = owner.post(url("tier", tiers["silver"].pk), data | {"rank": "5"})
    assert "Gold" in str(response.context["form"].errors["rank"])
    response = owner.post(url("tier", tiers["bronze"].pk), data | {"rank": "5"})
    assert "stays the lowest" in str(response.context["form"].errors["rank"])


def test_a_tier_is_taken_away_and_its_members_go_one_step_down(owner, url, programme, member, tiers):
    ladder(programme)
    spend(member, 900)
    assert tier(member) == "gold"
    assert "1 member goes to “Silver”." in text_of(owner.get(url("tier-remove", tiers["gold"].pk)))
    for _click in range(2):
        assert owner.post(url("tier-remove", tiers["gold"].pk)).status_code == 302
    assert tier(member) == "silver"
    assert [str(each.name) for each in members.tiers(programme)] == ["Bronze", "Silver"]
    assert not member.user.groups.filter(pk=tiers["gold"].group_id).exists()
    change = member.tier_changes.first()
    assert (change.cause, str(change.before.name)) == ("removed", "Gold")
    due.sweep()
    due.sweep()
    assert tier(member) == "silver"
    # The same name once more is another tier.
    owner.post(url("tier-create"), {"name_0": "Gold", "rank": "3", "multiplier": "1", "colour": "#aabbcc"})
    assert members.tiers(programme).last().code == "gold-2"


def test_a_tier_that_something_needs_is_not_taken_away(owner, url, programme, tiers):
    from oscar_loyalty.earning import goals

    goals.create_goal(
        programme=programme,
        kind="stamps",
        name="Card",
        counts="visits",
        steps=[goals.Step(5, points=10)],
        tier=tiers["gold"],
        key="card",
    )
    text = text_of(owner.get(url("tier-remove", tiers["gold"].pk)))
    assert "so it cannot be removed" in text
    assert owner.post(url("tier-remove", tiers["gold"].pk)).status_code == 409
    assert members.tiers(programme).count() == 3


def test_by_hand_until_a_day_and_ended_before(owner, url, programme, member, tiers, time):
    ladder(programme)
    spend(member, 300)
    data = {"tier": tiers["gold"].pk, "last_day": "2026-06-30", "reason": "Our neighbour", "token": TOKEN + "1"}
    for _click in range(2):
        assert owner.post(url("member-tier", member.pk), data).status_code == 302
    assert tier(member) == "gold"
    assert member.tier_changes.filter(cause="hand").count() == 1
    text = text_of(owner.get(url("member", member.pk)))
    assert "Gold by hand until June 30, 2026" in text and "Our neighbour" in text
    for wrong, field in [
        ({"last_day": "2026-03-01", "token": TOKEN + "2"}, "last_day"),
        ({"tier": tiers["bronze"].pk, "token": TOKEN + "3"}, "tier"),
        ({"token": TOKEN + "4"}, "tier"),
        ({"tier": "999", "token": TOKEN + "5"}, "tier"),
    ]:
        response = owner.post(url("member-tier", member.pk), data | wrong)
        assert set(response.context["tier_form"].errors) == {field}, wrong
        assert "Our neighbour" in response.content.decode()
    owner.post(url("member-tier-end", member.pk), {"token": TOKEN + "6"})
    assert tier(member) == "silver"
    assert "All changes of the tier" not in text_of(owner.get(url("member", member.pk)))


def test_all_changes_of_a_tier_are_listed_by_pages(owner, url, member, tiers, boss, django_assert_max_num_queries):
    from oscar_loyalty.ledger.books import Ref

    for number in range(30):
        code = "gold" if number % 2 else "silver"
        moving.give_by_hand(member=member, tier=tiers[code], key=f"k{number}", actor=Ref.of("user", boss.pk))
    assert "All changes of the tier" in text_of(owner.get(url("member", member.pk)))
    with django_assert_max_num_queries(14):
        response = owner.get(url("member-tiers", member.pk), {"page": 2})
    assert len(response.context["page_obj"].object_list) == 5
    assert "Ada Boss" in response.content.decode()


def test_who_may(client, staff, url, programme, tiers, member):
    client.force_login(staff("view_loyalty", username="looker"))
    for name, *arguments in [("tiers",), ("tiers-preview",), ("tier-remove", tiers["gold"].pk)]:
        assert client.get(url(name, *arguments)).status_code == 403
        assert client.post(url(name, *arguments)).status_code == 403
    assert client.post(url("member-tier-end", member.pk)).status_code == 403
    assert client.get(url("member-tiers", member.pk)).status_code == 200


def test_in_french(owner, url, programme, member, propose):
    ladder(programme, silver=100, gold=300)
    address = propose()["Location"]
    for page in (url("tiers"), address, url("member", member.pk)):
        assert owner.get(page, headers={"accept-language": "fr"}).status_code == 200
