import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied

from oscar_loyalty.earning import adjustments, selectors
from oscar_loyalty.earning.exceptions import AlreadyDecided, NotAllowed, NotEnough, OwnAccount, SamePerson
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services


@pytest.fixture
def staff(db, django_user_model):
    """Somebody with permissions: ``staff("anna", "adjust_points")``."""

    def staff(name, *permissions):
        user = django_user_model.objects.create_user(username=name, email=f"{name}@salon.example")
        user.user_permissions.set(
            Permission.objects.filter(codename__in=permissions, content_type__app_label="loyalty_members")
        )
        return django_user_model.objects.get(pk=user.pk)

    return staff


@pytest.fixture
def anna(staff):
    return staff("anna", "adjust_points", "approve_points")


@pytest.fixture
def bob(staff):
    return staff("bob", "approve_points")


@pytest.fixture
def adjust(programme, member, anna):
    def adjust(units, key="k", members=(member,), user=anna, reason="Sorry for the wait"):
        return adjustments.request_adjustment(
            programme=programme, members=members, units=units, reason=reason, key=key, user=user
        )

    return adjust


def test_up_to_the_limit_it_is_done_at_once_with_its_reason(adjust, petals, member, anna):
    done = adjust(500)
    assert (done.state, petals()) == ("done", (500, 0))
    assert adjust(500) == done
    assert petals() == (500, 0)
    (movement,) = selectors.history(member).object_list
    assert (movement.title, movement.note) == ("Adjustment", "Sorry for the wait")
    assert movement.entry.actor_id == str(anna.pk)
    (row,) = get_model("loyalty_due", "Due").objects.filter(kind="messaging.adjusted")
    assert row.payload == {"item": done.items.get().pk}


def test_above_the_limit_a_second_person_decides(adjust, petals, anna, bob, programme):
    waiting = adjust(501)
    assert (waiting.state, petals()) == ("waiting", (0, 0))
    assert list(selectors.adjustments_waiting(programme)) == [waiting]
    with pytest.raises(SamePerson):
        adjustments.approve(adjustment=waiting, user=anna)
    done = adjustments.approve(adjustment=waiting, user=bob)
    adjustments.approve(adjustment=waiting, user=bob)
    assert (done.state, done.decided_by, petals()) == ("done", bob, (501, 0))
    with pytest.raises(AlreadyDecided):
        adjustments.refuse(adjustment=waiting, user=bob)
    assert list(selectors.adjustments_waiting(programme)) == []


def test_what_is_refused_stays_refused(adjust, petals, bob):
    waiting = adjust(501)
    assert adjustments.refuse(adjustment=waiting, user=bob).state == "refused"
    with pytest.raises(AlreadyDecided):
        adjustments.approve(adjustment=waiting, user=bob)
    assert petals() == (0, 0)


def test_many_members_count_together(adjust, programme, member, petals, bob):
    others = [services.join(programme=programme, email=f"{name}@example.com") for name in "abcd"]
    assert adjust(101, members=[member, *others]).state == "waiting"
    assert adjust(100, key="less", members=[member, *others, member]).state == "done"
    assert [petals(of) for of in others] == [(100, 0)] * 4


def test_taking_too_much_takes_from_nobody(adjust, programme, member, petals, give):
    give(50)
    other = services.join(programme=programme, email="a@example.com")
    with pytest.raises(NotEnough) as error:
        adjust(-40, members=[member, other])
    assert (error.value.member, error.value.missing) == (other, 40)
    assert petals() == (50, 0)
    assert not get_model("loyalty_earning", "Adjustment").objects.exists()
    assert adjust(-40).state == "done"
    assert petals() == (10, 0)


def test_nobody_adjusts_the_own_points(adjust, programme, anna, bob, staff, petals):
    own = services.join(programme=programme, user=anna)
    with pytest.raises(OwnAccount):
        adjust(10, members=[own])
    alone = services.join(programme=programme, email="anna@salon.example")
    with pytest.raises(OwnAccount):
        adjust(10, members=[alone])
    bobs = services.join(programme=programme, user=bob)
    waiting = adjust(600, members=[bobs])
    with pytest.raises(OwnAccount):
        adjustments.approve(adjustment=waiting, user=bob)
    assert petals(bobs) == (0, 0)


def test_permissions_are_asked_for(adjust, staff, bob, anna):
    with pytest.raises(NotAllowed) as error:
        adjust(10, user=bob)
    assert isinstance(error.value, PermissionDenied)
    waiting = adjust(600, user=anna)
    nobody = staff("carl", "adjust_points")
    for decide in (adjustments.approve, adjustments.refuse):
        with pytest.raises(NotAllowed):
            decide(adjustment=waiting, user=nobody)
    assert adjustments.refuse(adjustment=waiting, user=anna).state == "refused"


@pytest.mark.parametrize("wrong", [{"units": 0}, {"units": 5, "reason": "  "}, {"units": 5, "members": []}])
def test_an_adjustment_needs_members_points_and_a_reason(wrong, adjust):
    with pytest.raises(ValueError, match="needs"):
        adjust(**wrong)


def test_adjusted_points_expire_like_others(adjust, programme, member, later, petals):
    services.save_programme(programme=programme, expiry_months=1)
    adjust(10)
    later(days=31)
    assert petals() == (10, 0)
    later(days=1)
    assert petals() == (0, 0)
