"""What is earned, paid and said on one Site stays there, whoever the customer is."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import actions, backfill, bookings, occasions
from oscar_loyalty.earning.referrals import selectors as referrals
from oscar_loyalty.earning.referrals import services as referring
from oscar_loyalty.giftcards import bulk, imports, staff
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.giftcards.exceptions import CodeRefused
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import links, selectors
from oscar_loyalty.members import services as members
from oscar_loyalty.members.benefits import TierCondition
from oscar_loyalty.members.sites import default_site, is_home, site_of, site_of_host
from oscar_loyalty.messaging import builders
from oscar_loyalty.reports import liability


class Asked:
    """A request, as far as Sites are concerned."""

    def __init__(self, host):
        self.host = host

    def get_host(self):
        return self.host


def card(house, key="card", **fields):
    fields.setdefault("recipient_email", "lou@example.com")
    return giftcard_services.issue(value=Decimal(25), key=f"{key}:{house.name}", site=house.site, **fields)


def test_the_site_of_what_has_one_and_of_what_has_none(a, b, settings):
    assert site_of(Asked("beta.example")) == b.site
    assert site_of() == default_site() == a.site
    # By an address that no Site has (a health check by number) the shop answers all the same.
    assert site_of(Asked("192.0.2.7")) == a.site
    assert site_of_host("beta.example:8000") == b.site and site_of_host("elsewhere.example") == a.site
    settings.OSCAR_LOYALTY_SITE_ID = b.site.pk
    assert default_site() == b.site and selectors.programme_of() == b.programme
    settings.SITE_ID = a.site.pk
    assert site_of(Asked("beta.example")) == default_site() == a.site == site_of_host("beta.example")


def test_an_order_earns_where_it_was_placed(a, b, own, place):
    place(a, "1")
    assert (a.points, b.points) == (80, 0)
    place(b, "2")
    assert (a.points, b.points) == (80, 5)


def test_the_pages_of_a_site_show_its_programme(a, b, own, user, haircut):
    a.give(111)
    b.give(222)
    for house, other, points in ((a, b, "111"), (b, a, "222")):
        client = house.client(user)
        for name in ("overview", "history", "earn"):
            text = client.get(reverse(f"loyalty-account:{name}")).content.decode()
            assert house.programme.name in text or f"{house.name}-point" in text
            assert other.programme.name not in text and f"{other.name}-point" not in text
        overview = client.get(reverse("loyalty-account:overview")).content.decode()
        assert points in overview and {"111": "222", "222": "111"}[points] not in overview
        product = client.get(haircut.get_absolute_url()).content.decode()
        assert f"{house.name}-point" in product and f"{other.name}-point" not in product


def test_joining_on_one_site_is_no_membership_of_the_other(a, b, django_user_model):
    zoe = django_user_model.objects.create_user(username="zoe", email="zoe@example.com", password="petale-demo")
    b.client(zoe).post(reverse("loyalty-account:join"))
    assert selectors.member_for(zoe, b.programme) is not None
    assert selectors.member_for(zoe, a.programme) is None


def test_a_link_to_a_membership_works_on_its_own_site(a, b, django_user_model):
    alone = members.join(programme=a.programme, email="lea@example.com", source="till")
    lea = django_user_model.objects.create_user(username="lea", email="lea@example.com", password="petale-demo")
    url = reverse("loyalty-account:claim", args=[links.make(alone)])
    assert b.client(lea).get(url).status_code == 404
    b.client(lea).post(url)
    alone.refresh_from_db()
    assert alone.user is None
    a.client(lea).post(url)
    alone.refresh_from_db()
    assert alone.user == lea


def test_an_invitation_counts_on_its_own_site(a, b, django_user_model):
    for house in (a, b):
        referring.save_scheme(programme=house.programme, is_active=True)
    code = referring.invitation_of(member=a.member).code
    url = reverse("loyalty-storefront:invitation", args=[code])
    assert a.client().get(url).status_code == 200
    assert b.client().get(url).status_code == 404
    zoe = django_user_model.objects.create_user(username="zoe", email="zoe@example.com", password="petale-demo")
    assert referring.accept(code=code, friend=members.join(programme=b.programme, user=zoe)) is None
    assert not referrals.search(b.programme).exists()


def test_a_printed_code_works_on_its_own_site(a, b, user, boss):
    product = create_product(title="Shampoo")
    for house in (a, b):
        actions.set_rule(programme=house.programme, action="scan", points=7)
    url = reverse("loyalty-storefront:scan", args=[occasions.scan_token(product, a.programme)])
    assert b.client(user).get(url).status_code == 404
    assert b.client(user).post(url).status_code == 404
    a.client(user).post(url)
    assert (a.points, b.points) == (7, 0)


def test_a_gift_card_pays_where_it_was_issued(a, b, rf, settings, haircut):
    own = card(a)
    code = giftcard_services.code_of(own)
    who = Guard.of_request(_request(rf, a))
    assert giftcard_services.look_up(code, who=who, site=a.site) == own
    with pytest.raises(CodeRefused):
        giftcard_services.look_up(code, who=who, site=b.site)
    settings.OSCAR_LOYALTY_GIFTCARDS_SHARED = True
    assert giftcard_services.look_up(code, who=who, site=b.site) == own


def _request(rf, house):
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.sessions.backends.db import SessionStore

    request = rf.get("/", headers={"host": house.site.domain})
    request.user, request.session = AnonymousUser(), SessionStore()
    return request


def test_the_page_of_balances_knows_the_cards_of_its_site(a, b):
    code = giftcard_services.code_of(card(a))
    url = reverse("loyalty-storefront:balance")
    assert "25.00" in a.client().post(url, {"code": code}).content.decode()
    text = b.client().post(url, {"code": code}).content.decode()
    assert "25.00" not in text and "This code does not work" in text


def test_a_card_that_got_into_another_checkout_does_not_pay(a, b, rf):
    from oscar_loyalty.checkout import cards

    own = card(a)
    request = _request(rf, b)
    request.session[cards.KEY] = [[own.pk, own.generation]]
    assert cards.applied(request) == []
    request = _request(rf, a)
    request.session[cards.KEY] = [[own.pk, own.generation]]
    assert [each.card for each in cards.applied(request)] == [own]


def test_neither_a_card_nor_points_of_one_site_are_held_at_another(a, b, settings):
    from types import SimpleNamespace

    from oscar_loyalty.payments import exceptions, tenders

    a.give(500)
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        site=b.site,
        total=Decimal(10),
        currency="EUR",
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now() + timedelta(hours=1),
    )
    plan = SimpleNamespace(amount=Decimal(10), points=100)
    hold = {"attempt": attempt, "number": 1, "plan": plan}
    with pytest.raises(exceptions.PaymentProblem, match="another shop"):
        tenders.of("giftcard").hold(member=None, card=card(a), **hold)
    with pytest.raises(exceptions.PaymentProblem, match="another shop"):
        tenders.of("points").hold(member=a.member, card=None, **hold)
    settings.OSCAR_LOYALTY_GIFTCARDS_SHARED = True
    assert tenders.of("giftcard").hold(member=None, card=card(a), **hold).units == 1000


def test_ones_own_cards_and_what_is_owed_are_the_sites(a, b, user):
    mine = card(a, buyer=user)
    assert list(giftcards.cards_of(user, a.site)) == [mine]
    assert not giftcards.cards_of(user, b.site).exists()
    assert mine.label not in b.client(user).get(reverse("loyalty-account:giftcards")).content.decode()
    assert b.client(user).post(reverse("loyalty-account:giftcard-resend", args=[mine.uuid])).status_code == 404
    assert [str(money) for money in liability.owed(site=a.site)] == ["€25.00"]
    assert liability.owed(site=b.site) == []


def test_a_card_that_an_order_bought_is_of_the_orders_site(b, place):
    order = place(b, "3")
    assert giftcard_services.issue(value=Decimal(10), key="of-order", order=order).site == b.site


def test_the_till_finds_the_cards_of_its_site(a, b, rf):
    batch = bulk.ask(name="Counter", number=1, value=Decimal(20), key="till", at_till=True, site=b.site)
    bulk.finish(batch=batch)
    printed = batch.cards.get()
    assert printed.site == b.site
    who = Guard.of_request(_request(rf, b))
    assert staff.find(printed.label, who=who, site=b.site) == printed
    with pytest.raises(CodeRefused):
        staff.find(printed.label, who=who, site=a.site)


def test_the_same_rows_are_other_cards_on_another_site(a, b, tmp_path):
    from oscar_loyalty import tables

    file = tmp_path / "cards.csv"
    file.write_text("value,recipient\n25,Lou\n")
    call_command("loyalty_giftcards", "import", file, site="alpha.example", verbosity=0, stdout=io.StringIO())
    call_command("loyalty_giftcards", "import", file, site="beta.example", verbosity=0, stdout=io.StringIO())
    call_command("loyalty_giftcards", "import", file, site="beta.example", verbosity=0, stdout=io.StringIO())
    assert [giftcards.cards(house.site).count() for house in (a, b)] == [1, 1]
    assert imports.look(table=tables.read(file), site=b.site).known == 1


def test_mails_carry_the_domain_and_name_of_their_site(
    a, b, django_capture_on_commit_callbacks, place, django_user_model
):
    mail.outbox.clear()
    due.sweep()
    welcome = {message.to[0]: [] for message in mail.outbox}
    for message in mail.outbox:
        welcome[message.to[0]].append(message.body)
    alpha, beta = sorted(welcome["rose@example.com"], key=lambda body: "beta.example" in body)
    assert "https://alpha.example/" in alpha and "beta" not in alpha.lower()
    assert "https://beta.example/" in beta and "alpha" not in beta.lower()
    mail.outbox.clear()
    card(b)
    due.sweep()
    (sent,) = mail.outbox
    assert "https://beta.example/" in sent.body and "Shop Beta" in sent.subject + sent.body
    assert "alpha" not in (sent.subject + sent.body).lower()
    rows = get_model("loyalty_messaging", "Message").objects
    assert {row.site for row in rows.filter(member=None)} == {b.site}
    assert builders._about(None)["shop_name"] == "Shop Alpha"


def test_a_booking_is_of_the_site_it_names_else_of_the_default_one(a, b, own, user, haircut):
    told = {"service": haircut, "user": user, "starts_at": clock.now(), "price": Decimal(45), "currency": "EUR"}
    bookings.made(reference="a1", **told)
    bookings.made(reference="b1", programme=b.programme, **told)
    bookings.made(reference="b2", **{**told, "user": None}, member=b.member)
    for reference in ("a1", "b1", "b2"):
        bookings.attended(reference=reference)
    assert (a.points, b.points) == (80, 10)


def where(appointment):
    from django.contrib.sites.models import Site

    return Site.objects.get(domain="beta.example")


def test_the_shop_says_which_site_an_appointment_is_of(a, b, settings):
    from oscar_loyalty.contrib.appointment import selectors as calendar

    assert calendar.programme_of(None) == a.programme
    settings.OSCAR_LOYALTY_APPOINTMENT_SITE = f"{__name__}.where"
    assert calendar.programme_of(None) == b.programme
    assert calendar.untold() == []


def test_what_a_tier_brings_counts_in_its_own_shop(a, b, user, rf, haircut):
    tier = a.programme.tiers.first()
    members.save_tier(programme=a.programme, code=tier.code, name=tier.name, rank=tier.rank, discount=Decimal(10))
    condition = TierCondition(value=Decimal(tier.pk))

    def basket(**fields):
        from oscar.apps.partner.strategy import Selector

        found = get_model("basket", "Basket").objects.create(owner=user)
        found.strategy = Selector().strategy(**fields)
        found.add_product(haircut, 1)
        return found

    assert condition._is_member(basket(request=_request(rf, a)))
    assert not condition._is_member(basket(request=_request(rf, b)))
    # A worker has no request, and says where it is.
    late = basket()
    assert is_home(a.programme, late)
    late.loyalty_site = b.site
    assert not is_home(a.programme, late) and not condition._is_member(late)


def test_the_commands_are_told_the_site(a, b, own, user, tmp_path, time):
    file = tmp_path / "sales.csv"
    file.write_text("email,date,amount,title\nrose@example.com,2026-02-01,45,Haircut\n")
    quiet = {"verbosity": 0, "stdout": io.StringIO()}
    call_command("loyalty_import", "transactions", file, site="beta.example", **quiet)
    assert set(get_model("order", "Order").objects.values_list("site__domain", flat=True)) == {"beta.example"}
    from oscar_loyalty.earning import rules

    rules.publish_rule(programme=b.programme, kind="amount", spec={"points": 1, "per": "1"})
    call_command("loyalty_backfill", site=str(a.site.pk), **quiet)
    assert (a.points, b.points) == (0, 0)
    call_command("loyalty_backfill", site="Beta.example", **quiet)
    assert a.points == 0 and b.points == 45
    assert not backfill.waiting(b.programme).exists()
    with pytest.raises(CommandError, match=r"alpha\.example, beta\.example"):
        call_command("loyalty_backfill", site="gamma.example", **quiet)
    b.programme.is_active = False
    b.programme.save()
    with pytest.raises(CommandError, match=r"Open ones are of alpha\.example"):
        call_command("loyalty_backfill", site="beta.example", **quiet)


def test_a_changed_account_is_known_everywhere(a, b, user):
    user.email, user.last_name = "rosa@example.com", "Duval"
    user.save()
    for house in (a, b):
        house.member.refresh_from_db()
        assert (house.member.email, house.member.last_name) == ("rosa@example.com", "Duval")
