"""Asking a provider for the money, once points and cards are set aside."""

import logging
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.payments import exceptions, services, tenders

log = logging.getLogger("oscar_loyalty")


def ask(*, attempt: Any, ways: tenders.Ways) -> str:
    """Return the address at which the customer pays what points and cards do not; ``""`` when nothing is left.

    It asks over the network, so it must not run inside a transaction.

    :raises PaymentProblem: when it cannot be paid like that now; the attempt is undone, nothing was taken.
    """
    tender = services.provider_tender(attempt)
    if tender is None:
        return ""
    kind = tenders.provider(tender.kind)
    try:
        asked = kind.authorise(tender=tender, ways=ways)
    except (exceptions.ProviderDown, exceptions.ProviderRefused) as problem:
        log.error("No page to pay at for the attempt %s: %s", attempt.uuid, problem)
        # Nobody was given its address, so nobody can pay, even if it was made.
        services.cancel(attempt=attempt, reason=str(problem))
        raise exceptions.PaymentProblem(
            _("Paying by card does not work at the moment; nothing was taken. Please try again in a few minutes.")
        ) from problem
    if _remember(attempt, tender, asked):
        return asked.url
    # It was undone while we asked: nobody has seen the address, and nobody shall.
    try:
        kind.close(tender=tender)
    except exceptions.PaymentProblem:
        log.warning("The page of attempt %s will close by itself", attempt.uuid)
    raise exceptions.AttemptClosed(_("This took too long: what was set aside for it is free again. Please try again."))


@transaction.atomic
def _remember(attempt: Any, tender: Any, asked: tenders.Asked) -> bool:
    row = services.locked(attempt)
    tender.session = asked.session
    tender.detail = {**tender.detail, "url": asked.url, "until": asked.until.isoformat()}
    tender.save(update_fields=["session", "detail"])
    if row.state != "open":
        return False
    services.redirected(attempt=row, until=clock.now() + services.AGAIN)
    return True
