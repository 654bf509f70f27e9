"""All reads of early access that are not about who may have what."""

from typing import Any

from django.db.models import Count, IntegerField, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges import access, passes
from oscar_loyalty.privileges import words as saying


def _model(name: str) -> Any:
    return get_model("loyalty_privileges", name)


def windows_of(programme: Any, *, ended: bool = False) -> QuerySet[Any]:
    """Return the programme's windows with what they are about: those that are not over by their ends, or the others
    with the latest first."""
    rows = _model("EarlyAccess").objects.filter(programme=programme)
    over = Q(ended_at__isnull=False) | Q(ends_at__lte=clock.now())
    rows = rows.filter(over).order_by("-ends_at", "-pk") if ended else rows.exclude(over).order_by("ends_at", "pk")
    return rows.select_related("tier", "product__parent", "range", "offer")


def with_passes(windows: list[Any]) -> list[Any]:
    """Give each window the number of passes ``given`` to it and of those ``opened``; one query for all."""
    rows = _model("GuestPass").objects.filter(kind=access.EARLY, subject__in=[str(window.pk) for window in windows])
    numbers = {
        subject: (given, opened)
        for subject, given, opened in rows.annotate(_pk=Cast("subject", IntegerField()))
        .order_by()
        .values_list("_pk")
        .annotate(given=Count("pk"), opened=Count("pk", filter=Q(opened_at__isnull=False)))
    }
    for window in windows:
        window.given, window.opened = numbers.get(window.pk, (0, 0))
    return windows


def of_product(product: Any, programme: Any) -> QuerySet[Any]:
    """Return the windows on ``product`` itself that are not over."""
    return windows_of(programme).filter(product=product)


def early_for(member: Any) -> list[Any]:
    """Return what ``member`` has before others now, each with when it is everybody's as ``free_at``.

    One query, and those of a viewer where there is something.
    """
    if member is None or member.status != "active" or not member.programme.is_active:
        return []
    rows = windows_of(member.programme).filter(opens_at__lte=clock.now())
    windows = [window for window in rows if access.gives(member, window)]
    who = access.Viewer()
    for window in windows:
        window.free_at = who.free_at(window)
    return windows


def search_passes(programme: Any, *, words: str = "", state: str = "") -> QuerySet[Any]:
    """Return the programme's guest passes for staff, newest first."""
    rows = _model("GuestPass").objects.filter(programme=programme)
    for word in words.split():
        match = Q(friend__icontains=word) | Q(subject_name__icontains=word) | Q(user__email__icontains=word)
        for field in ("first_name", "last_name", "email", "number"):
            match |= Q(**{f"member__{field}__icontains": word})
        rows = rows.filter(match)
    now = clock.now()
    fresh = rows.filter(taken_back_at__isnull=True, valid_until__gt=now)
    if state == "waiting":
        rows = fresh.filter(opened_at__isnull=True)
    elif state == "open":
        rows = fresh.filter(opened_at__isnull=False)
    elif state == "over":
        rows = rows.filter(taken_back_at__isnull=True, valid_until__lte=now)
    elif state == "back":
        rows = rows.filter(taken_back_at__isnull=False)
    return rows.select_related("member", "user").order_by("-created_at", "-pk")


def refused_lines(request: Any) -> list[str]:
    """Say of each line of the visitor's basket that is not for them yet why it cannot be ordered."""
    who = access.viewer_of(request)
    if not who.is_anything_early or not who.windows:
        return []
    gates = [(line, who.gate(line.product)) for line in request.basket.all_lines()]
    return [
        _("“%(product)s” cannot be ordered yet: %(reason)s. Everything else stays in your basket.")
        % {"product": line.product.get_title(), "reason": saying.refusal(gate)}
        for line, gate in gates
        if not gate.allowed
    ]


def to_give(member: Any) -> list[dict[str, Any]]:
    """Return what ``member`` may bring friends to, each with how many passes are left; one query more than
    :func:`passes.offered`."""
    subjects = passes.offered(member)
    if not subjects:
        return []
    rows = passes.counted(_model("GuestPass").objects.filter(member=member)).order_by()
    given = {(kind, pk): number for kind, pk, number in rows.values_list("kind", "subject").annotate(n=Count("pk"))}
    return [
        {"subject": subject, "left": max(0, subject.per_member - given.get((subject.kind, subject.pk), 0))}
        for subject in subjects
    ]
