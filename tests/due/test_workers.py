"""Workers side by side, and Celery for real: a worker of its own process, with a Redis between."""

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from oscar_loyalty import clock
from oscar_loyalty.due import registry, services, slices
from oscar_loyalty.ledger import audit, books, expiring
from oscar_loyalty.loading import get_model
from tests.due import celery_app
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60


def state(key):
    return get_model("loyalty_due", "Due").objects.exclude(kind="celery.trace").get(key=key).state


def test_two_workers_do_each_row_once(transactional_db):
    done, start = [], threading.Barrier(4)
    registry.handler("test")(lambda row: done.append(row.key))
    for number in range(40):
        services.leave(kind="test", key=str(number))

    def work(_):
        start.wait()
        try:
            return services.sweep()["due"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(work, range(4)))
    assert sorted(done, key=int) == [str(number) for number in range(40)]
    assert sum(numbers) == 40


def test_a_row_woken_up_under_a_worker_in_another_transaction_is_done_again(transactional_db):
    seen, busy, woken = [], threading.Event(), threading.Event()

    @registry.handler("test")
    def handle(row):
        seen.append(row.payload["n"])
        if len(seen) == 1:
            busy.set()
            # SQLite has one writer at a time: there the other waits for us, and wakes the row up after we have done it.
            woken.wait(1)

    row = services.leave(kind="test", key="1", payload={"n": 1})

    def work():
        try:
            services.run(row.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert busy.wait(PATIENCE)
    services.again(kind="test", key="1", payload={"n": 2})
    woken.set()
    worker.join(PATIENCE)
    assert state("1") == "waiting"
    services.sweep()
    assert (seen, state("1")) == ([1, 2], "done")


# Celery


@pytest.fixture
def broker():
    address = os.environ.get("REDIS_URL")
    if not address:
        pytest.fail("REDIS_URL names no Redis. Run the suite by scripts/services.py, or start one and set it.")
    return address


@pytest.fixture
def queue(broker):
    """A queue of our own on the shared Redis; emptied in the end."""
    name = f"loyalty-{os.getpid()}-{time.monotonic_ns()}"
    celery_app.app.conf.update(broker_url=broker, task_default_queue=name)
    celery_app.app.set_default()
    yield name
    with celery_app.app.connection_for_write() as opened:
        opened.default_channel.queue_delete(name)


@pytest.fixture
def worker(queue, broker):
    command = [sys.executable, "-m", "celery", "-A", "tests.due.celery_app", "worker"]
    options = ["-Q", queue, "--pool", "solo", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        [*command, *options],
        env=environment(PROCESS_WORKER="celery", PROCESS_BROKER=broker, PROCESS_QUEUE=queue),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines, ready = [], threading.Event()

    def read():
        for line in process.stdout:
            lines.append(line)
            if " ready." in line:
                ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        if not ready.wait(PATIENCE):
            pytest.fail("The worker did not start:\n" + "".join(lines[-40:]))
        yield lines
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition, lines=()):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail("The worker did not do it:\n" + "".join(lines[-40:]))
        time.sleep(0.05)


def test_a_celery_worker_does_what_was_left_in_a_committed_transaction(worker, settings):
    settings.OSCAR_LOYALTY_WORKER = "celery"
    with pytest.raises(LookupError), transaction.atomic():
        services.leave(kind="celery.test", key="rolled back")
        raise LookupError
    with transaction.atomic():
        services.leave(kind="celery.test", key="committed", payload={"n": 1})
        time.sleep(0.5)
        assert state("committed") == "waiting"
    wait_for(lambda: state("committed") == "done", worker)
    trace = get_model("loyalty_due", "Due").objects.get(kind="celery.trace")
    assert trace.payload["pid"] != os.getpid()
    assert trace.payload["n"] == 1
    assert not get_model("loyalty_due", "Due").objects.filter(key="rolled back").exists()


def test_a_celery_worker_shares_bulk_work_with_whoever_began_it(worker, settings, monkeypatch):
    """Hundred accounts in slices of five: the sweep here and the worker there post each once."""
    settings.OSCAR_LOYALTY_WORKER = "celery"
    monkeypatch.setattr(expiring, "SLICE", 5)
    now = clock.now()
    for number in range(100):
        account = books.open_account(unit="points:1", owner=books.Ref("member", str(number)))
        books.earn(account=account, units=5, key=str(number), usable_from=now, expires_at=now - timedelta(days=1))
    run = expiring.begin(at=clock.now())
    slices.share_with_workers(run)
    # Half of it is left for the worker, however slow it is.
    for _slice in range(10):
        slices.step(run)

    def finished():
        return get_model("loyalty_due", "BulkRun").objects.get(pk=run.pk).finished_at is not None

    wait_for(finished, worker)
    assert not get_model("loyalty_ledger", "Account").objects.exclude(balance=0).exists()
    assert get_model("loyalty_ledger", "Entry").objects.filter(kind="expire").count() == 100
    assert list(audit.audit()) == []


def test_when_the_broker_is_away_the_write_goes_through_and_the_sweep_does_the_work(broker, settings):
    settings.OSCAR_LOYALTY_WORKER = "celery"
    done = []
    registry.handler("test")(lambda row: done.append(row.key))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        celery_app.app.conf.update(broker_url=nowhere, task_default_queue="loyalty-nowhere")
        celery_app.app.set_default()
        celery_app.app.pool.force_close_all()
        began = time.monotonic()
        with transaction.atomic():
            services.leave(kind="test", key="kept")
        assert time.monotonic() - began < 10
    assert (state("kept"), done) == ("waiting", [])
    call_command("loyalty_run", verbosity=0)
    assert (state("kept"), done) == ("done", ["kept"])
