"""Cards of another system: what is believed, what is refused, and twice is once."""

from decimal import Decimal as D

import pytest
from django.core.management import CommandError, call_command

from oscar_loyalty import tables
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import bulk, codes, imports, selectors, services
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, NotAllowed
from oscar_loyalty.importing import MappingError
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit


@pytest.fixture(autouse=True)
def foreign(settings):
    settings.OSCAR_LOYALTY_GIFTCARD_FOREIGN_CODES = True


@pytest.fixture
def look(tmp_path, db):
    def look(content, **options):
        path = tmp_path / "cards.csv"
        path.write_text(content, encoding="utf-8")
        return imports.look(table=tables.read(path), **options)

    return look


@pytest.fixture
def bring(look):
    def bring(content, key="file", user=None, **options):
        seen = look(content, **options)
        batch = bulk.keep_import(
            name="Old till",
            key=key,
            rows=seen.rows,
            refused=seen.refused,
            refused_number=seen.refused_number,
            known=seen.known,
            currency="EUR",
            user=user,
        )
        bulk.start(batch=batch, user=user)
        due.sweep()
        batch.refresh_from_db()
        return batch

    return bring


FILE = """code,value,expires,recipient,email,note
AB-1234 x,20.00,2026-12-31,Lou,lou@example.com,From the old till
,"15,50",,,,
,"15,50",,,,
ZZ99887766,100,,Max,,
"""


def test_cards_come_with_their_codes_or_get_new_ones(bring, who, time):
    batch = bring(FILE)
    assert (batch.state, batch.made, batch.known_number, batch.rows) == ("done", 4, 0, [])
    lou = services.look_up("ab1234X", who=who)
    assert (lou.recipient_name, lou.recipient_email, lou.foreign_code) == ("Lou", "lou@example.com", True)
    assert lou.expires_at.isoformat() == "2026-12-31T23:00:00+00:00" and selectors.balance(lou).amount == 20
    assert lou.events.get(kind="issued").detail["reason"] == "From the old till"
    own = batch.cards.filter(foreign_code=False)
    assert [card.value for card in own] == [D("15.50")] * 2
    assert services.look_up(services.code_of(own[0]), who=who) == own[0]
    with pytest.raises(GiftCardError):
        services.code_of(lou)
    assert audit.run(keep=False).findings == []


def test_the_same_file_twice_changes_nothing(bring, settings, who):
    bring(FILE)
    again = bring(FILE, key="again")
    assert (again.made, again.known_number, again.state) == (0, 4, "done")
    grown = bring(FILE + 'NEW12345,5,,,,\n,"15,50",,,,\n', key="grown")
    assert (grown.made, grown.known_number) == (2, 4)
    # Under a new key, and after one of the cards got another code.
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {"new": "n" * 40, **settings.OSCAR_LOYALTY_GIFTCARD_KEYS}
    card = services.look_up("ZZ99887766", who=who)
    services.reissue(card=card)
    assert bring(FILE, key="rotated").made == 0
    with pytest.raises(CodeRefused):
        services.look_up("ZZ99887766", who=who)
    assert services.look_up(services.code_of(card), who=who) == card
    assert get_model("loyalty_giftcards", "GiftCard").objects.count() == 6


def test_foreign_codes_work_only_where_the_shop_wants_them(bring, look, who, settings):
    bring(FILE)
    settings.OSCAR_LOYALTY_GIFTCARD_FOREIGN_CODES = False
    with pytest.raises(CodeRefused):
        services.look_up("ZZ99887766", who=who)
    seen = look("code,value\nQQ112233,5\n,6\n")
    assert len(seen.rows) == 1 and seen.refused[0]["why"] == "code: the shop does not accept codes of other systems"


def test_a_foreign_code_never_stands_for_one_of_ours(card):
    code = services.code_of(card)
    key_id = card.key_id
    assert codes.foreign_fingerprint(code, key_id=key_id) != codes.fingerprint(code, key_id=key_id)
    assert len(codes.fingerprints(code)) == 2 and len(codes.fingerprints("AB1234")) == 1
    assert (
        codes.fingerprints("AB123") == [] and codes.fingerprints("Ä" * 10) == [] and codes.fingerprints("A" * 41) == []
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A1,5,,,", "code: it is no code"),
        ("ABCDEF,,,,", "value: it is missing"),
        ("ABCDEF,0,,,", "value: there is nothing on it"),
        ("ABCDEF,-3,,,", "value: it is below zero"),
        ("ABCDEF,=1+1,,,", "value: it is a formula"),
        ("ABCDEF,100001,,,", "value: it is too large"),
        ("ABCDEF,5,XYZ,,", "currency: it is no currency"),
        ("ABCDEF,5.50,JPY,,", "value: it is finer than the currency"),
        ("ABCDEF,5,,2020-01-01,", "expires: it has passed"),
        ("ABCDEF,5,,31.12.2030,", "expires: it is no date"),
        ("ABCDEF,5,,,nobody", "email: it is no e-mail address"),
        ("TWICE99,5,,,", "code: it is twice in this file"),
    ],
)
def test_what_cannot_be_believed_is_refused(line, reason, look, time):
    seen = look(f"code,value,currency,expires,email\nTWICE99,5,,,\n{line}\n")
    assert len(seen.rows) == 1 and seen.refused_number == 1
    [refused] = seen.refused
    assert refused["why"].startswith(reason) and refused["row"] == 3
    assert line.split(",")[0] not in str(refused)


