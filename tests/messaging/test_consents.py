"""What a member does not agree to is not sent, from that moment on; every such mail has the way out."""

import re
from datetime import timedelta

import pytest

from oscar_loyalty import clock
from oscar_loyalty.earning import actions, profiles
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import consents, merging, services, statuses
from oscar_loyalty.messaging import inbox, registry
from oscar_loyalty.messaging import services as outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def risen(member, programme):
    """A mail about a higher tier that waits in the outbox."""
    change = services.set_tier(member=member, tier=programme.tiers.get(code="gold"), key="up")
    return outbox.queue(
        kind="tier_up", key="up", to=member.email, language="en", context={"change": change.pk}, member=member
    )


def standing(member, code):
    return next(one for one in consents.standings(member) if one.kind.code == code)


def test_each_kind_of_message_asks_for_a_consent_that_there_is():
    assert set(registry.consents.values()) <= {kind.code for kind in consents.kinds()}
    assert set(registry.consents) <= set(registry.builders)


def test_what_comes_with_the_membership_is_on_and_more_is_off(member):
    assert not consents.allows(member, "news")
    assert consents.allows(member, "updates")
    assert consents.allows(member, "reminders")
    assert standing(member, "updates").at is None


def test_an_answer_is_kept_with_when_and_where(member, time):
    (row,) = consents.answer(member=member, given={"news": True, "updates": True}, source="account")
    assert (row.kind, row.given, row.source, row.happened_at) == ("news", True, "account", time.at)
    time.advance(days=1)
    consents.answer(member=member, given={"news": False}, source="mail")
    assert consents.answer(member=member, given={"news": False}, source="mail") == []
    assert [(one.given, one.source) for one in consents.history(member)] == [(False, "mail"), (True, "account")]
    assert standing(member, "news").at == time.at
    with pytest.raises(LookupError):
        consents.answer(member=member, given={"nobody asks": True}, source="account")


def test_asking_costs_one_query_however_long_the_history(member, django_assert_num_queries):
    for number in range(12):
        consents.answer(member=member, given={"news": number % 2 == 0}, source="account")
    with django_assert_num_queries(1):
        consents.standings(member)


def test_what_waits_is_not_sent_any_more(member, risen, mailoutbox):
    consents.answer(member=member, given={"updates": False}, source="account")
    risen.refresh_from_db()
    assert risen.state == "cancelled"
    # Nor is what a worker, or somebody of the staff, sends all the same.
    assert outbox.resend(message=risen).state == "waiting"
    outbox.send(message=risen)
    assert mailoutbox == []
    risen.refresh_from_db()
    assert risen.state == "cancelled"


def test_what_has_to_be_known_is_sent_in_any_case(member, mailoutbox, time):
    consents.answer(member=member, given=dict.fromkeys(["updates", "reminders"], False), source="account")
    message = outbox.queue(kind="joined", key="j", to=member.email, context={"member": member.pk}, member=member)
    outbox.send(message=message)
    (mail,) = mailoutbox
    assert "List-Unsubscribe" not in mail.extra_headers
    assert "unsubscribe" not in mail.body


def test_a_closed_membership_agrees_to_nothing(member):
    statuses.set_status(member=member, status="closed", key="c")
    assert not consents.allows(member, "updates")


def test_the_mail_has_the_way_out_and_the_link_works_without_signing_in(member, risen, mailoutbox, client):
    outbox.send(message=risen)
    (mail,) = mailoutbox
    html = mail.alternatives[0][0]
    url = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in mail.body
    assert url in html
    path = re.sub(r"^https?://[^/]+", "", url)
    page = client.get(path).content.decode()
    assert "What you have reached, by e-mail" in page
    # Whoever looks for viruses opens links.
    assert consents.allows(member, "updates")
    page = client.post(path, {"List-Unsubscribe": "One-Click"}).content.decode()
    assert "no more of these" in page
    assert not consents.allows(member, "updates")
    assert standing(member, "updates").source == "mail"
    client.post(path, {"again": "1"})
    assert consents.allows(member, "updates")
    assert client.get(path[:-2] + "x/").status_code == 404


def test_forged_posts_of_others_change_nothing(member, risen):
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post("/accounts/loyalty/privacy/", {}).status_code in (302, 403)
    url = f"/accounts/loyalty/unsubscribe/{consents.token(member, 'updates')}/"
    assert Client(enforce_csrf_checks=True).post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200


def test_who_subscribes_gets_what_it_brings_once(member, programme):
    actions.set_rule(programme=programme, action="newsletter", points=40, times=1, period="ever")
    for given in (True, False, True):
        consents.answer(member=member, given={"news": given}, source="account")
    assert ledger.usable(member.account) == 40


def test_to_tell_a_birthday_is_to_agree_and_to_withdraw_is_to_forget(member):
    assert not standing(member, "birthday").given
    profiles.set_birthday(member=member, day=29, month=2)
    assert standing(member, "birthday").given
    consents.answer(member=member, given={"birthday": False}, source="account")
    member.refresh_from_db()
    assert (member.birth_day, member.birth_month, member.birth_year) == (None, None, None)
    profiles.set_birthday(member=member, day=1, month=3)
    profiles.set_birthday(member=member, day=None, month=None)
    assert [row.given for row in consents.history(member)] == [False, True, False, True]


def test_a_no_follows_into_a_joined_membership(member, programme, risen):
    other = services.join(programme=programme, email="other@example.com")
    consents.answer(member=other, given={"reminders": False}, source="account")
    link = consents.token(other, "updates")
    merging.merge(source=other, target=member, key="m")
    assert not consents.allows(member, "reminders")
    assert consents.read_token(link)[0] == member


def test_the_inbox_has_what_was_sent_and_reads_it_anew(member, risen, programme, time):
    assert not inbox.notes(member).object_list
    outbox.send(message=risen)
    (note,) = inbox.notes(member).object_list
    assert str(note.title) == "A higher tier"
    assert "Gold" in inbox.read(member, note.pk)[1]
    services.set_tier(member=member, tier=programme.tiers.get(code="bronze"), key="down")
    assert inbox.read(member, note.pk)[1] == ""
    stranger = services.join(programme=programme, email="other@example.com")
    assert inbox.read(stranger, note.pk) is None
    assert clock.now() - note.sent_at < timedelta(minutes=1)


def test_the_inbox_has_a_name_for_every_kind_of_message_to_a_member():
    """A new kind of message to members gets a title, or is none of theirs."""
    of_cards_and_guests = {"giftcard", "giftcard_sent", "giftcard_ends", "guessing", "guest_order", "guest_orders"}
    assert {*registry.builders, *registry.senders} - set(inbox.TITLES) - of_cards_and_guests == set()
