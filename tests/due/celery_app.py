"""The Celery application of a shop, as small as can be, with a handler to be seen from outside."""

import os

from celery import Celery

app = Celery("tests")
app.conf.update(
    broker_url=os.environ.get("PROCESS_BROKER") or os.environ.get("REDIS_URL"),
    task_default_queue=os.environ.get("PROCESS_QUEUE", "loyalty"),
    broker_connection_retry_on_startup=True,
    include=["oscar_loyalty.due.tasks"],
)

if os.environ.get("PROCESS_QUEUE"):
    # We are the worker. In the test's own process Django is set up already, and nothing is to be registered.
    import django

    django.setup()

    from oscar_loyalty.due import registry, services

    @registry.handler("celery.test")
    def handle(row):
        services.leave(kind="celery.trace", key=row.key, payload={"pid": os.getpid(), **row.payload})
