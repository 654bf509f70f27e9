from contextlib import nullcontext

from django.core.management.commands import flush
from django.db import connections

from oscar_loyalty.ledger import triggers


class Command(flush.Command):
    """Django's own, which every test that commits ends with; SQLite's guard of the ledger stands aside for it.

    It deletes the entries row by row there. PostgreSQL truncates their table, which the guard of rows lets happen.
    """

    def handle(self, **options):
        using = options["database"]
        guarded = connections[using].vendor == "sqlite" and not triggers.missing(using)
        with triggers.lifted(using) if guarded else nullcontext():
            super().handle(**options)
