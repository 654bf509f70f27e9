"""Loads Maison Pétale with its members and their months of orders and visits; run again, it changes nothing."""

import time
from contextlib import contextmanager
from datetime import datetime

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from oscar_loyalty.due import services as due
from oscar_loyalty.reports import audit
from sandbox.demo.extras import load_extras
from sandbox.demo.history import History, midnight
from sandbox.demo.models import DemoLoad
from sandbox.demo.people import people
from sandbox.demo.programme import load_programme
from sandbox.demo.progress import Progress
from sandbox.demo.rhythm import Writer
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_club_pages import load_club_pages


class Command(BaseCommand):
    help = "Load the demo: catalogue, calendar, programme, members, and what they did until today."

    def add_arguments(self, parser):
        parser.add_argument("--members", type=int, default=400, help="How many members (at least 2).")
        parser.add_argument("--months", type=int, default=14, help="How many months back it begins.")
        parser.add_argument("--seed", type=int, default=1, help="Another number makes another salon.")

    def handle(self, *, members, months, seed, **options):
        began = time.monotonic()
        load = DemoLoad.objects.first()
        if load is not None and load.finished_at is not None:
            self.stdout.write(f"The demo is loaded: {load}. Nothing to do.")
            return
        progress = Progress(self.stdout._out)
        if load is None:
            today = timezone.localdate(timezone=timezone.get_default_timezone())
            load = DemoLoad.objects.create(today=today, members=max(members, 2), months=months, seed=seed)
        with quietly():
            load_catalogue(progress=progress.begin)
            self.fill(load, progress)
            progress.begin("sweep")
            due.sweep()
            progress.begin("audit")
            audit.run()
        progress.end()
        load.finished_at = timezone.now()
        load.save()
        self.stdout.write(f"{load}: {time.monotonic() - began:.0f} s")

    def fill(self, load, progress):
        start = load.today - relativedelta(months=load.months)
        progress.begin("programme")
        programme = load_programme(started_at=midnight(start))
        now = self.moment(load)
        load_club_pages()
        customers = people(count=load.members, seed=load.seed)
        rhythm = Writer(people=customers, start=start, now=now, seed=load.seed).write()
        History(
            programme=programme, people=customers, rhythm=rhythm, now=now, seed=load.seed, progress=progress
        ).happen()
        load_extras(programme, now=now)

    @staticmethod
    def moment(load) -> datetime:
        """Return until when things happened: now, or the end of the day on which the load was begun."""
        end_of_day = midnight(load.today) + relativedelta(days=1, seconds=-1)
        return min(timezone.now(), end_of_day)


@contextmanager
def quietly():
    """Send nothing, since the past was told when it was the past; and let Django keep no record of its queries."""
    before = settings.EMAIL_BACKEND, settings.DEBUG
    settings.EMAIL_BACKEND, settings.DEBUG = "django.core.mail.backends.dummy.EmailBackend", False
    try:
        yield
    finally:
        settings.EMAIL_BACKEND, settings.DEBUG = before
