"""The member's pages of rewards: every state, and the same queries however many there are."""

from datetime import timedelta

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.members import statuses
from oscar_loyalty.rewards import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def reward(programme):
    def reward(**fields):
        wanted = {"kind": "amount", "name": "Five off", "points": 500, "value": 5}
        made = get_model("loyalty_rewards", "Reward")(programme=programme, **(wanted | fields))
        return services.save_reward(reward=made)

    return reward


def token(text):
    return text.partition('name="token" value="')[2][:32]


def test_what_can_be_had_comes_first_and_what_is_missing_is_said(page, member, reward, give):
    give(700)
    reward(name="Far", points=930)
    reward(name="Farther", points=2000)
    reward(name="Gone", points=100, stock=0)
    reward(name="Near", points=600)
    text = page("rewards/")
    assert [text.index(name) for name in (">Near<", ">Far<", ">Farther<", ">Gone<")] == sorted(
        text.index(name) for name in (">Near<", ">Far<", ">Farther<", ">Gone<")
    )
    assert "230 petals to go" in text and "There is none left." in text and "You have 700 petals" in text
    assert "nothing is in reach" not in text


def test_empty_and_out_of_reach_and_strangers(page, programme, member, reward):
    assert "There are no rewards at the moment" in page("rewards/")
    assert "Rewards for you" not in page()
    reward()
    assert "nothing is in reach yet" in page("rewards/")
    assert "500 petals to go" in page()


def test_who_is_no_member_sees_them_too(page, programme, reward):
    reward()
    text = page("rewards/")
    assert "Five off" in text and "Join Pétales" in text and "Choose it" not in text
    page("rewards/mine/", status=302)


def test_chosen_shown_with_its_code_and_given_back(client, page, member, reward, give):
    give(700)
    five = reward()
    text = page(f"rewards/{five.pk}/")
    assert "Choose it for 500 petals" in text and "You keep" in text
    for _twice in range(2):
        answer = client.post(f"/accounts/loyalty/rewards/{five.pk}/", {"token": token(text)})
        assert answer.url == "/accounts/loyalty/rewards/mine/"
    (claim,) = member.reward_claims.all()
    text = page("rewards/mine/")
    assert claim.code in text and "Yours: Five off" in text and "Until " in text
    assert "1 reward waits for you" in page()
    back = f"rewards/mine/{claim.uuid}/back/"
    assert "Keep it" in page(back)
    for _twice in range(2):
        client.post(f"/accounts/loyalty/{back}")
    assert ledger.balance(member.account).usable == 700
    text = page("rewards/mine/")
    assert "500 petals are yours again" in text and "Cancelled" in text and claim.code not in text
    page(back, status=302)


@pytest.mark.parametrize(
    ("language", "price", "said"),
    [
        ("en", 1, "1 petal is yours again"),
        ("en", 2, "2 petals are yours again"),
        ("fr", 1, "1 pétale est de nouveau à vous"),
        ("fr", 2, "2 pétales sont de nouveau à vous"),
    ],
)
def test_one_point_is_one(client, page, member, reward, give, language, price, said):
    give(2)
    claim = services.claim(reward=reward(points=price), member=member, key="k")
    client.cookies["django_language"] = language
    response = client.post(f"/accounts/loyalty/rewards/mine/{claim.uuid}/back/", follow=True)
    assert said in response.content.decode().replace("\xa0", " ")


def test_what_has_happened_meanwhile_is_said_and_nothing_is_taken(client, page, member, reward, give):
    give(700)
    five = reward(stock=1)
    text = page(f"rewards/{five.pk}/")
    get_model("loyalty_rewards", "Reward").objects.update(stock=0)
    answer = client.post(f"/accounts/loyalty/rewards/{five.pk}/", {"token": token(text)})
    assert "There is none left." in answer.content.decode()
    assert ledger.balance(member.account).usable == 700
    assert client.post(f"/accounts/loyalty/rewards/{five.pk}/", {"token": "x"}).status_code == 200
    page("rewards/999/", status=404)


def test_what_is_being_prepared_is_nobodys_business(client, page, member, programme, reward, give, time):
    give(700)
    draft = reward(kind="experience", name="Secret", text="Not announced", is_active=False)
    soon = reward(name="Next month", starts_at=time.at + timedelta(days=30))
    for hidden in (draft, soon):
        page(f"rewards/{hidden.pk}/", status=404)
        asked = {"token": "a" * 32, "price": "500"}
        assert client.post(f"/accounts/loyalty/rewards/{hidden.pk}/", asked).status_code == 404
    # What was on offer goes on saying what it was, and what has become of it.
    over = reward(name="Over", ends_at=time.at - timedelta(days=1))
    assert "This reward has ended." in page(f"rewards/{over.pk}/")
    off, given = reward(name="Off"), reward(name="Given", is_active=False)
    lou = members.join(programme=programme, email="lou@example.com")
    give(500, to=lou)
    services.claim(reward=off, member=lou, key="bought")
    services.give(reward=given, member=lou, key="given")
    get_model("loyalty_rewards", "Reward").objects.filter(pk=off.pk).update(is_active=False)
    assert "This reward has ended." in page(f"rewards/{off.pk}/")
    page(f"rewards/{given.pk}/", status=404)
    services.give(reward=given, member=member, key="mine")
    page(f"rewards/{given.pk}/")


