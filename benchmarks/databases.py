"""A test database, made and taken away."""

from contextlib import contextmanager


@contextmanager
def of_its_own():
    from django.db import connection

    # The schema as the models have it: the tests' own settings leave some apps without migrations.
    connection.settings_dict["TEST"]["MIGRATE"] = False
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)


def settle():
    """Let the database know what it holds, as autovacuum would in time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
