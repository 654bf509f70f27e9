"""A shop with a million members and ten million entries, made by plain SQL in a few minutes.

Two years of a programme: each member has one to thirteen rounds of five movements (three purchases that earn, two
times points are spent or expire), spread over the time, so that five members in a hundred made a quarter of all
movements. Lots, what was taken of them, awards with their lines, orders of every tenth member, tiers with their groups
and history are there as the services would have left them: the audit agrees. Every third purchase is of one
product, the others of 299.
"""

import time
from contextlib import contextmanager
from datetime import timedelta

#: Days that the movements are spread over, and how long points live: those of the first days have expired.
DAYS, LIFE = 700, 540
#: What every third purchase is of, and the others, which share the rest.
BEST, OTHER, OTHERS = "Haircut", "Soap", 299
FIRST = "Anne Bruno Chloé David Émilie Fabien Gaëlle Hugo Inès Jean Katia Louis Marie Noé Odile Paul Rose Sami Théo Zoé"
LAST = "Bernard Blanc Colin Dubois Fontaine Garnier Henry Lambert Leroy Martin Mercier Moreau Petit Renard Roux Simon"
#: Tables that get many rows: filled without indexes, which are made again at the end.
TABLES = [
    "loyalty_ledger.Entry",
    "loyalty_ledger.Lot",
    "loyalty_ledger.LotUse",
    "loyalty_ledger.Account",
    "loyalty_earning.Award",
    "loyalty_earning.AwardLine",
    "loyalty_members.Member",
    "loyalty_members.TierChange",
    "loyalty_members.StatusChange",
    "order.Order",
]


def say(text, began):
    print(f"    {text}: {time.monotonic() - began:.0f} s", flush=True)


def model(name):
    from oscar_loyalty.loading import get_model

    return get_model(*name.split("."))


@contextmanager
def unguarded(db):
    """Without indexes, and without the database looking up each foreign key: what is written here is right."""
    tables = [model(name)._meta.db_table for name in TABLES]
    found = db.rows(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [tables],
    )
    for name, _text in found:
        db.run('DROP INDEX "$index"', index=name)
    db.run("SET session_replication_role = replica")
    db.run("SET maintenance_work_mem = '1GB'")
    db.run("SET work_mem = '256MB'")
    try:
        yield
    finally:
        began = time.monotonic()
        for _name, text in found:
            with db.connection.cursor() as cursor:
                cursor.execute(text)
        db.run("RESET ALL")
        say("indexes", began)


def sample(programme):
    """Award one visit by the services, for what an award, its line and its entry say; return them."""
    from decimal import Decimal

    from django.contrib.auth import get_user_model

    from oscar_loyalty import clock
    from oscar_loyalty.earning import bookings, rules
    from oscar_loyalty.members import services

    Product, care = model("catalogue.Product"), model("catalogue.ProductClass").objects.create(name="Care", slug="care")
    product = Product.objects.create(title=BEST, structure="standalone", product_class=care)
    Product.objects.bulk_create(
        Product(title=f"{OTHER} {number}", slug=f"care-{number}", structure="standalone", product_class=care)
        for number in range(OTHERS)
    )
    rules.set_product_points(product=product, points=80, programme=programme)
    user = get_user_model().objects.create_user("sample", "sample@example.com", "petale-demo")
    member = services.join(programme=programme, user=user)
    bookings.made(
        reference="sample", service=product, starts_at=clock.now(), member=member, price=Decimal(40), currency="EUR"
    )
    award = bookings.attended(reference="sample").award
    return award, award.lines.get(), award.entry


def fill(number):
    """Make the programme with so many members; return it."""
    from django.db import connection

    from oscar_loyalty import clock
    from oscar_loyalty.ledger import triggers
    from oscar_loyalty.members import services
    from oscar_loyalty.sql import Database

    programme = services.create_programme(name="Scale", expiry_months=18)
    award, line, entry = sample(programme)
    db, now = Database(model("loyalty_ledger.Entry")), clock.now()
    names = {name.partition(".")[2].lower(): db.table(model(name)) for name in TABLES}
    tiers = list(programme.tiers.order_by("rank"))
    with unguarded(db), triggers.lifted():
        began = time.monotonic()
        _people(db, programme, tiers, number, now, names)
        say("members", began)
        began = time.monotonic()
        _plan(db, number, now, names)
        say("what moves when", began)
        began = time.monotonic()
        _ledger(db, entry, now)
        say("entries, lots and what was taken of them", began)
        began = time.monotonic()
        _awards(db, programme, award, line, names)
        say("awards and orders", began)
        for name in TABLES:
            db.run(
                "SELECT setval(pg_get_serial_sequence('$table', 'id'), (SELECT MAX(id) FROM $table))",
                table=model(name)._meta.db_table,
            )
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE scale_plan, scale_member")
        cursor.execute("VACUUM ANALYZE")
    say("vacuum and statistics", began)
    return programme


