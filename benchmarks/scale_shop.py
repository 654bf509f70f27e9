"""What the background work looks at, besides the ledger: the shop around the members of :mod:`benchmarks.scale_data`.

Each of their orders has its line, was paid (half of them by card) and reviewed; one in fifty was of a gift card that
was made. There are the rows of work done in the last ninety days and the mails that went out, visits of a calendar,
reviews of products with their points, claims of rewards, passes on phones, and birthdays. All is as the shop would have
left it: a sweep that finds something to do has found what is not there.
"""

import time
from datetime import timedelta

from benchmarks.scale_data import BEST, DAYS, model, say

#: One order in so many bought a gift card.
CARDS = 50


def there():
    """Whether the shop is there already."""
    return model("loyalty_earning.OrderReview").objects.exists()


def fill():
    """Make it, around the programme of the database."""
    from django.db import transaction

    from oscar_loyalty import clock
    from oscar_loyalty.sql import Database

    programme, now = model("loyalty_members.Programme").objects.get(), clock.now()
    db = Database(model("loyalty_ledger.Entry"))
    with transaction.atomic():
        # What is written here is right: nobody needs to look up each foreign key.
        db.run("SET LOCAL session_replication_role = replica")
        for part in (_orders, _cards, _due, _messages, _visits, _reviews, _claims, _passes, _people):
            began = time.monotonic()
            part(db, programme, now)
            say(part.__name__.strip("_"), began)
    with db.connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _names(db, *names):
    return {name.partition(".")[2].lower(): db.table(model(name)) for name in names}


def _orders(db, programme, now):
    """Lines, reviews and payments of the orders."""
    from oscar_loyalty.sql import Value

    # Orders from before the programme would be none of its business.
    type(programme).objects.update(started_at=now - timedelta(days=DAYS + 60))
    Product = model("catalogue.Product")
    best = Product.objects.get(title=BEST).pk
    card = Product.objects.create(
        title="Card",
        slug="card",
        structure="standalone",
        product_class=model("catalogue.ProductClass").objects.get_or_create(
            slug="loyalty-gift-card", defaults={"name": "Gift card"}
        )[0],
    )
    orders = "FROM $order placed ORDER BY placed.id"
    names = _names(db, "order.Order", "loyalty_payments.PaymentAttempt")
    price = dict.fromkeys(
        [f"line_price{when}_{tax}_tax" for when in ("", "_before_discounts") for tax in ("incl", "excl")],
        "placed.total_incl_tax",
    )
    line = {
        "order_id": "placed.id",
        "product_id": f"CASE WHEN placed.id %% {CARDS} = 0 THEN {card.pk} ELSE {best} END",
        "title": "'Haircut'",
        "quantity": Value(1),
        "num_allocated": Value(0),
        "status": Value("Complete"),
        **price,
    }
    db.insert(model("order.Line"), line, orders, **names)
    review = {"order_id": "placed.id", "status": "placed.status", "reviewed_at": "placed.date_placed"}
    db.insert(model("loyalty_earning.OrderReview"), review, orders, **names)
    attempt = {
        "uuid": "gen_random_uuid()",
        "state": Value("placed"),
        "user_id": "placed.user_id",
        "site_id": Value(programme.site_id or 1),
        "order_id": "placed.id",
        "order_number": "placed.number",
        "currency": Value("EUR"),
        "total": "placed.total_incl_tax",
        **dict.fromkeys(["created_at", "leased_until", "expires_at", "closed_at"], "placed.date_placed"),
    }
    db.insert(model("loyalty_payments.PaymentAttempt"), attempt, orders, **names)
    recent = f"TIMESTAMPTZ '{(now - timedelta(days=400)).isoformat()}'"
    tender = {
        "attempt_id": "attempt.id",
        "number": Value(1),
        "kind": "CASE WHEN attempt.id %% 2 = 0 THEN 'stripe' ELSE 'on_site' END",
        "state": Value("captured"),
        "amount": "attempt.total",
        # Who paid with which card is kept for a while, against referrals of oneself.
        "detail": f"CASE WHEN attempt.id %% 2 = 0 AND attempt.created_at > {recent}"
        " THEN jsonb_build_object('card', md5(attempt.id::text)) ELSE '{}' END",
    }
    db.insert(model("loyalty_payments.Tender"), tender, "FROM $paymentattempt attempt ORDER BY attempt.id", **names)


