"""Memberships on hold and memberships that become one: nothing is lost, and the books agree."""

from datetime import timedelta

import pytest

from oscar_loyalty.ledger import audit as books_audit
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, merging, selectors, services
from oscar_loyalty.members.exceptions import CannotMerge, Merged
from oscar_loyalty.reports import audit


@pytest.fixture(autouse=True)
def _proof(time, programme):
    yield
    report = audit.run(keep=False)
    assert report.clean, report.as_dict()


@pytest.fixture
def other(programme):
    return services.join(programme=programme, email="rose@example.org", first_name="Rose")


def test_a_hold_stops_the_time_of_the_points(member, give, time):
    give(100, expires_at=time.at + timedelta(days=10))
    time.advance(days=4)
    services.set_status(member=member, status="frozen", key="on")
    time.advance(days=60)
    books.expire_due()
    assert ledger.balance(member.account).usable == 100
    services.set_status(member=member, status="active", key="off")
    assert ledger.balance(member.account).next_expiry == (time.at + timedelta(days=6), 100)
    time.advance(days=6)
    assert ledger.balance(member.account).usable == 0


def test_points_that_came_back_during_a_hold_live_on(member, give, time):
    give(100, expires_at=time.at + timedelta(days=10))
    spent = books.spend(account=member.account, units=100, key="spent")
    services.set_status(member=member, status="frozen", key="on")
    time.advance(days=20)
    books.reverse(entry=spent, key="back")
    services.set_status(member=member, status="active", key="off")
    assert ledger.balance(member.account).next_expiry == (time.at + timedelta(days=10), 100)


def test_points_that_came_during_a_hold_gain_only_their_own_time(member, give, time):
    services.set_status(member=member, status="frozen", key="on")
    time.advance(days=5)
    end = time.at + timedelta(days=30)
    give(10, expires_at=end)
    time.advance(days=3)
    services.set_status(member=member, status="active", key="off")
    assert ledger.balance(member.account).next_expiry == (end + timedelta(days=3), 10)


@pytest.mark.parametrize("swept", [True, False])
def test_nothing_that_came_during_a_hold_expires_in_it_however_late_the_sweep(swept, member, give, time):
    services.set_status(member=member, status="frozen", key="on")
    time.advance(days=5)
    give(10, expires_at=time.at + timedelta(days=2))
    later = books.earn(account=member.account, units=20, key="visit", usable_from=None)
    time.advance(days=5)
    books.mature(entry=later, key="came", usable_from=time.at, expires_at=time.at + timedelta(days=3))
    time.advance(days=20)
    if swept:
        books.expire_due()
    assert (ledger.balance(member.account).usable, ledger.balance(member.account).next_expiry) == (30, None)
    services.set_status(member=member, status="active", key="off")
    ends = [lot.expires_at - time.at for lot in ledger.lots_open(member.account)]
    assert ends == [timedelta(days=2), timedelta(days=3)]


def test_what_had_ended_before_a_hold_stays_gone_and_what_returns_with_grace_keeps_it(member, give, time):
    end = time.at + timedelta(days=3)
    give(30, expires_at=end)
    spent = books.spend(account=member.account, units=10, key="spent")
    held = books.hold(account=member.account, units=15, key="held", until=end + timedelta(days=60))
    time.at = end + timedelta(days=1)
    services.set_status(member=member, status="frozen", key="on")
    assert member.account.entries.filter(kind="expire").get().units == -5
    time.advance(days=10)
    books.reverse(entry=spent, key="back", grace=timedelta(days=7))
    time.advance(days=30)
    books.expire_due()
    assert ledger.balance(member.account).usable == 10
    services.set_status(member=member, status="active", key="off")
    assert ledger.balance(member.account).next_expiry[0] == time.at + timedelta(days=7)
    books.release(hold=held)
    time.advance(days=7)
    books.expire_due()
    assert ledger.balance(member.account).book == 0


def test_two_holds_after_each_other_and_an_end_that_was_set_anew(member, give, time):
    entry = give(100, expires_at=time.at + timedelta(days=10))
    for round_ in range(2):
        services.set_status(member=member, status="frozen", key=f"on{round_}")
        time.advance(days=30)
        services.set_status(member=member, status="closed" if round_ else "active", key=f"off{round_}")
    assert ledger.balance(member.account).next_expiry == (time.at + timedelta(days=10), 100)
    services.set_status(member=member, status="frozen", key="on again")
    books.extend(entry=entry, key="longer", expires_at=time.at + timedelta(days=50))
    time.advance(days=60)
    assert ledger.balance(member.account).usable == 100
    services.set_status(member=member, status="active", key="off again")
    assert ledger.balance(member.account).next_expiry == (time.at + timedelta(days=50), 100)


def test_the_audit_sees_points_that_rest_without_a_hold(member, give):
    give(10)
    accounts = get_model("loyalty_ledger", "Account").objects.filter(pk=member.account_id)
    accounts.update(paused_at=member.joined_at)
    assert [finding.check for finding in audit.run(keep=False).findings] == ["members.hold"]
    accounts.update(paused_at=None)


def test_a_hold_takes_the_groups_and_gives_them_back(member, user):
    services.set_status(member=member, status="frozen", key="on")
    assert not user.groups.exists()
    services.set_status(member=member, status="active", key="off")
    assert user.groups.count() == 1


