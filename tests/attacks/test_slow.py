"""Whoever sends slowly or reads slowly holds nobody else up: nothing is locked meanwhile."""

import socket
import time as real_time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import get_resolver

from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents
from tests.attacks.addresses import view_of

SLOW = 12


@pytest.fixture(params=[False, True], ids=["own transactions", "ATOMIC_REQUESTS"])
def atomic(request):
    before = connection.settings_dict["ATOMIC_REQUESTS"]
    connection.settings_dict["ATOMIC_REQUESTS"] = connections.settings["default"]["ATOMIC_REQUESTS"] = request.param
    yield request.param
    connection.settings_dict["ATOMIC_REQUESTS"] = connections.settings["default"]["ATOMIC_REQUESTS"] = before


def views(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns)
        elif view_of(pattern).startswith(("oscar_loyalty.", "wagtail_club.")):
            yield pattern


def test_a_body_that_nobody_has_read_yet_is_read_outside_of_transactions():
    """The check against forged forms reads all other bodies before a view, and with it its transaction, begins."""
    exempt = [one for one in views(get_resolver().url_patterns) if getattr(one.callback, "csrf_exempt", False)]
    assert len(exempt) >= 4
    within = [one.name for one in exempt if not getattr(one.callback, "_non_atomic_requests", None)]
    assert not within


@pytest.fixture
def boss(transactional_db, django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale")


def earn(account, key):
    """From a connection of its own, as another visitor would."""
    try:
        return books.earn(account=account, units=5, key=key, kind="adjust", usable_from=clock.now())
    finally:
        connections["default"].close()


def test_an_export_that_is_read_slowly_locks_nothing(transactional_db, atomic, boss, member, give):
    for _number in range(40):
        give(10)
    client = Client()
    client.force_login(boss)
    for name in ("movements", "members"):
        response = client.get(f"/dashboard/loyalty/{name}/export/csv/")
        assert response.streaming
        lines = iter(response.streaming_content)
        assert next(lines)
        assert not connection.in_atomic_block
        with ThreadPoolExecutor(1) as pool:
            pool.submit(earn, member.account, f"meanwhile:{name}").result(timeout=20)
        assert b"".join(lines)
    assert ledger.usable(member.account) == 410


def half(address, path, host):
    """Begin to send a form, and stop."""
    line = socket.create_connection((address.hostname, address.port), timeout=30)
    line.sendall(
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: 5000\r\n\r\nagain=".encode()
    )
    return line


def test_slow_visitors_hold_nobody_up(transactional_db, atomic, live_server, member, give):
    give(100)
    server = urlsplit(live_server.url)
    kind = next(iter(consents.kinds()))
    paths = [
        f"/accounts/loyalty/unsubscribe/{consents.token(member, kind.code)}/",
        "/loyalty/wallet/v1/log",
        "/gift-cards/balance/",
        "/accounts/loyalty/join/",
        "/stripe/webhook/",
    ]
    lines = [half(server, paths[number % len(paths)], server.netloc) for number in range(SLOW)]
    try:
        with closing(socket.create_connection((server.hostname, server.port), timeout=30)) as honest:
            honest.settimeout(30)
            began = real_time.monotonic()
            honest.sendall(
                f"GET /gift-cards/balance/ HTTP/1.1\r\nHost: {server.netloc}\r\nConnection: close\r\n\r\n".encode()
            )
            assert honest.recv(12).endswith(b"200")
            # Whatever the slow ones do, points are given meanwhile.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(earn, member.account, "meanwhile").result(timeout=30)
            assert real_time.monotonic() - began < 60
    finally:
        for line in lines:
            line.close()
    assert ledger.usable(member.account) == 105
    assert get_model("loyalty_ledger", "Entry").objects.count() == 2
