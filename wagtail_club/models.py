from django.db import models
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page

from wagtail_club import selectors
from wagtail_club.blocks import BenefitBlock


class ClubPageMixin:
    """What every page of the club shares: it knows its visitor, and no cache may keep what it shows.

    Put it before ``Page`` in the bases of a page type of your own; the template finds the visitor
    (:class:`wagtail_club.selectors.Visitor`) as ``club``.
    """

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        context["club"] = selectors.visitor(request)
        return context

    def serve(self, request, *args, **kwargs):
        response = super().serve(request, *args, **kwargs)
        # The page greets a member by name: neither a proxy nor the back button of a shared till may keep it.
        patch_cache_control(response, private=True, no_store=True)
        return response


class ClubHomePage(ClubPageMixin, Page):
    """The front door of the club: joining for visitors, the balance for members, the tiers for both."""

    tagline = models.CharField(
        verbose_name=_("tagline"), max_length=160, blank=True, help_text=_("One line under the title.")
    )
    introduction = RichTextField(
        verbose_name=_("introduction"),
        blank=True,
        features=["bold", "italic", "link", "ul"],
        help_text=_("What the club is, for somebody who has not joined yet."),
    )
    benefits = StreamField(
        [("benefit", BenefitBlock())], verbose_name=_("benefits"), blank=True, help_text=_("What members get.")
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("tagline"),
        FieldPanel("introduction"),
        FieldPanel("benefits"),
    ]
    template = "wagtail_club/club_home_page.html"

    class Meta:
        verbose_name = _("club home")
        verbose_name_plural = _("club homes")
