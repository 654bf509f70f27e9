import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sites.models import Site
from django.core import mail
from django.utils.translation import override

from oscar_loyalty import clock
from oscar_loyalty.earning import adjustments
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import selectors as giftcard_selectors
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.messaging import links, selectors


@pytest.fixture
def shop(db):
    site = Site.objects.get_current()
    site.name, site.domain = "Maison Pétale", "petale.example.com"
    site.save()
    Site.objects.clear_cache()
    yield site
    Site.objects.clear_cache()


def sent_to(address):
    return [message for message in mail.outbox if message.to == [address]]


def html(message):
    return message.alternatives[0][0]


def test_the_recipient_gets_the_card_and_the_buyer_hears_of_it(shop, card, work):
    work()
    (gift,) = sent_to("anna@example.com")
    assert gift.subject == "Rose Martin has a gift card for you: €10.00 at Maison Pétale"
    code = giftcards.code_of(card)
    for text in (gift.body, html(gift)):
        assert code in text and "Rose Martin" in text and "Anna" in text and "€10.00" in text
        assert "https://petale.example.com/gift-cards/balance/" in text
    assert "Happy birthday!\n<b>Rose</b> & all" in gift.body
    assert "Happy birthday!<br>&lt;b&gt;Rose&lt;/b&gt; &amp; all" in html(gift)
    (note,) = sent_to("rose@example.com")
    assert note.subject == "Your gift card of €10.00 is on its way to Anna"
    assert "anna@example.com" in note.body
    assert code not in note.body + html(note) + note.subject
    assert card.events.filter(kind="sent").count() == 1
    assert "sent" in [row.kind for row in giftcard_selectors.card_history(card)]


def test_a_card_for_oneself_goes_to_the_buyer_alone(shop, user, work):
    card = giftcards.issue(value=Decimal("10"), key="own", buyer=user)
    work()
    (message,) = mail.outbox
    assert message.to == ["rose@example.com"] and giftcards.code_of(card) in message.body
    assert message.subject == "Your gift card: €10.00 at Maison Pétale"


def test_a_card_sent_to_ones_own_address_is_one_mail(shop, user, work):
    giftcards.issue(value=Decimal("10"), key="own", buyer=user, recipient_email="Rose@Example.com")
    work()
    assert len(mail.outbox) == 1


def test_a_card_is_written_in_its_language(shop, user, work, settings):
    giftcards.issue(value=Decimal("10"), key="own", buyer=user, language="fr")
    work()
    assert '<html lang="fr">' in html(mail.outbox[0])
    assert "10,00" in mail.outbox[0].subject


def test_a_card_disabled_before_it_went_out_is_not_sent(card, work):
    work_before = selectors.of_card(card).count()
    assert work_before == 0
    giftcards.disable(card=card)
    work()
    assert mail.outbox == []


def test_a_queued_card_that_is_disabled_meanwhile_is_not_sent(time, card, work, broken_mail, settings):
    work()
    giftcards.disable(card=card)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    time.advance(hours=1)
    work()
    assert mail.outbox == []
    assert set(selectors.of_card(card).values_list("state", flat=True)) == {"cancelled"}


def test_another_recipient_gets_a_new_code_and_the_old_mail_is_not_sent_again(card, work):
    from oscar_loyalty.messaging import services

    work()
    old = selectors.of_card(card).get(kind="giftcard")
    giftcards.set_recipient(card=card, name="Bea", email="bea@example.com")
    services.resend(message=old)
    work()
    assert len(sent_to("anna@example.com")) == 1
    assert giftcards.code_of(card) in sent_to("bea@example.com")[0].body
    old.refresh_from_db()
    assert old.state == "cancelled"


def test_a_card_with_nobody_to_send_it_to_is_no_error(db, work, caplog):
    giftcards.issue(value=Decimal("10"), key="nobody")
    work()
    assert mail.outbox == [] and "nobody to be sent to" in caplog.text


def test_a_hostile_name_stays_in_the_subject(shop, user, work):
    giftcards.issue(
        value=Decimal("10"),
        key="x",
        buyer=user,
        recipient_name="<script>alert(1)</script>",
        recipient_email="anna@example.com",
        sender_name="Eve\r\nBcc: all@example.com",
    )
    work()
    (gift,) = sent_to("anna@example.com")
    assert "\n" not in gift.subject and gift.recipients() == ["anna@example.com"]
    assert "<script>" not in html(gift)