def _cards(db, programme, now):
    """The gift cards that were bought, each with its account; half of them were spent."""
    from oscar_loyalty.sql import Value

    names = _names(db, "order.Order", "order.Line", "loyalty_ledger.Account")
    bought = f"FROM $line line JOIN $order placed ON placed.id = line.order_id AND placed.id %% {CARDS} = 0"
    account = {
        "unit": Value("giftcard:EUR"),
        "owner_type": Value("giftcard"),
        "owner_id": "'c' || line.id",
        "opened_at": "placed.date_placed",
        "balance": "CASE WHEN line.id %% 2 = 0 THEN 5000 ELSE 0 END",
    }
    db.insert(model("loyalty_ledger.Account"), account, bought, **names)
    card = {
        "uuid": "gen_random_uuid()",
        "key": "'line:' || line.id",
        "key_id": Value("k1"),
        "lookup": "md5('c' || line.id)",
        "state": Value("active"),
        "site_id": Value(programme.site_id or 1),
        "currency": Value("EUR"),
        "value": Value(50),
        "account_id": "account.id",
        "order_id": "placed.id",
        "order_line_id": "line.id",
        "unit": Value(1),
        "order_number": "placed.number",
        "buyer_id": "placed.user_id",
        **dict.fromkeys(["created_at", "activated_at"], "placed.date_placed"),
        "expires_at": "placed.date_placed + INTERVAL '4 years'",
    }
    held = "JOIN $account account ON account.owner_type = 'giftcard' AND account.owner_id = 'c' || line.id"
    db.insert(model("loyalty_giftcards.GiftCard"), card, f"{bought} {held}", **names)


def _due(db, programme, now):
    """Work that was done in the last ninety days, three rows for each purchase of a member."""
    from oscar_loyalty.sql import Value

    recent = f"TIMESTAMPTZ '{(now - timedelta(days=89)).isoformat()}'"
    source = f"FROM $award award, generate_series(1, 3) AS part WHERE award.happened_at > {recent}"
    row = {
        "kind": "'scale.' || part",
        "key": "award.id::text",
        "state": Value("done"),
        "due_at": "award.happened_at",
        "done_at": "award.happened_at",
    }
    db.insert(model("loyalty_due.Due"), row, source, **_names(db, "loyalty_earning.Award"))


def _messages(db, programme, now):
    """A mail for every third purchase; a few were given up, and stay so."""
    mail = {
        "key": "'scale:' || award.id",
        "kind": "'points'",
        "channel": "'email'",
        "to": "'somebody@example.com'",
        "member_id": "award.member_id",
        "state": "CASE WHEN award.id %% 30000 = 0 THEN 'dead' ELSE 'sent' END",
        "created_at": "award.happened_at",
        "sent_at": "award.happened_at",
    }
    source = "FROM $award award WHERE award.id %% 3 = 0 ORDER BY award.id"
    db.insert(model("loyalty_messaging.Message"), mail, source, **_names(db, "loyalty_earning.Award"))


def _visits(db, programme, now):
    """A calendar: a visit for each twentieth purchase, all attended and told."""
    from appointment.models import Appointment, AppointmentRequest, Service

    from oscar_loyalty.sql import Value

    service = Service.objects.create(name="Haircut", duration=timedelta(hours=1), price=40, currency="EUR")
    names = _names(db, "loyalty_earning.Award", "loyalty_members.Member")
    names |= {"asked": db.table(AppointmentRequest), "visit": db.table(Appointment)}
    day = "(award.happened_at AT TIME ZONE 'UTC')::date"
    request = {
        "date": day,
        "start_time": Value("10:00"),
        "end_time": Value("11:00"),
        "service_id": Value(service.pk),
        "payment_type": Value("full"),
        "id_request": "award.id::text",
        **dict.fromkeys(["created_at", "updated_at"], "award.happened_at"),
    }
    db.insert(AppointmentRequest, request, "FROM $award award WHERE award.id %% 20 = 0 ORDER BY award.id", **names)
    visit = {
        "client_id": "member.user_id",
        "appointment_request_id": "asked.id",
        "phone": Value(""),
        "id_request": "asked.id_request",
        **dict.fromkeys(["created_at", "updated_at"], "asked.created_at"),
    }
    of = "JOIN $award award ON award.id = asked.id_request::bigint JOIN $member member ON member.id = award.member_id"
    db.insert(Appointment, visit, f"FROM $asked asked {of} ORDER BY asked.id", **names)
    state = {
        "appointment_id": "visit.id",
        "state": Value("attended"),
        "date": "asked.date",
        "start_time": "asked.start_time",
        "end_time": "asked.end_time",
        "ends_at": "asked.date + INTERVAL '11 hours'",
        "service_pk": "asked.service_id",
        "client_pk": "visit.client_id::text",
        "told_at": "asked.created_at",
    }
    told = "FROM $visit visit JOIN $asked asked ON asked.id = visit.appointment_request_id ORDER BY visit.id"
    db.insert(model("loyalty_appointment.AppointmentState"), state, told, **names)


