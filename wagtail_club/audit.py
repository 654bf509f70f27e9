"""What ``loyalty_audit`` proves of the club."""

from collections.abc import Iterator

from oscar_loyalty.reports.audit import Finding, check
from wagtail_club import access


@check
def pages() -> Iterator[Finding]:
    """What editors wished, what guardian permits and what Wagtail's restrictions mirror are the same for each page."""
    for page, detail in access.differences():
        yield Finding("club.access", f"page {page}", detail)
