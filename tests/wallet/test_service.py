"""Apple's web service as a phone uses it, and what tells the phone that there is something new."""

import http.server
import json
import ssl
import threading

import pytest

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.wallet import services
from tests.wallet.conftest import TYPE, issue, pem

pytestmark = pytest.mark.django_db
ROOT = "/loyalty/wallet/v1"


def settle():
    """The first sweep finds what has changed, the next one tells the phones of it."""
    due.sweep()
    due.sweep()


@pytest.fixture
def phone(client, member, apple_on):
    """A device that holds the member's pass: ``phone.register()``, ``phone.changed()``, ``phone.fetch()``."""
    row, _contents = services.pass_of(member=member)

    class Phone:
        wallet_pass = row
        key = {"HTTP_AUTHORIZATION": f"ApplePass {row.token}"}
        own = f"{ROOT}/devices/phone1/registrations/{TYPE}/{row.serial}"
        latest = f"{ROOT}/passes/{TYPE}/{row.serial}"

        def register(self, code="abc123", **more):
            body = json.dumps({"pushToken": code})
            return client.post(self.own, body, "application/json", **(more or self.key)).status_code

        def changed(self, since=""):
            return client.get(f"{ROOT}/devices/phone1/registrations/{TYPE}", {"passesUpdatedSince": since})

        def fetch(self, **more):
            return client.get(self.latest, secure=True, **{**self.key, **more})

    return Phone()


@pytest.fixture
def sent(monkeypatch):
    told = []
    monkeypatch.setattr("oscar_loyalty.wallet.push.tell", lambda *, push_token: told.append(push_token))
    return told


def test_a_phone_comes_and_goes(phone, client):
    assert phone.register() == 201
    assert phone.register("def456") == 200
    assert get_model("loyalty_wallet", "Registration").objects.get().push_token == "def456"
    assert client.delete(phone.own, **phone.key).status_code == 200
    assert client.delete(phone.own, **phone.key).status_code == 200
    assert not get_model("loyalty_wallet", "Registration").objects.exists()


def test_who_does_not_hold_the_pass_learns_nothing(phone, client):
    other = phone.latest.replace(str(phone.wallet_pass.serial), "00000000-0000-4000-8000-000000000000")
    for key in ({}, {"HTTP_AUTHORIZATION": "ApplePass x"}, {"HTTP_AUTHORIZATION": f"Bearer {phone.wallet_pass.token}"}):
        answers = [client.get(phone.latest, **key), client.get(other, **key), client.delete(phone.own, **key)]
        assert {(answer.status_code, answer.content) for answer in answers} == {(401, b"")}
    assert phone.register(HTTP_AUTHORIZATION="ApplePass nothing") == 401
    assert phone.register("<script>") == 400
    assert client.post(phone.own, "[1", "application/json", **phone.key).status_code == 400
    assert client.get(f"{ROOT}/passes/pass.of.another/{phone.wallet_pass.serial}", **phone.key).status_code == 404


def test_off_without_certificates(phone, settings, client):
    settings.OSCAR_LOYALTY_WALLET_APPLE_TYPE = ""
    assert phone.register() == 404
    assert phone.changed().status_code == 404
    assert client.post(f"{ROOT}/log", "{}", "application/json").status_code == 404


def test_the_phone_is_told_once_of_each_change_and_fetches_it(phone, give, sent, member):
    phone.register()
    tag = phone.changed().json()["lastUpdated"]
    assert phone.changed(tag).status_code == 204
    seen = phone.fetch()
    assert phone.fetch(HTTP_IF_MODIFIED_SINCE=seen["Last-Modified"]).status_code == 304
    settle()
    assert sent == []

    give(30)
    settle()
    settle()
    assert sent == ["abc123"]
    assert phone.changed(tag).json()["serialNumbers"] == [str(phone.wallet_pass.serial)]
    assert phone.fetch(HTTP_IF_MODIFIED_SINCE=seen["Last-Modified"]).status_code == 200

    gold = member.programme.tiers.get(code="gold")
    members.set_tier(member=member, tier=gold, reason="test", key="tier:1")
    settle()
    assert sent == ["abc123"] * 2


def test_points_that_become_usable_with_time_alone(phone, give, sent, time):
    from datetime import timedelta

    phone.register()
    give(30, usable_from=clock.now() + timedelta(days=3))
    settle()
    assert sent == ["abc123"]
    time.advance(days=2)
    settle()
    assert sent == ["abc123"]
    time.advance(days=2)
    settle()
    assert sent == ["abc123"] * 2