def _people(db, programme, tiers, number, now, names):
    """Users, accounts and members, their tiers with group and history; all joined before the first movement."""
    from django.contrib.auth import get_user_model

    from oscar_loyalty.sql import Value

    User = get_user_model()
    begin = Value(db.moment(now - timedelta(days=DAYS + 30)))
    pick = "(string_to_array('$list', ' '))[1 + ($by) %% $size]"
    first = pick.replace("$list", FIRST).replace("$by", "i * 7").replace("$size", str(len(FIRST.split())))
    last = pick.replace("$list", LAST).replace("$by", "i / 3").replace("$size", str(len(LAST.split())))
    users = {
        "username": "'scale' || i",
        "first_name": first,
        "last_name": f"{last} || CASE WHEN i %% 5 = 0 THEN '-' || {last.replace('i / 3', 'i / 7')} ELSE '' END",
        "email": f"lower({first}) || i || '@example.com'",
        "password": Value("!"),
        "date_joined": begin,
    }
    series = f"FROM generate_series(1::bigint, {number}) AS i"
    db.insert(User, users, series)
    joined = f"TIMESTAMPTZ '{now.isoformat()}' - INTERVAL '{DAYS} days' - (i %% 30) * INTERVAL '1 day'"
    # One in ten has joined within the two years.
    joined = f"CASE WHEN rounds.number = 1 AND i %% 6 = 0 THEN joined.late ELSE {joined} END"
    db.run(
        "CREATE UNLOGGED TABLE scale_member AS SELECT i, person.id AS person, person.first_name, person.last_name,"
        f" person.email, rounds.number AS rounds, {joined} AS joined,"
        " CASE WHEN i %% 20 = 0 THEN 2 WHEN i %% 20 < 4 THEN 1 ELSE 0 END AS rank"
        f" {series} JOIN $person person ON person.username = 'scale' || i"
        " CROSS JOIN LATERAL (SELECT CASE WHEN i %% 100 < 55 THEN 1 WHEN i %% 100 < 85 THEN 2 WHEN i %% 100 < 95 THEN 4"
        " WHEN i %% 100 < 99 THEN 8 ELSE 13 END AS number) rounds"
        # A member with one round has its first movement after a tenth of the time at the latest.
        f" CROSS JOIN LATERAL (SELECT TIMESTAMPTZ '{now.isoformat()}' - INTERVAL '{DAYS} days'"
        f" + (i * 7919 %% 1000) * INTERVAL '{DAYS / 5000 * 0.99:.4f} days' AS late) joined",
        person=db.table(User),
    )
    db.run("ANALYZE scale_member")
    account = {
        "unit": Value(programme.unit),
        "owner_type": Value("member"),
        "owner_id": "'9' || lpad(i::text, 11, '0')",
        "opened_at": "joined",
        "paused_at": f"CASE WHEN i %% 200 = 0 THEN TIMESTAMPTZ '{now.isoformat()}' END",
    }
    db.insert(model("loyalty_ledger.Account"), {"id": "i + 1000", **account}, "FROM scale_member ORDER BY i")
    ranks = " ".join(f"WHEN {rank} THEN {tier.pk}" for rank, tier in enumerate(tiers))
    fields = {
        "id": "i + 1000",
        "programme_id": Value(programme.pk),
        "user_id": "person",
        "number": account["owner_id"],
        "email": "email",
        "first_name": "first_name",
        "last_name": "last_name",
        "account_id": "i + 1000",
        "joined_at": "joined",
        "source": Value("account"),
        "language": Value("fr"),
        "tier_id": f"CASE rank {ranks} END",
        "status": "CASE WHEN i %% 200 = 0 THEN 'frozen' ELSE 'active' END",
    }
    db.insert(model("loyalty_members.Member"), fields, "FROM scale_member ORDER BY joined")
    status = {
        "member_id": "i + 1000",
        "key": "'scale:' || i",
        "before": Value("active"),
        "after": Value("frozen"),
        "happened_at": Value(db.moment(now)),
    }
    db.insert(model("loyalty_members.StatusChange"), status, "FROM scale_member WHERE i %% 200 = 0")
    for rank, tier in enumerate(tiers):
        through = User.groups.through
        column = through._meta.get_field(User._meta.model_name).column
        entered = {column: "person", "group_id": Value(tier.group_id)}
        db.insert(through, entered, f"FROM scale_member WHERE rank >= {rank} AND i %% 200 <> 0")
        if rank:
            change = {
                "member_id": "i + 1000",
                "key": f"'scale:{rank}:' || i",
                "before_id": Value(tiers[rank - 1].pk),
                "after_id": Value(tier.pk),
                "cause": Value("risen"),
                "happened_at": Value(db.moment(now - timedelta(days=200 - rank))),
            }
            db.insert(model("loyalty_members.TierChange"), change, f"FROM scale_member WHERE rank >= {rank}")