def test_the_history_says_who_and_why_and_a_key_counts_once(member):
    fields = {"actor": Ref("user", "7"), "reason": "Lost card", "shown": True}
    services.set_status(member=member, status="frozen", key="k", **fields)
    services.set_status(member=member, status="active", key="back")
    services.set_status(member=member, status="frozen", key="k", **fields)
    member.refresh_from_db()
    assert member.status == "active"
    said = [(row.before, row.after, row.reason, row.shown) for row in member.status_changes.all()]
    assert said == [("frozen", "active", "", False), ("active", "frozen", "Lost card", True)]


def test_only_an_active_member_of_an_open_programme_spends(member, programme):
    assert selectors.may_spend(member) and not selectors.may_spend(None)
    services.set_status(member=member, status="frozen")
    assert not selectors.may_spend(member)


def test_a_merge_moves_all_with_its_dates(member, other, give, time):
    end = time.at + timedelta(days=30)
    give(40, to=other, expires_at=end)
    give(7, to=other, usable_from=time.at + timedelta(days=2))
    give(100)
    gold = selectors.tiers(member.programme).get(code="gold")
    services.set_tier(member=other, tier=gold, key="gold")
    assert merging.preview(other, member).balance.usable == 40
    merging.merge(source=other, target=member, key="m", actor=Ref("user", "7"), reason="Same person")
    merging.merge(source=other, target=member, key="m")
    balance = ledger.balance(member.account)
    assert (balance.usable, balance.pending, balance.next_expiry) == (140, 7, (end, 40))
    member.refresh_from_db()
    other.refresh_from_db()
    assert member.tier == gold
    assert (other.status, other.merged_into_id, selectors.survivor(other)) == ("closed", member.pk, member)
    with pytest.raises(Merged):
        services.set_status(member=other, status="active")
    with pytest.raises(CannotMerge):
        merging.merge(source=member, target=other, key="round")
    assert list(books_audit.audit()) == []


def test_what_is_set_aside_or_on_hold_is_not_merged(member, other, give, time):
    give(10, to=other)
    held = books.hold(account=other.account, units=10, key="h", until=time.at + timedelta(hours=1))
    with pytest.raises(CannotMerge):
        merging.merge(source=other, target=member, key="m")
    books.release(hold=held)
    services.set_status(member=other, status="frozen")
    with pytest.raises(CannotMerge):
        merging.merge(source=other, target=member, key="m")
    with pytest.raises(CannotMerge):
        merging.merge(source=member, target=member, key="m")
    assert ledger.balance(member.account).usable == 0


def test_an_account_alone_follows_the_membership(programme, user, other):
    mine = services.join(programme=programme, user=user)
    merging.merge(source=mine, target=other, key="m")
    other.refresh_from_db()
    assert selectors.member_for(user, programme) == other
    assert user.groups.count() == 1


@pytest.mark.parametrize("own", ["source", "target"])
def test_nobody_joins_the_own_membership_also_by_e_mail_alone(own, programme, member, django_user_model, give):
    colleague = django_user_model.objects.create_user(username="zoe", email="Zoe@example.com", is_staff=True)
    mine = services.join(programme=programme, email="zoe@example.com")
    give(40)
    both = {"source": mine, "target": member} if own == "source" else {"source": member, "target": mine}
    with pytest.raises(CannotMerge, match="ask a colleague"):
        merging.merge(**both, key="m", actor=Ref.of("user", colleague.pk))
    assert merging.preview(both["source"], both["target"], actor=Ref.of("user", colleague.pk)).problem


@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_a_hold_is_not_escaped_by_a_membership_of_ones_own(status, programme, member, user, other, give):
    give(40, to=other)
    services.set_status(member=other, status=status)
    with pytest.raises(CannotMerge):
        services.attach_user(member=other, user=user)
    other.refresh_from_db()
    assert (other.status, other.merged_into, ledger.balance(member.account).usable) == (status, None, 0)
    services.set_status(member=other, status="active")
    services.attach_user(member=other, user=user)
    assert ledger.balance(member.account).usable == 40
    assert other.status_changes.first().details["merged_into"] == member.pk


@pytest.mark.parametrize("stored", [True, False])
def test_the_time_of_a_tier_follows_a_merge(stored, programme, member, other, time):
    silver, bronze = programme.tiers.get(code="silver"), programme.tiers.get(code="bronze")
    Term = get_model("loyalty_members", "TierTerm")
    services.set_tier(member=other, tier=silver, key="up")
    end = time.at + timedelta(days=40)
    if stored:
        Term.objects.create(member=other, earned=silver, ends_at=end)
    Term.objects.create(member=member, earned=bronze, ends_at=None)
    merging.merge(source=other, target=member, key="m")
    member.refresh_from_db()
    term = Term.objects.get(member=member)
    assert (member.tier, term.earned, term.ends_at) == (silver, silver, end if stored else None)
    assert not Term.objects.filter(member=other).exists()
    change = member.tier_changes.get(key="m:tier")
    assert (change.cause, change.reason) == ("merged", "")


def test_a_birthday_that_was_taken_back_does_not_come_back_by_a_merge(member, other):
    services.update_details(member=other, birth_day=3, birth_month=5)
    consents.answer(member=member, given={"birthday": True}, source="test")
    consents.answer(member=member, given={"birthday": False}, source="test")
    merging.merge(source=other, target=member, key="join")
    member.refresh_from_db()
    assert (member.birth_day, member.birth_month) == (None, None)
