"""Health and overview: lights that are read as well as seen, and what can be done about them."""

import pytest
from django.core import mail

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.reports import audit


def page(owner, url, name="health"):
    return owner.get(url(name)).content.decode()


@pytest.fixture
def broken(member):
    """A tier's group that does not agree with its members."""
    member.tier.group.user_set.remove(member.user)


def test_the_audit_is_asked_for_and_done(owner, url, member):
    assert "have not been checked yet" in page(owner, url)
    for _click in range(2):
        assert owner.post(url("health-audit")).status_code == 302
    assert "The check has been asked for" in page(owner, url)
    due.sweep()
    assert get_model("loyalty_reports", "AuditRun").objects.count() == 1
    text = page(owner, url)
    assert "Every point is accounted for" in text and "All is well" in text and "1 members" in text
    owner.post(url("health-audit"))
    due.sweep()
    assert get_model("loyalty_reports", "AuditRun").objects.count() == 2


def test_a_check_that_takes_long_is_not_begun_again(owner, url, member, time, monkeypatch):
    asked = []

    def slow():
        asked.append(time.at)
        for _sweep in range(3):
            time.advance(minutes=10)
            due.sweep()
        yield from ()

    monkeypatch.setattr(audit, "_checks", [slow] * 3)
    owner.post(url("health-audit"))
    due.sweep()
    assert len(asked) == 3
    assert get_model("loyalty_reports", "AuditRun").objects.count() == 1


def test_findings_are_named(owner, url, member, broken):
    audit.run()
    text = page(owner, url)
    assert "Something is wrong" in text and "1 entry does not add up" in text
    assert "tiers.missing" in text and f"member {member.number}" in text
    assert "The books do not add up: see where" in page(owner, url, "overview")


def test_the_sweep(owner, url, programme, time):
    assert "Nothing has run yet" in page(owner, url)
    due.sweep()
    text = page(owner, url)
    assert "Last run" in text and "messaging.outbox" in text
    time.advance(hours=2)
    assert "Something is wrong" in page(owner, url)


def test_what_was_given_up_is_tried_again(owner, url, member):
    Due = get_model("loyalty_due", "Due")
    row = Due.objects.filter(kind="members.joined").get()
    Due.objects.filter(pk=row.pk).update(state="dead", tries=8, last_error="SMTPServerDisconnected: gone")
    text = page(owner, url)
    assert "SMTPServerDisconnected" in text and "8 tries" in text
    assert "1 piece of work was given up" in page(owner, url, "overview")
    for _click in range(2):
        owner.post(url("health-retry", row.pk))
    row.refresh_from_db()
    assert row.state == "waiting"
    due.sweep()
    row.refresh_from_db()
    assert row.state == "done" and "Nothing has been given up" in page(owner, url)


def test_a_failed_mail_is_sent_again(owner, url, member):
    due.sweep()
    mail.outbox.clear()
    Message = get_model("loyalty_messaging", "Message")
    Message.objects.update(state="dead", tries=8, error="DeliveryFailed: SMTPDataError 554", sent_at=None)
    message = Message.objects.get()
    assert "SMTPDataError" in page(owner, url)
    assert "1 e-mail could not be sent" in page(owner, url, "overview")
    for _click in range(2):
        owner.post(url("health-resend", message.pk), {"tries": "8"})
    due.sweep()
    assert len(mail.outbox) == 1
    assert "Every e-mail has gone out" in page(owner, url)
    assert owner.post(url("health-resend", message.pk), {"tries": "x"}).status_code == 302


def test_a_mail_that_is_sent_again_goes_where_the_page_says(owner, url, member):
    due.sweep()
    mail.outbox.clear()
    services.update_details(member=member, email="rose@new.example.com")
    Message = get_model("loyalty_messaging", "Message")
    Message.objects.update(state="dead", tries=8)
    response = owner.post(url("health-resend", Message.objects.get().pk), {"tries": "8"}, follow=True)
    assert "The message is on its way to rose@new.example.com." in response.content.decode()
    due.sweep()
    assert [message.to for message in mail.outbox] == [["rose@new.example.com"]]


def test_who_may_only_look_cannot_try_again(client, url, staff, member):
    Due = get_model("loyalty_due", "Due")
    Due.objects.update(state="dead", last_error="no")
    client.force_login(staff("view_loyalty"))
    assert "Try again" not in client.get(url("health")).content.decode()
    assert client.post(url("health-retry", Due.objects.first().pk)).status_code == 403


def test_the_overview(owner, url, member, give, big_adjustment, programme):
    give(1234)
    due.sweep()
    audit.run()
    text = page(owner, url, "overview")
    assert "1,234\xa0petals" in text and "worth €12.34" in text
    assert "1 adjustment waits for a second person" in text
    assert "No rule says what brings points yet" in text
    assert "Bronze" in text and "100%" in text
    services.save_programme(programme=programme, is_active=False)
    assert "The programme is closed" in page(owner, url, "overview")


def test_a_calm_day(owner, url, visit, member):
    due.sweep()
    audit.run()
    assert "Nothing. Everything is done." in page(owner, url, "overview")


def test_an_old_audit_is_amber(owner, url, programme, time):
    audit.run()
    assert clock.now() == time()
    time.advance(days=9)
    assert "Please look" in page(owner, url) and "they were last checked on" in page(owner, url)
