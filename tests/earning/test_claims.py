"""A guest's order comes to a member: by a link to its address, once, with the points of its own day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Event
from time import sleep

import pytest
from django.contrib.sites.models import Site
from django.core import mail, signing
from django.db import connection, transaction

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import claims, guests, orders, rules, selectors
from oscar_loyalty.earning.exceptions import AskedAlready, MembershipRests, NotProven, OrderTaken
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit as ledger_audit
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.members.exceptions import ProgrammeClosed
from oscar_loyalty.reports import audit

GUEST = "lea@example.com"
Order = get_model("order", "Order")


@pytest.fixture(autouse=True)
def _cron(settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def guest_order(place, haircut, shampoo, own, per_euro, django_capture_on_commit_callbacks):
    """A haircut and a shampoo, ordered without an account: 80 and 12 petals."""

    def guest_order(number="2001", email=GUEST, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            return place((haircut, 1), (shampoo, 1), by=None, number=number, guest_email=email, **fields)

    return guest_order


@pytest.fixture
def lea(django_user_model):
    """Léa has an account under another address, and is no member yet."""
    return django_user_model.objects.create_user(username="lea", email="new@example.com", first_name="Léa")


@pytest.fixture
def link_of(programme):
    return lambda order: claims.link_for(order=order, programme=programme)


def usable(user, programme):
    member = members.member_for(user, programme)
    balance = ledger.balance(member.account)
    return balance.usable + balance.pending


def test_the_guest_is_written_to_once_with_what_the_order_brings(guest_order, sweep, programme):
    order = guest_order(email="Lea@Example.com")
    sweep()
    orders.review_order(order=order)
    sweep()
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["Lea@Example.com"], "Your order brings 92 petals, yours to take")
    link = get_model("loyalty_earning", "GuestLink").objects.get()
    for text in (message.body, message.alternatives[0][0]):
        assert "/accounts/loyalty/guest-orders/" in text and "2001" in text and "60 days" in text
    token = message.body.partition("/accounts/loyalty/guest-orders/")[2].partition("/")[0]
    assert guests.read_token(token, programme) == link


def test_an_order_that_brings_nothing_is_not_written_about(
    programme, place, haircut, sweep, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        place((haircut, 1), by=None, number="1", guest_email=GUEST)
    sweep()
    assert mail.outbox == []


@pytest.mark.parametrize("why", ["cancelled", "closed", "old", "member"])
def test_nobody_is_written_to_without_need(
    why, guest_order, place, haircut, programme, sweep, later, member, django_capture_on_commit_callbacks
):
    if why == "closed":
        member_services.save_programme(programme=programme, is_active=False)
    if why == "old":
        later(days=30)
        guest_order(date_placed=programme.started_at + timedelta(days=1))
    elif why == "member":
        with django_capture_on_commit_callbacks(execute=True):
            place((haircut, 1), number="1")
    else:
        order = guest_order()
        if why == "cancelled":
            order.set_status("Cancelled")
    sweep()
    assert [message for message in mail.outbox if message.to != ["rose@example.com"]] == []


def test_the_order_comes_with_its_points_and_is_in_the_history(guest_order, lea, programme, link_of, later):
    order = guest_order()
    later(days=3)
    # What is decided later does not change what the order brings.
    rules.set_product_points(product=order.lines.first().product, points=500)
    (claim,) = claims.claim(link=link_of(order), user=lea)
    order.refresh_from_db()
    member = members.member_for(lea, programme)
    assert (order.user, order.guest_email) == (lea, GUEST)
    assert (claim.member, claim.source, claim.email) == (member, "order", GUEST)
    assert member.source == "guest" and member.joined_at > order.date_placed
    award = selectors.award_of_order(order)
    assert (award.points, award.happened_at, award.tier) == (92, order.date_placed, member.tier)
    assert usable(lea, programme) == 92
    (movement,) = selectors.history(member)
    assert movement.title == "Order 2001"
    assert "Ordered as a guest, added on March 5, 2026" in movement.sentences
    # Once: again, whatever was asked, it is the same claim.
    assert claims.claim(link=link_of(order), user=lea) == [claim]
    orders.review_order(order=order)
    assert usable(lea, programme) == 92


def test_a_member_takes_it_at_the_tier_of_its_day(guest_order, member, user, programme, link_of, later):
    order = guest_order()
    later(days=1)
    gold = programme.tiers.last()
    gold.multiplier = 2
    gold.save()
    member_services.set_tier(member=member, tier=gold, key="up")
    assert [each.points for each in guests.waiting([order], programme, member=member)] == [92]
    claims.claim(link=link_of(order), user=user)
    assert usable(user, programme) == 92


def test_a_link_that_somebody_else_has_used(guest_order, lea, user, programme, link_of):
    order = guest_order()
    claims.claim(link=link_of(order), user=lea)
    with pytest.raises(OrderTaken):
        claims.claim(link=link_of(order), user=user)
    assert members.member_for(user, programme) is None
    assert usable(lea, programme) == 92


def test_what_is_cancelled_brings_nothing_or_is_taken_back(guest_order, lea, programme, link_of, cancel):
    first, second, third = guest_order("1"), guest_order("2"), guest_order("3")
    cancel(first)
    cancel(second.lines.last())
    for order in (first, second, third):
        claims.claim(link=link_of(order), user=lea)
    assert usable(lea, programme) == 80 + 92
    cancel(Order.objects.get(pk=third.pk))
    assert usable(lea, programme) == 80
    assert Order.objects.filter(user=lea).count() == 3


def test_points_come_when_the_order_gets_there(
    guest_order, lea, programme, link_of, django_capture_on_commit_callbacks
):
    member_services.save_programme(programme=programme, award_on_status="Complete")
    order = guest_order()
    claims.claim(link=link_of(order), user=lea)
    assert usable(lea, programme) == 0
    order.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        order.set_status("Being processed")
        order.set_status("Complete")
    assert usable(lea, programme) == 92


def test_staff_who_save_what_they_read_before_do_not_undo_it(guest_order, lea, link_of, programme, sweep):
    order = guest_order()
    before = Order.objects.get(pk=order.pk)
    claims.claim(link=link_of(order), user=lea)
    before.set_status("Being processed")
    sweep()
    order.refresh_from_db()
    assert (order.user, order.status) == (lea, "Being processed")


def test_the_audit_names_an_order_that_was_lost_and_the_review_mends_it(guest_order, lea, link_of):
    order = guest_order()
    claims.claim(link=link_of(order), user=lea)
    Order.objects.filter(pk=order.pk).update(user=None)
    (finding,) = audit.run(keep=False).findings
    assert (finding.check, finding.row) == ("claims.order", "order 2001")
    orders.review_order(order=order)
    assert audit.run(keep=False).clean


def test_an_account_that_is_deleted_leaves_nothing_to_take(guest_order, lea, user, link_of):
    order = guest_order()
    link = link_of(order)
    claims.claim(link=link, user=lea)
    lea.delete()
    orders.review_order(order=order)
    with pytest.raises(OrderTaken):
        claims.claim(link=link, user=user)
    order.refresh_from_db()
    assert order.user is None


def test_gift_cards_come_too(place, lea, programme, link_of, sweep, per_euro, django_capture_on_commit_callbacks):
    product = giftcard_services.set_denomination(value=Decimal("25")).product
    with django_capture_on_commit_callbacks(execute=True):
        order = place((product, 2), by=None, number="1", guest_email=GUEST)
        for card in giftcard_services.issue_for_lines(order):
            giftcard_services.activate(card=card, deliver=False)
    sweep()
    (message,) = mail.outbox
    assert message.subject == "Keep the gift cards of your order 1 together"
    assert "Its 2 gift cards" in message.body
    assert not giftcards.cards_of(lea).exists()
    claims.claim(link=link_of(order), user=lea)
    assert giftcards.cards_of(lea).count() == 2


@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_a_membership_that_rests_takes_nothing(status, guest_order, member, user, link_of):
    order = guest_order()
    member_services.set_status(member=member, status=status)
    with pytest.raises(MembershipRests):
        claims.claim(link=link_of(order), user=user)
    order.refresh_from_db()
    assert order.user is None
    member_services.set_status(member=member, status="active")
    assert len(claims.claim(link=link_of(order), user=user)) == 1


def test_a_closed_programme_takes_nothing(guest_order, lea, programme, link_of):
    order = guest_order()
    member_services.save_programme(programme=programme, is_active=False)
    with pytest.raises(ProgrammeClosed):
        claims.claim(link=link_of(order), user=lea)
    assert not get_model("loyalty_earning", "GuestClaim").objects.exists()


def test_the_membership_opened_with_the_address_alone_comes_along(guest_order, lea, programme, link_of):
    alone = member_services.join(programme=programme, email=GUEST, source="till")
    claims.claim(link=link_of(guest_order()), user=lea)
    assert members.member_for(lea, programme) == alone
    assert usable(lea, programme) == 92


# Tokens


def test_tokens_that_are_no_good(guest_order, programme, link_of, later):
    order = guest_order()
    link = link_of(order)
    token = guests.token_of(link)
    assert guests.read_token(token, programme) == link
    assert guests.read_token(token[:-1] + ("A" if token[-1] != "A" else "B"), programme) is None
    assert guests.read_token("nonsense", programme) is None
    assert guests.read_token(signing.dumps("0" * 32, salt=guests.SALT), programme) is None
    assert guests.read_token(signing.dumps(link.nonce), programme) is None
    assert GUEST not in str(signing.loads(token, salt=guests.SALT))
    elsewhere = member_services.create_programme(
        site=Site.objects.create(domain="other.example.com", name="Other"), name="Other", tiers=False
    )
    assert guests.read_token(token, elsewhere) is None
    # The shop has corrected the address: the link that went to the old one is void, the new one gets its own.
    Order.objects.filter(pk=order.pk).update(guest_email="right@example.com")
    assert guests.read_token(token, programme) is None
    order.refresh_from_db()
    assert guests.read_token(guests.token_of(link_of(order)), programme).email == "right@example.com"


def test_a_link_wears_out(guest_order, programme, link_of, settings, monkeypatch):
    token = guests.token_of(link_of(guest_order()))
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 59 * 86400)
    assert guests.read_token(token, programme) is not None
    monkeypatch.setattr(signing.time, "time", lambda: now + 61 * 86400)
    assert guests.read_token(token, programme) is None
    settings.OSCAR_LOYALTY_GUEST_LINK_DAYS = 90
    assert guests.read_token(token, programme) is not None


# All orders of an address


def test_one_link_proves_the_address_and_brings_them_all(guest_order, lea, programme, sweep, later, link_of):
    first, _second = guest_order("1"), guest_order("2", email="LEA@example.com")
    guest_order("3", email="someone@example.com")
    sweep()
    mail.outbox.clear()
    # The address of the account counts for nothing until the mail sent there was opened.
    lea.email = GUEST
    lea.save()
    with pytest.raises(NotProven):
        claims.claim_proven(user=lea, programme=programme)
    link = claims.ask(user=lea, programme=programme)
    sweep()
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([GUEST], "We found 2 orders made with your address")
    taken = claims.claim(link=link, user=lea)
    assert sorted(claim.order.number for claim in taken) == ["1", "2"]
    assert {claim.source for claim in taken} == {"address"}
    assert usable(lea, programme) == 184
    assert first.pk in {claim.order_id for claim in taken}
    # For a while, what is ordered with the proven address can be taken without another mail.
    assert guests.proven(lea, programme) == {GUEST}
    guest_order("4")
    (claim,) = claims.claim_proven(user=lea, programme=programme)
    assert (claim.order.number, claim.source) == ("4", "proven")
    guest_order("5")
    later(days=61)
    with pytest.raises(NotProven):
        claims.claim_proven(user=lea, programme=programme)


def test_the_orders_own_link_after_another_brought_it(guest_order, lea, user, programme, link_of):
    order = guest_order()
    lea.email = GUEST
    lea.save()
    (claim,) = claims.claim(link=claims.ask(user=lea, programme=programme), user=lea)
    with pytest.raises(OrderTaken):
        claims.claim(link=link_of(order), user=user)
    assert guests.proven(user, programme) == set()
    assert claims.claim(link=link_of(order), user=lea) == [claim]
    assert usable(lea, programme) == 92


def test_a_changed_address_transfers_nothing(guest_order, lea, user, programme, link_of, sweep):
    """Somebody writes another's address into the own account, having proven one of the own."""
    own = guest_order("1", email="mine@example.com")
    claims.claim(link=link_of(own), user=user)
    victim = guest_order("2")
    user.email = GUEST
    user.save()
    assert claims.claim_proven(user=user, programme=programme) == []
    claims.ask(user=user, programme=programme)
    sweep()
    victim.refresh_from_db()
    assert victim.user is None
    # Only whoever reads that mailbox can take it, to whichever account they are signed in with.
    link = get_model("loyalty_earning", "GuestLink").objects.get(order=None)
    claims.claim(link=link, user=lea)
    victim.refresh_from_db()
    assert victim.user == lea
    assert guests.proven(user, programme) == {"mine@example.com"}


