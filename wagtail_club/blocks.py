"""The blocks that club pages are made of; a page type of a shop's own may use them as well."""

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

from oscar_loyalty.loading import get_model
from wagtail_club.choosers import MemberChooserBlock, ProductChooserBlock

PROSE = ["bold", "italic", "link", "ul", "ol"]


class BenefitBlock(blocks.StructBlock):
    """One thing that membership brings, in a few words."""

    title = blocks.CharBlock(label=_("Title"), max_length=80)
    text = blocks.TextBlock(label=_("Text"), max_length=300)

    class Meta:
        icon = "pick"
        label = _("Benefit")
        template = "wagtail_club/blocks/benefit.html"


class SelectBlock(blocks.ChooserBlock):
    """A chooser for a handful of rows: a plain list to choose from."""

    widget = forms.Select

    def value_for_form(self, value):
        return value.pk if isinstance(value, self.model_class) else value

    def get_form_state(self, value):
        # A select in the editor's screen is told of a list of words, one for a new block too.
        return self.field.widget.format_value(self.value_for_form(value))


class TierBlock(SelectBlock):
    """A tier of any programme: a block knows no page. The form of a club page takes those of its own Site's only."""

    target_model = "loyalty_members.Tier"

    @cached_property
    def field(self):
        from wagtail_club.forms import TierField, choosable_tiers

        return TierField(
            queryset=choosable_tiers(),
            widget=self.widget,
            required=self._required,
            validators=self._validators,
            help_text=self._help_text,
        )

    class Meta:
        icon = "order"
        label = _("Tier")


class GroupBlock(SelectBlock):
    """A group of users; those that the club keeps for itself are not offered."""

    target_model = "auth.Group"

    @cached_property
    def field(self):
        from wagtail_club.access import own_groups

        field = super().field
        field.queryset = get_model("auth", "Group").objects.exclude(own_groups()).order_by("name")
        return field

    class Meta:
        icon = "group"
        label = _("Group")


class GuestBlock(blocks.StreamBlock):
    """Who may see a page whatever the tier."""

    member = MemberChooserBlock(label=_("Member"))
    group = GroupBlock()

    class Meta:
        required = False


class HeadingBlock(blocks.CharBlock):
    class Meta:
        icon = "title"
        label = _("Heading")
        template = "wagtail_club/blocks/heading.html"


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=_("Picture"))
    alt = blocks.CharBlock(
        label=_("Description"),
        max_length=200,
        required=False,
        help_text=_("What the picture shows, for those who cannot see it. Empty for mere decoration."),
    )
    caption = blocks.CharBlock(label=_("Caption"), max_length=200, required=False)

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "wagtail_club/blocks/picture.html"


class VideoBlock(blocks.StructBlock):
    """A video file of the shop's own documents: no visitor is sent to another host."""

    file = DocumentChooserBlock(label=_("Video"), help_text=_("An MP4 or WebM file."))
    title = blocks.CharBlock(label=_("Title"), max_length=120)
    poster = ImageChooserBlock(label=_("Picture before it starts"), required=False)
    subtitles = DocumentChooserBlock(label=_("Subtitles"), required=False, help_text=_("A WebVTT file."))
    transcript = blocks.RichTextBlock(label=_("What is said"), features=PROSE, required=False)

    class Meta:
        icon = "media"
        label = _("Video")
        template = "wagtail_club/blocks/video.html"


class StepBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=120)
    text = blocks.RichTextBlock(label=_("Text"), features=PROSE)
    image = ImageChooserBlock(label=_("Picture"), required=False)

    class Meta:
        icon = "list-ol"
        label = _("Step")


class StepsBlock(blocks.StructBlock):
    """A how-to: what is needed, how long it takes, and the steps."""

    minutes = blocks.IntegerBlock(label=_("Minutes"), min_value=1, required=False)
    needed = blocks.ListBlock(blocks.CharBlock(max_length=120), label=_("What you need"), default=[])
    steps = blocks.ListBlock(StepBlock(), label=_("Steps"))

    class Meta:
        icon = "list-ol"
        label = _("How to")
        template = "wagtail_club/blocks/steps.html"


class TipBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"), max_length=120, required=False)
    text = blocks.RichTextBlock(label=_("Text"), features=PROSE)

    class Meta:
        icon = "help"
        label = _("Tip")
        template = "wagtail_club/blocks/tip.html"


class QuoteBlock(blocks.StructBlock):
    text = blocks.TextBlock(label=_("Quotation"), max_length=400)
    source = blocks.CharBlock(label=_("Who says it"), max_length=120, required=False)

    class Meta:
        icon = "openquote"
        label = _("Quotation")
        template = "wagtail_club/blocks/quote.html"


class DownloadBlock(blocks.StructBlock):
    document = DocumentChooserBlock(label=_("Document"))
    title = blocks.CharBlock(label=_("Title"), max_length=120, required=False)

    class Meta:
        icon = "download"
        label = pgettext_lazy("noun", "Download")
        template = "wagtail_club/blocks/download.html"


class ProductsBlock(blocks.StructBlock):
    """Products of the shop, with today's price and the way to buy them."""

    title = blocks.CharBlock(label=_("Title"), max_length=120, required=False)
    products = blocks.ListBlock(ProductChooserBlock(label=_("Product")), label=_("Products"), max_num=12)

    def get_context(self, value, parent_context=None):
        from wagtail_club import selectors

        context = super().get_context(value, parent_context=parent_context)
        context["products"] = selectors.products(value["products"])
        return context

    class Meta:
        icon = "tag"
        label = _("Products")
        template = "wagtail_club/blocks/products.html"


class CodeBlock(blocks.StructBlock):
    """A code to type at the checkout, and what it brings."""

    code = blocks.CharBlock(label=_("Code"), max_length=128)
    text = blocks.CharBlock(label=_("What it brings"), max_length=200)
    note = blocks.CharBlock(label=_("Small print"), max_length=300, required=False)

    class Meta:
        icon = "tag"
        label = _("Promo code")
        template = "wagtail_club/blocks/code.html"


class ContentBlock(blocks.StreamBlock):
    """What may stand in an article."""

    heading = HeadingBlock(max_length=120)
    text = blocks.RichTextBlock(label=_("Text"), features=[*PROSE, "h3"], template="wagtail_club/blocks/text.html")
    picture = PictureBlock()
    video = VideoBlock()
    steps = StepsBlock()
    tip = TipBlock()
    quote = QuoteBlock()
    download = DownloadBlock()
    products = ProductsBlock()
    code = CodeBlock()


class ForTierBlock(blocks.StructBlock):
    """A part of a page that is for a tier and all higher ones; others read an invitation in its place, or nothing.

    It leaves the page only through its template: the API and the search index, which know no visitor, get none of it.
    """

    tier = TierBlock()
    invitation = blocks.CharBlock(
        label=_("Words for others"),
        max_length=200,
        required=False,
        help_text=_("What others read in its place. Empty: they are not told that there is more."),
    )
    content = ContentBlock(label=_("Content"))

    def get_context(self, value, parent_context=None):
        context = super().get_context(value, parent_context=parent_context)
        visitor = (parent_context or {}).get("club")
        context["admitted"] = visitor is not None and visitor.reaches(value["tier"])
        return context

    def get_api_representation(self, value, context=None):
        return {"tier": value["tier"].code if value["tier"] else None, "invitation": value["invitation"]}

    def get_searchable_content(self, value):
        return []

    class Meta:
        icon = "lock"
        label = _("For a tier")
        template = "wagtail_club/blocks/for_tier.html"


class BodyBlock(ContentBlock):
    """An article's content, with parts for a tier."""

    for_tier = ForTierBlock()
