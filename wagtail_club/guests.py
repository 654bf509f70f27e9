"""Friends whom members bring to a page of the club, by a guest pass: to that page, and to none below it.

A pass holder counts as somebody named on the page: they see it, and its pictures and documents, but no part of it that
is for a tier. Lists, search and the API go on showing them what others see.
"""

from typing import Any

from django.db.models import QuerySet
from wagtail.models import Locale, Page

from oscar_loyalty import keys
from oscar_loyalty.privileges import passes
from wagtail_club import access
from wagtail_club.abstract_models import ClubPageMixin

#: The kind of these passes.
PAGE = "page"


def _closed(pages: QuerySet[Any]) -> QuerySet[Any]:
    return pages.live().filter(guest_passes__gt=0, club_access__closed=True)


def _subject(page: Any) -> passes.Subject:
    return passes.Subject(
        kind=PAGE,
        pk=str(page.pk),
        name=page.title,
        url=page.get_url() or "/",
        per_member=page.guest_passes,
        days=page.guest_pass_days,
        ends_at=page.expire_at,
    )


@passes.kind(PAGE)
class Pages(passes.Subjects):
    def find(self, pk: str) -> passes.Subject | None:
        page = Page.objects.live().filter(pk=pk, club_access__closed=True).first() if keys.number(pk) else None
        own = page.specific if page is not None else None
        return _subject(own) if isinstance(own, ClubPageMixin) and own.guest_passes else None

    def may_bring(self, subject: passes.Subject, member: Any) -> bool:
        return member.user is not None and access.may_see(member.user, Page(pk=int(subject.pk)))

    def anything(self) -> list[QuerySet[Any]]:
        return [_closed(model.objects.all()) for model in access.club_models()]

    def offered(self, member: Any) -> list[passes.Subject]:
        """What there is in the reader's language, else as it is.

        A query for each page type of the club, and one for each page found, which has to know its address.
        """
        if member.user is None:
            return []
        found: list[Any] = []
        for model in access.club_models():
            seen = Page.objects.filter(access.condition(member.user)).values("pk")
            found += _closed(model.objects.all()).filter(pk__in=seen).order_by("path")[:20]
        mine = Locale.get_active().pk
        read = {page.translation_key for page in found if page.locale_id == mine}
        return [_subject(page) for page in found if page.locale_id == mine or page.translation_key not in read]


def admitted(request: Any, pages: list[int] | None = None) -> set[int]:
    """Return the pages (of ``pages``) that the visitor behind ``request`` may see as somebody's guest.

    A visitor without a pass costs a query at the most, and one without account and cookie none.
    """
    if request is None:
        return set()
    subjects = [str(pk) for pk in pages] if pages is not None else None
    held = passes.held(kind=PAGE, user=getattr(request, "user", None), request=request, subjects=subjects)
    return {int(row.subject) for row in held if _holds(row)}


def _holds(row: Any) -> bool:
    """Whether the page still has guests, and the giver still sees it by themselves."""
    subject = passes.subject_of(row)
    return subject is not None and Pages().may_bring(subject, row.member)