def test_a_pass_on_no_phone_is_not_looked_at(phone, give, django_assert_num_queries):
    give(5)
    # How many passes there are, and which of them on a phone are behind.
    with django_assert_num_queries(2):
        assert services.refresh_stale() == 0


@pytest.fixture
def crowd(programme, phone):
    """Two more who hold passes on phones, so that the first is one of many."""
    passes = [phone.wallet_pass]
    for number in range(2):
        other = members.join(programme=programme, email=f"other{number}@example.com")
        passes.append(services.pass_of(member=other)[0])
    for row in passes:
        services.register(wallet_pass=row, device=f"phone{row.pk}", push_token="x")
    due.sweep()
    assert services.refresh_stale() == 0
    return passes


def test_of_many_passes_one_of_whom_something_was_written_is_found_at_once(crowd, in_parts, member, give):
    give(30)
    assert services.refresh_stale() == 1
    gold = member.programme.tiers.get(code="gold")
    members.set_tier(member=member, tier=gold, reason="test", key="tier:1")
    assert services.refresh_stale() == 1
    members.set_status(member=member, status="frozen")
    assert services.refresh_stale() == 1
    services.look_again(passes=type(crowd[0]).objects.filter(pk=crowd[1].pk))
    assert services.refresh_stale() == 1
    assert services.refresh_stale() == 0


def test_of_many_passes_one_that_is_behind_is_found_in_its_turn(crowd, in_parts):
    type(crowd[0]).objects.filter(pk=crowd[1].pk).update(sequence=77)
    assert sorted(services.refresh_stale() for _sweep in range(2)) == [0, 1]


def test_a_phone_that_complains(phone, client, caplog):
    response = client.post(f"{ROOT}/log", json.dumps({"logs": ["pass\nis broken"]}), "application/json")
    assert response.status_code == 200
    assert "pass\\nis broken" in caplog.text


def test_the_log_names_no_token_and_has_an_end(phone, client, caplog):
    from django.core.cache import cache

    cache.clear()
    row = phone.wallet_pass
    line = f"GET https://shop/v1/passes/x failed, ApplePass {row.token}, device {'ab' * 32}"
    for _number in range(8):
        client.post(f"{ROOT}/log", json.dumps({"logs": [line] * 50}), "application/json")
    assert row.token not in caplog.text
    assert "ab" * 32 not in caplog.text
    assert "failed, ApplePass" in caplog.text
    assert caplog.text.count("A phone about a pass") == 100
    cache.clear()


def test_as_many_devices_as_a_family_has(phone, client):
    for number in range(services.DEVICES + 3):
        address = phone.own.replace("phone1", f"phone{number}")
        client.post(address, json.dumps({"pushToken": f"abc{number}"}), "application/json", **phone.key)
    kept = set(get_model("loyalty_wallet", "Registration").objects.values_list("device", flat=True))
    assert kept == {f"phone{number}" for number in range(3, services.DEVICES + 3)}


def test_a_new_name_on_the_card_reaches_the_phone(phone, sent, member):
    phone.register()
    settle()
    members.update_details(member=member, first_name="Rosalie")
    settle()
    assert sent == ["abc123"]
    member.tier.name = "Copper"
    member.tier.save()
    settle()
    assert sent == ["abc123"] * 2
    member.programme.name = "Roses"
    member.programme.save()
    settle()
    settle()
    assert sent == ["abc123"] * 3


def test_who_leaves_has_a_void_pass(phone, sent, member):
    import io
    import zipfile

    def body():
        with zipfile.ZipFile(io.BytesIO(phone.fetch().content)) as archive:
            return json.loads(archive.read("pass.json"))

    phone.register()
    assert body()["voided"] is False
    assert body()["sharingProhibited"] is True
    members.set_status(member=member, status="frozen", key="hold")
    settle()
    assert "on hold" in str(body()["storeCard"]["backFields"])
    assert body()["storeCard"]["headerFields"] == [{"key": "state", "label": "Membership", "value": "On hold"}]
    assert body()["voided"] is False  # it comes back, and the till says why it may not be used
    members.set_status(member=member, status="active", key="goes on")
    settle()
    assert body()["storeCard"]["headerFields"] == []
    assert "on hold" not in str(body())
    members.set_status(member=member, status="closed", key="left")
    settle()
    assert body()["voided"] is True
    assert body()["storeCard"]["headerFields"][0]["value"] == "Closed"
    assert sent == ["abc123"] * 3