def test_on_hold_nothing_can_be_chosen(page, member, reward, give):
    give(700)
    five = reward()
    member.status = "frozen"
    member.save()
    assert "The membership is on hold." in page("rewards/")
    text = page(f"rewards/{five.pk}/")
    assert "The membership is on hold." in text and "Choose it for" not in text


def test_an_experience_has_a_code_to_scan_and_is_nobody_elses(client, page, member, reward, programme, give):
    give(700)
    claim = services.claim(reward=reward(kind="experience"), member=member, key="k")
    code = f"rewards/mine/{claim.uuid}/code.svg"
    assert code in page("rewards/mine/")
    assert "<svg" in page(code)
    services.use(claim=claim)
    page(code, status=404)
    other = get_model("auth", "User").objects.create_user(username="lou", email="lou@example.com")
    members.join(programme=programme, user=other, source="test")
    client.force_login(other)
    assert client.get(f"/accounts/loyalty/rewards/mine/{claim.uuid}/back/").status_code == 404
    assert "You have no rewards yet" in client.get("/accounts/loyalty/rewards/mine/").content.decode()


def test_the_pages_cost_the_same_for_one_and_for_many(page, member, reward, give, django_assert_max_num_queries):
    give(20000)
    for number in range(15):
        services.claim(reward=reward(limit=3), member=member, key=f"k{number}")
    due.sweep()
    page("rewards/")
    with django_assert_max_num_queries(28):
        page("rewards/")
    with django_assert_max_num_queries(28):
        page("rewards/mine/")
    page("rewards/mine/?page=2")


def test_another_price_than_the_page_said_is_said_and_taken_by_nobody(client, page, member, reward, give):
    give(1000)
    five = reward()
    client.force_login(member.user)
    type(five).objects.filter(pk=five.pk).update(points=900)
    asked = {"token": "a" * 32, "price": "500"}
    response = client.post(f"/accounts/loyalty/rewards/{five.pk}/", asked)
    text = response.content.decode()
    assert response.status_code == 200 and "now. Please look once more." in text
    assert 'name="price" value="900"' in text and not member.reward_claims.exists()
    assert client.post(f"/accounts/loyalty/rewards/{five.pk}/", {**asked, "price": "900"}).status_code == 302
    assert member.reward_claims.get().points == 900


def test_a_deleted_voucher_is_said_and_given_back(client, page, member, reward, give):
    give(500)
    claim = services.claim(reward=reward(), member=member, key="k")
    claim.voucher.delete()
    client.force_login(member.user)
    text = client.get("/accounts/loyalty/rewards/mine/").content.decode()
    assert "Its code does not work any more" in text and claim.code not in text and "Give it back" in text
    client.post(f"/accounts/loyalty/rewards/mine/{claim.uuid}/back/")
    claim.refresh_from_db()
    assert claim.state == "cancelled"


def test_a_reward_that_has_run_out_has_no_code_before_the_sweep_comes(client, page, member, reward, give, time):
    give(500)
    claim = services.claim(reward=reward(kind="experience"), member=member, key="k")
    time.advance(days=91)
    client.force_login(member.user)
    text = client.get("/accounts/loyalty/rewards/mine/").content.decode()
    assert claim.code not in text and "Expired" in text
    assert client.get(f"/accounts/loyalty/rewards/mine/{claim.uuid}/code.svg").status_code == 404


def test_on_hold_nothing_is_promised(page, member, reward, give):
    give(700)
    reward()
    assert "to spend" in page("rewards/")
    statuses.set_status(member=member, status="frozen", key="hold")
    text = page("rewards/")
    assert "to spend" not in text and "You are on your way" not in text
    assert "on hold" in text


def test_what_paid_a_debt_when_it_was_given_back_is_said(client, page, member, reward, give):
    entry = give(500)
    claim = services.claim(reward=reward(), member=member, key="k")
    books.reverse(entry=entry, key="back", units=40)
    page()
    client.post(f"/accounts/loyalty/rewards/mine/{claim.uuid}/back/")
    assert "It is given back: 500 petals are yours again. 40 petals of them have paid back what was owed." in page(
        "rewards/mine/"
    )
    assert ledger.balance(member.account).usable == 460
