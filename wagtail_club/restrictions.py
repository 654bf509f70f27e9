"""Wagtail's own questions for open pages, asked in one condition however many pages are closed.

``.public()``, ``.private()`` and the public APIs add a clause for each restriction: with a thousand closed pages
SQLite refuses that, and PostgreSQL takes seconds. The answers here are the same. That of the APIs is stricter in one
thing: they may be cached, so closed pages of the club are in none of them, whoever asks.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.db.models.functions import Substr
from wagtail.models import Page, PageViewRestriction
from wagtail.query import PageQuerySet

from wagtail_club.wrapping import narrow

#: More pages than there are.
ALL = 2**31


def of_the_club() -> QuerySet[Any]:
    return PageViewRestriction.objects.filter(club_access__isnull=False)


def of_others() -> QuerySet[Any]:
    """What somebody closed with Wagtail's own privacy settings."""
    return PageViewRestriction.objects.filter(club_access__isnull=True)


def below(restrictions: QuerySet[Any]) -> Q:
    """The condition on pages that they, or pages above them, have one of ``restrictions``, or of other rows that name a
    page; one query is made here."""
    found, starts = Q(pk__in=[]), {}
    for depth in set(restrictions.order_by().values_list("page__depth", flat=True).distinct()):
        starts[f"_start_{depth}"] = Substr("path", 1, depth * Page.steplen)
        paths = restrictions.filter(page__depth=depth).order_by().values("page__path")
        # With a limit, so that PostgreSQL looks them up once, and not for each page where it believes them to be few.
        found |= Q(**{f"_start_{depth}__in": paths[:ALL]})
    # As a list of keys, so that Wagtail's search takes it as well.
    return Q(id__in=Page.objects.order_by().alias(**starts).filter(found).values("id")) if starts else found


class _Others:
    """Stands for Wagtail's model in the modules of its APIs: they go through what it lists, one by one."""

    @property
    def objects(self) -> QuerySet[Any]:
        return of_others()


#: The names in Wagtail's modules: its model, and the function that lists pages for the public APIs.
MODEL, LISTS = "PageViewRestriction", "get_public_pages_queryset"


def install() -> None:
    """Put the questions in the place of Wagtail's; called once all models are there."""
    narrow(PageQuerySet, "private_q", _private)
    if find_spec("wagtail.api.querysets"):
        shared = import_module("wagtail.api.querysets")
        narrow(shared, LISTS, _open_only)
        setattr(shared, MODEL, _Others())
        for app, module in (("v2", "wagtail.api.v2.views"), ("v3", "wagtail.api.v3.querysets")):
            if apps.is_installed(f"wagtail.api.{app}"):
                setattr(import_module(module), LISTS, getattr(shared, LISTS))
    elif apps.is_installed("wagtail.api.v2"):  # before Wagtail 8
        views = import_module("wagtail.api.v2.views")
        narrow(views.PagesAPIViewSet, "get_base_queryset", _open_only)
        setattr(views, MODEL, _Others())


def _private(original: Callable[..., Any], pages: Any) -> Q:
    return below(PageViewRestriction.objects.all())


def _open_only(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return original(*args, **kwargs).exclude(below(of_the_club()))
