"""Guest passes to an early access: its friends may buy what it is about, for as long as it is open."""

from typing import Any

from django.urls import NoReverseMatch, reverse

from oscar_loyalty import clock, keys
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges import access, passes


def _rows() -> Any:
    rows = get_model("loyalty_privileges", "EarlyAccess").objects.filter(passes__gt=0, ended_at__isnull=True)
    return rows.filter(ends_at__gt=clock.now()).select_related("tier", "product__parent", "range", "offer")


@passes.kind(access.EARLY)
class Windows(passes.Subjects):
    def find(self, pk: str) -> passes.Subject | None:
        row = _rows().filter(pk=pk).first() if keys.number(pk) else None
        return subject(row) if row is not None and row.is_open() else None

    def may_bring(self, subject: passes.Subject, member: Any) -> bool:
        row = (
            get_model("loyalty_privileges", "EarlyAccess").objects.select_related("tier").filter(pk=subject.pk).first()
        )
        return row is not None and access.gives(member, row)

    def offered(self, member: Any) -> list[passes.Subject]:
        rows = _rows().filter(programme=member.programme_id, opens_at__lte=clock.now())
        return [subject(row) for row in rows if access.gives(member, row)]


def subject(window: Any) -> passes.Subject:
    """Return what a window's passes are for."""
    return passes.Subject(
        kind=access.EARLY,
        pk=str(window.pk),
        name=name_of(window),
        url=url_of(window),
        per_member=window.passes,
        days=window.pass_days,
        ends_at=window.ends_at,
        # An order may be written without a request, and its offers are looked at again then.
        accounts_only=window.offer_id is not None,
    )


def name_of(window: Any) -> str:
    """Return what a window is about, in the reader's language where the shop has it."""
    if window.product_id is not None:
        return str(window.product.get_title())
    return str(window.target.name)


def url_of(window: Any) -> str:
    """Return where to find it."""
    if window.product_id is not None:
        return str(window.product.get_absolute_url())
    try:
        if window.range_id is not None and window.range.is_public and window.range.slug:
            return reverse("catalogue:range", kwargs={"slug": window.range.slug})
        if window.offer_id is not None:
            return reverse("offer:detail", kwargs={"slug": window.offer.slug})
        return reverse("catalogue:index")
    except NoReverseMatch:
        return "/"
