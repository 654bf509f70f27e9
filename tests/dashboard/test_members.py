"""Members in the dashboard: found, adjusted, moved, put on hold, enrolled, taken away as a table."""

import csv
import io

import pytest
from django.core import mail
from openpyxl import load_workbook

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from tests.ids import twice

TOKEN = "0" * 31


def adjust(client, address, **data):
    return client.post(address, {"units": "50", "reason": "Sorry", "token": TOKEN + "1", "notify": "on", **data})


def test_searching(owner, url, many, programme):
    members = many(30)
    services.set_tier(member=members[3], tier=programme.tiers.get(code="gold"), key="t")
    services.set_status(member=members[4], status="frozen")

    def found(**query):
        return [member.pk for member in owner.get(url("members"), query).context["page_obj"].object_list]

    assert len(found()) == 25 and len(found(page=2)) == 5 and len(found(page="zero")) == 25
    assert found(q="First7 last7") == [members[7].pk]
    assert found(q="m8@example.com") == [members[8].pk]
    assert found(q=members[9].number) == [members[9].pk]
    assert found(tier=programme.tiers.get(code="gold").pk) == [members[3].pk]
    assert found(status="frozen") == [members[4].pk]
    assert found(q="nobody") == []
    text = owner.get(url("members"), {"q": "First7", "tier": "99"}).content.decode()
    assert "Nobody matches" not in text and "error-block" in text
    assert "Nobody matches" in owner.get(url("members"), {"q": "<script>"}).content.decode()


def test_the_page_keeps_its_filters(owner, url, many):
    many(30)
    text = owner.get(url("members"), {"q": "example.com", "status": "active"}).content.decode()
    assert "?q=example.com&amp;status=active&amp;page=2" in text
    assert f"{url('members-export', 'csv')}?q=example.com&amp;status=active" in text


def test_the_ledger_says_why(owner, url, member, visit):
    visit(member, "v1")
    text = owner.get(url("member", member.pk)).content.decode()
    assert "Visit: Haircut" in text and "+80" in text
    assert "80\xa0petals for Haircut" in text and "version 1" in text


def test_adding_and_taking(owner, url, member, boss):
    page = owner.get(url("member", member.pk))
    token = page.context["adjust_form"]["token"].value()
    assert len(token) == 32
    for _click in range(2):
        response = owner.post(
            url("member-adjust", member.pk), {"units": "120", "reason": "A gift", "token": token, "notify": "on"}
        )
        assert response["Location"] == url("member", member.pk)
    assert balance(member.account).usable == 120
    adjust(owner, url("member-adjust", member.pk), units="-20")
    assert balance(member.account).usable == 100
    text = owner.get(url("member", member.pk)).content.decode()
    assert "A gift" in text and "Ada Boss" in text and "−20" in text
    due.sweep()
    assert any("A gift" in message.body for message in mail.outbox)


@pytest.mark.parametrize(
    ("data", "field"),
    [({"units": "0"}, "units"), ({"units": "x"}, "units"), ({"reason": " "}, "reason"), ({"units": "-5"}, "units")],
)
def test_mistakes_are_said_at_their_fields(data, field, owner, url, member):
    response = adjust(owner, url("member-adjust", member.pk), **data)
    assert response.status_code == 200
    assert set(response.context["adjust_form"].errors) == {field}
    assert balance(member.account).usable == 0
    if "reason" not in data:
        assert 'value="Sorry"' in response.content.decode()


def test_nobody_adjusts_the_own_points(client, url, staff, programme):
    colleague = staff("view_loyalty", "adjust_points")
    own = services.join(programme=programme, user=colleague, source="test")
    client.force_login(colleague)
    assert "Nobody adjusts the own points" in client.get(url("member", own.pk)).content.decode()
    response = adjust(client, url("member-adjust", own.pk))
    assert "Nobody adjusts the own points" in response.content.decode()
    assert balance(own.account).usable == 0


def test_much_waits_for_a_second_person(client, url, staff, member, boss):
    asker = staff("view_loyalty", "adjust_points", username="asker")
    client.force_login(asker)
    response = adjust(client, url("member-adjust", member.pk), units="501")
    assert response.status_code == 302 and balance(member.account).usable == 0
    row = get_model("loyalty_earning", "Adjustment").objects.get()
    page = client.get(url("adjustment", row.pk)).content.decode()
    assert "somebody else has to approve it" in page and "Call it off" in page
    # The asker may not approve, with or without the permission.
    assert client.post(url("adjustment-decide", row.pk, "approve")).status_code == 403
    second = staff("approve_points", username="second")
    client.force_login(second)
    assert "501" in client.get(url("adjustments")).content.decode()
    for _click in range(2):
        client.post(url("adjustment-decide", row.pk, "approve"))
    assert balance(member.account).usable == 501
    # What is done cannot be refused.
    text = client.post(url("adjustment-decide", row.pk, "refuse"), follow=True).content.decode()
    assert "done before" in text
    assert client.post(url("adjustment-decide", row.pk, "forget")).status_code == 404


