"""What goes wrong: processes that die or are overtaken, a broker that loses and doubles, mail that comes back."""

import random
import secrets
import sys
import uuid
from contextlib import contextmanager
from functools import lru_cache
from types import SimpleNamespace
from unittest import mock

from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation

from oscar_loyalty.due import tasks
from oscar_loyalty.messaging import services as messaging
from oscar_loyalty.wallet import apple, push
from oscar_loyalty.wallet.exceptions import NotTold, Unregistered
from tests.simulation.database import hang_up

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


class Killed(BaseException):
    """The process is gone. Nobody can catch that."""


class Chance:
    """All that is random, from one seed: also what the shop itself draws, so that a world can be seen again."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    @contextmanager
    def governs(self):
        drawn = random.Random(self.random.random())
        real = secrets.choice, secrets.token_bytes, secrets.token_hex, secrets.token_urlsafe, uuid.uuid4
        state = random.getstate()
        random.seed(drawn.random())
        secrets.choice = drawn.choice
        secrets.token_bytes = lambda size=32: drawn.randbytes(size)
        secrets.token_hex = lambda size=32: drawn.randbytes(size).hex()
        secrets.token_urlsafe = lambda size=32: drawn.randbytes(size).hex()
        uuid.uuid4 = lambda: uuid.UUID(bytes=drawn.randbytes(16), version=4)
        try:
            yield
        finally:
            secrets.choice, secrets.token_bytes, secrets.token_hex, secrets.token_urlsafe, uuid.uuid4 = real
            random.setstate(state)


_real_now = timezone.now


@lru_cache(maxsize=1)
def _tellers():
    """Where Oscar, Django and the calendar ask for the time."""
    found = [(timezone, "now")]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("oscar", "appointment", "django"):
            found += [(module, key) for key, value in vars(module).items() if value is _real_now]
    return found


@contextmanager
def one_time(clock):
    """Let all the others read the time from the same clock as we do."""
    for module, name in _tellers():
        setattr(module, name, clock)
    try:
        yield
    finally:
        for module, name in _tellers():
            setattr(module, name, _real_now)


class Process:
    """The web server's or worker's process.

    It may die: before it says so many more words to the database, Stripe, the broker or the mail server; or after it
    has written so many times. And it may be overtaken: wherever it is in no transaction, another process can do
    something in between.
    """

    def __init__(self):
        self.words = self.writes = self.calm = self.other = None
        self.dead = self.inside = False

    def speak(self, sql=""):
        """Called before each statement, and before and after each request to others."""
        if self.dead:
            raise Killed
        if self.inside:
            return
        if self.other is not None and not connection.in_atomic_block:
            self.calm -= 1
            if self.calm < 0:
                self._let_pass()
        if self.words is not None:
            self.words -= 1
            self.dead = self.words < 0
        if self.writes is not None and (not sql or sql.startswith(WRITES)):
            self.writes -= 1
            self.dead = self.writes < 0
        if self.dead:
            raise Killed

    def _let_pass(self):
        other, self.other, self.inside = self.other, None, True
        urls = get_urlconf()
        try:
            with translation.override(translation.get_language()):
                other()
        finally:
            set_urlconf(urls)
            self.inside = False

    def __call__(self, execute, sql, params, many, context):
        self.speak(sql)
        return execute(sql, params, many, context)

    @contextmanager
    def runs(self, *, words=None, writes=None, calm=0, other=None):
        """Let what is in the block be done by this process; :class:`Killed` comes out when it dies.

        ``other`` is called once, after ``calm`` words outside of transactions.
        """
        self.words, self.writes, self.calm, self.other = words, writes, calm, other
        try:
            with connection.execute_wrapper(self):
                yield
        except Killed:
            hang_up()
            raise
        finally:
            self.words = self.writes = self.other = None
            self.dead = self.inside = False

    @contextmanager
    def alone(self):
        """Nobody comes in between."""
        other, self.other = self.other, None
        try:
            yield
        finally:
            self.other = other


class Broker:
    """Celery's: it takes tasks, and loses them, doubles them, keeps them back and gives them out in any order."""

    def __init__(self, process, chance):
        self.process, self.random, self.queue, self.old = process, chance, [], []

    def send(self, pk):
        self.process.speak()
        luck = self.random.random()
        if luck < 0.08:
            raise ConnectionError("The broker is away.")
        self.queue += [pk] * (0 if luck < 0.16 else 2 if luck < 0.24 else 1)
        self.process.speak()

    def give(self):
        """A task for a worker, or ``None``; most often a new one, sometimes one that was given out before."""
        if self.old and self.random.random() < 0.15:
            return self.random.choice(self.old)
        if not self.queue:
            return None
        task = self.queue.pop(self.random.randrange(len(self.queue)))
        self.old.append(task)
        return task

    @contextmanager
    def opens(self):
        with mock.patch.object(tasks, "handle", SimpleNamespace(delay=self.send)):
            yield


class Post:
    """The mail server: ``fails`` is None, "before" (it takes nothing) or "after" (it takes it, and says it did not)."""

    def __init__(self, process):
        self.process, self.fails = process, None
        #: Which message each mail was that it took; ``None`` for one that is none of our messages.
        self.taken, self.at = [], None

    @contextmanager
    def opens(self):
        deliver = messaging._deliver

        def delivering(message):
            self.at = message.pk
            try:
                return deliver(message)
            finally:
                self.at = None

        Mail.post = self
        with mock.patch.object(messaging, "_deliver", delivering):
            yield


class Mail(BaseEmailBackend):
    post = None

    def send_messages(self, messages):
        post = self.post
        for _each in messages:
            post.process.speak()
            if post.fails == "before":
                raise OSError("The mail server is away.")
            post.taken.append(post.at)
            post.process.speak()
            if post.fails == "after":
                raise OSError("The line was cut after the mail had been taken.")
        return len(messages)


@contextmanager
def phones(process, chance):
    """Apple's push service: told, away, or the phone is gone."""

    def tell(*, push_token):
        process.speak()
        luck = chance.random()
        if luck < 0.15:
            raise NotTold("away")
        if luck < 0.25:
            raise Unregistered(push_token)
        process.speak()

    with mock.patch.object(push, "tell", tell), mock.patch.object(apple, "is_on", lambda: True):
        yield
