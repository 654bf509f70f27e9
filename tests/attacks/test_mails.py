"""What somebody typed goes into mails as text: no line of it becomes a header, no letter of it a script."""

from decimal import Decimal

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, services
from oscar_loyalty.messaging import registry
from oscar_loyalty.messaging import services as outbox
from tests.attacks import letters, planted

LINES = "Zoe\r\nBcc: evil@example.com\n\n<script>alert(1)</script>"


@pytest.fixture
def lea(programme, django_user_model):
    user = django_user_model.objects.create_user("lea", "lea@example.com", "x", first_name="Lea")
    return services.join(programme=programme, user=user, source="test")


def read():
    """Sweep, and read each mail as a program would, from its bytes."""
    due.sweep()
    due.sweep()
    for message in mail.outbox:
        assert isinstance(message, EmailMultiAlternatives)
        parsed = message.message()
        assert "evil@example.com" not in message.recipients()
        assert "Bcc" not in parsed
        assert "\n" not in str(parsed["Subject"]).replace("\n ", " ")
        for text, kind in message.alternatives:
            assert kind != "text/html" or "<script>" not in text
    return [message.subject for message in mail.outbox]


def test_a_name_is_no_header(time, member, lea, give, programme, settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, minimum=10)
    for person in (member, lea):
        type(person).objects.filter(pk=person.pk).update(
            first_name=LINES, last_name=LINES, greeting_name=LINES.replace("\r", "")[:60]
        )
    give(1000)
    member.refresh_from_db()
    giving.give(source=member, to=lea.email, units=10, key="gift")
    assert any("wants to give you" in subject for subject in read())


def test_the_words_with_a_gift_card_are_no_headers(time, programme, user):
    giftcards.issue(
        value=Decimal(25),
        key="card",
        buyer=user,
        recipient_name=LINES,
        recipient_email="zoe@example.com",
        sender_name=LINES,
        message=LINES,
    )
    subjects = read()
    assert len(subjects) >= 1
    assert any("gift card" in subject for subject in subjects)


def test_no_kind_of_mail_runs_what_somebody_typed(time, programme, member, lea, django_user_model):
    people = {"one": member, "two": lea}
    for name in ("leaver", "resting"):
        user = django_user_model.objects.create_user(name, f"{name}@example.com", "x")
        people[name] = services.join(programme=programme, user=user, source="test")
    boss = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    letters.make(programme, time, boss=boss, **people)
    rows, seen = get_model("loyalty_messaging", "Message").objects.filter(key__startswith="attack:"), set()
    planted.plant(planted.TEXT, planted.MAIL)
    # A link finds its orders by the address, which is none that can be planted.
    get_model("loyalty_earning", "GuestLink").objects.update(email="guest@example.com")
    for language in ("en", "fr"):
        rows.update(language=language)
        for row in rows.all():
            letter = outbox.write(row)
            assert letter is not None, (row.kind, row.context)
            assert not planted.running(letter.html), (row.kind, language)
            assert "\n" not in letter.subject, (row.kind, language)
            seen |= {row.kind} if planted.SCRIPT in letter.html else set()
    # What tells the owner that codes are guessed has numbers alone.
    assert seen == set(registry.builders) - {"guessing"}
