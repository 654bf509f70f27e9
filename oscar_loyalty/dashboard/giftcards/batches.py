"""Cards made many at a time: asked for, watched while they are made, and their codes taken to the printer."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic
from django.views.decorators.debug import sensitive_variables

from oscar_loyalty import tables
from oscar_loyalty.dashboard.base import OTHER_CONTENT, PER_PAGE, ProgrammeMixin, export_response, names_of
from oscar_loyalty.dashboard.giftcards.staff_forms import BatchForm, ImportForm, end_of
from oscar_loyalty.dashboard.navigation import CODES, may
from oscar_loyalty.giftcards import bulk, imports, selectors
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.importing import MappingError, digest
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money
from oscar_loyalty.reports import giftcards as report
from oscar_loyalty.reports.exports import Column

#: Refused rows shown on the page; the file has more.
SHOWN = 50


def _say(request: Any, batch: Any) -> None:
    batch.refresh_from_db(fields=["state"])
    if batch.state == "done":
        # Where work is done as it comes in, they are there already.
        messages.success(request, _("The cards are made."))
    else:
        messages.success(request, _("The cards are being made. You may leave this page."))


def _content(seen: imports.Seen) -> str:
    return digest(seen.known, seen.refused_number, *[row["key"] for row in seen.rows])


class BatchListView(ProgrammeMixin, generic.TemplateView):
    template_name = "oscar_loyalty/dashboard/giftcards/batches.html"
    needs_programme = False

    def get_context_data(self, **kwargs):
        page = Paginator(selectors.batches(self.site), PER_PAGE).get_page(self.request.GET.get("page"))
        names = names_of(page.object_list)
        for batch in page.object_list:
            batch.by = names.get(batch.actor_id, "")
            batch.worth = Money(batch.value, batch.currency) if batch.value is not None else None
        return super().get_context_data(page_obj=page, paginator=page.paginator, tab="batches", **kwargs)


class BatchCreateView(ProgrammeMixin, generic.FormView):
    """Asks how many cards, of what; they are made in the background."""

    template_name = "oscar_loyalty/dashboard/giftcards/batch_new.html"
    form_class = BatchForm
    needs_programme = False

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs):
        return super().get_context_data(tab="batches", **kwargs)

    def form_valid(self, form):
        cleaned = form.cleaned_data
        try:
            with form.once():
                batch = bulk.ask(
                    name=cleaned["name"],
                    number=cleaned["number"],
                    key=f"dashboard:{self.request.user.pk}:{cleaned['token']}",
                    value=cleaned["value"],
                    currency=form.currency,
                    site=self.site,
                    reason=cleaned["reason"],
                    at_till=cleaned["at_till"],
                    tax_kind=cleaned["tax_kind"],
                    expiry_kind=cleaned["expiry"],
                    months=cleaned["months"],
                    expires_at=end_of(cleaned["last_day"]),
                    user=self.request.user,
                )
        except KeyConflict:
            form.add_error(None, OTHER_CONTENT)
            return self.form_invalid(form)
        except GiftCardError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        _say(self.request, batch)
        return redirect("loyalty-dashboard:loyalty-giftcard-batch", pk=batch.pk)


class BatchView(ProgrammeMixin, generic.TemplateView):
    """One batch: how far it is, its cards, who took its codes."""

    template_name = "oscar_loyalty/dashboard/giftcards/batch.html"
    needs_programme = False

    @cached_property
    def batch(self) -> Any:
        return get_object_or_404(selectors.all_batches(self.site), pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs):
        batch = self.batch
        events = list(batch.events.order_by("-at", "-pk")[:50])
        names = names_of([batch, *events])
        for event in events:
            event.by = names.get(event.actor_id, "") if event.actor_type == "user" else ""
        cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(batch=batch).select_related("account")
        page = Paginator(cards.order_by("pk"), PER_PAGE).get_page(self.request.GET.get("page"))
        page.object_list = report.with_balances(page.object_list)
        return super().get_context_data(
            batch=batch,
            by=names.get(batch.actor_id, ""),
            worth=Money(batch.value, batch.currency) if batch.value is not None else None,
            totals=[Money(amount, currency) for currency, amount in imports.Seen(rows=batch.rows).totals.items()],
            refused=batch.refused[:SHOWN],
            events=events,
            page_obj=page,
            paginator=page.paginator,
            may_export=may(self.request.user, CODES),
            tab="batches",
            **kwargs,
        )


class BatchStartView(BatchView):
    """Confirms an import that was looked at."""

    def get(self, request, *args, **kwargs):
        return redirect("loyalty-dashboard:loyalty-giftcard-batch", pk=self.batch.pk)

    def post(self, request, *args, **kwargs):
        try:
            bulk.start(batch=self.batch, user=request.user)
        except GiftCardError as error:
            messages.error(request, str(error))
        else:
            _say(request, self.batch)
        return redirect("loyalty-dashboard:loyalty-giftcard-batch", pk=self.batch.pk)


class BatchCodesView(BatchView):
    """The codes of a batch, for the printer: only by POST, into no cache, and noted."""

    http_method_names = ["post", "options"]

    @method_decorator(sensitive_variables())
    def post(self, request, *args, **kwargs):
        if kwargs["format"] not in ("csv", "xlsx"):
            raise Http404
        try:
            rows = bulk.export_codes(batch=self.batch, user=request.user, format=kwargs["format"])
        except GiftCardError as error:
            messages.error(request, str(error))
            return redirect("loyalty-dashboard:loyalty-giftcard-batch", pk=self.batch.pk)
        return export_response(report.code_columns(), rows, name=self.batch.name, format=kwargs["format"])


class BatchRefusedView(BatchView):
    """The rows that an import left out, with the reason. Of codes they have the last letters only."""

    def get(self, request, *args, **kwargs):
        width = max((len(row["cells"]) for row in self.batch.refused), default=0)
        columns = [
            Column(_("Row"), lambda row: row["row"], 8),
            Column(_("Why"), lambda row: row["why"], 40),
            *[self._cell(place) for place in range(width)],
        ]
        return export_response(columns, self.batch.refused, name=f"{self.batch.name} {_('refused')}", format="csv")

    def _cell(self, place: int) -> Column:
        def value(row: Any) -> str:
            return row["cells"][place] if place < len(row["cells"]) else ""

        return Column(place + 1, value)


class ImportView(ProgrammeMixin, generic.FormView):
    """Reads a file of cards and shows what it would bring; nothing is made before somebody says so."""

    template_name = "oscar_loyalty/dashboard/giftcards/import.html"
    form_class = ImportForm
    needs_programme = False

    def get_context_data(self, **kwargs):
        return super().get_context_data(tab="batches", most=bulk.MOST, **kwargs)

    def form_valid(self, form):
        try:
            batch = self._look(form)
        except tables.TableError as error:
            form.add_error("file", str(error))
        except MappingError:
            form.add_error(
                "column_value", _("Your file has no column of this name. Write here what the column is called there.")
            )
        else:
            if batch is not None:
                return redirect("loyalty-dashboard:loyalty-giftcard-batch", pk=batch.pk)
        return self.form_invalid(form)

    @sensitive_variables()
    def _look(self, form):
        cleaned = form.cleaned_data
        upload = cleaned["file"]
        with tempfile.TemporaryDirectory() as folder:
            # The name is ours: what a browser says it is called is no path.
            path = Path(folder) / f"cards{'.xlsx' if upload.name.lower().endswith('.xlsx') else '.csv'}"
            with path.open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
            table = tables.read(path, limits=tables.Limits())
            self._check_columns(form, table)
            if form.errors:
                return None
            try:
                seen = imports.look(
                    table=table, mapping=form.mapping, dates=cleaned["dates"], site=self.site, most=bulk.MOST
                )
            except imports.TooManyRows:
                form.add_error(
                    "file", _("These are too many cards to be read here: use the command loyalty_giftcards.")
                )
                return None
        return bulk.keep_import(
            name=cleaned["name"],
            # Back from the next page, another file is another import.
            key=f"dashboard:{self.request.user.pk}:{cleaned['token']}:{_content(seen)}",
            rows=seen.rows,
            refused=seen.refused,
            refused_number=seen.refused_number,
            known=seen.known,
            currency=settings.OSCAR_DEFAULT_CURRENCY,
            site=self.site,
            tax_kind=cleaned["tax_kind"],
            user=self.request.user,
        )

    def _check_columns(self, form, table):
        for name, column in form.mapping.items():
            if column not in table.columns:
                form.add_error(
                    f"column_{name}",
                    _("The file has no such column; it has: %(columns)s.") % {"columns": ", ".join(table.columns)},
                )