class _Apple(http.server.BaseHTTPRequestHandler):
    """Apple's push service as far as it is asked here; it wants to see the shop's certificate."""

    status, asked = 200, []

    def do_POST(self):
        common = dict(pair[0] for pair in self.connection.getpeercert()["subject"])["commonName"]
        length = int(self.headers["Content-Length"])
        self.asked.append((common, self.path, self.headers["apns-topic"], self.rfile.read(length)))
        body = b'{"reason": "Unregistered"}' if self.status != 200 else b""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def apns(apple_on, authority, settings, monkeypatch):
    certificate, key = issue("localhost", *authority, hosts=["localhost"])
    (apple_on / "server.pem").write_bytes(pem(certificate, key))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(apple_on / "wwdr.pem"))
    context.load_cert_chain(apple_on / "server.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("localhost", 0), _Apple)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(apple_on / "wwdr.pem"))
    settings.OSCAR_LOYALTY_WALLET_APPLE_PUSH = f"https://localhost:{server.server_port}"
    _Apple.status, _Apple.asked = 200, []
    yield _Apple
    server.shutdown()
    server.server_close()


def test_apple_is_told_over_tls_with_the_shops_certificate(phone, give, apns):
    phone.register()
    give(30)
    settle()
    assert apns.asked == [("Pass Type ID", "/3/device/abc123", TYPE, b"{}")]


def test_a_phone_that_is_gone_is_forgotten_and_a_broken_line_is_tried_again(phone, give, apns, time):
    phone.register()
    apns.status = 503
    give(30)
    settle()
    assert len(apns.asked) == 1
    apns.status = 410
    time.advance(minutes=2)
    settle()
    assert len(apns.asked) == 2
    assert not get_model("loyalty_wallet", "Registration").objects.exists()


def test_a_phone_that_comes_back_while_apple_says_it_is_gone_is_kept(phone, give, monkeypatch):
    from oscar_loyalty.wallet.exceptions import Unregistered

    def gone(*, push_token):
        phone.register("fresh1")
        raise Unregistered

    monkeypatch.setattr("oscar_loyalty.wallet.push.tell", gone)
    phone.register()
    give(30)
    settle()
    assert get_model("loyalty_wallet", "Registration").objects.get().push_token == "fresh1"


@pytest.mark.parametrize("status", [403, 503])
def test_no_log_and_no_error_names_the_phone(phone, give, apns, caplog, status):
    import logging

    caplog.set_level(logging.DEBUG)
    phone.register("secret123")
    apns.status = status
    give(30)
    settle()
    assert apns.asked
    row = get_model("loyalty_due", "Due").objects.get(kind="wallet.push")
    assert row.state == "waiting"
    assert str(status) in row.last_error
    assert "secret123" not in row.last_error
    ours = [record for record in caplog.records if record.name in ("httpx", "oscar_loyalty")]
    assert not [record for record in ours if "secret123" in record.getMessage() + str(record.exc_info)]


def test_a_token_of_another_shop_is_forgotten(phone, give, apns, monkeypatch):
    monkeypatch.setattr("oscar_loyalty.wallet.push._reason", lambda answer: "DeviceTokenNotForTopic")
    phone.register()
    apns.status = 400
    give(30)
    settle()
    assert not get_model("loyalty_wallet", "Registration").objects.exists()


@pytest.mark.parametrize("body", [b"[" * 16_000, b"\xff\xfe", b"9" * 5000, b'{"pushToken": "\\u0000abc"}', b"NaN"])
def test_a_body_that_is_none_is_refused(phone, client, body):
    assert client.post(phone.own, body, "application/json", **phone.key).status_code == 400
    assert client.post(f"{ROOT}/log", body, "application/json").status_code == 200


def test_a_device_with_a_zero_byte_is_unknown(phone, client):
    own = phone.own.replace("phone1", "phone%001")
    assert client.post(own, json.dumps({"pushToken": "abc"}), "application/json", **phone.key).status_code == 404
    assert client.get(f"{ROOT}/devices/phone%001/registrations/{TYPE}").status_code == 404