def test_refusing(owner, url, big_adjustment, member):
    text = owner.post(url("adjustment-decide", big_adjustment.pk, "refuse"), follow=True).content.decode()
    assert "no points have moved" in text
    big_adjustment.refresh_from_db()
    assert big_adjustment.state == "refused" and balance(member.account).usable == 0


def test_the_owner_does_not_approve_what_the_owner_asked(owner, url, member):
    adjust(owner, url("member-adjust", member.pk), units="9000")
    row = get_model("loyalty_earning", "Adjustment").objects.get()
    text = owner.post(url("adjustment-decide", row.pk, "approve"), follow=True).content.decode()
    assert "Somebody else has to approve" in text
    assert balance(member.account).usable == 0


# Many at once


def test_many_are_shown_before_it_is_done(owner, url, many):
    members = many(5)
    chosen = [str(member.pk) for member in members[:3]]
    text = owner.post(url("members-adjust"), {"member": chosen}).content.decode()
    assert "3 members" in text and 'name="units"' in text
    data = {"member": chosen, "units": "10", "reason": "Thank you", "notify": "on", "token": TOKEN + "2"}
    text = owner.post(url("members-adjust"), data | {"step": "preview"}).content.decode()
    assert "+30 in all" in text and "110" in text and balance(members[0].account).usable == 100
    # "Change" brings the form back as it was.
    text = owner.post(url("members-adjust"), data | {"step": "change"}).content.decode()
    assert 'value="Thank you"' in text and 'value="10"' in text
    for _click in range(2):
        response = owner.post(url("members-adjust"), data | {"step": "confirm"})
        assert response["Location"] == url("adjustments")
    assert [balance(member.account).usable for member in members] == [110, 110, 110, 100, 100]


def test_many_are_done_all_or_none(owner, url, many, give):
    members = many(3, points=10)
    give(100, to=members[0])
    data = {"member": [member.pk for member in members], "units": "-50", "reason": "Oops", "token": TOKEN + "3"}
    response = owner.post(url("members-adjust"), data | {"step": "preview"})
    assert "too few" in response.content.decode() and "Do it" not in response.content.decode()
    response = owner.post(url("members-adjust"), data | {"step": "confirm"})
    assert set(response.context["form"].errors) == {"units"}
    assert [balance(member.account).usable for member in members] == [110, 10, 10]


def test_many_need_somebody_chosen(owner, url, member, many):
    for chosen in ([], ["x"], ["999999"], ["9" * 30]):
        response = owner.post(url("members-adjust"), {"member": chosen})
        assert response["Location"] == url("members")
    assert owner.get(url("members-adjust"))["Location"] == url("members")


# Tier, hold, welcome


def test_another_tier_by_hand(owner, url, member, programme):
    gold = programme.tiers.get(code="gold")
    data = {"tier": gold.pk, "reason": "A regular", "token": TOKEN + "4"}
    for _click in range(2):
        assert owner.post(url("member-tier", member.pk), data).status_code == 302
    change = member.tier_changes.get()
    assert (change.after, change.reason, change.actor_type) == (gold, "A regular", "user")
    assert member.user.groups.filter(pk=gold.group_id).exists()
    response = owner.post(url("member-tier", member.pk), data | {"token": TOKEN + "5"})
    assert set(response.context["tier_form"].errors) == {"tier"}
    assert "A regular" in owner.get(url("member", member.pk)).content.decode()


def test_each_form_of_a_page_has_ids_of_its_own(owner, url, member, programme):
    data = {"tier": programme.tiers.get(code="gold").pk, "reason": "Friend", "token": TOKEN + "6"}
    owner.post(url("member-tier", member.pk), data)
    pages = [
        owner.get(url("member", member.pk)),
        adjust(owner, url("member-adjust", member.pk), reason=""),
        owner.post(url("member-tier", member.pk), data | {"reason": ""}),
    ]
    assert [(page.status_code, twice(page)) for page in pages] == [(200, set())] * 3
    text = pages[0].content.decode()
    # What a label and a help text lead to is in the form in which they are.
    adjusting, _, moving = text.partition('aria-labelledby="tier"')
    for part, name in ((adjusting, "adjust_reason"), (moving, "tier_reason")):
        assert f'for="{name}"' in part and f'id="{name}_helptext"' in part
        assert f'aria-describedby="{name}_helptext"' in part


