from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import generic
from django.views.decorators.csrf import csrf_exempt

from oscar_loyalty.payments.stripe import webhooks

#: Stripe's events are a few thousand bytes long.
LARGEST = 512 * 1024


@method_decorator([csrf_exempt, transaction.non_atomic_requests], name="dispatch")
class WebhookView(generic.View):
    """Where Stripe tells us what happened: stored and answered at once, handled afterwards."""

    http_method_names = ["post"]

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if not 0 < size <= LARGEST:
            return HttpResponse("No event.", status=400, content_type="text/plain")
        try:
            webhooks.receive(payload=request.body, signature=request.headers.get("Stripe-Signature", ""))
        except webhooks.NotFromStripe:
            return HttpResponse("No valid signature.", status=400, content_type="text/plain")
        return HttpResponse("Thank you.", content_type="text/plain")
