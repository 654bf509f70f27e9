"""What is left to be done is done once, tried again when it fails, and given up in the end."""

import contextlib
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from oscar_loyalty.due import registry, selectors, services
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def row(key="1"):
    return get_model("loyalty_due", "Due").objects.get(kind="test", key=key)


def leave(key="1", **fields):
    return services.leave(kind="test", key=key, **fields)


@pytest.fixture
def failing():
    """A handler that fails as long as the list holds something, and writes before it does."""
    reasons = [ValueError("no")] * 100

    @registry.handler("test")
    def handle(row):
        services.leave(kind="trace", key=str(len(reasons)))
        if reasons:
            raise reasons.pop()

    return reasons


# Leaving


def test_a_row_is_left_once_for_each_key(time):
    first = leave(payload={"n": 1})
    assert leave(payload={"n": 2}).pk == first.pk
    assert leave("2").pk != first.pk
    assert services.leave(kind="other", key="1").pk != first.pk
    assert row().payload == {"n": 1}


def test_a_row_goes_with_the_transaction_it_was_left_in(time):
    with pytest.raises(LookupError), transaction.atomic():
        leave()
        raise LookupError
    assert not get_model("loyalty_due", "Due").objects.exists()


def test_a_row_waits_for_its_time(time, calls):
    leave(at=time.at + 10 * MINUTE)
    assert services.sweep()["due"] == 0
    time.advance(minutes=10)
    assert services.sweep()["due"] == 1
    assert calls == ["1"]


# Doing


def test_a_row_is_done_once(time, calls):
    leave()
    assert services.sweep()["due"] == 1
    assert services.sweep()["due"] == 0
    assert not services.run(row().pk)
    assert calls == ["1"]
    assert (row().state, row().done_at, row().leased_until) == ("done", time.at, None)
    leave()
    assert services.sweep()["due"] == 0


def test_more_rows_than_a_batch_are_done_in_order_of_time(time, calls, monkeypatch):
    monkeypatch.setattr(services, "BATCH", 3)
    for number in range(10):
        leave(str(number), at=time.at - (number % 3) * MINUTE)
    assert services.sweep()["due"] == 10
    assert calls == ["2", "5", "8", "1", "4", "7", "0", "3", "6", "9"]


def test_what_a_handler_leaves_is_done_in_the_same_sweep(time, calls):
    registry.handler("first")(lambda row: leave("follows"))
    services.leave(kind="first", key="1")
    assert services.sweep()["due"] == 2
    assert calls == ["follows"]


def test_done_work_can_be_woken_up(time, calls):
    leave()
    services.sweep()
    services.again(kind="test", key="1", payload={"n": 2})
    assert row().payload == {"n": 2}
    services.sweep()
    assert calls == ["1", "1"]


def test_work_that_is_woken_up_while_it_is_being_done_is_done_again(time):
    seen = []

    @registry.handler("test")
    def handle(row):
        seen.append(row.payload.get("n"))
        if len(seen) == 1:
            services.again(kind="test", key="1", payload={"n": 2})

    leave(payload={"n": 1})
    services.sweep()
    services.sweep()
    assert seen == [1, 2]
    assert row().state == "done"


def test_old_done_rows_are_cleared_away(time, calls):
    leave()
    services.sweep()
    time.advance(days=91)
    services.sweep()
    assert not get_model("loyalty_due", "Due").objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_asks_over_the_network_holds_no_transaction(time):
    seen, problems = [], [OSError("nobody answers")]

    @registry.handler("test", atomic=False)
    def handle(row):
        seen.append(connection.in_atomic_block)
        services.leave(kind="trace", key=str(len(seen)))
        if problems:
            raise problems.pop()

    leave()
    services.sweep()
    assert (row().state, row().last_error) == ("waiting", "OSError: nobody answers")
    time.advance(minutes=1)
    services.sweep()
    assert seen == [False, False]
    assert row().state == "done"
    # What it wrote before it failed stays: it opens its own transactions.
    assert get_model("loyalty_due", "Due").objects.filter(kind="trace").count() == 2


def test_whoever_registers_anew_says_anew_how_it_runs(time):
    registry.handler("test", atomic=False)(print)
    seen = []
    registry.handler("test")(lambda row: seen.append(connection.in_atomic_block))
    leave()
    services.sweep()
    assert seen == [True]


# Failing