def test_columns_may_have_other_names(look, time):
    text = "Numéro;Solde;Fin\nABCDEF;5,00;31/12/2030\n"
    with pytest.raises(MappingError):
        look(text)
    seen = look(text, mapping={"code": "Numéro", "value": "Solde", "expires": "Fin"}, dates="%d/%m/%Y")
    assert seen.rows[0]["value"] == "5.00" and seen.totals == {"EUR": 5}


def test_nothing_that_is_kept_shows_a_code(look):
    seen = look(FILE + "S3CR3T,0,,,,\n")
    kept = str(seen)
    assert "AB1234X" not in kept and "ZZ99887766" not in kept and "S3CR3T" not in kept


def test_much_money_needs_somebody_who_may(bring, clerk, boss, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = 100
    with pytest.raises(NotAllowed):
        bring(FILE, user=clerk)
    assert get_model("loyalty_giftcards", "GiftCard").objects.count() == 0
    assert bring(FILE, user=boss).made == 4


def test_two_imports_of_one_file_at_once_make_each_card_once(look):
    batches = []
    for key in ("a", "b"):
        seen = look(FILE)
        batch = bulk.keep_import(
            name="x", key=key, rows=seen.rows, refused=[], refused_number=0, known=0, currency="EUR"
        )
        batches.append(bulk.start(batch=batch))
    due.sweep()
    for batch in batches:
        batch.refresh_from_db()
    assert [(batch.state, batch.made, batch.known_number) for batch in batches] == [("done", 4, 0), ("done", 0, 4)]
    assert audit.run(keep=False).findings == []


def test_an_import_that_nobody_confirms_is_forgotten(look, time):
    seen = look(FILE)
    bulk.keep_import(name="x", key="a", rows=seen.rows, refused=[], refused_number=0, known=0, currency="EUR")
    due.sweep()
    assert get_model("loyalty_giftcards", "GiftCardBatch").objects.count() == 1
    time.advance(days=1)
    due.sweep()
    assert not get_model("loyalty_giftcards", "GiftCardBatch").objects.exists()


# The command


def run(*arguments, capsys):
    call_command("loyalty_giftcards", *map(str, arguments))
    return capsys.readouterr().out


def test_the_command_issues(capsys, db):
    for _run in range(2):
        said = run("issue", "--number", 5, "--value", "20", "--name", "Partners", "--key", "p1", capsys=capsys)
    assert "5 gift cards" in said
    assert get_model("loyalty_giftcards", "GiftCard").objects.count() == 5
    with pytest.raises(CommandError):
        run("issue", "--number", 0, "--value", "20", "--name", "x", capsys=capsys)
    with pytest.raises(CommandError):
        run("issue", "--number", 5, "--name", "x", capsys=capsys)
    said = run("issue", "--number", 2, "--blank", "--name", "Counter", capsys=capsys)
    assert get_model("loyalty_giftcards", "GiftCard").objects.filter(state="waiting", value=0).count() == 2


def test_the_command_imports(capsys, db, tmp_path):
    file, bad = tmp_path / "cards.csv", tmp_path / "bad.csv"
    file.write_text(FILE + "A1,5,,,,\n", encoding="utf-8")
    said = run("import", file, "--dry-run", "--rejected", bad, capsys=capsys)
    assert "4 cards would be new" in said and "1 × code: it is no code" in said
    assert "A1" in bad.read_text(encoding="utf-8-sig")
    assert not get_model("loyalty_giftcards", "GiftCard").objects.exists()
    assert "4 cards are new, 0 were known, 1 is refused" in run("import", file, capsys=capsys)
    assert "0 cards are new, 4 were known" in run("import", file, capsys=capsys)
    assert get_model("loyalty_giftcards", "GiftCard").objects.count() == 4
    assert audit.run(keep=False).findings == []