def test_who_joins_is_welcomed(shop, member, work):
    work()
    (message,) = mail.outbox
    assert message.subject == "Welcome to Pétales"
    for text in (message.body, html(message)):
        assert member.number in text and "https://petale.example.com/accounts/loyalty/" in text
    work()
    assert len(mail.outbox) == 1


def test_who_joins_by_email_alone_gets_a_link_that_brings_the_points_to_an_account(shop, programme, user, work, client):
    alone = member_services.join(programme=programme, email="till@example.com", source="till")
    work()
    (message,) = sent_to("till@example.com")
    path = re.search(r"https://petale.example.com(/accounts/loyalty/join/\S+/)", message.body)[1]
    client.force_login(user)
    assert client.post(path).url == "/accounts/loyalty/"
    alone.refresh_from_db()
    assert alone.user == user


@pytest.mark.parametrize("fields", [{"source": "import"}, {"source": "bulk"}, {"days": 30}])
def test_history_that_is_loaded_is_no_news(programme, user, work, fields, time):
    days = fields.get("days", 0)
    joined_at = time.at.replace(month=1) if days else None
    member_services.join(programme=programme, user=user, source=fields.get("source", "site"), happened_at=joined_at)
    work()
    assert mail.outbox == []


def test_a_higher_tier_is_congratulated_a_lower_one_is_not(shop, programme, member, work):
    work()
    mail.outbox.clear()
    silver, gold = (members.tiers(programme).get(code=code) for code in ("silver", "gold"))
    gold.perks = localized(en="A gift on your birthday\nFree styling", fr="Un cadeau")
    gold.save()
    member_services.set_tier(member=member, tier=gold, key="up")
    work()
    (message,) = mail.outbox
    assert message.subject == "Congratulations: you are Gold now"
    assert "* A gift on your birthday" in message.body and "<li" in html(message)
    member_services.set_tier(member=member, tier=silver, key="down")
    work()
    assert len(mail.outbox) == 1


def test_a_tier_lost_again_before_the_mail_is_not_congratulated(programme, member, work):
    work()
    mail.outbox.clear()
    bronze, gold = (members.tiers(programme).get(code=code) for code in ("bronze", "gold"))
    member_services.set_tier(member=member, tier=gold, key="up")
    member_services.set_tier(member=member, tier=bronze, key="down")
    work()
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("units", "subject"), [(40, "40 petals for you"), (-10, "We have corrected your balance by 10")]
)
def test_an_adjustment_is_told_with_its_reason(shop, programme, member, work, django_user_model, units, subject):
    work()
    mail.outbox.clear()
    books.earn(account=member.account, units=100, key="start", usable_from=clock.now())
    owner = django_user_model.objects.create_user(username="owner", email="owner@example.com")
    owner.user_permissions.add(*Permission.objects.filter(codename="adjust_points"))
    adjustments.request_adjustment(
        programme=programme, members=[member], units=units, reason="For your patience", key="a", user=owner
    )
    work()
    (message,) = mail.outbox
    assert " ".join(message.subject.split()).startswith(subject)
    balance = programme.points_label(100 + units)
    for text in (message.body, html(message)):
        assert "For your patience" in text and balance in text


def test_a_member_is_written_to_in_the_own_language(shop, programme, user, work):
    member_services.join(programme=programme, user=user, language="fr")
    work()
    assert '<html lang="fr">' in html(mail.outbox[0])


def test_nobody_without_an_address_or_a_membership_is_written_to(programme, user, work):
    member = member_services.join(programme=programme, user=user)
    member_services.set_status(member=member, status="closed")
    work()
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("domain", "root"),
    [
        ("petale.example.com", "https://petale.example.com"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_links_are_absolute(domain, root):
    assert links.root(Site(domain=domain)) == root
    with override("en"):
        assert links.absolute("balance", Site(domain=domain)).startswith(f"{root}/gift-cards/")


def test_a_page_that_is_missing_becomes_the_shops_front(monkeypatch, db):
    monkeypatch.setitem(links.PAGES, "balance", "nowhere:page")
    assert links.absolute("balance", Site(domain="a.example.com")).startswith("https://a.example.com/")