def test_what_fails_writes_nothing_and_is_tried_again_later_and_later(time, failing):
    leave()
    for tries, wait in enumerate(services.RETRIES, start=1):
        assert services.sweep()["due"] == 0
        assert (row().state, row().tries, row().due_at) == ("waiting", tries, time.at + wait)
        assert row().last_error == "ValueError: no"
        assert services.sweep()["due"] == 0
        assert row().tries == tries
        time.advance(minutes=wait.total_seconds() / 60)
    assert not get_model("loyalty_due", "Due").objects.filter(kind="trace").exists()
    del failing[:]
    assert services.run(row().pk)
    assert (row().state, row().last_error) == ("done", "")


def test_after_the_last_try_it_is_given_up_and_the_light_is_red(time, failing):
    leave()
    for wait in services.RETRIES:
        services.sweep()
        time.advance(minutes=wait.total_seconds() / 60)
    services.sweep()
    assert (row().state, row().tries) == ("dead", len(services.RETRIES) + 1)
    assert selectors.light().colour == "red"
    assert selectors.light().dead == 1
    del failing[:]
    services.sweep()
    assert row().state == "dead"
    services.retry(pk=row().pk)
    services.sweep()
    assert row().state == "done"
    assert selectors.light().colour == "green"


def test_one_that_fails_does_not_keep_the_others_waiting(time, calls):
    services.leave(kind="nobody", key="1")
    leave()
    assert services.sweep()["due"] == 1
    assert "Nobody handles" in get_model("loyalty_due", "Due").objects.get(kind="nobody").last_error


# Leases


def test_a_row_that_another_worker_is_busy_with_is_left_alone(time, calls):
    leave()
    get_model("loyalty_due", "Due").objects.update(leased_until=time.at + MINUTE)
    assert not services.run(row().pk)
    time.advance(minutes=1)
    assert services.run(row().pk)
    assert calls == ["1"]


def test_a_row_over_which_the_workers_die_is_given_up_in_the_end(time):
    class Killed(BaseException):
        pass

    deaths = []

    @registry.handler("test")
    def handle(row):
        deaths.append(row.pk)
        raise Killed

    leave()
    for _ in range(20):
        with contextlib.suppress(Killed):
            services.run(row().pk)
        time.at += services.LEASE
    assert row().state == "dead"
    assert len(deaths) == len(services.RETRIES) + 1


def test_a_worker_that_was_overtaken_spoils_nothing(time, monkeypatch):
    """It took longer than its lease and fails; meanwhile another one has taken the row: that one's lease stays."""
    theirs = time.at + 2 * services.LEASE

    def log(*args):
        get_model("loyalty_due", "Due").objects.update(leased_until=theirs)

    monkeypatch.setattr(services.log, "exception", log)
    leave()
    assert not services.run(row().pk)
    assert (row().tries, row().leased_until, row().last_error) == (0, theirs, "")


# Sweeps


def test_every_sweep_leaves_a_heartbeat(time):
    registry.sweeper("test.mend")(lambda: 3)
    told = []
    assert services.sweep(progress=lambda *part: told.append(part)) == {"due": 0, "test.mend": 3}
    assert told == [("due", 0), ("test.mend", 3)]
    beats = get_model("loyalty_due", "Heartbeat").objects
    assert set(beats.values_list("name", "at", "error")) == {("due", time.at, ""), ("test.mend", time.at, "")}


def test_a_sweeper_that_fails_stops_no_other_and_shows(time):
    def fail():
        raise OSError("disk full")

    registry.sweeper("a")(fail)
    registry.sweeper("b")(lambda: 1)
    assert services.sweep() == {"due": 0, "a": 0, "b": 1}
    light = selectors.light()
    assert (light.colour, light.errors) == ("red", ["a: OSError: disk full"])
    registry.sweeper("a")(lambda: 0)
    services.sweep()
    assert selectors.light().colour == "green"


def test_the_light(time, settings, calls, django_assert_max_num_queries):
    assert selectors.light().colour == "amber"
    services.sweep()
    leave()
    with django_assert_max_num_queries(2):
        light = selectors.light()
    assert (light.colour, light.last, light.waiting, light.oldest) == ("green", time.at, 1, time.at)
    time.advance(minutes=11)
    assert selectors.light().colour == "red"
    services.sweep()
    assert selectors.light().colour == "green"


