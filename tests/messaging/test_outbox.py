import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail, signing
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_order

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import codes
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import leaving, links
from oscar_loyalty.members import services as members
from oscar_loyalty.messaging import selectors, services
from oscar_loyalty.messaging.exceptions import DeliveryFailed
from oscar_loyalty.messaging.registry import builders


def queue(about, **fields):
    usual = {"kind": "joined", "key": "k", "to": "rose@example.com", "context": {"member": about.pk}}
    return services.queue(**(usual | fields))


def test_a_message_is_sent_by_the_sweep_and_once(member, work):
    message = queue(member)
    assert queue(member).pk == message.pk and mail.outbox == []
    get_model("loyalty_due", "Due").objects.filter(kind="members.joined").delete()
    for _time in range(2):
        work()
    assert [sent.to for sent in mail.outbox] == [["rose@example.com"]]
    message.refresh_from_db()
    assert (message.state, message.tries, message.error) == ("sent", 1, "") and message.sent_at
    services.send(message=message)
    assert len(mail.outbox) == 1


def test_a_message_of_a_transaction_that_fails_is_never_sent(member, work):
    with pytest.raises(RuntimeError), transaction.atomic():
        queue(member, key="gone")
        raise RuntimeError
    assert not selectors.outbox().filter(key="gone").exists()


def test_a_message_waits_for_its_time(time, member, work):
    queue(member, at=time.at.replace(hour=18))
    work()
    assert not [sent for sent in selectors.outbox(state="sent") if sent.key == "k"]
    time.advance(hours=7)
    work()
    assert selectors.outbox().get(key="k").state == "sent"


def test_nobody_is_written_to_without_an_address(member):
    assert queue(member, to="") is None
    with pytest.raises(LookupError):
        queue(member, kind="unheard of")


def test_a_failing_mail_server_is_tried_again_and_the_outbox_shows_it(time, member, work, broken_mail, settings):
    message = queue(member)
    work()
    message.refresh_from_db()
    assert (message.state, message.tries) == ("failed", 1)
    assert message.error == "DeliveryFailed: SMTPDataError 451"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    work()
    assert mail.outbox == []
    time.advance(minutes=2)
    work()
    message.refresh_from_db()
    assert (message.state, message.tries, message.error) == ("sent", 2, "")
    assert "rose@example.com" in [to for sent in mail.outbox for to in sent.to]


def test_a_message_that_fails_for_good_is_given_up_and_can_be_sent_again(time, member, work, broken_mail, settings):
    message = queue(member)
    for _time in range(len(due.RETRIES) + 2):
        work()
        time.advance(days=1, minutes=1)
    message.refresh_from_db()
    assert (message.state, message.tries) == ("dead", len(due.RETRIES) + 1)
    assert selectors.undelivered() == 2 == selectors.outbox(state="dead").count()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    services.resend(message=message)
    message.refresh_from_db()
    assert message.state == "waiting"
    work()
    message.refresh_from_db()
    assert message.state == "sent" and len(mail.outbox) == 1


def test_a_sent_message_can_be_sent_once_more(member, work):
    message = queue(member)
    work()
    before = len(mail.outbox)
    services.resend(message=message)
    work()
    assert len(mail.outbox) == before + 1


def test_what_is_written_to_a_member_goes_to_their_address_of_the_moment(programme, work):
    anna = members.join(programme=programme, email="anna@old.example.com", source="test")
    work()
    message = get_model("loyalty_messaging", "Message").objects.get(kind="joined")
    members.update_details(member=anna, email="anna@new.example.com")
    assert services.resend(message=message).to == "anna@new.example.com"
    # And once more before it goes.
    members.update_details(member=anna, email="anna@newest.example.com")
    mail.outbox.clear()
    work()
    (sent,) = mail.outbox
    assert sent.to == ["anna@newest.example.com"]
    message.refresh_from_db()
    assert (message.state, message.to) == ("sent", "anna@newest.example.com")
    # The link with which the membership is taken over proves that mailbox, no other.
    token = re.search(r"/join/([^/\s]+)/", sent.body)[1]
    assert signing.loads(token, salt=links.SALT) == {"member": anna.pk, "email": "anna@newest.example.com"}


def test_a_member_without_an_address_is_not_written_to(member, user, work):
    message = queue(member, member=member)
    user.email = ""
    user.save()
    assert services.resend(message=message).to == "rose@example.com"
    work()
    message.refresh_from_db()
    assert message.state == "cancelled" and mail.outbox == []