#: A row for each movement. In a round, the first two purchases are spent at the third movement, but for half of the
#: second; the fifth takes that half, and what the fourth has brought where it is old enough to be at its end.
PLAN = """
    CREATE UNLOGGED TABLE scale_plan AS
    SELECT row_number() OVER (ORDER BY at, i) + 1000 AS id, i, b, p, b * 5 + p + 1 AS sequence, at, kind, units,
        a, bb, c, taken, ends, SUM(units) OVER (PARTITION BY i ORDER BY b, p) AS balance
    FROM (
        SELECT i, b, p, at, a, bb, c, taken,
            CASE WHEN p IN (0, 1, 3) THEN 'earn' WHEN p = 4 AND gone AND i %% 3 = 0 THEN 'expire' ELSE 'spend' END
                AS kind,
            CASE p WHEN 0 THEN a WHEN 1 THEN bb WHEN 2 THEN -(a + bb / 2) WHEN 3 THEN c
                ELSE -(bb - bb / 2 + taken) END AS units,
            CASE WHEN gone AND i %% 3 = 0 AND p IN (1, 3) THEN last ELSE at + INTERVAL '$life days' END AS ends
        FROM (
            SELECT i, b, a, bb, c, gone, start + 4 * step AS last,
                CASE WHEN gone THEN c WHEN i %% 4 = 0 THEN c / 2 ELSE 0 END AS taken, start, step
            FROM (
                SELECT i, b, step, begin + b * 5 * step AS start,
                    20 + (i * 31 + b * 17) %% 180 AS a, 20 + (i * 13 + b * 7) %% 150 AS bb,
                    20 + (i * 11 + b * 29) %% 200 AS c,
                    begin + (b * 5 + 3) * step + INTERVAL '$life days' <= TIMESTAMPTZ '$now' AS gone
                FROM (
                    SELECT i, rounds, INTERVAL '1 day' * ($days / (5.0 * rounds)) AS step,
                        TIMESTAMPTZ '$now' - INTERVAL '$days days'
                            + INTERVAL '1 day' * ((i * 7919 %% 1000) / 1000.0 * $days / (5.0 * rounds)) AS begin
                    FROM scale_member
                ) spread CROSS JOIN LATERAL generate_series(0, rounds - 1) AS b
            ) amounts
        ) rounds CROSS JOIN LATERAL (
            SELECT p, start + p * step AS at FROM generate_series(0, 4) AS p
        ) moves
    ) movements
"""


def _plan(db, number, now, names):
    db.run(PLAN, life=LIFE, days=DAYS, now=now.isoformat())
    db.run("ANALYZE scale_plan")
    db.run(
        "UPDATE $account SET sequence = last.number, balance = last.balance FROM (SELECT i, MAX(sequence) AS number,"
        " SUM(units) AS balance FROM scale_plan GROUP BY i) last WHERE $account.id = last.i + 1000",
        **names,
    )


