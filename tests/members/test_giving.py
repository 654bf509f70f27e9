"""Points from member to member: set aside, moved with their dates, given back; nobody learns who is a member."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils.translation import override

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import audit as books_audit
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, merging, selectors, services, sharing, typed
from oscar_loyalty.members.exceptions import CannotMerge, SharingRefused
from oscar_loyalty.reports import audit


@pytest.fixture(autouse=True)
def _terms(programme, settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)
    yield
    assert list(books_audit.audit()) == []


@pytest.fixture
def other(programme, django_user_model):
    user = django_user_model.objects.create_user(
        username="lea", email="lea@example.com", first_name="Léa", last_name="Petit"
    )
    return services.join(programme=programme, user=user, source="test")


@pytest.fixture
def family(member, other):
    """Both in one household, each because they agreed to."""
    households.accept(invitation=households.invite(member=member, to=other.number, key="hh"), member=other)


def usable(member):
    return ledger.balance(member.account).usable


def test_points_move_with_their_dates_once_they_are_accepted(time, member, other, give):
    first, last = time.at + timedelta(days=30), time.at + timedelta(days=90)
    give(40, expires_at=first)
    give(100, expires_at=last)
    gift = giving.give(source=member, to=" LEA@example.com ", units=60, key="g")
    assert giving.give(source=member, to="lea@example.com", units=60, key="g") == gift
    assert (usable(member), ledger.balance(member.account).held, usable(other)) == (80, 60, 0)
    for _click in range(2):
        giving.accept(transfer=gift, member=other)
    assert (usable(member), usable(other)) == (80, 60)
    assert ledger.balance(other.account).next_expiry == (first, 40)
    assert {lot.expires_at for lot in ledger.lots_open(other.account)} == {first, last}
    gift.refresh_from_db()
    assert (gift.state, gift.entry_out.units, gift.entry_in.units, gift.hold.state) == ("done", -60, 60, "captured")
    assert (gift.entry_out.note.text, gift.entry_in.note.text) == ("To LEA@example.com", "From Rose M.")


def test_a_gift_lives_no_longer_than_its_points(time, member, other, give):
    end = time.at + timedelta(days=2)
    give(50, expires_at=end)
    gift = giving.give(source=member, to=other.number, units=50, key="g")
    assert gift.until == end
    time.advance(days=2)
    with pytest.raises(SharingRefused):
        giving.accept(transfer=gift, member=other)
    due.sweep()
    gift.refresh_from_db()
    assert (gift.state, usable(member), usable(other)) == ("expired", 0, 0)


@pytest.mark.parametrize("what", ["gift", "household"])
def test_the_last_day_to_answer_is_the_one_that_was_told(what, time, member, other, give, mailoutbox):
    give(100)
    if what == "gift":
        gift = giving.give(source=member, to=other.email, units=60, key="g")
        accept = partial(giving.accept, transfer=gift, member=other)
    else:
        invitation = households.invite(member=member, to=other.email, key="i")
        accept = partial(households.accept, invitation=invitation, member=other)
    due.sweep()
    assert any("Say yes or no until March 9, 2026" in mail.body for mail in mailoutbox)
    time.advance(days=7, hours=11)
    with pytest.raises(SharingRefused):
        accept()
    time.advance(minutes=-1)
    due.sweep()
    accept()


@pytest.mark.parametrize("end", ["decline", "call_off", "staff", "expire"])
def test_what_is_not_accepted_comes_back(end, time, member, other, give):
    give(100)
    gift = giving.give(source=member, to=other.email, units=100, key="g")
    assert usable(member) == 0
    for _click in range(2):
        if end == "decline":
            giving.decline(transfer=gift, member=other)
        elif end == "call_off":
            giving.call_off(transfer=gift, member=member)
        elif end == "staff":
            giving.call_off(transfer=gift, actor=Ref("user", "7"), reason="Looks odd")
        else:
            assert giving.expire(transfer=gift).state == "open" or _click
            time.advance(days=8)
            due.sweep()
    gift.refresh_from_db()
    assert usable(member) == 100
    assert gift.state == {"decline": "declined", "expire": "expired"}.get(end, "cancelled")
    if end == "staff":
        assert (gift.actor_id, gift.reason) == ("7", "Looks odd")
    with pytest.raises(SharingRefused):
        giving.accept(transfer=gift, member=other)


def test_nobody_learns_who_is_a_member(time, member, other, give):
    give(100)
    told = [
        giving.give(source=member, to=to, units=20, key=to)
        for to in (other.email, other.number, "nobody@example.com", "123456789015")
    ]
    assert len({(row.state, row.units, row.until, row.at_once) for row in told}) == 1
    assert [row.target for row in told] == [other, other, None, None]
    services.set_status(member=other, status="frozen")
    assert giving.give(source=member, to=other.email, units=20, key="frozen").state == "open"


def test_one_cannot_answer_for_somebody_else(member, other, give, programme):
    third = services.join(programme=programme, email="third@example.com")
    give(100)
    gift = giving.give(source=member, to=other.email, units=20, key="g")
    for act in (giving.accept, giving.decline, giving.call_off):
        with pytest.raises(SharingRefused):
            act(transfer=gift, member=third)
    with pytest.raises(SharingRefused):
        giving.call_off(transfer=gift, member=other)
    giving.accept(transfer=gift, member=other)
    with pytest.raises(SharingRefused):
        giving.call_off(transfer=gift, member=member)
    with pytest.raises(SharingRefused):
        giving.decline(transfer=gift, member=other)


@pytest.mark.parametrize(
    ("terms", "units", "field"),
    [
        ({}, 5, "units"),
        ({"maximum": 100}, 101, "units"),
        ({"per_day": 30}, 31, "units"),
        ({"per_month": 30}, 31, "units"),
        ({}, 2000, "units"),
        ({"maximum": None, "per_day": None, "per_month": None}, 2000, "units"),
        ({"household_only": True}, 20, "to"),
        ({"is_active": False}, 20, ""),
    ],
)
def test_the_terms(terms, units, field, programme, member, other, give):
    give(1000)
    giving.save_policy(programme=programme, **terms)
    with pytest.raises(SharingRefused) as refused:
        giving.give(source=member, to=other.email, units=units, key="g")
    assert refused.value.field == field and usable(member) == 1000


def test_limits_count_what_is_given_and_what_waits(time, programme, member, other, give):
    give(1000)
    giving.save_policy(programme=programme, per_day=100, per_month=150)
    giving.give(source=member, to=other.email, units=60, key="a")
    back = giving.give(source=member, to=other.email, units=40, key="b")
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=other.email, units=10, key="c")
    giving.call_off(transfer=back, member=member)
    giving.accept(transfer=giving.give(source=member, to=other.email, units=40, key="d"), member=other)
    time.advance(days=1, seconds=1)
    assert sharing.left_to_give(member, sharing.policy_of(programme)) == 50
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=other.email, units=51, key="e")


def test_few_gifts_wait_at_a_time(member, other, give):
    give(1000)
    for number in range(giving.MOST_OPEN):
        giving.give(source=member, to=f"x{number}@example.com", units=10, key=str(number))
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=other.email, units=10, key="more")


def test_oneself_and_debt(member, other, give):
    give(100)
    for to in (member.email, member.number):
        with pytest.raises(SharingRefused):
            giving.give(source=member, to=to, units=10, key=to)
    spent = give(50)
    books.spend(account=member.account, units=150, key="all")
    books.reverse(entry=spent, key="back")
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=other.email, units=10, key="g")


def test_on_hold_nothing_is_given_or_taken(member, other, give):
    give(100)
    gift = giving.give(source=member, to=other.email, units=20, key="g")
    for held in (member, other):
        services.set_status(member=held, status="frozen")
        with pytest.raises(SharingRefused):
            giving.accept(transfer=gift, member=other)
        services.set_status(member=held, status="active")
    services.set_status(member=member, status="frozen")
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=other.email, units=20, key="h")
    giving.call_off(transfer=gift, member=member)
    assert usable(member) == 100


def test_a_household_gives_at_once(member, other, give, family):
    give(100)
    gift = giving.give(source=member, to=other.number, units=30, key="g")
    assert (gift.state, gift.at_once, usable(other)) == ("done", True, 30)
    households.leave(member=other)
    assert giving.give(source=member, to=other.number, units=30, key="h").state == "open"


def test_the_money_back_of_an_order_finds_points_that_were_given(member, other, give, family):
    entry = give(100)
    giving.give(source=member, to=other.number, units=100, key="g")
    books.reverse(entry=entry, key="back")
    assert (ledger.balance(member.account).debt, usable(other)) == (100, 100)


# Households


def test_a_household_is_joined_by_consent_and_left_at_will(programme, member, other):
    third = services.join(programme=programme, email="third@example.com")
    invitation = households.invite(member=member, to=other.email, key="i")
    assert households.invite(member=member, to=other.email, key="i") == invitation
    assert not sharing.together(member, other)
    with pytest.raises(SharingRefused):
        households.accept(invitation=invitation, member=third)
    for _click in range(2):
        households.accept(invitation=invitation, member=other)
    assert sharing.together(member, other)
    households.accept(invitation=households.invite(member=other, to=third.number, key="j"), member=third)
    with pytest.raises(SharingRefused):
        households.remove(member=other, other=member)
    households.remove(member=member, other=third)
    assert sharing.household_of(third) is None
    households.leave(member=other)
    households.leave(member=other)
    assert not get_model("loyalty_members", "Household").objects.exists()


def test_a_household_is_not_too_large_and_one_has_one(programme, member, other, time):
    giving.save_policy(programme=programme, household_size=2)
    invitation = households.invite(member=member, to=other.email, key="i")
    with pytest.raises(SharingRefused):
        households.invite(member=member, to="more@example.com", key="j")
    theirs = households.invite(member=other, to="somebody@example.com", key="k")
    with pytest.raises(SharingRefused):
        households.accept(invitation=invitation, member=other)
    households.leave(member=other)
    assert not get_model("loyalty_members", "HouseholdInvitation").objects.filter(pk=theirs.pk, state="open").exists()
    time.advance(days=8)
    with pytest.raises(SharingRefused):
        households.accept(invitation=invitation, member=other)


def test_a_household_says_no(member, other):
    invitation = households.invite(member=member, to=other.email, key="i")
    with pytest.raises(SharingRefused):
        households.call_off(invitation=invitation, member=other)
    households.decline(invitation=invitation, member=other)
    with pytest.raises(SharingRefused):
        households.accept(invitation=invitation, member=other)
    for to in (member.number, member.email):
        with pytest.raises(SharingRefused):
            households.invite(member=member, to=to, key=to)


# Merging


def test_leaving_and_beginning_again_writes_to_no_more_people(time, member, other):
    households.accept(invitation=households.invite(member=member, to=other.number, key="hh"), member=other)
    for number in range(9):
        if number % 3 == 0:
            households.leave(member=member)
        row = households.invite(member=member, to=f"{number}@example.com", key=str(number))
        households.call_off(invitation=row, member=member)
    with pytest.raises(SharingRefused, match="enough for one day"):
        households.invite(member=member, to="x@example.com", key="x")
    households.leave(member=member)
    assert not get_model("loyalty_members", "Household").objects.exists()
    time.advance(days=1)
    assert households.invite(member=member, to="x@example.com", key="y").is_open


def test_an_invitation_to_a_household_that_was_given_up_is_gone(member, other):
    row = households.invite(member=member, to=other.number, key="hh")
    households.leave(member=member)
    with pytest.raises(SharingRefused, match="not there any more"):
        households.accept(invitation=row, member=other)
    get_model("loyalty_members", "Household").objects.all().delete()
    with pytest.raises(SharingRefused, match="not there any more"):
        households.accept(invitation=row, member=other)
    households.decline(invitation=row, member=other)
    households.call_off(invitation=row, member=member)


def test_gifts_and_household_follow_a_merge(programme, member, other, give, family):
    old = services.join(programme=programme, email="old@example.com", first_name="Rose")
    give(50, to=old)
    give(50, to=other)
    gift = giving.give(source=old, to=other.email, units=20, key="g")
    with pytest.raises(CannotMerge):
        merging.merge(source=old, target=member, key="m")
    giving.accept(transfer=gift, member=other)
    waits = giving.give(source=other, to=old.number, units=30, key="h")
    merging.merge(source=old, target=member, key="m")
    gift.refresh_from_db()
    waits.refresh_from_db()
    assert (gift.source, waits.target) == (member, member)
    giving.accept(transfer=waits, member=member)
    assert usable(member) == 60
    assert sharing.together(member, other)
    assert selectors.by_number(old.number, programme) == member
    assert list(selectors.search(programme, old.number)) == [member]


# What was typed


def test_what_was_typed_is_forgotten_some_days_after_the_end(time, settings, member, other, give):
    settings.OSCAR_LOYALTY_SHARING_KEEP_DAYS = 30
    give(200)
    stranger = giving.give(source=member, to="stranger@example.com", units=20, key="s")
    done = giving.accept(transfer=giving.give(source=member, to=other.email, units=20, key="d"), member=other)
    waits = households.invite(member=member, to="flatmate@example.com", key="i")
    time.advance(days=8)
    due.sweep()
    rows = get_model("loyalty_members", "Transfer").objects
    assert {row.to for row in rows.all()} == {"stranger@example.com", other.email}
    time.advance(days=31)
    due.sweep()
    assert {row.to for row in rows.all()} == {""} and {row.whom for row in rows.all()} == {"somebody"}
    waits.refresh_from_db()
    assert waits.to == ""
    notes = get_model("loyalty_ledger", "EntryNote").objects
    assert [note.text for note in notes.all()] == ["From Rose M."]
    assert (done.entry_out.units, stranger.units) == (-20, 20)
    assert typed.sweep() == 0 and audit.run(keep=False).clean


def test_within_a_household_nothing_was_typed(time, member, other, give, family):
    give(100)
    gift = giving.give(source=member, to=other.number, units=20, key="g")
    time.advance(days=400)
    due.sweep()
    gift.refresh_from_db()
    assert (gift.to, gift.entry_out.note.text) == ("Léa P.", "To Léa P.")


def test_whoever_leaves_is_named_in_nobodys_history(member, other, give):
    give(200)
    giving.accept(transfer=giving.give(source=member, to=other.email, units=20, key="d"), member=other)
    giving.call_off(transfer=giving.give(source=member, to=other.email, units=20, key="c"), reason="Léa asked us to")
    households.invite(member=member, to=other.email, key="i")
    assert typed.forget(members=[other.pk]) == 3
    rows = get_model("loyalty_members", "Transfer").objects
    assert {(row.to, row.reason) for row in rows.all()} == {("", "")}
    assert not get_model("loyalty_members", "HouseholdInvitation").objects.exclude(to="").exists()
    assert not get_model("loyalty_ledger", "EntryNote").objects.exists()


def test_each_note_is_in_the_language_of_whoever_reads_it(member, other, give):
    type(member).objects.filter(pk=member.pk).update(language="fr")
    give(100)
    gift = giving.give(source=member, to=other.email, units=20, key="g")
    with override("en"):
        gift = giving.accept(transfer=gift, member=other)
    assert (gift.entry_out.note.text, gift.entry_in.note.text) == ("Pour lea@example.com", "From Rose M.")


# Races


@pytest.mark.django_db(transaction=True)
def test_two_gifts_at_the_same_moment_cannot_give_more_than_there_is(programme, member, other, give):
    give(100)
    results = []
    start = threading.Barrier(4)

    def go(number):
        try:
            start.wait()
            results.append(giving.give(source=member, to=other.email, units=40, key=f"k{number}").state)
        except SharingRefused as error:
            results.append(error.field)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["open", "open", "units", "units"]
    assert (usable(member), ledger.balance(member.account).held) == (20, 80)


@pytest.mark.django_db(transaction=True)
def test_accepted_and_called_off_at_the_same_moment_is_one_of_both(programme, member, other, give):
    give(100)
    gift = giving.give(source=member, to=other.email, units=40, key="k")
    start = threading.Barrier(3)

    def go(act, who):
        try:
            start.wait()
            act(transfer=gift, member=who)
        except SharingRefused:
            pass
        finally:
            connection.close()

    tries = [(giving.accept, other), (giving.call_off, member), (giving.accept, other)]
    threads = [threading.Thread(target=go, args=each) for each in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gift.refresh_from_db()
    assert (gift.state, usable(member), usable(other)) in {("done", 60, 40), ("cancelled", 100, 0)}


# The audit


def test_the_audit_sees_what_is_wrong_with_gifts_and_merges(programme, member, other, give):
    give(100)
    gift = giving.give(source=member, to=other.email, units=40, key="k")
    old = services.join(programme=programme, email="old@example.com")
    merging.merge(source=old, target=member, key="m")
    assert audit.run(keep=False).clean
    Transfer = get_model("loyalty_members", "Transfer")
    Transfer.objects.filter(pk=gift.pk).update(state="done")
    get_model("loyalty_members", "Member").objects.filter(pk=old.pk).update(merged_into=other)
    assert {row.check for row in audit.run(keep=False).findings} == {"gifts.given", "members.merged"}
    Transfer.objects.filter(pk=gift.pk).update(state="declined")
    assert "gifts.open" in {row.check for row in audit.run(keep=False).findings}
    get_model("loyalty_members", "Member").objects.filter(pk=old.pk).update(merged_into=member)
    Transfer.objects.filter(pk=gift.pk).update(state="open")
    assert audit.run(keep=False).clean
    # Set aside for nothing, and waiting with nothing set aside.
    hold = books.hold(account=member.account, units=10, key="lost", until=gift.until, source=Ref("gift", "lost"))
    assert {row.check for row in audit.run(keep=False).findings} == {"gifts.hold"}
    books.release(hold=hold)
    books.release(hold=gift.hold)
    assert {row.check for row in audit.run(keep=False).findings} == {"gifts.open"}
