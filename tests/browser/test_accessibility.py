"""The pages of the programme are for everybody: axe finds nothing against WCAG 2.2 AA, on a desk and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from oscar_loyalty import clock
from oscar_loyalty.earning import drafts, goals, rules
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.members import statuses
from oscar_loyalty.rewards import services as rewards
from tests.browser.conftest import DESK, PHONE

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
#: What is Oscar's own, and on each of its pages; with what axe has against it.
OSCARS_SHOP = {
    "header": "the search has no label",
    ".navbar": "its links are pale on grey, the choice of the language has no label",
    ".breadcrumb": "its links are pale on grey",
    ".sidebar": "its links are pale on grey",
    "footer": "pale on grey",
}
OSCARS_DASHBOARD = {".navbar": "a form within a list, and one id for many menus"}

ACCOUNT = [
    "", "history/", "card/", "rewards/", "rewards/{reward}/", "rewards/mine/", "cards/", "tier/", "gift-cards/",
    "earn/", "invite/", "profile/", "give/", "household/", "guest-orders/", "early/", "messages/", "privacy/",
]  # fmt: skip
DASHBOARD = [
    "", "start/", "start/happy_hours/", "programme/", "rules/", "rules/new/", "rules/{rule}/", "rules/{rule}/end/",
    "drafts/", "drafts/{draft}/", "drafts/{draft}/publish/", "limits/", "goals/", "goals/new/", "actions/",
    "actions/scan/", "referrals/", "referrals/terms/", "tiers/", "rewards/", "rewards/new/", "rewards/{reward}/",
    "rewards/claims/", "rewards/claims/{claim}/", "members/", "members/{member}/", "members/{held}/",
    "members/{member}/reward/", "members/{member}/stamp/", "members/{member}/merge/", "movements/", "gifts/",
    "simulations/", "simulations/new/", "programmes/", "health/",
]  # fmt: skip


@pytest.fixture
def salon(shop, programme, member, django_user_model):
    """Something of each kind, so that no list is empty; who owns the salon, and the numbers in the addresses."""
    Reward = get_model("loyalty_rewards", "Reward")
    books.earn(account=member.account, units=1_234_567, key="axe", kind="adjust", usable_from=clock.now())
    near = rewards.save_reward(reward=Reward(programme=programme, kind="amount", value=5, points=500, name="Five off"))
    rewards.save_reward(reward=Reward(programme=programme, kind="experience", points=9_000_000, name="A weekend"))
    claim = rewards.claim(reward=near, member=member, key="axe")
    booster = {"times": 2, "when": {"weekdays": [0], "tiers": ["gold"]}}
    rule = rules.publish_rule(programme=programme, kind="booster", spec=booster, name="Mondays").rule
    draft = drafts.start(programme=programme, name="Christmas", key="axe")
    drafts.put(draft=draft, kind="order", spec={"points": 5})
    goals.create_goal(programme=programme, kind="stamps", name="Visits", steps=[Step(after=10, points=100)], key="axe")
    friend = members.join(programme=programme, email="friend@example.com", first_name="Fay", last_name="Friend")
    referrals.accept(code=referrals.invitation_of(member=member).code, friend=friend)
    statuses.set_status(member=friend, status="frozen", reason="We are looking into it.")
    owner = django_user_model.objects.create_superuser(
        username="owner", email="owner@example.com", password="petale-demo", first_name="Ada"
    )
    numbers = {
        "reward": near.pk, "claim": claim.uuid, "rule": rule.pk, "draft": draft.pk, "member": member.pk,
        "held": friend.pk,
    }  # fmt: skip
    return owner, numbers


def wrong(page, paths, apart):
    """What axe finds on these pages, each at both widths; and what is too wide for a phone."""
    found = []
    for path in paths:
        response = page.goto(path)
        assert response.status == 200, path
        page.wait_for_function("!document.querySelector('.select2-selection:not([data-named])')")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            told = (
                Axe()
                .run(page, context={"exclude": [[selector] for selector in apart]}, options=RULES)
                .response["violations"]
            )
            found += [f"{path} {size['width']}: {one['id']} {node['target']}" for one in told for node in one["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            found.append(f"{path} is too wide for a phone")
    return "\n".join(found)


def test_the_account_is_for_everybody(page, salon, member, sign_in):
    _owner, numbers = salon
    sign_in(page, member.user)
    found = wrong(page, [f"/accounts/loyalty/{path.format(**numbers)}" for path in ACCOUNT], OSCARS_SHOP)
    assert not found, found


def test_the_dashboard_is_for_everybody(page, salon, sign_in):
    owner, numbers = salon
    sign_in(page, owner)
    found = wrong(page, [f"/dashboard/loyalty/{path.format(**numbers)}" for path in DASHBOARD], OSCARS_DASHBOARD)
    assert not found, found