def _ledger(db, entry, now):
    import json

    from oscar_loyalty.sql import Value

    said = Value(json.dumps(entry.explanation))
    fields = {
        "id": "id",
        "account_id": "i + 1000",
        "sequence": "sequence",
        "key": "'order:s' || id || ':' || kind",
        "digest": "md5(id::text) || md5(units::text)",
        "kind": "kind",
        "units": "units",
        "balance_after": "balance",
        "explanation": "CASE kind WHEN 'earn' THEN %s::jsonb ELSE '{}' END",
        "source_type": "CASE kind WHEN 'expire' THEN '' ELSE 'order' END",
        "source_id": "CASE kind WHEN 'expire' THEN '' ELSE 's' || id END",
        "effective_at": "at",
        "recorded_at": "at",
    }
    # The parameter of the explanation stands before those of the defaults, which come behind it.
    fields["explanation"] = fields["explanation"].replace("%s", "'" + said.value.replace("'", "''") + "'")
    fields = {name: cell.replace("%", "%%") if name == "explanation" else cell for name, cell in fields.items()}
    db.insert(model("loyalty_ledger.Entry"), fields, "FROM scale_plan ORDER BY id")
    # Those of a member on hold rest, with what was left of their time.
    moment = f"TIMESTAMPTZ '{now.isoformat()}'"
    rests = f"i %% 200 = 0 AND ends > {moment}"
    lot = {
        "id": "id",
        "account_id": "i + 1000",
        "entry_id": "id",
        "units": "units",
        "remaining": "CASE p WHEN 3 THEN c - taken ELSE 0 END",
        "usable_from": "at",
        "expires_at": f"CASE WHEN {rests} THEN NULL ELSE ends END",
        "life_left": f"CASE WHEN {rests} THEN ends - {moment} END",
    }
    db.insert(model("loyalty_ledger.Lot"), lot, "FROM scale_plan WHERE kind = 'earn' ORDER BY id")
    for spent, earned, units in [(2, 0, "a"), (2, 1, "bb / 2"), (4, 1, "bb - bb / 2"), (4, 3, "taken")]:
        use = {"entry_id": "spent.id", "lot_id": "earned.id", "units": f"spent.{units.replace('- bb', '- spent.bb')}"}
        pair = f"spent.p = {spent} AND earned.p = {earned} AND earned.i = spent.i AND earned.b = spent.b"
        source = f"FROM scale_plan spent JOIN scale_plan earned ON {pair} WHERE spent.{units.split()[0]} > 0"
        db.insert(model("loyalty_ledger.LotUse"), use, f"{source} ORDER BY spent.id")


def _awards(db, programme, award, line, names):
    import json

    from oscar_loyalty.sql import Value

    def said(row):
        return "'" + json.dumps(row.explanation).replace("'", "''").replace("%", "%%") + "'::jsonb"

    earned = (
        "FROM scale_plan plan JOIN $member member ON member.id = plan.i + 1000 WHERE kind = 'earn' ORDER BY plan.id"
    )
    fields = {
        "id": "plan.id",
        "programme_id": Value(programme.pk),
        "member_id": "member.id",
        "reference": "'order:s' || plan.id",
        "source_type": Value("order"),
        "source_id": "'s' || plan.id",
        "points": "units",
        "spent": "units + 0.5",
        "entry_id": "plan.id",
        "tier_id": "member.tier_id",
        "happened_at": "at",
        "usable_from": "at",
        "explanation": said(award),
    }
    db.insert(model("loyalty_earning.Award"), fields, earned, **names)
    # By its primary key, the others of which follow.
    bought = f"CASE WHEN id %% 3 = 0 THEN 0 ELSE 1 + id * 7919 %% {OTHERS} END"
    share = {
        "award_id": "id",
        "product_id": f"{line.product_id} + {bought}",
        "title": f"CASE {bought} WHEN 0 THEN '{BEST}' ELSE '{OTHER} ' || ({bought}) - 1 END",
        "amount": "units",
        "share": "units",
        "points": "units",
        "happened_at": "at",
        "rule_version_id": Value(line.rule_version_id),
        "explanation": said(line),
    }
    db.insert(model("loyalty_earning.AwardLine"), share, "FROM scale_plan WHERE kind = 'earn' ORDER BY id")
    order = {
        "number": "'s' || plan.id",
        "site_id": Value(programme.site_id),
        "user_id": "member.user_id",
        "currency": Value("EUR"),
        "total_incl_tax": "units + 0.5",
        "total_excl_tax": "units + 0.5",
        "status": Value("Complete"),
        "date_placed": "at",
    }
    db.insert(model("order.Order"), order, earned.replace("WHERE", "WHERE plan.i %% 10 = 0 AND"), **names)
