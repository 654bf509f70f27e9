"""Passes as a phone gets them: what they show, who signed them, and that they are off without certificates."""

import hashlib
import io
import json
import subprocess
import zipfile
from datetime import date, timedelta

import jwt
import pytest
from django.utils.translation import override

from oscar_loyalty import clock, times
from oscar_loyalty.members import services as members
from oscar_loyalty.wallet import checks
from tests.wallet.conftest import PASSWORD, TYPE, issue, pem

pytestmark = pytest.mark.django_db
CARD = "/accounts/loyalty/card/"


@pytest.fixture
def signed_in(client, user, member):
    client.force_login(user)
    return client


def opened(response):
    assert response["Content-Type"] == "application/vnd.apple.pkpass"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_without_certificates_the_page_offers_paper_only(signed_in, member):
    text = signed_in.get(CARD).content.decode()
    assert member.number in text
    assert "card.pdf" in text
    assert "Wallet" not in text
    assert signed_in.get(CARD + "card.pkpass").status_code == 404
    assert signed_in.get(CARD + "google/").status_code == 404


def test_who_is_no_member_has_no_card(client, user, programme):
    client.force_login(user)
    assert client.get(CARD).url == "/accounts/loyalty/"
    client.logout()
    assert client.get(CARD + "card.pdf").url.startswith("/accounts/login/")


def test_the_printed_card(signed_in, member):
    response = signed_in.get(CARD + "card.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert "private" in response["Cache-Control"]


def test_the_pass_is_signed_by_the_shop_and_whole(signed_in, member, give, apple_on, authority, tmp_path):
    give(1240)
    files = opened(signed_in.get(CARD + "card.pkpass", secure=True))
    manifest = json.loads(files["manifest.json"])
    assert set(manifest) == set(files) - {"manifest.json", "signature"}
    assert {"pass.json", "icon.png", "icon@2x.png", "logo.png"} <= set(manifest)
    for name, digest in manifest.items():
        assert hashlib.sha1(files[name]).hexdigest() == digest  # noqa: S324
    (tmp_path / "manifest").write_bytes(files["manifest.json"])
    (tmp_path / "signature").write_bytes(files["signature"])
    (tmp_path / "ca.pem").write_bytes(pem(authority[0]))
    verify = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest"]
    verify += ["-CAfile", "ca.pem", "-purpose", "any", "-binary", "-out", "verified"]
    subprocess.run(verify, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "manifest").write_bytes(files["manifest.json"].replace(b"pass.json", b"pass.jsom"))
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True).returncode != 0

    body = json.loads(files["pass.json"])
    assert body["passTypeIdentifier"] == TYPE
    assert body["teamIdentifier"] == "A1B2C3D4E5"
    assert body["webServiceURL"] == "https://testserver/loyalty/wallet/"
    assert body["barcodes"][0] == {
        "format": "PKBarcodeFormatQR",
        "message": member.number,
        "messageEncoding": "iso-8859-1",
        "altText": member.number,
    }
    assert body["storeCard"]["primaryFields"][0]["value"] == 1240
    assert body["storeCard"]["secondaryFields"][-1]["value"] == "Bronze"


def test_without_tls_a_pass_is_made_but_not_updated(signed_in, apple_on):
    body = json.loads(opened(signed_in.get(CARD + "card.pkpass"))["pass.json"])
    assert "webServiceURL" not in body
    assert "authenticationToken" not in body


def test_it_speaks_the_members_language_and_says_what_waits(signed_in, member, give, apple_on):
    members.update_details(member=member, language="fr")
    give(80, usable_from=clock.now() + timedelta(days=14))
    body = json.loads(opened(signed_in.get(CARD + "card.pkpass"))["pass.json"])
    back = {field["key"]: field for field in body["storeCard"]["backFields"]}
    assert back["pending"]["label"] == "En attente"
    assert back["number"]["label"] == "Numéro de carte"
    assert body["storeCard"]["primaryFields"][0]["value"] == 0


@pytest.mark.parametrize(
    ("language", "names"), [("fr", ["pétale", "pétale", "pétales"]), ("en", ["petals", "petal", "petals"])]
)
def test_points_are_called_as_on_every_page(signed_in, member, give, apple_on, google_on, language, names):
    """French has no plural of nothing."""
    members.update_details(member=member, language=language)
    for number, name in enumerate(names):
        field = json.loads(opened(signed_in.get(CARD + "card.pkpass"))["pass.json"])["storeCard"]["primaryFields"][0]
        assert (field["value"], field["label"]) == (number, name)
        with override(language):
            assert member.programme.points_label(number) == f"{number}\xa0{name}"
        link = signed_in.get(CARD + "google/", secure=True).url.rpartition("/")[2]
        card = jwt.decode(link, google_on, algorithms=["RS256"], audience="google")["payload"]["loyaltyObjects"][0]
        assert card["loyaltyPoints"] == {"label": name, "balance": {"int": number}}
        give(1)


