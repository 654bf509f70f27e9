"""The owner's pages of rewards."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from oscar.test.factories import create_product

from oscar_loyalty import clock, times
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import services

pytestmark = pytest.mark.django_db
TOKEN = "a" * 32
FIELDS = {"token": TOKEN, "name_0": "Five off", "name_1": "Cinq de moins", "points": "500", "validity_days": "60"}
FIELDS |= {"minimum": "0", "is_active": "on"}


def text_of(response):
    assert response.status_code == 200
    return response.content.decode().replace("\xa0", " ")


@pytest.fixture
def reward(programme):
    def reward(**fields):
        wanted = {"kind": "amount", "name": "Five off", "points": 500, "value": 5}
        made = get_model("loyalty_rewards", "Reward")(programme=programme, **(wanted | fields))
        return services.save_reward(reward=made)

    return reward


@pytest.fixture
def claim(reward, member, give):
    def claim(key="k", **fields):
        give(500)
        return services.claim(reward=reward(**fields), member=member, key=key)

    return claim


def test_a_reward_is_made_once_and_changed(owner, programme, url):
    assert "No reward yet" in text_of(owner.get(url("rewards")))
    assert "A neighbour" in text_of(owner.get(url("reward-kind")))
    asked = {**FIELDS, "value": "5", "stock": "9", "first_day": "2026-01-01", "last_day": "2030-01-31"}
    for _twice in range(2):
        assert owner.post(url("reward-create", "amount"), asked).status_code == 302
    (reward,) = get_model("loyalty_rewards", "Reward").objects.all()
    assert str(reward.name) == "Five off" and reward.value == 5
    text = text_of(owner.get(url("rewards")))
    assert "500 petals" in text and "on offer" in text
    page = text_of(owner.get(url("reward", reward.pk)))
    assert 'value="2030-01-31"' in page and "Cinq de moins" in page
    owner.post(url("reward", reward.pk), {**asked, "value": "7", "last_day": ""})
    reward.refresh_from_db()
    assert (reward.value, reward.ends_at) == (7, None)


@pytest.mark.parametrize("kind", ["amount", "percent", "product", "shipping", "experience", "donation", "partner"])
def test_every_kind_has_its_form(owner, programme, url, kind):
    soap = create_product(title="Soap", price=Decimal(9), num_in_stock=3)
    assert owner.get(url("reward-create", kind)).status_code == 200
    asked = {**FIELDS, "value": "10", "product": soap.pk, "beneficiary": "Trees"}
    assert owner.post(url("reward-create", kind), asked).status_code == 302
    assert get_model("loyalty_rewards", "Reward").objects.get().kind == kind
    assert owner.get(url("rewards")).status_code == 200


def test_the_list_says_the_last_day(owner, programme, url, reward):
    reward(ends_at=times.end_of(date(2030, 1, 31)))
    assert "ends 01/31/2030" in text_of(owner.get(url("rewards")))


def test_what_is_wrong_is_said_at_its_field(owner, programme, url, reward, member, give):
    text = text_of(owner.post(url("reward-create", "percent"), {**FIELDS, "value": "120", "limit_days": "3"}))
    assert "No more than 100." in text and "How many in so many days?" in text and "Cinq de moins" in text
    text = text_of(
        owner.post(url("reward-create", "amount"), {**FIELDS, "first_day": "2026-02-02", "last_day": "2026-01-01"})
    )
    assert "It ends before it begins." in text and "This field is required." in text
    card = catalogue.set_denomination(value=Decimal(25), points_price=2500).product
    text = text_of(owner.post(url("reward-create", "product"), {**FIELDS, "product": card.pk}))
    assert "A gift card cannot be given for nothing" in text
    five = reward()
    give(500)
    services.claim(reward=five, member=member, key="k")
    text = text_of(owner.post(url("reward", five.pk), {**FIELDS, "value": "5", "stock": "0"}))
    assert "1 have been claimed already." in text
    assert owner.get(url("reward-create", "magic")).status_code == 404


def test_a_partners_codes_are_pasted_and_read_from_a_file(owner, programme, url, reward):
    cinema = reward(kind="partner", value=None)
    assert "0 codes are left" in text_of(owner.get(url("reward-codes", cinema.pk)))
    assert "There is no code." in text_of(owner.post(url("reward-codes", cinema.pk), {"codes": " \n"}))
    file = SimpleUploadedFile("codes.csv", "C3;for two\nA1;again\n".encode("utf-8-sig"))
    seen = owner.post(url("reward-codes", cinema.pk), {"codes": "A1\nB2\n", "file": file})
    # They are looked over first.
    assert "4 lines were read" in text_of(seen) and "C3\nA1\nA1\nB2</textarea>" in text_of(seen)
    assert not cinema.codes.exists()
    answer = owner.post(url("reward-codes", cinema.pk), as_seen(seen), follow=True)
    assert "3 codes are new." in text_of(answer) and "3 codes are left" in text_of(answer)
    asked = {"step": "store", "codes": "x" * 40, "heading": ""}
    assert "is longer than" in text_of(owner.post(url("reward-codes", cinema.pk), asked))
    assert "There is no code." in text_of(
        owner.post(url("reward-codes", cinema.pk), {"step": "store", "codes": "Code", "heading": "on"})
    )
    picture = SimpleUploadedFile("codes.csv", b"\xff\xfe\x00\xd8")
    assert "This is no text file." in text_of(owner.post(url("reward-codes", cinema.pk), {"file": picture}))
    assert owner.get(url("reward-codes", reward().pk)).status_code == 404


def as_seen(response):
    """What a browser posts of the codes that were read, when nothing was changed."""
    form = response.context["form"]
    asked = {name: form[name].value() for name in form.fields}
    return {"step": "store"} | {name: "on" if value is True else value for name, value in asked.items() if value}


@pytest.mark.parametrize(
    ("lines", "heading"),
    [
        (["Code;Valid until", "ABC;2027", "DEF;2027"], True),
        (["Your gift", "ABC-1", "ABC-2"], True),
        (["code"], True),
        (["ABC-1", "ABC-2"], False),
        (["SUMMER", "AUTUMN"], False),
        (["SUMMER", "AUTUMN1", "WINTER"], False),
    ],
)
def test_a_heading_goes_to_nobody(owner, programme, url, reward, lines, heading):
    cinema = reward(kind="partner", value=None)
    file = SimpleUploadedFile("codes.csv", "\n".join(lines).encode())
    seen = owner.post(url("reward-codes", cinema.pk), {"file": file})
    assert bool(seen.context["form"]["heading"].value()) == heading
    owner.post(url("reward-codes", cinema.pk), as_seen(seen))
    codes = [line.split(";")[0] for line in lines]
    assert list(cinema.codes.values_list("code", flat=True)) == codes[heading:]


def test_codes_that_nobody_has_are_seen_and_removed(
    client, owner, staff, programme, url, reward, member, give, django_assert_max_num_queries
):
    give(500)
    cinema = reward(kind="partner", value=None)
    services.add_codes(reward=cinema, codes=["FIRST", *(f"C{number:02}" for number in range(30))])
    assert services.claim(reward=cinema, member=member, key="k").code == "FIRST"
    with django_assert_max_num_queries(16):
        text = text_of(owner.get(url("reward-codes", cinema.pk)))
    assert "C00" in text and "C29" not in text and "FIRST" not in text
    assert "C29" in text_of(owner.get(url("reward-codes", cinema.pk) + "?page=2"))
    pks = dict(cinema.codes.values_list("code", "pk"))
    remove = url("reward-codes-remove", cinema.pk)
    text = text_of(owner.post(remove, {"code": [pks["C00"], pks["C01"], pks["FIRST"], "x"]}, follow=True))
    assert "2 codes were removed." in text and "1 code was not there to be removed any more." in text
    assert "28 codes are left" in text and "1 has been handed out" in text
    assert not cinema.codes.filter(code__in=["C00", "C01"]).exists() and cinema.codes.count() == 29
    assert "Choose the codes" in text_of(owner.post(remove, follow=True))
    # Another gift's codes are its own.
    other = reward(kind="partner", value=None)
    assert owner.post(url("reward-codes-remove", other.pk), {"code": pks["C02"]}).status_code == 302
    assert cinema.codes.filter(code="C02").exists()
    assert owner.post(url("reward-codes-remove", reward().pk)).status_code == 404
    client.force_login(staff("view_loyalty"))
    assert client.post(remove, {"code": pks["C03"]}).status_code == 403


def test_claims_are_found_used_and_cancelled(owner, programme, url, claim, member):
    one = claim(kind="donation")
    assert "1 reward waits for you" in text_of(owner.get(url("rewards")))
    for query in ("?state=todo", "?q=rose", f"?reward={one.reward_id}", f"?q={member.number[:5]}"):
        assert "Five off" in text_of(owner.get(url("reward-claims") + query))
    for query in ("?state=used", "?q=nobody", "?q=!!", "?reward=abc"):
        assert owner.get(url("reward-claims") + query).status_code == 200
    assert "The donation has been made" in text_of(owner.get(url("reward-claim", one.uuid)))
    assert "Done." in text_of(owner.post(url("reward-use", one.uuid), follow=True))
    assert "This field is required." in text_of(owner.post(url("reward-cancel", one.uuid), {"reason": ""}))
    assert ledger.balance(member.account).usable == 0
    owner.post(url("reward-cancel", one.uuid), {"reason": "The charity is closed"})
    assert ledger.balance(member.account).usable == 500
    assert "The charity is closed" in text_of(owner.get(url("reward-claim", one.uuid)))


def test_the_list_costs_the_same_for_one_and_for_twenty(owner, programme, url, claim, django_assert_max_num_queries):
    for number in range(20):
        claim(key=f"k{number}")
    with django_assert_max_num_queries(16):
        assert owner.get(url("reward-claims")).status_code == 200
    with django_assert_max_num_queries(16):
        assert owner.get(url("rewards")).status_code == 200


def test_a_present_is_given_once_or_it_is_said_why_not(owner, programme, url, reward, member):
    five, none = reward(points=0), reward(stock=0)
    asked = {"token": TOKEN, "reward": five.pk, "reason": "Ten years with us"}
    for _twice in range(2):
        assert owner.post(url("member-reward", member.pk), asked).status_code == 302
    (made,) = member.reward_claims.all()
    assert (made.state, made.points, made.why) == ("claimed", 0, "Ten years with us")
    again = {**asked, "reward": none.pk, "token": "b" * 32}
    text = text_of(owner.post(url("member-reward", member.pk), again))
    assert "There is none left." in text and "Ten years with us" in text
    # Nothing was written, so the same form works once there is one.
    assert member.reward_claims.count() == 1
    type(none).objects.filter(pk=none.pk).update(stock=1)
    assert owner.post(url("member-reward", member.pk), again).status_code == 302
    assert member.reward_claims.filter(reward=none).get().state == "claimed"


def test_the_policy_is_the_owners(owner, programme, url):
    assert owner.get(url("reward-settings")).status_code == 200
    asked = {"expired": "back", "cancelled_order": "points", "again_days": 7, "remind_days": 0}
    assert owner.post(url("reward-settings"), asked).status_code == 302
    policy = programme.reward_policy
    assert (policy.expired, policy.own_cancel, policy.remind_days) == ("back", False, 0)


def test_who_may_what(client, staff, programme, url, claim, reward):
    one = claim()
    client.force_login(staff("view_loyalty"))
    for page in (url("rewards"), url("reward-claims"), url("reward-claim", one.uuid)):
        assert client.get(page).status_code == 200
    for page in (url("reward-kind"), url("reward-create", "amount"), url("reward-settings")):
        assert client.get(page).status_code == 403
    for page in (url("reward-use", one.uuid), url("reward-cancel", one.uuid), url("member-reward", one.member_id)):
        assert client.post(page, {"reason": "x"}).status_code == 403


def test_nobody_gives_to_oneself(client, staff, programme, url, reward):
    colleague = staff("view_loyalty", "adjust_points")
    own = members.join(programme=programme, user=colleague, source="test")
    books.earn(account=own.account, units=500, key="e", usable_from=clock.now(), kind="adjust")
    claim = services.claim(reward=reward(), member=own, key="k")
    client.force_login(colleague)
    asked = {"token": TOKEN, "reward": claim.reward_id, "reason": "For me"}
    assert client.post(url("member-reward", own.pk), asked).status_code == 403
    assert client.post(url("reward-cancel", claim.uuid), {"reason": "x"}).status_code == 403


def test_a_goal_may_give_a_reward(owner, programme, url, reward, member):
    five = reward(points=0)
    assert "Five off" in text_of(owner.get(url("goal-create")))
    asked = {"token": TOKEN, "kind": "threshold", "counts": "points", "target": "everything", "size": "500"}
    asked |= {"name_0": "Every 500", "reward": five.pk, "repeats": "on"}
    assert owner.post(url("goal-create"), asked).status_code == 302
    assert "500 petals: Five off" in text_of(owner.get(url("goals")))


def test_a_deleted_voucher_is_said_and_another_made(client, owner, staff, programme, url, claim):
    one = claim()
    one.voucher.delete()
    text = text_of(owner.get(url("reward-claim", one.uuid)))
    assert "Its voucher was deleted" in text and "Make another voucher" in text and "Mark as used" not in text
    for _twice in range(2):
        assert owner.post(url("reward-renew", one.uuid)).status_code == 302
    text = text_of(owner.get(url("reward-claim", one.uuid)))
    assert "It has a voucher again." in text and "Mark as used" in text
    assert owner.get(url("reward-renew", one.uuid)).status_code == 405
    client.force_login(staff("view_loyalty"))
    assert client.post(url("reward-renew", one.uuid)).status_code == 403