def _reviews(db, programme, now):
    """Reviews of products by one member in a hundred, approved, each with its points."""
    from oscar_loyalty.earning import actions
    from oscar_loyalty.sql import Value

    actions.set_rule(programme=programme, action="review", points=20)
    names = _names(db, "loyalty_members.Member", "reviews.ProductReview")
    best = model("catalogue.Product").objects.get(title=BEST).pk
    at = f"TIMESTAMPTZ '{now.isoformat()}' - (member.id %% 700) * INTERVAL '1 day'"
    review = {
        "product_id": Value(best),
        "score": Value(5),
        "title": Value("Good"),
        "body": Value("Good"),
        "user_id": "member.user_id",
        "status": Value(1),
        "date_created": at,
    }
    source = "FROM $member member WHERE member.id %% 100 = 0 AND member.user_id IS NOT NULL ORDER BY member.id"
    db.insert(model("reviews.ProductReview"), review, source, **names)
    award = {
        "programme_id": Value(programme.pk),
        "member_id": "member.id",
        "reference": "'action:' || member.id || ':review:' || review.id",
        "source_type": Value(actions.SOURCE),
        "source_id": Value("review"),
        "points": Value(20),
        "tier_id": "member.tier_id",
        "happened_at": "review.date_created",
        "usable_from": "review.date_created",
    }
    given = "FROM $productreview review JOIN $member member ON member.user_id = review.user_id ORDER BY review.id"
    db.insert(model("loyalty_earning.Award"), award, given, **names)


def _claims(db, programme, now):
    """Rewards that one member in ten has taken and used up."""
    from oscar_loyalty import clock
    from oscar_loyalty.fields import localized
    from oscar_loyalty.sql import Value

    Reward = model("loyalty_rewards.Reward")
    made = {"programme": programme, "name": localized(en="Five off", fr="Cinq de moins"), "created_at": clock.now()}
    reward = Reward.objects.create(kind="amount", points=300, value=5, **made)
    claim = {
        "uuid": "gen_random_uuid()",
        "reward_id": Value(reward.pk),
        "member_id": "member.id",
        "key": "'scale:' || member.id",
        "state": Value("used"),
        "points": Value(300),
        "order_id": "placed.id",
        **dict.fromkeys(["claimed_at", "used_at", "closed_at"], "placed.date_placed"),
    }
    names = _names(db, "loyalty_members.Member", "order.Order")
    first = "CROSS JOIN LATERAL (SELECT id, date_placed FROM $order WHERE user_id = member.user_id LIMIT 1) placed"
    db.insert(model("loyalty_rewards.Claim"), claim, f"FROM $member member {first}", **names)


def _passes(db, programme, now):
    """One member in ten has the card on a phone, which shows what is so."""
    from oscar_loyalty.sql import Value

    names = _names(db, "loyalty_members.Member", "loyalty_ledger.Account", "loyalty_wallet.WalletPass")
    card = {
        "member_id": "member.id",
        "serial": "gen_random_uuid()",
        "token": "md5(member.id::text)",
        "shown": Value("x"),
        "changed_at": "member.joined_at",
        "sequence": "account.sequence",
        "tier_pk": "COALESCE(member.tier_id, 0)",
        "status": "member.status",
    }
    source = "FROM $member member JOIN $account account ON account.id = member.account_id WHERE member.id %% 10 = 0"
    db.insert(model("loyalty_wallet.WalletPass"), card, source, **names)
    device = {
        "wallet_pass_id": "card.id",
        "device": "'device' || card.id",
        "push_token": "md5(card.id::text)",
        "registered_at": "card.changed_at",
    }
    db.insert(model("loyalty_wallet.Registration"), device, "FROM $walletpass card", **names)


def _people(db, programme, now):
    """Half of the members have told their birthday; what it and the day of joining bring is set."""
    from oscar_loyalty.earning import actions

    db.run(
        "UPDATE $member SET birth_month = 1 + id %% 12, birth_day = 1 + id / 12 %% 28 WHERE id %% 2 = 0",
        **_names(db, "loyalty_members.Member"),
    )
    for action in ("birthday", "anniversary", "welcome"):
        actions.set_rule(programme=programme, action=action, points=20)
