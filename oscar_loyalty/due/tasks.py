"""Celery's way in; without Celery installed this module is not imported."""

from celery import shared_task

from oscar_loyalty.due import services


@shared_task(name="oscar_loyalty.handle", ignore_result=True)
def handle(pk: int) -> bool:
    """Do one due row."""
    return services.run(pk)


@shared_task(name="oscar_loyalty.sweep", ignore_result=True)
def sweep() -> dict[str, int]:
    """Do all that is due; let beat call it every minute."""
    return services.sweep()
