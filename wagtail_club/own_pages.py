"""The member's own pages in the club: those of the shop's account, in the club's frame and at its addresses."""

from typing import Any

from django.urls import reverse

from oscar_loyalty.loading import get_class
from wagtail_club.me import PrivateMixin

AREA = "wagtail_club"


class InClub(PrivateMixin):
    """Put before one of the account's views: what it shows and does is the same."""

    frame = "wagtail_club/me/frame.html"
    area = AREA

    def at(self, name: str, **kwargs: Any) -> str:
        return reverse(f"{AREA}:{'me' if name == 'overview' else name}", kwargs=kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(club=self.club, **kwargs)


def page(name: str, module: str = "views") -> Any:
    """Return the view ``name`` of the account, a shop's own one where it has one, as a page of the club."""
    return type(name, (InClub, get_class(f"account.{module}", name)), {}).as_view()