def test_it_says_the_last_day_of_points(signed_in, member, give, apple_on):
    give(40, expires_at=times.end_of(date(2031, 5, 31)))
    body = json.loads(opened(signed_in.get(CARD + "card.pkpass"))["pass.json"])
    back = {field["key"]: field for field in body["storeCard"]["backFields"]}
    assert back["expiry"]["value"] == "40\xa0petals on May 31, 2031"


def test_a_certificate_that_cannot_be_read_is_said_and_loses_nothing(signed_in, apple_on, settings):
    settings.OSCAR_LOYALTY_WALLET_APPLE_PASSWORD = "wrong"
    response = signed_in.get(CARD + "card.pkpass", follow=True)
    assert "cannot be made for your wallet" in response.content.decode()
    assert [found.id for found in checks.certificates(None)] == ["loyalty.E130"]


def test_checks(settings, apple_on, google_on, authority):
    assert checks.certificates(None) == []
    soon, key = issue("Pass", *authority, ends=clock.now() + timedelta(days=5))
    (apple_on / "pass.pem").write_bytes(pem(soon, key, PASSWORD))
    assert [found.id for found in checks.certificates(None)] == ["loyalty.W131"]
    settings.OSCAR_LOYALTY_WALLET_APPLE_WWDR = ""
    (apple_on / "google.json").write_text("{}")
    assert [found.id for found in checks.certificates(None)] == ["loyalty.W130", "loyalty.E131"]
    settings.OSCAR_LOYALTY_WALLET_GOOGLE_KEY = ""
    assert [found.id for found in checks.certificates(None)] == ["loyalty.W130", "loyalty.W132"]
    settings.OSCAR_LOYALTY_WALLET_APPLE_WWDR = apple_on / "wwdr.pem"
    settings.OSCAR_LOYALTY_WALLET_ICON = "nothing.png"
    assert "loyalty.E130" in [found.id for found in checks.certificates(None)]


def test_googles_card_says_that_it_is_on_hold(signed_in, member, google_on):
    def body():
        link = signed_in.get(CARD + "google/", secure=True).url
        token = link.removeprefix("https://pay.google.com/gp/v/save/")
        claims = jwt.decode(token, google_on, algorithms=["RS256"], audience="google")
        return claims["payload"]["loyaltyObjects"][0]

    assert "textModulesData" not in body()
    members.set_status(member=member, status="frozen", key="hold")
    (notice,) = body()["textModulesData"]
    assert notice["header"] == "Please note" and "on hold" in notice["body"]
    # Google files what is inactive away among what has expired.
    assert body()["state"] == "ACTIVE"
    members.set_status(member=member, status="active", key="goes on")
    assert "textModulesData" not in body()


def test_the_link_for_google_is_signed_and_describes_the_card(signed_in, member, give, google_on):
    give(55)
    response = signed_in.get(CARD + "google/", secure=True)
    start = "https://pay.google.com/gp/v/save/"
    assert response.url.startswith(start)
    claims = jwt.decode(response.url.removeprefix(start), google_on, algorithms=["RS256"], audience="google")
    assert claims["iss"] == "shop@example.iam"
    assert claims["typ"] == "savetowallet"
    [card], [kind] = claims["payload"]["loyaltyObjects"], claims["payload"]["loyaltyClasses"]
    assert card["classId"] == kind["id"]
    assert card["id"].startswith("3388000000012345678.")
    assert card["loyaltyPoints"]["balance"] == {"int": 55}
    assert card["accountId"] == card["barcode"]["value"] == member.number
    assert not {name for name in (member.first_name, member.last_name, member.email) if name in str(claims)}
    assert "no-store" in response["Cache-Control"]
    assert kind["programLogo"]["sourceUri"]["uri"].startswith("https://testserver/static/")
    # Google cuts off longer links.
    assert len(response.url) < 2400


def test_queries_do_not_grow_with_the_history(signed_in, give, apple_on, django_assert_max_num_queries):
    for _number in range(30):
        give(1)
    signed_in.get(CARD + "card.pkpass")
    with django_assert_max_num_queries(25):
        signed_in.get(CARD + "card.pkpass")
    with override("fr"), django_assert_max_num_queries(22):
        signed_in.get(CARD)
