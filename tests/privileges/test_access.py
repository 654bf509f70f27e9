"""Who may have what, and when: one answer for all who ask."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from oscar.core.loading import get_model
from oscar.test.factories import RangeFactory, create_offer, create_product

from oscar_loyalty.privileges import access, selectors, services, words
from oscar_loyalty.privileges.exceptions import WrongWindow

Product = get_model("catalogue", "Product")


@pytest.mark.parametrize(
    ("tier", "status", "allowed"),
    [
        (None, "active", False),
        ("bronze", "active", False),
        ("silver", "active", False),
        ("gold", "active", True),
        ("gold", "frozen", False),
        ("gold", "closed", False),
    ],
)
def test_only_active_members_of_the_tier_have_it(time, window, soap, person, tier, status, allowed):
    window("gold")
    user = person(tier, status=status)
    assert access.viewer(user).gate(soap).allowed is allowed
    assert not access.viewer(None).gate(soap).allowed
    assert not access.viewer(AnonymousUser()).gate(soap).allowed


def test_a_higher_tier_has_what_is_for_a_lower_one(time, window, soap, person):
    window("silver")
    assert access.viewer(person("gold")).gate(soap).allowed
    assert access.viewer(person("silver")).gate(soap).allowed
    assert not access.viewer(person("bronze")).gate(soap).allowed


def test_it_ends_to_the_second(time, window, soap):
    window("gold", days=1)
    stranger = access.viewer(None)
    time.advance(days=1, seconds=-1)
    assert not stranger.gate(soap).allowed
    time.advance(seconds=1)
    assert stranger.gate(soap) is access.OPEN
    assert stranger.visible(Product.objects.all()).count() == 1


def test_what_is_new_is_nobodys_before_it_begins(time, window, soap, person):
    window("gold", starts=2, closed_before=True, others="hidden")
    gold = person("gold")
    assert not access.viewer(gold).gate(soap).is_open
    assert list(access.viewer(gold).visible(Product.objects.all())) == []
    time.advance(days=2)
    assert access.viewer(gold).gate(soap).allowed
    assert list(access.viewer(gold).visible(Product.objects.all())) == [soap]


def test_what_was_sold_before_is_sold_until_it_begins(time, window, soap):
    window("gold", starts=2, closed_before=False)
    assert access.viewer(None).gate(soap).allowed
    time.advance(days=2)
    assert not access.viewer(None).gate(soap).allowed


def test_one_tier_after_the_other(time, window, soap, person):
    """Gold for two days, then Silver too: what is to come does not close what is open."""
    window("gold", days=2, others="hidden")
    window("silver", starts=2, days=4, others="hidden")
    gold, silver = person("gold"), person("silver")

    def seen():
        viewers = [access.viewer(user) for user in (gold, silver, None)]
        listed = [viewer.visible(Product.objects.all()).exists() for viewer in viewers]
        assert listed == [viewer.gate(soap).allowed for viewer in viewers]
        return listed

    assert seen() == [True, False, False]
    time.advance(days=2)
    assert seen() == [True, True, False]
    time.advance(days=2)
    assert seen() == [True, True, True]


def test_where_two_overlap_one_must_be_in_both(time, window, soap, person):
    window("gold", days=2)
    window("silver", days=4)
    assert not access.viewer(person("silver")).gate(soap).allowed
    assert access.viewer(person("gold")).gate(soap).allowed


def test_the_most_secret_counts(time, window, soap):
    window("silver", others="shown", days=5)
    window("gold", others="hidden", days=2)
    assert access.viewer(None).gate(soap).others == "hidden"
    time.advance(days=3)
    assert access.viewer(None).gate(soap).others == "shown"


def test_a_parent_closes_its_variants_and_a_variant_only_itself(time, window, soap):
    parent = create_product(title="Shirt", structure="parent", price=None)
    red, blue = (create_product(title=t, structure="child", parent=parent, price=10) for t in ("Red", "Blue"))
    window("gold", target=red, others="hidden")
    stranger = access.viewer(None)
    assert [stranger.gate(each).allowed for each in (parent, red, blue)] == [True, False, True]
    assert list(stranger.visible(parent.children.all())) == [blue]
    window("gold", target=parent, others="hidden")
    stranger = access.viewer(None)
    assert [stranger.gate(each).allowed for each in (parent, red, blue)] == [False, False, False]
    assert list(stranger.visible(Product.objects.all())) == [soap]


def test_a_range_and_what_it_leaves_out(time, window, soap, person):
    Range = get_model("offer", "Range")
    rest = create_product(title="Brush", price=5)
    some = Range.objects.create(name="Some")
    some.add_product(soap)
    window("gold", target=some, others="hidden")
    assert list(access.viewer(None).visible(Product.objects.all())) == [rest]
    assert not access.viewer(None).gate(soap).allowed
    everything = Range.objects.create(name="Everything", includes_all_products=True)
    everything.excluded_products.add(rest)
    window("gold", target=everything, others="hidden")
    stranger = access.viewer(None)
    assert [stranger.gate(soap).allowed, stranger.gate(rest).allowed] == [False, True]
    assert list(stranger.visible(Product.objects.all())) == [rest]
    assert stranger.hidden_keys() == {soap.pk}
    assert access.viewer(person("gold")).visible(Product.objects.all()).count() == 2


def test_staff_see_it_and_cannot_buy_it(time, window, soap, django_user_model):
    window("gold", others="hidden")
    staff = django_user_model.objects.create_user("anna", is_staff=True)
    assert list(access.viewer(staff).visible(Product.objects.all())) == [soap]
    assert not access.viewer(staff).gate(soap).allowed


def test_a_programme_that_rests_lets_nobody_in_early(time, window, soap, person, programme):
    window("gold")
    gold = person("gold")
    programme.is_active = False
    programme.save()
    assert not access.viewer(gold).gate(soap).allowed


def test_a_long_list_asks_no_more_than_a_short_one(time, window, person, django_assert_num_queries):
    Range = get_model("offer", "Range")
    some = Range.objects.create(name="Some")
    products = [create_product(title=f"P{n}", price=5) for n in range(30)]
    for product in products[:20]:
        some.add_product(product)
    window("gold", target=some)
    window("gold", target=products[25])
    silver = person("silver")
    viewer = access.viewer(silver)
    # The windows; the range, which asks what it is made of; the memberships.
    with django_assert_num_queries(7):
        gates = [viewer.gate(product).allowed for product in products]
    assert gates == [False] * 20 + [True] * 5 + [False] + [True] * 4
    with django_assert_num_queries(0):
        assert [viewer.gate(product).allowed for product in products] == gates
    window("gold", target=products[0], others="hidden")
    viewer = access.viewer(silver)
    with django_assert_num_queries(3):
        assert len(viewer.visible(Product.objects.exclude(title="Soap"))) == 29


def test_what_makes_no_sense_is_refused_at_its_field(time, window, soap, tiers, programme):
    for fields, field in [({"days": -1}, "ends_at"), ({"starts": 3, "days": 2}, "ends_at")]:
        with pytest.raises(WrongWindow) as refused:
            window("gold", **fields)
        assert refused.value.field == field


def test_pressed_twice_it_is_one_and_ended_it_can_go_on(time, window, soap, programme, tiers):
    row = window("gold")
    again = services.create(
        programme=programme, tier=tiers["gold"], target=soap, ends_at=time() + timedelta(days=1), key=row.key
    )
    assert again == row
    services.end(window=row)
    services.end(window=row)
    assert access.viewer(None).gate(soap).allowed
    services.go_on(window=row)
    assert not access.viewer(None).gate(soap).allowed
    services.end(window=row)
    time.advance(days=11)
    with pytest.raises(WrongWindow):
        services.go_on(window=row)


def test_a_tier_is_needed_only_as_long_as_something_is_for_it(time, window, tiers):
    from oscar_loyalty.members import tiers as ladder

    row = window("gold")
    assert ladder.uses_of(tiers["gold"]) == ["early access"]
    services.end(window=row)
    assert ladder.uses_of(tiers["gold"]) == []


def test_the_owner_reads_it_in_one_sentence(time, window, soap):
    row = window("gold", days=10)
    assert words.sentence(row) == "Soap: Gold members only until March 12, 1 p.m.; others see it without a price"
    row.others, row.closed_before, row.opens_at = "hidden", True, time() + timedelta(days=1)
    assert words.sentence(row) == (
        "Soap: nobody until March 3, 1 p.m., then Gold members only until March 12, 1 p.m.; others do not find it"
    )


def test_it_is_for_everybody_once_what_follows_without_a_gap_is_over(time, window, soap, person):
    gold = person("gold")
    window("gold", days=2)
    window("silver", starts=2, days=4)
    window("silver", starts=9, days=10, closed_before=False)
    refused = words.refusal(access.viewer(None).gate(soap))
    assert refused == "Now for members from Gold on; for everybody from March 6, 1 p.m. on"
    # Whoever has it reads until when their own lasts.
    assert words.badge(access.viewer(gold).gate(soap)) == "Early access for Gold until March 4, 1 p.m."
    assert [row.free_at for row in selectors.early_for(gold.loyalty_memberships.get())] == [time() + timedelta(days=4)]
    time.advance(days=3)
    refused = words.refusal(access.viewer(None).gate(soap))
    assert refused == "Now for members from Silver on; for everybody from March 6, 1 p.m. on"
    time.advance(days=2)
    assert access.viewer(None).gate(soap).allowed


def test_of_two_at_once_the_latest_end_counts_and_a_new_thing_stays_closed_between(time, window, soap):
    window("gold", days=2, others="hidden")
    window("silver", days=3)
    assert access.viewer(None).gate(soap).free_at == time() + timedelta(days=3)
    window("gold", starts=5, days=6)
    gate = access.viewer(None).gate(soap)
    assert (gate.window.others, gate.free_at) == ("hidden", time() + timedelta(days=6))
    time.advance(days=4)
    gate = access.viewer(None).gate(soap)
    assert words.refusal(gate) == (
        "From March 7, 1 p.m. on for members from Gold on; for everybody from March 8, 1 p.m. on"
    )


def test_a_range_and_an_offer_are_for_everybody_when_their_last_window_is_over(time, window, person):
    member = person("gold").loyalty_memberships.get()
    some, other = RangeFactory(), RangeFactory()
    deal = create_offer(name="Deal")
    for target in (some, deal):
        window("gold", target=target, days=2)
        window("silver", target=target, starts=2, days=4)
    window("gold", target=other, days=3)
    found = {row.target: row.free_at - time() for row in selectors.early_for(member)}
    assert found == {some: timedelta(days=4), other: timedelta(days=3), deal: timedelta(days=4)}