@pytest.mark.parametrize("days", [0, 30])
def test_the_goodbye_goes_to_the_address_of_the_moment_or_the_last_one(
    time, member, user, work, broken_mail, settings, days
):
    settings.OSCAR_LOYALTY_LEAVING_DAYS = days
    leaving.leave(member=member, key="bye")
    work()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    # Without days, the member has been erased: only the message still knows the address.
    user.email = "rose@new.example.com"
    user.save()
    time.advance(minutes=2)
    work()
    assert [sent.to for sent in mail.outbox] == [["rose@new.example.com" if days else "rose@example.com"]]
    message = get_model("loyalty_messaging", "Message").objects.get(kind="farewell")
    assert (message.state, message.to) == ("sent", "rose@new.example.com" if days else "")


def test_what_is_about_an_order_goes_to_the_address_of_the_order(member, user):
    order = create_order(number="R-1", user=user, site=member.programme.site)
    refund = get_model("loyalty_payments", "Refund").objects.create(
        key="refund", order=order, amount=5, reason="because", created_at=clock.now()
    )
    message = queue(member, kind="refunded", to="order@example.com", context={"refund": refund.pk}, member=member)
    assert services.resend(message=message).to == services.write(message).to == "order@example.com"


def test_one_message_that_fails_keeps_no_other_back(member, card, work, monkeypatch):
    def fails(message):
        raise ZeroDivisionError

    monkeypatch.setitem(builders, "joined", fails)
    work()
    assert {sent.to[0] for sent in mail.outbox} == {"anna@example.com", "rose@example.com"}
    assert selectors.outbox(state="failed").get().error == "DeliveryFailed: ZeroDivisionError"


def test_the_shops_own_templates_come_first(member, work, settings, tmp_path):
    folder = tmp_path / "oscar_loyalty" / "messages" / "joined"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Ahoy,\n {{ member.display_name }}!", encoding="utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert services.write(queue(member)).subject == "Ahoy, Rose!"


def test_outbox_is_searched(member):
    message = queue(member, member=member)
    assert list(selectors.outbox(state="waiting", words="rose joined", member=member)) == [message]
    assert not selectors.outbox(words="nobody").exists()


def dump():
    """Return every row of every table as text."""
    with connection.cursor() as cursor:
        text = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            text += [repr(row) for row in cursor.fetchall()]
    return "\n".join(text)


def test_no_code_is_ever_in_the_database_the_logs_or_an_error(
    time, card, user, member, work, broken_mail, settings, caplog, capsys
):
    caplog.set_level(logging.DEBUG)
    made = [giftcards.code_of(card)]
    work()
    with pytest.raises(DeliveryFailed) as caught:
        services.send(message=selectors.of_card(card).get(kind="giftcard"))
    chain = repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    time.advance(hours=1)
    work()
    giftcards.show_once(card=card)
    giftcards.look_up(made[0], who=giftcards.Guard(user_id=user.pk))
    assert [sent for sent in mail.outbox if made[0] in sent.body]
    giftcards.reissue(card=card)
    made.append(giftcards.code_of(card))
    work()
    assert [sent for sent in mail.outbox if made[1] in sent.body]
    captured = capsys.readouterr()
    seen = dump() + caplog.text + chain + captured.out + captured.err
    assert card.uuid.hex in seen.replace("-", "")
    for code in made:
        assert code not in seen and codes.normalise(code) not in seen.upper()


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_once(programme, user):
    member = members.join(programme=programme, user=user)
    message = queue(member)

    def send(_n):
        try:
            return services.send(message=message).state
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {"sent"}
    assert len(mail.outbox) == 1


def test_what_was_given_up_long_ago_is_not_written_again_by_every_sweep(member):
    Due, Message = get_model("loyalty_due", "Due"), get_model("loyalty_messaging", "Message")

    def gives_up(*keys):
        for key in keys:
            row = Due.objects.filter(kind=services.SEND, key=str(queue(member, key=key).pk))
            row.update(state="dead", tries=8, last_error=f"SMTPDataError: {key * 300}\nand more")

    gives_up("a")
    with CaptureQueriesContext(connection) as one:
        assert services.follow_due() == 1
    gives_up("b", "c", "d")
    with CaptureQueriesContext(connection) as many:
        assert services.follow_due() == 3
    assert len(many) == len(one) == 1
    assert services.follow_due() == 0
    assert set(Message.objects.values_list("state", "tries")) == {("dead", 8)}
    assert Message.objects.get(key="b").error == f"SMTPDataError: {'b' * 300}"[:255]
    # What is tried again later says so, and what was sent is left alone.
    Due.objects.filter(key=str(Message.objects.get(key="c").pk)).update(state="waiting", tries=1, last_error="Late")
    Message.objects.filter(key="d").update(state="sent", tries=2)
    assert services.follow_due() == 1
    assert Message.objects.filter(key="c", state="failed", tries=1, error="Late").exists()
