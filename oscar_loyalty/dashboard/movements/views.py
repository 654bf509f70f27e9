from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty.dashboard.base import ExportMixin, FilteredListView
from oscar_loyalty.dashboard.movements.forms import MovementFilterForm
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.reports import files, movement_tables, movements
from oscar_loyalty.reports.paging import ShortPaginator

#: The three ways to look at movements; the first is shown without being asked for.
VIEWS = {
    "all": gettext_lazy("All movements"),
    "service": gettext_lazy("By service or product"),
    "member": gettext_lazy("By customer"),
}


class MovementListView(FilteredListView):
    """Who earned and spent what, one by one or summed up."""

    template_name = "oscar_loyalty/dashboard/movements/list.html"
    form_class = MovementFilterForm

    @cached_property
    def look(self) -> str:
        asked = self.request.GET.get("by", "")
        return asked if asked in VIEWS else "all"

    @cached_property
    def wanted(self) -> movements.Filters:
        asked = self.filters
        return movements.Filters(
            since=asked.get("since"),
            until=asked.get("until"),
            # By service it makes no difference, so it must not say how many are summed up either.
            kind="" if self.look == "service" else asked.get("kind") or "",
            product=asked.get("product"),
            words=asked.get("q") or "",
        )

    def get_rows(self) -> Any:
        find = {"all": movements.entries, "service": movements.by_service, "member": movements.by_member}[self.look]
        return find(self.programme, self.wanted)

    @cached_property
    def numbers(self) -> Any:
        return movements.numbers(self.programme, self.wanted)

    @cached_property
    def totals(self) -> movements.Totals:
        return movements.totals(self.programme, self.wanted, self.numbers)

    @property
    def too_many(self) -> bool:
        """Whether nobody would wait until all that matches is summed up by service or by customer."""
        return self.look != "all" and (self.totals.members is None or self.totals.more)

    def get_paginator(self):
        if self.look == "all":
            return movements.pages(self.programme, self.wanted, self.per_page, self.numbers, self.totals)
        if self.look == "service" or self.too_many:
            rows = self.get_rows()
            return ShortPaginator(rows.none() if self.too_many else rows, self.per_page)
        return movements.pages_by_member(self.programme, self.wanted, self.per_page, self.numbers, self.totals)

    def get_page(self):
        page = super().get_page()
        page.object_list = list(page.object_list)
        if self.look == "all":
            page.object_list = earning.describe(page.object_list, self.programme, staff=True)
        elif self.look == "service":
            for row in page.object_list:
                row["called"] = movements.service_name(row)
        return page

    def get_context_data(self, **kwargs):
        plain = self.request.GET.copy()
        for name in ("page", "by"):
            plain.pop(name, None)
        # By service the kind makes no difference, so what leads on from there leaves it out.
        of_product = plain.copy()
        for name in ("kind", "product"):
            of_product.pop(name, None)
        return super().get_context_data(
            look=self.look,
            looks=VIEWS.items(),
            plain_query=plain.urlencode(),
            of_product=of_product.urlencode(),
            totals=self.totals,
            too_many=self.too_many,
            most=self.totals.number if self.totals.more else movements.MANY,
            **kwargs,
        )


class MovementExportView(ExportMixin, MovementListView):
    """The same as a table to take away, with the same filters."""

    list_name = "movements"

    def get_number(self) -> int | None:
        known = self.numbers if self.look == "all" else None
        if known is None:
            return super().get_number() if self.look == "all" else None
        return movements.totals(self.programme, self.wanted, known).number

    def is_long(self) -> bool:
        known = self.numbers if self.look == "all" else None
        return super().is_long() if known is None else sum(one.number for one in known.sums.values()) > files.SMALL

    @property
    def export_name(self) -> str:
        return {"all": _("Movements"), "service": _("Points by service"), "member": _("Points by customer")}[self.look]

    def get_columns(self):
        return movement_tables.columns(self.look)

    def get_export_rows(self):
        return movement_tables.rows(self.look, self.get_rows(), self.programme)
