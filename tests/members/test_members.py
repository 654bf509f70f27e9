import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import override
from stdnum import luhn

from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import links, selectors, services
from oscar_loyalty.members.exceptions import AlreadyMember, ProgrammeClosed


def groups(user):
    return sorted(user.groups.values_list("loyalty_tier__code", flat=True))


@pytest.mark.parametrize(
    ("language", "number", "label"),
    [
        ("en", 0, "0\xa0petals"),
        ("en", 1, "1\xa0petal"),
        ("en", 1000, "1,000\xa0petals"),
        ("fr", 0, "0\xa0pétale"),
        ("fr", 1, "1\xa0pétale"),
        ("fr", 2, "2\xa0pétales"),
        ("fr", 1000, "1\xa0000\xa0pétales"),
    ],
)
def test_points_are_named_in_each_language(programme, language, number, label):
    with override(language):
        assert programme.points_label(number).replace("\u202f", "\xa0") == label


def test_joining_gives_a_number_an_account_and_the_first_tier(member, user):
    assert luhn.is_valid(member.number) and len(member.number) == 12
    assert member.tier.code == "bronze"
    assert groups(user) == ["bronze"]
    assert member.account.unit == member.programme.unit


def test_joining_twice_is_joining_once(programme, member, user):
    assert services.join(programme=programme, user=user).pk == member.pk


def test_nobody_joins_a_closed_programme(programme, user):
    services.save_programme(programme=programme, is_active=False)
    with pytest.raises(ProgrammeClosed):
        services.join(programme=programme, user=user)
    assert selectors.programme_for() is None


def test_a_member_is_in_the_groups_of_every_tier_up_to_the_own(programme, member, user):
    silver, gold = (selectors.tiers(programme).get(code=code) for code in ("silver", "gold"))
    services.set_tier(member=member, tier=gold, key="up")
    assert groups(user) == ["bronze", "gold", "silver"]
    services.set_tier(member=member, tier=silver, key="down")
    assert groups(user) == ["bronze", "silver"]
    services.set_status(member=member, status="closed")
    assert groups(user) == []


def test_the_tier_of_a_moment_is_the_one_held_then(programme, member, time):
    gold = selectors.tiers(programme).get(code="gold")
    start = time.at
    time.advance(days=10)
    services.set_tier(member=member, tier=gold, key="up")
    assert selectors.tier_at(member, start).code == "bronze"
    assert selectors.tier_at(member, time.at).code == "gold"


def test_the_same_key_moves_a_member_once(programme, member):
    silver, gold = (selectors.tiers(programme).get(code=code) for code in ("silver", "gold"))
    first = services.set_tier(member=member, tier=gold, key="k")
    services.set_tier(member=member, tier=silver, key="down")
    assert services.set_tier(member=member, tier=gold, key="k") == first
    member.refresh_from_db()
    assert member.tier == silver


def test_an_email_alone_can_join_and_be_claimed_by_a_link(programme, user):
    alone = services.join(programme=programme, email="Rose@Example.com", source="till")
    assert services.join(programme=programme, email="rose@example.com").pk == alone.pk
    found = links.read(links.make(alone), programme)
    assert services.attach_user(member=found, user=user).pk == alone.pk
    assert links.read(links.make(alone), programme) is None
    assert links.read("nonsense", programme) is None


def test_claiming_with_a_membership_of_ones_own_merges_both(programme, member, user, time):
    alone = services.join(programme=programme, email="other@example.com")
    books.earn(account=alone.account, units=40, key="a", usable_from=time.at)
    assert services.attach_user(member=alone, user=user).pk == member.pk
    assert ledger.balance(member.account).usable == 40
    alone.refresh_from_db()
    assert (alone.status, alone.merged_into_id) == ("closed", member.pk)


def test_a_membership_of_somebody_else_cannot_be_claimed(programme, member, django_user_model):
    thief = django_user_model.objects.create_user(username="thief", email="t@example.com")
    with pytest.raises(AlreadyMember):
        services.attach_user(member=member, user=thief)


def test_deleting_the_user_leaves_the_books(member, user):
    user.delete()
    member.refresh_from_db()
    assert member.user is None


