"""In the dashboard: holds with their reason, duplicates that become one, gifts of points and their terms."""

import csv
import io
from datetime import date

import pytest
from django.core import mail

from oscar_loyalty import times
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, selectors, services, sharing
from oscar_loyalty.reports import audit

TOKEN = "0" * 31


@pytest.fixture
def twin(programme, django_user_model):
    user = django_user_model.objects.create_user(
        username="twin", email="rose@example.net", first_name="Rose", last_name="Martin"
    )
    return services.join(programme=programme, user=user, source="test")


def said(response):
    return response.content.decode().replace("\xa0", " ")


# Holds


def test_a_hold_needs_a_reason_and_says_what_it_means(owner, url, member, boss):
    address = url("member-status", member.pk, "frozen")
    text = said(owner.get(address))
    assert "Nothing is lost" in text and "neither earns nor spends" in text
    response = owner.post(address, {"token": TOKEN + "1", "reason": " ", "notify": "on"})
    assert set(response.context["form"].errors) == {"reason"}
    data = {"token": TOKEN + "1", "reason": "Card was lost", "shown": "on", "notify": "on"}
    for _click in range(2):
        assert owner.post(address, data)["Location"] == url("member", member.pk)
    member.refresh_from_db()
    change = member.status_changes.get()
    assert (member.status, change.reason, change.actor_id) == ("frozen", "Card was lost", str(boss.pk))
    page = said(owner.get(url("member", member.pk)))
    assert "End the hold" in page and "Card was lost" in page and "Ada Boss" in page
    mail.outbox.clear()
    due.sweep()
    (message,) = [one for one in mail.outbox if "hold" in one.subject]
    assert message.to == [member.email] and "Card was lost" in message.body and "You lose nothing" in message.body


def test_the_end_of_a_hold_and_the_end_of_a_membership(owner, url, member):
    def put(status, token, **data):
        return owner.post(url("member-status", member.pk, status), {"token": TOKEN + token, "reason": "x", **data})

    put("frozen", "1")
    put("active", "2")
    put("closed", "3")
    member.refresh_from_db()
    assert member.status == "closed" and "Open it again" in said(owner.get(url("member", member.pk)))
    # The page of what is already so leads back, and there are no other states.
    assert owner.get(url("member-status", member.pk, "closed")).status_code == 302
    assert owner.get(url("member-status", member.pk, "asleep")).status_code == 404
    put("active", "4")
    member.refresh_from_db()
    assert member.status == "active" and member.status_changes.count() == 4
    mail.outbox.clear()
    due.sweep()
    assert not [one for one in mail.outbox if "membership" in one.subject]


def test_an_old_mail_about_a_hold_is_not_sent(owner, url, member):
    services.set_status(member=member, status="frozen", key="on", reason="Secret", notify=True)
    services.set_status(member=member, status="active", key="off", reason="Secret", notify=True)
    mail.outbox.clear()
    due.sweep()
    subjects = [message.subject for message in mail.outbox]
    assert "Your membership is active again" in subjects and "Your membership is on hold" not in subjects
    assert not any("Secret" in message.body for message in mail.outbox)


def test_nobody_changes_the_own_membership(owner, url, own):
    assert owner.post(url("member-status", own.pk, "frozen"), {}).status_code == 403
    assert "Ask a colleague" in said(owner.get(url("member", own.pk)))


# Duplicates


def test_a_duplicate_is_found_compared_and_joined(owner, url, member, twin, give):
    give(40, to=twin)
    give(60)
    services.set_tier(member=twin, tier=member.programme.tiers.get(code="gold"), key="gold")
    for who in (member, twin):
        get_model("loyalty_members", "Member").objects.filter(pk=who.pk).update(birth_day=4, birth_month=5)
    text = said(owner.get(url("member-duplicates", member.pk)))
    assert "Looks like the same person" in text and twin.email in text
    for words in (twin.number, "rose@example.net", "rose martin"):
        assert twin.email in said(owner.get(url("member-duplicates", member.pk), {"q": words}))
    address = url("member-merge", member.pk, twin.pk)
    text = said(owner.get(address))
    for expected in ("no way back", "40 petals", "The higher of both tiers stays: Gold", "rose@example.net",
                     "sees no points there any more"):  # fmt: skip
        assert expected in text
    data = {"token": TOKEN + "1", "reason": "Same phone"}
    response = owner.post(address, data)
    assert set(response.context["form"].errors) == {"sure"} and 'value="Same phone"' in said(response)
    for _click in range(2):
        assert owner.post(address, {**data, "sure": "on"})["Location"] == url("member", member.pk)
    member.refresh_from_db()
    assert balance(member.account).usable == 100 and member.tier.code == "gold"
    text = said(owner.get(url("member", member.pk)))
    assert "Joined with:" in text and twin.number in text
    text = said(owner.get(url("member", twin.pk)))
    assert "joined with another" in text and "Put on hold" not in text
    assert owner.get(address)["Location"] == url("member", member.pk)
    assert owner.get(url("members"), {"q": twin.number}).context["page_obj"].object_list == [member]
    assert selectors.by_number(twin.number, member.programme) == member
    assert audit.run(keep=False).clean


