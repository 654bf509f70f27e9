"""An index for the search of members by any part of a name, an e-mail or a number, where PostgreSQL has one.

It needs PostgreSQL's own extension ``pg_trgm``, which whoever owns the database may install (from PostgreSQL 13 on).
Where it cannot be had, the search works all the same, and looks at all members.
"""

import logging
from typing import Any

from django.db import DatabaseError, connections, transaction

from oscar_loyalty.loading import get_model

log = logging.getLogger("oscar_loyalty")

NAME = "loyalty_member_words"
#: As Django writes the conditions of :func:`oscar_loyalty.members.selectors.search`.
COLUMNS = {
    "first_name": "UPPER({}::text)",
    "last_name": "UPPER({}::text)",
    "email": "UPPER({}::text)",
    "number": "({}::text)",
}


def install(using: str) -> bool:
    """Make the index, unless it is there; return whether it is."""
    connection, model = connections[using], get_model("loyalty_members", "Member")
    quote = connection.ops.quote_name
    cells = (f"{text.format(quote(model._meta.get_field(name).column))} gin_trgm_ops" for name, text in COLUMNS.items())
    table = quote(model._meta.db_table)
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_class WHERE relname = %s", [NAME])
            if cursor.fetchone() is not None:
                return True
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {NAME} ON {table} USING gin ({', '.join(cells)})")
            # What these expressions are worth is known once the table was looked at.
            cursor.execute(f"ANALYZE {table}")
    except DatabaseError as error:
        log.warning("The search of members has no index of its own: %s", error)
        return False
    return True


def after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    """Receiver of ``post_migrate``."""
    connection = connections[using]
    table = get_model("loyalty_members", "Member")._meta.db_table
    if connection.vendor == "postgresql" and table in connection.introspection.table_names():
        install(using)
