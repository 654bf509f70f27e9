"""How guardian names the content type of pages; a shop sets ``GUARDIAN_GET_CONTENT_TYPE`` to the function here.

A permission on a page is stored for Wagtail's base page. guardian would look for that of the page's own type, and a
permission given to an article would be invisible on the page it is, and the other way round.
"""

from typing import Any

from django.contrib.contenttypes.models import ContentType


def get_content_type(obj: Any) -> ContentType:
    """Return the content type of the base page for any page, and of the model itself for everything else."""
    from wagtail.models import Page

    model = obj if isinstance(obj, type) else type(obj)
    return ContentType.objects.get_for_model(Page if issubclass(model, Page) else obj)