def test_asking_is_limited_and_tells_nothing(guest_order, lea, programme, sweep, later):
    claims.ask(user=lea, programme=programme)
    with pytest.raises(AskedAlready):
        claims.ask(user=lea, programme=programme)
    sweep()
    assert mail.outbox == []
    for _time in range(2):
        later(hours=1)
        claims.ask(user=lea, programme=programme)
    later(hours=1)
    with pytest.raises(AskedAlready):
        claims.ask(user=lea, programme=programme)
    later(days=1)
    claims.ask(user=lea, programme=programme)


def test_reading_many_costs_the_same(guest_order, programme, member, django_assert_max_num_queries):
    made = [guest_order(str(number)) for number in range(12)]
    with django_assert_max_num_queries(14):
        found = guests.waiting(made, programme, member=member)
    assert [each.points for each in found] == [92] * 12


# Side by side


@pytest.fixture(params=[False, True], ids=["own transactions", "ATOMIC_REQUESTS"])
def _atomic_requests(request):
    before = connection.settings_dict["ATOMIC_REQUESTS"]
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = before


def at_once(*jobs):
    def run(job):
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_two_people_press_at_once(guest_order, programme, link_of, django_user_model):
    order = guest_order()
    link = link_of(order)
    people = [
        django_user_model.objects.create_user(username=f"p{number}", email=f"p{number}@example.com")
        for number in range(8)
    ]

    def take(user):
        try:
            return user, claims.claim(link=link, user=user)
        except OrderTaken:
            return user, None

    # Each twice, as in a double click.
    found = at_once(*[lambda user=user: take(user) for user in people * 2])
    winners = {user.pk for user, taken in found if taken}
    assert len(winners) == 1
    order.refresh_from_db()
    assert order.user_id in winners
    assert get_model("loyalty_earning", "Award").objects.get().points == 92
    # Who was too late has not joined for it.
    assert get_model("loyalty_members", "Member").objects.filter(user__in=people).count() == 1
    assert list(ledger_audit.audit()) == []