def test_the_light_of_a_shop_that_works_inline_needs_no_sweep(time, settings):
    settings.OSCAR_LOYALTY_WORKER = "inline"
    assert selectors.light().colour == "green"
    leave()
    time.advance(minutes=11)
    assert selectors.light().colour == "red"


# Who works


def test_inline_does_it_when_the_transaction_commits(time, settings, calls, django_capture_on_commit_callbacks):
    settings.OSCAR_LOYALTY_WORKER = "inline"
    with django_capture_on_commit_callbacks(execute=True):
        leave()
        leave("later", at=time.at + MINUTE)
        assert calls == []
    assert calls == ["1"]


def test_inline_failure_does_not_reach_the_caller(time, settings, failing, django_capture_on_commit_callbacks):
    settings.OSCAR_LOYALTY_WORKER = "inline"
    with django_capture_on_commit_callbacks(execute=True):
        leave()
    assert row().tries == 1


def test_cron_does_nothing_by_itself(time, settings, calls, django_capture_on_commit_callbacks):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        leave()
    assert callbacks == []
    call_command("loyalty_run", verbosity=0)
    assert calls == ["1"]


def test_the_command_says_what_it_did(time, calls, capsys):
    call_command("loyalty_run")
    assert capsys.readouterr().out == "Nothing was due.\n"
    leave()
    call_command("loyalty_run")
    assert capsys.readouterr().out == "due 1\n"


def test_the_command_goes_on_until_it_is_stopped(time, calls, monkeypatch):
    def sleep(seconds):
        assert seconds == 5
        if calls:
            raise KeyboardInterrupt
        leave()

    monkeypatch.setattr("oscar_loyalty.management.commands.loyalty_run.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        call_command("loyalty_run", "--loop", "--every", "5", verbosity=0)
    assert calls == ["1"]


def test_what_was_done_long_ago_is_found_by_an_index(time):
    asked = get_model("loyalty_due", "Due").objects.filter(state="done", done_at__lt=time.at)
    if connection.vendor == "postgresql":
        # There is too little here for it to be worth while.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "loyalty_due_done" in asked.explain()


# Long work


def test_work_that_says_it_goes_on_is_not_taken_over_and_goes_on_where_it_was(time):
    begun = []

    @registry.handler("test", atomic=False)
    def handle(row):
        begun.append(row.payload["from"])
        for place in range(row.payload["from"], 4):
            if place == 2 and len(begun) == 1:
                raise RuntimeError("the plug was pulled")
            time.advance(minutes=4)
            services.renew(payload={"from": place + 1})
            # The cron of that minute.
            time.advance(minutes=4)
            services.sweep()

    leave(payload={"from": 0})
    services.sweep()
    assert (begun, row().tries, row().leased_until) == ([0], 1, None)
    time.advance(minutes=2)
    services.sweep()
    assert (begun, row().state, row().tries) == ([0, 2], "done", 1)


def test_a_step_that_takes_long_is_announced(time):
    begun = []

    @registry.handler("test", atomic=False)
    def handle(row):
        begun.append(row.pk)
        services.renew(lasting=60 * MINUTE)
        time.advance(minutes=59)
        services.sweep()
        services.renew()
        if len(begun) == 1:
            # A worker that dies says nothing: the row is whoever's who comes by after the hour.
            raise SystemExit

    leave()
    with pytest.raises(SystemExit):
        services.sweep()
    assert (len(begun), row().state) == (1, "waiting")
    services.sweep()
    assert len(begun) == 1
    time.advance(minutes=5)
    services.sweep()
    assert (len(begun), row().state, row().tries) == (2, "done", 1)


def test_work_that_was_taken_over_renews_nothing(time):
    begun = []

    @registry.handler("test", atomic=False)
    def handle(row):
        begun.append(row.pk)
        if len(begun) == 1:
            time.advance(minutes=6)
            services.sweep()
        services.renew(payload={"by": len(begun)})

    leave()
    services.sweep()
    assert (len(begun), row().state, row().payload) == (2, "done", {"by": 2})


def test_renewing_is_for_rows_that_are_at_hand(time, calls):
    leave(at=time.at + MINUTE)
    services.renew()
    assert row().leased_until is None
    time.advance(minutes=2)
    registry.handler("test")(lambda row: services.renew(lasting=60 * MINUTE))
    services.sweep()
    assert (row().state, row().leased_until) == ("done", None)