def test_the_member_follows_the_users_name(member, user):
    user.first_name, user.email = "Rosa", "rosa@example.com"
    user.save()
    member.refresh_from_db()
    assert (member.first_name, member.email) == ("Rosa", "rosa@example.com")


@pytest.mark.parametrize("words", ["rose", "MARTIN", "rose martin", "rose@example.com"])
def test_searching_finds_names_and_emails(programme, member, words):
    assert list(selectors.search(programme, words)) == [member]


def test_searching_finds_card_numbers(programme, member):
    spaced = " ".join([member.number[:4], member.number[4:8], member.number[8:]])
    assert selectors.by_number(spaced, programme) == member
    assert selectors.by_number("123456789012", programme) is None
    assert list(selectors.search(programme, member.number[3:9])) == [member]
    assert not selectors.search(programme, "nobody")


def test_customers_are_enrolled_in_bulk_once(programme, member, django_user_model):
    django_user_model.objects.create_user(username="a", email="a@example.com")
    django_user_model.objects.create_user(username="b", email="b@example.com", is_active=False)
    users = django_user_model.objects.all()
    assert services.enrol_users(programme=programme, users=users) == 1
    assert services.enrol_users(programme=programme, users=users) == 0


def test_registering_with_the_tick_joins(programme, client, django_user_model):
    data = {
        "registration-email": "new@example.com",
        "registration-password1": "a long pass phrase",
        "registration-password2": "a long pass phrase",
        "registration_submit": "1",
    }
    client.post("/accounts/login/", data | {"loyalty_join": "on"})
    user = django_user_model.objects.get(email="new@example.com")
    assert selectors.member_for(user, programme).source == "registration"


def test_registering_without_the_tick_does_not(programme, client, django_user_model):
    data = {
        "registration-email": "new@example.com",
        "registration-password1": "a long pass phrase",
        "registration-password2": "a long pass phrase",
        "registration_submit": "1",
    }
    client.post("/accounts/login/", data)
    user = django_user_model.objects.get(email="new@example.com")
    assert selectors.member_for(user, programme) is None


def test_bad_settings_are_refused(programme):
    with pytest.raises(ValidationError) as caught:
        services.save_programme(programme=programme, expiry_months=0, redemption_points=0)
    assert set(caught.value.message_dict) == {"expiry_months", "redemption_points"}


def test_points_must_be_of_use_before_they_expire(programme):
    services.save_programme(programme=programme, expiry_months=1, pending_days=27, booking_delay_hours=671)
    with pytest.raises(ValidationError) as caught:
        services.save_programme(programme=programme, pending_days=28, booking_delay_hours=672)
    assert set(caught.value.message_dict) == {"pending_days", "booking_delay_hours"}
    services.save_programme(programme=programme, expiry_months=2)
    services.save_programme(programme=programme, expiry_months=None, pending_days=365, booking_delay_hours=720)


def test_a_new_order_of_tiers_moves_the_groups(programme, member, user):
    services.save_tier(programme=programme, code="starter", name=localized(en="Starter"), rank=0)
    services.set_status(member=member, status="active")
    assert groups(user) == ["bronze", "starter"]


def test_a_profile_is_deleted_also_where_another_membership_has_its_e_mail_alone(client, programme, member, user):
    alone = services.join(programme=programme, email=user.email)
    client.force_login(user)
    assert client.post(reverse("customer:profile-delete"), {"password": "petale-demo"}).status_code == 302
    member.refresh_from_db()
    alone.refresh_from_db()
    assert (member.user, member.email, alone.email) == (None, "", "rose@example.com")
    assert not get_user_model().objects.filter(pk=user.pk).exists()


def test_of_two_with_one_e_mail_who_are_deleted_together_one_keeps_it(programme, member, user, django_user_model):
    same = django_user_model.objects.create_user(username="same", email="Rose@example.com")
    other = services.join(programme=programme, user=same)
    django_user_model.objects.filter(pk__in=[user.pk, same.pk]).delete()
    member.refresh_from_db()
    other.refresh_from_db()
    assert (member.user, other.user) == (None, None)
    assert sorted([member.email, other.email]) == ["", "rose@example.com"]