def test_points_are_shown_with_their_last_day(owner, url, member, twin, give):
    for who in (member, twin):
        give(40, to=who, expires_at=times.end_of(date(2027, 5, 31)))
    text = said(owner.get(url("member", member.pk)))
    assert "40 of them until May 31, 2027" in text and text.count("until May 31, 2027") == 2
    assert "until May 31, 2027" in said(owner.get(url("member-merge", member.pk, twin.pk)))
    rows = owner.get(url("movements-export", "csv"), {"kind": "adjust"})
    rows = csv.DictReader(io.StringIO(b"".join(rows.streaming_content).decode("utf-8-sig")))
    assert [row["Expires"] for row in rows] == ["2027-05-31"] * 2


def test_what_cannot_be_joined_says_why(owner, url, member, twin):
    services.set_status(member=twin, status="frozen")
    text = said(owner.get(url("member-merge", member.pk, twin.pk)))
    assert "must be active" in text and "Join them for good" not in text
    data = {"token": TOKEN + "1", "reason": "x", "sure": "on"}
    assert "must be active" in said(owner.post(url("member-merge", member.pk, twin.pk), data))
    assert owner.get(url("member-merge", member.pk, 999999)).status_code == 404
    text = said(owner.get(url("member-duplicates", member.pk), {"q": "zzz"}))
    assert "Nobody matches" in text


# Gifts


def test_the_terms_are_off_until_they_are_saved(owner, url, programme):
    assert "Nobody has given points yet" in said(owner.get(url("gifts")))
    assert "switched off" in said(owner.get(url("gifts")))
    data = {"is_active": "on", "minimum": "50", "maximum": "20", "per_day": "", "per_month": "", "answer_days": "7",
            "household_size": "4", "household_only": "on"}  # fmt: skip
    response = owner.post(url("sharing-terms"), data)
    assert set(response.context["form"].errors) == {"maximum", "household_only"}
    assert not sharing.policy_of(programme).is_active
    response = owner.post(url("sharing-terms"), {**data, "maximum": "500", "households": "on"})
    assert response.status_code == 302
    policy = sharing.policy_of(programme)
    assert (policy.is_active, policy.maximum, policy.per_day, policy.household_only) == (True, 500, None, True)


def test_a_gift_is_called_off_with_a_reason(owner, url, member, twin, give, boss):
    give(100)
    giving.save_policy(programme=member.programme, is_active=True)
    gift = giving.give(source=member, to=twin.email, units=80, key="g")
    text = said(owner.get(url("gifts")))
    assert "waiting for an answer" in text and "Call the gift off" in text
    assert "Rose" in said(owner.get(url("gifts"), {"q": "rose", "state": "open"}))
    assert "No gift matches" in said(owner.get(url("gifts"), {"state": "done"}))
    address = url("gift-call-off", gift.uuid)
    assert "80 petals" in said(owner.get(address))
    assert set(owner.post(address, {"reason": ""}).context["form"].errors) == {"reason"}
    for _click in range(2):
        owner.post(address, {"reason": "Looks odd"})
    assert balance(member.account).usable == 100
    text = said(owner.get(url("gifts")))
    assert "Looks odd" in text and "Ada Boss" in text
    assert owner.get(address)["Location"] == url("gifts")
    mail.outbox.clear()
    due.sweep()
    assert [one.to for one in mail.outbox if "Looks odd" in one.body] == [[member.email]]


def test_who_may_what(client, url, staff, member, twin, give):
    give(100)
    giving.save_policy(programme=member.programme, is_active=True)
    gift = giving.give(source=member, to=twin.email, units=80, key="g")
    client.force_login(staff("view_loyalty"))
    assert client.get(url("gifts")).status_code == 200
    for name, *arguments in (
        ("member-status", member.pk, "frozen"),
        ("member-duplicates", member.pk),
        ("member-merge", member.pk, twin.pk),
        ("sharing-terms",),
        ("gift-call-off", gift.uuid),
    ):
        assert client.get(url(name, *arguments)).status_code == 403


def test_the_pages_ask_a_bounded_number_of_queries(
    owner, url, member, twin, many, give, programme, django_assert_max_num_queries
):
    giving.save_policy(programme=programme, is_active=True, per_day=None, per_month=None)
    give(1000)
    for number, other in enumerate(many(30)):
        gift = giving.give(source=other, to=member.email, units=50, key=f"{number}")
        if number % 2:
            giving.accept(transfer=gift, member=member)
    owner.get(url("gifts"))
    for name, arguments, query, most in (
        ("gifts", [], {}, 16),
        ("gifts", [], {"q": "last"}, 16),
        ("sharing-terms", [], {}, 12),
        ("member-status", [member.pk, "frozen"], {}, 20),
        ("member-duplicates", [member.pk], {"q": "example"}, 18),
        ("member-merge", [member.pk, twin.pk], {}, 40),
    ):
        with django_assert_max_num_queries(most):
            assert owner.get(url(name, *arguments), query).status_code == 200
