from django.utils.translation import gettext_lazy as _
from wagtail import blocks


class BenefitBlock(blocks.StructBlock):
    """One thing that membership brings, in a few words."""

    title = blocks.CharBlock(label=_("Title"), max_length=80)
    text = blocks.TextBlock(label=_("Text"), max_length=300)

    class Meta:
        icon = "pick"
        label = _("Benefit")
        template = "wagtail_club/blocks/benefit.html"
