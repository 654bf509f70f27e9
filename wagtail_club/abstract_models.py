"""What a shop's own page types build on, and the tables in which decisions about pages are kept."""

from uuid import uuid4

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList, TabbedInterface
from wagtail.fields import StreamField
from wagtail.images import get_image_model_string

from wagtail_club.blocks import GuestBlock
from wagtail_club.forms import ClubPageForm
from wagtail_club.panels import FilesPanel

#: Wagtail 8 lets a project swap its page model; 7.4 does not know the setting.
PAGE = getattr(settings, "WAGTAIL_PAGE_MODEL", "wagtailcore.Page")


class ClubPageMixin(models.Model):
    """What every page of the club shares: for whom it is, what others see of it, and that no cache may keep it.

    Put it before ``Page`` in the bases of a page type of your own. Its template finds the visitor
    (:class:`wagtail_club.selectors.Visitor`) as ``club``. The fields are what the editor wishes;
    :mod:`wagtail_club.access` decides.
    """

    SAME, TIER, NAMED = "same", "tier", "named"
    AUDIENCES = [
        (SAME, _("Like the page above; everybody, where that one is open")),
        (TIER, _("Members of a tier, and of all higher ones")),
        (NAMED, _("Only the people named below")),
    ]

    audience = models.CharField(_("who may see it"), max_length=8, choices=AUDIENCES, default=SAME)
    minimum_tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("minimum tier"),
        help_text=_("The lowest tier whose members may see the page. The lowest of all means every member."),
    )
    guests = StreamField(
        GuestBlock(),
        verbose_name=_("people named"),
        blank=True,
        help_text=_("Members and groups who may see the page whatever their tier."),
    )
    teased = models.BooleanField(
        _("announce it to others"),
        default=True,
        help_text=_("Lists show it to those who may not see it, with a lock and with the words below."),
    )
    teaser_title = models.CharField(
        _("title for others"),
        max_length=120,
        blank=True,
        help_text=_("People who may not see the page read this, never its own title. Empty: a general sentence."),
    )
    teaser_text = models.CharField(_("words for others"), max_length=300, blank=True)
    teaser_image = models.ForeignKey(
        get_image_model_string(),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("picture for others"),
        help_text=_("Everybody may see this picture: choose one that gives nothing away."),
    )
    guest_passes = models.PositiveSmallIntegerField(
        _("guest passes"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("How many friends each member may bring to this page. 0: none; passes that were given end."),
    )
    guest_pass_days = models.PositiveSmallIntegerField(
        _("days of a guest pass"), default=7, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    closed_by_place = models.CharField(max_length=12, blank=True, default="", editable=False)

    club_panels = [
        FilesPanel(),
        MultiFieldPanel(
            [FieldPanel("audience"), FieldPanel("minimum_tier"), FieldPanel("guests")], heading=_("Who may see it")
        ),
        MultiFieldPanel(
            [
                FieldPanel("teased"),
                FieldPanel("teaser_title"),
                FieldPanel("teaser_text"),
                FieldPanel("teaser_image"),
            ],
            heading=_("For others"),
        ),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("guest_passes"), FieldPanel("guest_pass_days")])],
            heading=_("Bring a friend"),
        ),
    ]
    #: Set for the visitor of the moment, who is here by a guest pass.
    club_guest = False
    #: The page below which an editor is writing this one, as long as it is not saved.
    club_parent = None
    #: A form of a shop's own extends it.
    base_form_class = ClubPageForm
    #: The club's own panel takes the place of Wagtail's privacy button, which knows no tiers.
    private_page_options = []

    class Meta:
        abstract = True

    def serializable_data(self):
        data = super().serializable_data()
        # Where a page stands is no part of what is written on it: a revision published later must not bring it back.
        data.pop("closed_by_place", None)
        return data

    @classmethod
    def get_edit_handler(cls):
        # Every page type of the club gets the panel, a shop's own too, unless it brings a screen of its own.
        if not hasattr(cls, "edit_handler"):
            return tabs(cls).bind_to_model(cls)
        return super().get_edit_handler()

    def get_view_restrictions(self):
        """The page's own mirror and what others have closed above it: the club's pages above have decided already."""
        rows = super().get_view_restrictions() | self.view_restrictions.all()
        if self.club_guest:
            return rows.filter(club_access__isnull=True)
        return rows.filter(models.Q(page=self.pk) | models.Q(club_access__isnull=True))

    @property
    def preview_modes(self):
        from wagtail_club import preview

        return preview.modes(self)

    def serve_preview(self, request, mode_name):
        from wagtail_club import preview

        return preview.serve(self, request, mode_name)

    def get_context(self, request, *args, **kwargs):
        from wagtail_club import selectors

        context = super().get_context(request, *args, **kwargs)
        context["club"] = selectors.visitor(request)
        return context

    def serve_password_required_response(self, request, form, action_url):
        # Wagtail has an address that answers this for any page; the template of a shop may name the page.
        from wagtail_club import views

        return views.refuse(self, request) or super().serve_password_required_response(request, form, action_url)

    def get_cache_key_components(self):
        # Wagtail's tag {% wagtailpagecache %} would show what it kept for a member of Gold to the next reader.
        return [*super().get_cache_key_components(), uuid4().hex]

    def serve(self, request, *args, **kwargs):
        response = super().serve(request, *args, **kwargs)
        # The page greets a member by name: neither a proxy nor the back button of a shared till may keep it.
        patch_cache_control(response, private=True, no_store=True)
        return response


