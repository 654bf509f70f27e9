"""Guest passes: limited, counted, one friend each, and no further than to what they name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from oscar.test.factories import create_product

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import access, early_passes, passes
from oscar_loyalty.privileges import services as early
from oscar_loyalty.privileges.exceptions import NoMorePasses, PassRefused


@pytest.fixture
def giver(person, programme):
    return members.member_for(person("gold"), programme)


@pytest.fixture
def row(time, window):
    return window("gold", passes=2, pass_days=3)


def give(giver, row, key="k"):
    return passes.give(member=giver, subject=early_passes.subject(row), key=key)


def browser(number="a"):
    """A request of a browser that has a number."""
    from django.http import HttpResponse

    from oscar_loyalty import clock

    request, response = RequestFactory().get("/"), HttpResponse()
    passes.keep_browser(request, response, number, until=clock.now())
    request.COOKIES[passes.COOKIE] = response.cookies[passes.COOKIE].value
    request.user = AnonymousUser()
    return request


def test_a_friend_with_an_account_comes_in_and_nowhere_else(row, giver, person, soap, window):
    other = create_product(title="Oil", price=9)
    window("gold", target=other, passes=2)
    friend = person(None)
    given = give(giver, row)
    assert not access.viewer(friend).gate(soap).allowed
    passes.open_pass(row=passes.read(passes.token_of(given)), user=friend)
    viewer = access.viewer(friend)
    assert viewer.gate(soap).allowed
    assert not viewer.gate(other).allowed
    assert not access.viewer(person("silver")).gate(soap).allowed


def test_an_anonymous_friend_comes_in_by_their_browser(row, giver, person, soap):
    given = give(giver, row)
    passes.open_pass(row=given, browser=passes.browser_of(browser("a")))
    assert access.viewer_of(browser("a")).gate(soap).allowed
    assert not access.viewer_of(browser("b")).gate(soap).allowed
    forged = browser("a")
    forged.COOKIES[passes.COOKIE] = "a:forged"
    assert not access.viewer_of(forged).gate(soap).allowed
    # Signed in on this browser, it becomes the account's: what the next person on it does is theirs.
    friend = person(None)
    passes.open_pass(row=given, user=friend, browser=passes.browser_of(browser("a")))
    assert access.viewer(friend).gate(soap).allowed
    assert not access.viewer_of(browser("a")).gate(soap).allowed


def test_the_second_to_open_it_is_told_and_noted(row, giver, person):
    given = give(giver, row)
    passes.open_pass(row=given, user=person(None, name="lina"))
    stranger = person(None, name="max")
    for user, mark in [(stranger, ""), (None, "b" * 64)]:
        with pytest.raises(passes.PassTaken):
            passes.open_pass(row=given, user=user, browser=mark)
    passes.refused(row=given, user=stranger)
    assert [(event.what, event.actor_id) for event in given.events.all()][1:] == [
        ("opened", str(given.events.all()[1].actor_id)),
        ("refused", str(stranger.pk)),
    ]


def test_it_ends_with_its_days_its_giver_and_its_window(row, giver, person, soap, time):
    friend = person(None)
    passes.open_pass(row=give(giver, row), user=friend)

    def allowed():
        return access.viewer(friend).gate(soap).allowed

    assert allowed()
    joining.set_status(member=giver, status="frozen")
    assert not allowed()
    giver.refresh_from_db()
    joining.set_status(member=giver, status="active")
    assert allowed()
    silver = get_model("loyalty_members", "Tier").objects.get(code="silver")
    joining.set_tier(member=giver, tier=silver, key="down")
    assert not allowed()
    joining.set_tier(member=giver, tier=row.tier, key="up")
    assert allowed()
    time.advance(days=3)
    assert not allowed()


def test_the_owner_ends_all_passes_at_once(row, giver, person, soap):
    friend = person(None)
    passes.open_pass(row=give(giver, row), user=friend)
    get_model("loyalty_privileges", "EarlyAccess").objects.filter(pk=row.pk).update(passes=0)
    assert not access.viewer(friend).gate(soap).allowed
    with pytest.raises(PassRefused):
        give(giver, row, "again")


def test_taken_back_it_ends_and_may_be_given_again_if_nobody_used_it(row, giver, person, soap):
    friend = person(None)
    used, unused = give(giver, row, "1"), give(giver, row, "2")
    passes.open_pass(row=used, user=friend)
    with pytest.raises(NoMorePasses):
        give(giver, row, "3")
    passes.take_back(row=unused)
    passes.take_back(row=unused)
    assert give(giver, row, "3").pk != unused.pk
    passes.take_back(row=used)
    assert not access.viewer(friend).gate(soap).allowed
    with pytest.raises(NoMorePasses):
        give(giver, row, "4")
    with pytest.raises(PassRefused):
        passes.open_pass(row=unused, user=friend)
    assert [event.what for event in unused.events.all()] == ["given", "back"]


def test_who_may_not_be_there_brings_nobody(row, person, programme):
    with pytest.raises(PassRefused):
        give(members.member_for(person("silver"), programme), row)
    with pytest.raises(PassRefused):
        give(members.member_for(person("gold", status="closed"), programme), row, "2")


def test_a_guest_brings_no_guests(row, giver, person, programme):
    friend = person("bronze")
    passes.open_pass(row=give(giver, row), user=friend)
    with pytest.raises(PassRefused):
        give(members.member_for(friend, programme), row, "chain")
    assert passes.offered(members.member_for(friend, programme)) == []


def test_nobody_uses_their_own(row, giver):
    with pytest.raises(PassRefused):
        passes.open_pass(row=give(giver, row), user=giver.user)


def test_the_same_form_twice_is_one_pass(row, giver, person, programme):
    assert give(giver, row, "same") == give(giver, row, "same")
    other = members.member_for(person("gold", name="other"), programme)
    with pytest.raises(PassRefused):
        give(other, row, "same")


def test_a_link_of_another_kind_is_none(row, giver):
    given = give(giver, row)
    token = passes.token_of(given)
    assert passes.read(token) == given
    assert passes.read(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert passes.read(given.uuid.hex) is None


def test_a_pass_ends_with_the_window_it_was_given_to(row, giver, time):
    early.end(window=row)
    with pytest.raises(PassRefused):
        give(giver, row)
    early.go_on(window=row)
    time.advance(days=9)
    assert give(giver, row).valid_until == row.ends_at


def test_passes_follow_a_member_who_is_joined_with_another(row, giver, person, programme):
    from oscar_loyalty.members import merging

    given = give(giver, row)
    other = members.member_for(person("gold", name="other"), programme)
    merging.move_rows(giver, other)
    given.refresh_from_db()
    assert given.member == other
    assert passes.left(early_passes.subject(row), other) == 1


# Side by side


def at_once(number, function):
    barrier = Barrier(number)

    def one(n):
        try:
            connection.ensure_connection()
            barrier.wait(20)
            return function(n)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return [type(result).__name__ for result in pool.map(one, range(number))]


@pytest.mark.django_db(transaction=True)
def test_of_ten_at_once_only_as_many_as_there_are_are_given(row, giver):
    results = at_once(10, lambda n: give(giver, row, f"race:{n}"))
    assert sorted(results) == ["GuestPass"] * 2 + ["NoMorePasses"] * 8


@pytest.mark.django_db(transaction=True)
def test_of_ten_friends_at_once_one_has_it(row, giver, person):
    given = give(giver, row)
    friends = [person(None, name=f"friend{n}") for n in range(10)]
    results = at_once(10, lambda n: passes.open_pass(row=passes.read(passes.token_of(given)), user=friends[n]))
    assert sorted(results) == ["GuestPass"] + ["PassTaken"] * 9
    assert given.events.filter(what="opened").count() == 1


def test_giving_costs_the_same_with_many_given(row, giver, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        give(giver, row)


def test_days(row, giver, time):
    assert give(giver, row).valid_until == time() + timedelta(days=3)
