"""The member area: all that somebody has, and what to do with it, on one page that a phone can keep as an app.

Only the card is ever kept on a device, and only after its holder has asked for it there. It holds name and number, no
balance: what is offline is old.
"""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.views import generic
from django.views.decorators.cache import cache_control

from oscar_loyalty.account import sections
from oscar_loyalty.account.faces import face
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.icons import scaled
from oscar_loyalty.members import leaving
from oscar_loyalty.wallet import apple, google
from wagtail_club import next_steps, selectors

#: The pages to which the member area leads at its end; those of them that have something to show.
LINKS = ("rewards", "giftcards", "cards", "earn", "invite", "messages", "profile", "privacy")
EDGES = (192, 512)
HOLDER = "X-Loyalty-Holder"


class PrivateMixin(LoginRequiredMixin):
    """Pages of whoever is signed in, that no cache keeps."""

    @cached_property
    def club(self) -> selectors.Visitor:
        return selectors.own(self.request)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        return response


def links(programme: Any, member: Any) -> list[sections.Entry]:
    """Return the pages to which the member area leads, at the club's own addresses where it has them."""
    known = sections.facts(programme, member).known
    found = sections.entries(known, at=lambda name: reverse(f"wagtail_club:{name}"))
    return [entry for entry in found if entry.code in LINKS]


class AreaView(PrivateMixin, generic.TemplateView):
    template_name = "wagtail_club/me/area.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(club=self.club, **kwargs)
        member = self.club.member
        if member is not None:
            if member.status == member.CLOSED:
                context.update(departure=leaving.departure_of(member), area="wagtail_club")
            context.update(
                face(member),
                steps=next_steps.of(self.request, self.club),
                links=links(self.club.programme, member),
                latest=earning.latest(member, 5),
                apple=apple.is_on(),
                google=google.is_on(),
            )
        return context


class CardView(PrivateMixin, generic.TemplateView):
    """The card alone, with nothing around it: the page that opens offline."""

    template_name = "wagtail_club/me/card.html"

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # A worker that keeps the card on a phone sees the redirection, and lets the card go.
        if self.club.member is None or self.club.member.status == "closed":
            return redirect("wagtail_club:me")
        response = super().get(request, *args, **kwargs)
        # The worker tells by it whether the card that is kept on a device is still that of who is signed in.
        response[HOLDER] = salted_hmac("wagtail_club.me", str(self.club.member.pk)).hexdigest()[:20]
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(club=self.club, **face(self.club.member), **kwargs)


@method_decorator(cache_control(public=True, max_age=3600), name="dispatch")
class ManifestView(generic.View):
    def get(self, request: Any) -> JsonResponse:
        programme = selectors.visitor(request).programme
        if programme is None:
            raise Http404
        start = reverse("wagtail_club:me")
        icons = [
            {"src": reverse("wagtail_club:icon", args=[edge]), "sizes": f"{edge}x{edge}", "type": "image/png"}
            for edge in EDGES
        ]
        about = {
            "name": programme.name,
            "short_name": programme.name[:12],
            "lang": get_language(),
            "start_url": start,
            "scope": start,
            "display": "standalone",
            "background_color": "#fffdfb",
            "theme_color": "#8d3b5e",
            "icons": icons,
        }
        return JsonResponse(about, content_type="application/manifest+json")


@method_decorator(cache_control(public=True, max_age=86400), name="dispatch")
class IconView(generic.View):
    def get(self, request: Any, edge: int) -> HttpResponse:
        if edge not in EDGES:
            raise Http404
        try:
            return HttpResponse(scaled(conf.WALLET_ICON, edge), content_type="image/png")
        except OSError as error:
            raise Http404 from error


class WorkerView(generic.TemplateView):
    """The script that answers while the phone has no network. Browsers look for a new one at each visit."""

    template_name = "wagtail_club/me/sw.js"
    content_type = "text/javascript"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(card=reverse("wagtail_club:card"), holder=HOLDER, **kwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        patch_cache_control(response, no_cache=True)
        return response