def tabs(page_type):
    """Return the editor's screen of a club page: Wagtail's tabs, with one for who may see it."""
    return TabbedInterface(
        [
            ObjectList(page_type.content_panels, heading=_("Content")),
            ObjectList(page_type.club_panels, heading=_("Who may see it")),
            ObjectList(page_type.promote_panels, heading=_("Promote")),
            ObjectList(page_type.settings_panels, heading=_("Settings")),
        ],
        base_form_class=page_type.base_form_class,
    )


class AbstractPageAccess(models.Model):
    """What was decided of a page: whether it is closed, from which tier on it opens, and where that is mirrored.

    Every club page has a row, and every page of another type below a closed one. ``words`` is what the club's
    search looks through; Wagtail's index holds open pages only.
    """

    page = models.OneToOneField(PAGE, on_delete=models.CASCADE, primary_key=True, related_name="club_access")
    closed = models.BooleanField(_("closed"), default=False)
    teased = models.BooleanField(_("announced to others"), default=False)
    tier = models.ForeignKey("loyalty_members.Tier", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    guest_group = models.OneToOneField(
        "auth.Group", on_delete=models.PROTECT, null=True, blank=True, related_name="club_page"
    )
    restriction = models.OneToOneField(
        "wagtailcore.PageViewRestriction",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="club_access",
    )
    #: Of a page that is not of the club, which has no field for it: taken out of a closed place, unpublished since.
    held = models.BooleanField(_("kept closed until it is published"), default=False)
    words = models.TextField(blank=True)

    class Meta:
        abstract = True
        app_label = "wagtail_club"
        verbose_name = _("access to a page")
        verbose_name_plural = _("access to pages")
        indexes = [models.Index(fields=["closed", "page"], name="wagtail_club_closed")]

    def __str__(self):
        return f"{self.page_id}: {'closed' if self.closed else 'open'}"


class AbstractPageGuest(models.Model):
    """A member named on a page; kept so that a change of the membership finds the page."""

    page = models.ForeignKey(PAGE, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True
        app_label = "wagtail_club"
        verbose_name = _("guest of a page")
        verbose_name_plural = _("guests of pages")
        constraints = [models.UniqueConstraint(fields=["page", "member"], name="wagtail_club_guest")]

    def __str__(self):
        return f"{self.page_id}: {self.member_id}"


class AbstractPageGroupPermission(GroupObjectPermissionBase):
    """guardian's permission of a group to see a page: the decision. On the base page, so that it cascades with it."""

    content_object = models.ForeignKey(PAGE, on_delete=models.CASCADE, related_name="club_permissions")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True
        app_label = "wagtail_club"
        verbose_name = _("permission to see a page")
        verbose_name_plural = _("permissions to see pages")


__all__ = [
    "AbstractPageAccess",
    "AbstractPageGroupPermission",
    "AbstractPageGuest",
    "ClubPageMixin",
    "tabs",
]
