"""Oscar's own migrations, found where Oscar keeps them, and after them the French columns.

A copy would have to be kept in step with Oscar; an initial migration of our own would miss what Oscar's
create besides tables (a materialized view on PostgreSQL).
"""

from oscar.apps.catalogue import migrations

__path__ = [*__path__, *migrations.__path__]
