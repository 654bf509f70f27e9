"""One door for all pages of products: who may not know of one finds nothing behind it."""

from typing import Any

from django.http import Http404
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import access, words

#: Pages about a product, by the name of their URL, with the argument that is its key.
PRODUCT_PAGES = {
    "catalogue:detail": "pk",
    "catalogue:reviews-list": "product_pk",
    "catalogue:reviews-add": "product_pk",
    "catalogue:reviews-detail": "product_pk",
    "catalogue:reviews-vote": "product_pk",
    "basket:add": "pk",
    "customer:alert-create": "pk",
    "customer:wishlists-add-product": "product_pk",
    "customer:wishlists-create-with-product": "product_pk",
}
WISH_LISTS = {"customer:wishlists-detail"}
#: Pages about an offer, likewise, by its slug.
OFFER_PAGES = {"offer:detail": "slug"}


class EarlyAccessMiddleware:
    """Tells lists of products who looks, answers for pages of products that are not for the visitor, and keeps caches
    from sharing what is not everybody's. It comes after Django's ``AuthenticationMiddleware``."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        with access.looking(request):
            response = self.get_response(request)
        known = getattr(request, "_loyalty_viewer", None)
        if known is not None and known[1].is_concerned:
            patch_vary_headers(response, ["Cookie"])
            patch_cache_control(response, private=True)
            if getattr(request, "_loyalty_privileged", False):
                patch_cache_control(response, no_store=True)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name = request.resolver_match.view_name
        if name in PRODUCT_PAGES:
            return self._product(request, name, kwargs[PRODUCT_PAGES[name]])
        if name in OFFER_PAGES:
            self._offer(request, kwargs[OFFER_PAGES[name]])
        return None

    def process_template_response(self, request: Any, response: Any) -> Any:
        """A wish list may be shown to others, and outlives a tier: what is hidden from whoever looks is not named."""
        match = request.resolver_match
        if match is not None and match.view_name in WISH_LISTS and response.context_data:
            form = response.context_data.get("form")
            for line in getattr(form, "forms", None) or []:
                product = line.instance.product
                if product is not None and not access.unlisted([product], access.viewer_of(request)):
                    line.instance.product, line.instance.title = None, _("For members first")
        return response

    def _product(self, request: Any, name: str, pk: Any) -> Any:
        who = access.viewer_of(request)
        if not who.windows:
            return None
        product = get_model("catalogue", "Product").objects.filter(pk=pk).only("pk", "parent").first()
        gate = who.gate(product) if product is not None else access.OPEN
        request._loyalty_privileged = gate.window is not None
        if who.sees_all or gate.listed:
            return None
        if gate.others == "teased" and name == "catalogue:detail":
            return teaser(request, gate)
        raise Http404

    def _offer(self, request: Any, slug: str) -> None:
        who = access.viewer_of(request)
        hidden = who.hidden_offers()
        request._loyalty_privileged = bool(who.windows)
        if hidden and get_model("offer", "ConditionalOffer").objects.filter(slug=slug, pk__in=hidden).exists():
            raise Http404


def teaser(request: Any, gate: access.Gate, *, text: str | None = None) -> TemplateResponse:
    """Answer with the owner's words (or ``text``) and the distance, and with nothing of the product: 403, and no cache
    keeps it."""
    member = members.member_of_request(request)
    response = TemplateResponse(
        request,
        "oscar_loyalty/early/teaser.html",
        {
            "title": _("For members first"),
            "text": gate.window.words if text is None else text,
            "refusal": words.refusal(gate),
            "distance": words.distance(member, gate.window.tier),
            "tier": gate.window.tier,
            "member": member,
            "path": request.path,
        },
        status=403,
    )
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, ["Cookie"])
    response["X-Robots-Tag"] = "noindex"
    return response