@pytest.mark.django_db(transaction=True)
def test_all_orders_and_one_of_them_are_taken_by_one_customer_at_once(
    guest_order, programme, link_of, lea, monkeypatch
):
    """Each takes the reviews before the member: order by order, one had the member and the other a review."""
    placed = [guest_order(number) for number in ("2001", "2002")]
    one = link_of(placed[1])
    lea.email = GUEST
    lea.save()
    member_services.join(programme=programme, user=lea)
    all_of_them = claims.ask(user=lea, programme=programme)
    begun, review_order = Event(), orders.review_order

    def slow_review(**named):
        award = review_order(**named)
        if not begun.is_set():
            begun.set()
            # Long enough for the other to have its review, and to wait for the member.
            sleep(1)
        return award

    monkeypatch.setattr(orders, "review_order", slow_review)

    def take_one():
        begun.wait(20)
        return claims.claim(link=one, user=lea)

    found = at_once(lambda: claims.claim(link=all_of_them, user=lea), take_one)
    assert [len(taken) for taken in found] == [2, 1]
    assert get_model("loyalty_earning", "GuestClaim").objects.count() == 2
    assert usable(lea, programme) == 2 * 92
    assert list(ledger_audit.audit()) == []


@pytest.mark.django_db(transaction=True)
def test_two_links_of_one_order_and_a_cancellation_at_once(guest_order, programme, link_of, lea, user, sweep):
    order = guest_order()
    one = link_of(order)
    lea.email = GUEST
    lea.save()
    all_of_them = claims.ask(user=lea, programme=programme)

    def take(link, by):
        try:
            return claims.claim(link=link, user=by)
        except OrderTaken:
            return []

    def stop():
        Order.objects.get(pk=order.pk).set_status("Cancelled")

    results = at_once(lambda: take(one, user), lambda: take(all_of_them, lea), stop)
    due.sweep()
    assert sorted(len(taken) for taken in results[:2]) == [0, 1]
    order.refresh_from_db()
    claim = get_model("loyalty_earning", "GuestClaim").objects.get()
    assert order.user_id == claim.member.user_id
    assert order.status == "Cancelled"
    assert usable(claim.member.user, programme) == 0
    assert list(ledger_audit.audit()) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_atomic_requests")
def test_through_the_page(client, guest_order, programme, link_of, lea):
    url = f"/accounts/loyalty/guest-orders/{guests.token_of(link_of(guest_order()))}/"
    client.force_login(lea)
    assert client.post(url).url == "/accounts/loyalty/history/"
    assert client.post(url).url == "/accounts/loyalty/history/"
    assert usable(lea, programme) == 92


@pytest.mark.django_db(transaction=True)
def test_all_or_nothing(guest_order, programme, link_of, lea, monkeypatch):
    link = link_of(guest_order())

    def fail(**kwargs):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(orders, "review_order", fail)
        with pytest.raises(RuntimeError), transaction.atomic():
            claims.claim(link=link, user=lea)
    assert members.member_for(lea, programme) is None
    assert Order.objects.get().user is None
    assert len(claims.claim(link=link, user=lea)) == 1
