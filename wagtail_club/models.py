"""The page types of the club, and the tables of its decisions. A shop's own types use :class:`ClubPageMixin`."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.images import get_image_model_string
from wagtail.models import Page
from wagtail.search import index
from wagtail.url_routing import RouteResult

from oscar_loyalty import clock
from wagtail_club import feeds, selectors
from wagtail_club.abstract_models import (
    AbstractPageAccess,
    AbstractPageGroupPermission,
    AbstractPageGuest,
    ClubPageMixin,
)
from wagtail_club.blocks import BenefitBlock, BodyBlock, ProductsBlock

__all__ = [
    "ClubArticlePage",
    "ClubHomePage",
    "ClubOfferPage",
    "ClubPageMixin",
    "ClubSectionPage",
    "PageAccess",
    "PageGroupPermission",
    "PageGuest",
]


class PageAccess(AbstractPageAccess):
    pass


class PageGuest(AbstractPageGuest):
    pass


class PageGroupPermission(AbstractPageGroupPermission):
    class Meta(AbstractPageGroupPermission.Meta):
        pass


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

    picture = models.ForeignKey(
        get_image_model_string(),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("picture"),
        help_text=_("Stands in an arch beside the title, upright: its middle is what is seen."),
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("picture"),
        FieldPanel("tagline"),
        FieldPanel("introduction"),
        FieldPanel("benefits"),
    ]
    template = "wagtail_club/club_home_page.html"
    lists_pages = True

    class Meta:
        verbose_name = _("club home")
        verbose_name_plural = _("club homes")

    def route(self, request, path_components):
        # A page of that name goes first: an editor wanted it.
        if path_components == [feeds.SLUG] and self.live and not self.get_children().filter(slug=feeds.SLUG).exists():
            return RouteResult(self, kwargs={"as_feed": True})
        return super().route(request, path_components)

    def serve(self, request, *args, as_feed=False, **kwargs):
        return feeds.serve(self, request) if as_feed else super().serve(request, *args, **kwargs)

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        if query:
            context["query"], context["results"] = query, selectors.search(self, query, request)
        else:
            context["shelves"] = selectors.shelves(self, request)
        return context


class PicturedPage(ClubPageMixin, Page):
    """What sections, articles and offers share: a picture and a few words at the top."""

    introduction = models.TextField(_("introduction"), max_length=400, blank=True)
    picture = models.ForeignKey(
        get_image_model_string(),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("picture"),
    )
    search_fields = [*Page.search_fields, index.SearchField("introduction")]
    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("picture")]

    class Meta:
        abstract = True


class ReadPage(PicturedPage):
    """A page to read, with the way on to those beside it."""

    class Meta:
        abstract = True

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        context["beside"] = selectors.beside(self, request)
        return context


class ClubSectionPage(PicturedPage):
    """A shelf of the club: lists the pages below it."""

    template = "wagtail_club/club_section_page.html"
    lists_pages = True

    class Meta:
        verbose_name = _("club section")
        verbose_name_plural = _("club sections")

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        context["cards"] = selectors.children(self, request)
        return context


class ClubArticlePage(ReadPage):
    """Something to read, watch, follow or take home."""

    body = StreamField(BodyBlock(), verbose_name=_("content"), blank=True)

    search_fields = [*PicturedPage.search_fields, index.SearchField("body")]
    content_panels = [*PicturedPage.content_panels, FieldPanel("body")]
    template = "wagtail_club/club_article_page.html"

    @property
    def is_howto(self) -> bool:
        """Whether there are steps in it, which take more room."""
        return any(block.block_type == "steps" for block in self.body)

    class Meta:
        verbose_name = _("club article")
        verbose_name_plural = _("club articles")


class ClubOfferPage(ReadPage):
    """A promo code, products, or a private sale between two moments."""

    SOON, RUNNING, OVER = "soon", "running", "over"

    code = models.CharField(
        _("promo code"), max_length=128, blank=True, help_text=_("The code of a voucher of the shop. Empty: none.")
    )
    opens_at = models.DateTimeField(
        _("opens"), null=True, blank=True, help_text=_("Until then the code and the products are not shown.")
    )
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    body = StreamField(BodyBlock(), verbose_name=_("content"), blank=True)
    products = StreamField(
        [("products", ProductsBlock())],
        verbose_name=_("products"),
        blank=True,
        help_text=_("Shown while the offer runs."),
    )

    search_fields = [*PicturedPage.search_fields, index.SearchField("body")]
    content_panels = [
        *PicturedPage.content_panels,
        MultiFieldPanel(
            [FieldPanel("code"), FieldRowPanel([FieldPanel("opens_at"), FieldPanel("ends_at")])], heading=_("The offer")
        ),
        FieldPanel("products"),
        FieldPanel("body"),
    ]
    template = "wagtail_club/club_offer_page.html"

    class Meta:
        verbose_name = _("club offer")
        verbose_name_plural = _("club offers")

    def clean(self):
        super().clean()
        if self.opens_at and self.ends_at and self.ends_at <= self.opens_at:
            raise ValidationError({"ends_at": _("The offer ends before it opens.")})

    @property
    def state(self) -> str:
        now = clock.now()
        if self.opens_at and now < self.opens_at:
            return self.SOON
        return self.OVER if self.ends_at and now >= self.ends_at else self.RUNNING
