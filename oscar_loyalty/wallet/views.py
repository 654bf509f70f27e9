"""The web service that Apple's Wallet asks (Apple's "PassKit Web Service Reference").

A device proves that it holds a pass by the token within it; an unknown pass and a wrong token get the same answer.
"""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.http import http_date, parse_http_date_safe
from django.views import generic
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from oscar_loyalty import clock, keys
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model
from oscar_loyalty.wallet import apple, services
from oscar_loyalty.wallet.exceptions import WalletOff

log = logging.getLogger("oscar_loyalty")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: More than a phone ever sends.
LONGEST = 16_384
#: Anybody can write to the log of complaints: so much of it is kept, from all phones together.
LINES, A_MINUTE = 20, 100
#: What could be a token, of a pass or of a phone.
TOKEN = re.compile(r"[\w+/=-]{24,}")


def pass_response(request, wallet_pass, contents):
    """Answer with the pass as a file; raises :exc:`WalletOff` where none can be made."""
    # Its last part is Apple's own: a device appends it.
    service_url = request.build_absolute_uri(reverse("loyalty-wallet:log")).removesuffix("v1/log")
    data = apple.build(
        contents=contents,
        serial=wallet_pass.serial,
        token=wallet_pass.token,
        service_url=service_url,
        shop_url=request.build_absolute_uri("/"),
    )
    response = HttpResponse(data, content_type=apple.MIME)
    response["Content-Disposition"] = 'attachment; filename="card.pkpass"'
    response["Last-Modified"] = http_date(wallet_pass.changed_at.timestamp())
    patch_cache_control(response, private=True, no_store=True)
    return response


@method_decorator([csrf_exempt, never_cache, transaction.non_atomic_requests], name="dispatch")
class ServiceView(generic.View):
    """Refuses every device while passes are off.

    A phone may take its time with what it sends: no transaction is open meanwhile, whatever ``ATOMIC_REQUESTS`` says.
    It has no token of ours against forged forms. Both are said on ``dispatch``: a view that has its own says neither.
    """

    def dispatch(self, request, *args, **kwargs):
        ours = kwargs.get("kind", conf.WALLET_APPLE_TYPE) == conf.WALLET_APPLE_TYPE
        if not apple.is_on() or not ours or not keys.is_text(kwargs.get("device", "")):
            return HttpResponse(status=404)
        if not self.may(request, **kwargs):
            return HttpResponse(status=401)
        return super().dispatch(request, *args, **kwargs)

    def may(self, request, **kwargs):
        return True

    @cached_property
    def body(self):
        if len(self.request.body) > LONGEST:
            return {}
        try:
            data = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}


class HolderView(ServiceView):
    """Answers who shows the token of the pass."""

    def may(self, request, **kwargs):
        self.wallet_pass = get_model("loyalty_wallet", "WalletPass").objects.filter(serial=kwargs["serial"]).first()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = self.wallet_pass is not None and scheme == "ApplePass"
        return known and constant_time_compare(token, self.wallet_pass.token)


class RegistrationView(HolderView):
    def post(self, request, device, kind, serial):
        token = self.body.get("pushToken")
        if not isinstance(token, str) or not token.isalnum() or len(token) > 200 or len(device) > 200:
            return HttpResponse(status=400)
        created = services.register(wallet_pass=self.wallet_pass, device=device, push_token=token)
        return HttpResponse(status=201 if created else 200)

    def delete(self, request, device, kind, serial):
        services.unregister(wallet_pass=self.wallet_pass, device=device)
        return HttpResponse(status=200)


class ChangedView(ServiceView):
    """Which passes of a device have changed. The device's own id is all that it shows, as Apple has it."""

    def get(self, request, device, kind):
        passes = get_model("loyalty_wallet", "WalletPass").objects.filter(registrations__device=device)
        rows = [services.refresh(wallet_pass=row)[0] for row in passes.order_by("pk")[:50]]
        since = request.GET.get("passesUpdatedSince", "")
        if since.isdecimal() and len(since) < 20:
            rows = [row for row in rows if _tag(row.changed_at) > int(since)]
        if not rows:
            return HttpResponse(status=204)
        last = max(_tag(row.changed_at) for row in rows)
        return JsonResponse({"serialNumbers": [str(row.serial) for row in rows], "lastUpdated": str(last)})


class LatestView(HolderView):
    def get(self, request, kind, serial):
        row, contents = services.refresh(wallet_pass=self.wallet_pass)
        seen = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        if seen is not None and int(row.changed_at.timestamp()) <= seen:
            return HttpResponse(status=304)
        try:
            return pass_response(request, row, contents)
        except WalletOff:
            log.exception("A pass could not be made")
            return HttpResponse(status=503)


class LogView(ServiceView):
    """What a phone complains of, for whoever looks for a mistake in the certificates."""

    def post(self, request):
        lines = self.body.get("logs")
        for line in lines[:LINES] if isinstance(lines, list) else []:
            if not _may_log():
                break
            log.warning("A phone about a pass: %r", TOKEN.sub("…", str(line)[:500]))
        return HttpResponse(status=200)


def _may_log() -> bool:
    key = f"loyalty-wallet-log:{clock.now():%Y%m%d%H%M}"
    cache.add(key, 0, 120)
    try:
        return cache.incr(key) <= A_MINUTE
    except ValueError:  # the shop has no cache, or it was emptied just now
        return True


def _tag(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
