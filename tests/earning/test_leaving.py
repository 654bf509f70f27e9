"""A good customer leaves: the copy of their data has it all and nothing of others; afterwards nothing names them."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps

from oscar_loyalty import clock
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, holdings, leaving, selectors, services, statuses
from oscar_loyalty.members.exceptions import CannotLeave, Merged
from oscar_loyalty.members.merging import merge
from oscar_loyalty.reports import copies
from oscar_loyalty.wallet import services as wallet
from tests.earning import test_merging

#: One of everything, by the name of a person that stands nowhere else.
rich, twin, boss = test_merging.rich, test_merging.twin, test_merging.boss
NAME = "zinnia"


@pytest.fixture(autouse=True)
def _cron(settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def zinnia(twin, rich, django_capture_on_commit_callbacks):
    """The twin, who goes by a name that can be searched for."""
    twin.user.email, twin.user.first_name, twin.user.last_name = f"{NAME}@example.com", NAME, "Bloom"
    twin.user.save()
    twin.refresh_from_db()
    services.update_details(member=twin, greeting_name=f"Dear {NAME}")
    statuses.set_status(member=twin, status="frozen", reason=f"{NAME} asked for it", key="z1")
    statuses.set_status(member=twin, status="active", reason=f"{NAME} is back", key="z2")
    get_model("loyalty_earning", "Adjustment").objects.filter(key="adj1").update(reason=f"For {NAME}")
    consents.answer(member=twin, given={"news": True}, source="test")
    wallet.pass_of(member=twin)
    return twin


def naming(word):
    """Every column of our tables in which ``word`` stands."""
    found = set()
    for model in apps.get_models():
        if not model._meta.app_label.startswith("loyalty_"):
            continue
        for values in model._base_manager.values():
            found |= {f"{model._meta.label}.{name}" for name, value in values.items() if word in str(value).lower()}
    return found


def leave(member):
    return leaving.leave(member=member, key=f"test:{member.pk}", actor=Ref.of("user", member.user_id))


def test_nothing_names_whoever_has_left(zinnia, sweep, time, user, programme):
    assert {"loyalty_members.Member.email", "loyalty_members.StatusChange.reason"} <= naming(NAME)
    shop_user, number = zinnia.user, zinnia.number
    departure = leave(zinnia)
    sweep()
    assert zinnia.status == "closed"
    assert not shop_user.groups.exists()
    assert naming(NAME)
    time.advance(days=14, hours=11)
    sweep()
    departure.refresh_from_db()
    assert departure.state == "done"
    # What was placed as a guest is an order's, and orders stay.
    assert naming(NAME) == set()
    gone = get_model("loyalty_members", "Member").objects.get(number=number)
    assert (gone.user, gone.display_name, gone.birth_day) == (None, f"Member {number}", None)
    balance = ledger.balance(gone.account)
    assert (balance.usable, balance.pending, balance.book) == (0, 0, 0)
    assert not get_model("loyalty_rewards", "Claim").objects.filter(member=gone, state="claimed").exists()
    shop_user.refresh_from_db()
    assert shop_user.orders.exists()
    # The same person may join anew, and begins with nothing.
    again = services.join(programme=programme, user=shop_user)
    assert again.pk != gone.pk
    assert ledger.usable(again.account) == 0
    assert selectors.member_for(shop_user, programme) == again


def test_no_address_is_kept_for_what_no_order_came_of(zinnia, programme, time, sweep):
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        currency="EUR", total=1, created_at=time.at, expires_at=time.at, leased_until=time.at, member=zinnia,
        user=zinnia.user, site=programme.site, state="cancelled", order_number="1",
        snapshot={"shipping_address": {"line1": "4 Zinnia Lane"}, "lines": []},
    )  # fmt: skip
    leave(zinnia)
    time.advance(days=15)
    sweep()
    attempt.refresh_from_db()
    assert attempt.snapshot == {"lines": []}


def test_invitation_and_passes_end_at_once(zinnia, programme, time, sweep):
    code = referrals.invitation_of(member=zinnia).code
    leave(zinnia)
    late = services.join(programme=programme, email="late@example.com")
    assert referrals.accept(code=code, friend=late) is None
    member = get_model("loyalty_members", "Member").objects.get(pk=zinnia.pk)
    assert wallet.pass_of(member=member)[1].void
    time.advance(days=15)
    sweep()
    assert not get_model("loyalty_earning", "Invitation").objects.filter(code=code).exists()
    assert wallet.pass_of(member=member)[1].name == ""


def test_the_last_mail_goes_out_and_forgets_where_it_went(zinnia, sweep, time, mailoutbox, settings):
    settings.OSCAR_LOYALTY_LEAVING_DAYS = 0
    leave(zinnia)
    sweep()
    sweep()
    (mail,) = [mail for mail in mailoutbox if "left" in mail.subject]
    assert mail.to == [f"{NAME}@example.com"]
    assert "Gift cards keep their value" in mail.body
    assert naming(NAME) == set()


def test_who_comes_back_in_time_has_what_they_had(zinnia, sweep, time, mailoutbox):
    before, groups = ledger.balance(zinnia.account).book, zinnia.user.groups.count()
    departure = leave(zinnia)
    assert leave(zinnia) == departure
    sweep()
    (mail,) = [mail for mail in mailoutbox if "left" in mail.subject]
    assert "16 March" in mail.body or "March 16" in mail.body
    time.advance(days=13)
    member = leaving.undo(departure=leaving.departure_of(zinnia))
    assert (member.status, ledger.balance(member.account).book) == ("active", before)
    assert member.user.groups.count() == groups
    time.advance(days=13)
    sweep()
    member.refresh_from_db()
    assert member.first_name == NAME
    assert leaving.departure_of(member) is None


def test_the_last_day_to_come_back_is_the_one_that_was_told(zinnia, time, sweep, client):
    departure = leave(zinnia)
    time.advance(days=14, hours=10, minutes=59)
    sweep()
    client.force_login(zinnia.user)
    assert "Until March 16, 2026 you can come back" in client.get("/accounts/loyalty/privacy/").content.decode()
    assert leaving.undo(departure=departure).status == "active"


def test_too_late_is_too_late(zinnia, time):
    departure = leave(zinnia)
    # The last day is over in the shop.
    time.advance(days=14, hours=11)
    with pytest.raises(CannotLeave):
        leaving.undo(departure=departure)


def test_coming_back_lifts_no_hold_of_the_shop(zinnia):
    statuses.set_status(member=zinnia, status="frozen", reason="?", key="hold")
    departure = leave(zinnia)
    assert leaving.undo(departure=departure).status == "frozen"


def test_what_the_shop_has_closed_has_no_way_back_and_is_erased(zinnia, time, sweep, client, mailoutbox):
    statuses.set_status(member=zinnia, status="closed", reason="?", key="shut")
    client.force_login(zinnia.user)
    text = client.get("/accounts/loyalty/leave/").content.decode()
    assert "is erased after 14 days" in text and "change your mind" not in text
    departure = leave(zinnia)
    text = client.get("/accounts/loyalty/privacy/").content.decode()
    assert "You have left. After March 16, 2026 everything" in text and "Come back" not in text
    sweep()
    (mail,) = [mail for mail in mailoutbox if "left" in mail.subject]
    for body in (mail.body, mail.alternatives[0][0]):
        assert "After March 16, 2026 everything that names you is erased" in body
        assert "change your mind" not in body and "ome back" not in body
    for back in (leaving.come_back, lambda member: leaving.undo(departure=departure)):
        with pytest.raises(CannotLeave):
            back(member=zinnia)
    assert "too late" in client.post("/accounts/loyalty/leave/undo/", follow=True).content.decode()
    departure.refresh_from_db()
    assert departure.state == "open"
    time.advance(days=15)
    sweep()
    assert naming(NAME) == set()


def test_what_the_shop_has_opened_again_is_not_erased(zinnia, time, sweep):
    departure = leave(zinnia)
    statuses.set_status(member=zinnia, status="active", key="staff")
    time.advance(days=15)
    sweep()
    departure.refresh_from_db()
    assert departure.state == "undone"
    assert naming(NAME)


def test_whoever_leaves_once_more_after_the_shop_has_opened_it_again_is_erased(zinnia, time, sweep, client):
    first = leave(zinnia)
    statuses.set_status(member=zinnia, status="active", key="staff")
    first.refresh_from_db()
    assert first.state == "undone"
    time.advance(days=1)
    client.force_login(zinnia.user)
    assert client.get("/accounts/loyalty/leave/").status_code == 200
    second = leaving.leave(member=zinnia, key="once more")
    zinnia.refresh_from_db()
    assert (second.state, zinnia.status) == ("open", "closed") and second != first
    sweep()
    time.advance(days=15)
    sweep()
    assert naming(NAME) == set()


def test_points_set_aside_for_a_checkout_come_first(zinnia, time, sweep):
    from oscar_loyalty.ledger import books

    hold = books.hold(account=zinnia.account, units=5, key="h", until=clock.now() + timedelta(days=30))
    departure = leave(zinnia)
    time.advance(days=14, hours=11)
    sweep()
    departure.refresh_from_db()
    assert departure.state == "open"
    books.release(hold=hold)
    time.advance(hours=2)
    sweep()
    departure.refresh_from_db()
    assert departure.state == "done"


def test_a_joined_membership_is_erased_with_the_one_that_went_on(zinnia, member, time, sweep):
    member = merge(source=zinnia, target=member, key="m", actor=Ref("staff", "1"))
    zinnia.refresh_from_db()
    with pytest.raises(Merged):
        leave(zinnia)
    leave(member)
    time.advance(days=15)
    sweep()
    assert naming(NAME) == set()


def files_of(copy):
    return zipfile.ZipFile(io.BytesIO(bytes(copy.file)))


def test_a_copy_has_all_of_oneself_and_nothing_of_others(zinnia, member, rich):
    friend = rich["friend"]
    services.update_details(member=friend, first_name="Ottoline", email="ottoline@example.com")
    copy = copies.request(member=zinnia, language="en")
    assert copy.state == "ready"
    archive = files_of(copy)
    told = json.loads(archive.read("data.json"))
    assert set(told) >= {holding.name for holding in holdings.registered()}
    assert told["membership"][0]["email"] == f"{NAME}@example.com"
    assert told["membership"][0]["birth_month"] == 5
    assert {row["kind"] for row in told["consents"]} == {"news", "birthday"}
    assert told["movements"]
    assert told["giftcards"][0]["value"]
    assert len(told["movements"]) == ledger.entries(zinnia.account).count()
    page = archive.read("index.html").decode()
    for words in (f"Dear {NAME}", "Stamp cards and challenges", "Visit: Haircut", "Your points"):
        assert words in page
    whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for secret in ("ottoline", "rose@example.com", str(member.number), rich["card"].lookup):
        assert secret.lower() not in whole.lower()
    assert archive.read("tables/membership.csv").decode().startswith("\ufeffcard number")
    for holding in holdings.registered():
        lines = archive.read(f"tables/{holding.name}.csv").decode().count("\r\n")
        assert lines >= len(told[holding.name]) + 1


def test_a_copy_is_in_the_members_language(zinnia):
    page = files_of(copies.request(member=zinnia, language="fr")).read("index.html").decode()
    assert '<html lang="fr">' in page


def test_a_large_copy_is_made_by_the_worker_and_ends(zinnia, monkeypatch, sweep, time):
    monkeypatch.setattr(copies, "SMALL", 0)
    copy = copies.request(member=zinnia)
    assert copy.state == "waiting"
    assert copies.request(member=zinnia) == copy
    assert copies.file_of(zinnia, copy.uuid) is None
    sweep()
    copy = copies.copy_of(zinnia)
    assert copy.state == "ready"
    assert copies.file_of(zinnia, copy.uuid).size == len(copies.file_of(zinnia, copy.uuid).file)
    time.advance(days=8)
    assert copies.file_of(zinnia, copy.uuid) is None
    sweep()
    assert not get_model("loyalty_members", "DataExport").objects.exists()


def test_a_copy_costs_the_same_however_long_the_history(zinnia, give, django_assert_max_num_queries):
    number = len(holdings.registered())
    with django_assert_max_num_queries(3 * number + 12):
        copies.request(member=zinnia)
    for _number in range(30):
        give(1, to=zinnia)
    get_model("loyalty_members", "DataExport").objects.all().delete()
    with django_assert_max_num_queries(3 * number + 12):
        copies.request(member=zinnia)
