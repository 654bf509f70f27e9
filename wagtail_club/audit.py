"""What ``loyalty_audit`` proves of the club."""

from collections.abc import Iterator

from oscar_loyalty.reports.audit import Finding, check
from wagtail_club import access, indexing


@check
def pages() -> Iterator[Finding]:
    """What editors wished, what guardian permits and what Wagtail's restrictions mirror are the same for each page."""
    for page, detail in access.differences():
        yield Finding("club.access", f"page {page}", detail)


@check
def index() -> Iterator[Finding]:
    """Wagtail's search index, which cannot tell who asks, holds no closed page."""
    for page in sorted(indexing.wrongly_indexed()):
        yield Finding("club.index", f"page {page}", "is closed, and in Wagtail's search index")
