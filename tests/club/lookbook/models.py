from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from wagtail_club import selectors
from wagtail_club.blocks import BodyBlock
from wagtail_club.models import ClubPageMixin


class LookbookPage(ClubPageMixin, Page):
    introduction = models.TextField(max_length=400, blank=True)
    season = models.CharField(max_length=40)
    body = StreamField(BodyBlock(), blank=True)

    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("season"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("season"), index.SearchField("body")]

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        context["beside"] = selectors.beside(self, request)
        return context