def test_nobody_gives_a_tier_to_oneself(owner, own, url, programme):
    data = {"tier": programme.tiers.get(code="gold").pk, "reason": "Because", "token": TOKEN + "6"}
    assert owner.post(url("member-tier", own.pk), data).status_code == 403
    assert owner.post(url("member-tier-end", own.pk), {"token": TOKEN + "7"}).status_code == 403
    own.refresh_from_db()
    assert own.tier.code == "bronze"


def test_the_welcome_once_more(owner, url, member):
    due.sweep()
    assert len(mail.outbox) == 1
    page = owner.get(url("member", member.pk)).content.decode()
    assert "Send the welcome again" in page and 'name="tries" value="1"' in page
    for _click in range(2):
        owner.post(url("member-welcome", member.pk), {"tries": "1"})
    due.sweep()
    assert len(mail.outbox) == 2
    # A click from an old page sends no third.
    owner.post(url("member-welcome", member.pk), {"tries": "1"})
    due.sweep()
    assert len(mail.outbox) == 2


def test_the_welcome_goes_where_the_page_says(owner, url, programme):
    anna = services.join(programme=programme, email="anna@old.example.com", source="test")
    due.sweep()
    services.update_details(member=anna, email="anna@new.example.com")
    page = owner.post(url("member-welcome", anna.pk), {"tries": "1"}, follow=True).content.decode()
    assert "The welcome is on its way to anna@new.example.com" in page
    due.sweep()
    assert [message.to for message in mail.outbox] == [["anna@old.example.com"], ["anna@new.example.com"]]


def test_the_first_welcome_of_somebody_enrolled_quietly(owner, url, programme, user):
    member = services.join(programme=programme, user=user, source="bulk")
    due.sweep()
    assert not mail.outbox
    owner.post(url("member-welcome", member.pk), {"tries": "0"})
    due.sweep()
    assert [message.to for message in mail.outbox] == [["rose@example.com"]]


# Enrolling


def test_customers_become_members_after_a_question(owner, url, programme, user, staff, django_user_model):
    staff(username="colleague")
    django_user_model.objects.create_user(username="AnonymousUser", is_active=True)
    django_user_model.objects.create_user(username="gone", email="gone@example.com", is_active=False)
    page = owner.get(url("members-enrol"))
    assert page.context["number"] == 1 and page.context["staff_number"] == 2
    token = page.context["form"]["token"].value()
    assert set(owner.post(url("members-enrol"), {"token": token}).context["form"].errors) == {"sure"}
    for _click in range(2):
        assert owner.post(url("members-enrol"), {"token": token, "sure": "on"}).status_code == 302
    Member = get_model("loyalty_members", "Member")
    assert not Member.objects.exists()
    due.sweep()
    assert [member.user for member in Member.objects.all()] == [user]
    assert Member.objects.get().joined_at == user.date_joined
    owner.post(url("members-enrol"), {"token": TOKEN + "9", "sure": "on", "staff": "on"})
    due.sweep()
    assert Member.objects.count() == 3
    assert "Everybody with an account" in owner.get(url("members-enrol")).content.decode()


def test_a_closed_programme_enrols_nobody(owner, url, programme, user):
    services.save_programme(programme=programme, is_active=False)
    response = owner.post(url("members-enrol"), {"token": TOKEN + "8", "sure": "on"})
    assert "Open it first" in response.content.decode()


# Taking the list away


def test_the_list_as_a_table(owner, url, many, programme):
    members = many(3)
    services.update_details(member=members[0], first_name="=1+1", last_name="@SUM(A1)")
    response = owner.get(url("members-export", "csv"), {"q": members[0].email})
    assert response["Cache-Control"] == "private, no-store"
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    heading, row = csv.reader(io.StringIO(text))
    assert heading[0] == "Card number" and heading[-3:] == ["Usable points", "Points to come", "Debt"]
    assert row[1:3] == ["'=1+1", "'@SUM(A1)"] and row[-3:] == ["100", "0", "0"]
    response = owner.get(url("members-export", "xlsx"))
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book.active.iter_rows())
    assert len(rows) == 4
    cell = next(row[1] for row in rows if row[1].value == "=1+1")
    assert cell.data_type == "s"
    assert owner.get(url("members-export", "pdf")).status_code == 404
