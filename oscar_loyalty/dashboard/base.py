"""What the owner's pages share."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import replicas
from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.navigation import PROGRAMME, may
from oscar_loyalty.due import selectors as dues
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.messaging.links import root
from oscar_loyalty.reports import exports, files
from oscar_loyalty.reports.paging import ShortPaginator

PER_PAGE = 25


def actor(request: Any) -> Ref:
    """Return who acts, as the ledger and the histories remember it."""
    return Ref.of("user", request.user.pk)


def names_of(rows: Iterable[Any], prefix: str = "actor") -> dict[str, str]:
    """Return the names of the people whom ``rows`` name by type and id, by their id; in one query."""
    ids = {getattr(row, f"{prefix}_id") for row in rows if getattr(row, f"{prefix}_type") == "user"}
    people = get_user_model().objects.in_bulk([int(pk) for pk in ids if pk.isdigit()]) if ids else {}
    return {str(pk): person.get_full_name() or person.email or str(person) for pk, person in people.items()}


def new_token() -> str:
    """Return a name for one filling-in of a form: sent twice, it is done once."""
    return uuid4().hex


#: Under which the forms that were done are noted.
SENT = "dashboard.sent"
OTHER_CONTENT = gettext_lazy(
    "This form was sent before with other content, and that was done. For this, open the page anew."
)


class TokenForm(forms.Form):
    """A form that is done once, however often its button is pressed. What it says is done within :meth:`once`; the same
    form with other content ("back", and another number) is refused then, or it would seem to be done."""

    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, initial=new_token)
    #: What the form is about, where its fields do not say all of it.
    about: Any = None

    @contextmanager
    def once(self) -> Iterator[None]:
        """Within the block, which is one transaction, the form is done; then what it said is noted."""
        with transaction.atomic():
            yield
            due.note(kind=SENT, key=self._sent_key, payload={"content": self._content})

    @property
    def is_repeated(self) -> bool:
        """Whether it was done before with this very content: then it is no mistake that what it asks for is there."""
        return self._done == self._content

    @property
    def _sent_key(self) -> str:
        return f"{type(self).__name__}:{self.cleaned_data['token']}"

    @cached_property
    def _done(self) -> str | None:
        """The digest of what it was done with; ``None`` as long as it was not."""
        noted = dues.noted(kind=SENT, key=self._sent_key) if "token" in self.cleaned_data else None
        return noted["content"] if noted is not None else None

    @cached_property
    def _content(self) -> str:
        # As it was typed: what is valid may have changed since.
        said = {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name)) or ""
            for name, field in self.fields.items()
            if name != "token"
        }
        return sha256(json.dumps([said, self.about], sort_keys=True, default=_plain).encode()).hexdigest()

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_valid() and self._done is not None and not self.is_repeated:
            self.add_error(None, OTHER_CONTENT)


def _plain(value: Any) -> Any:
    """Return a value of a form's field for its digest; of a file, its name and size."""
    return [value.name, value.size] if isinstance(value, UploadedFile) else str(value)


class ResendForm(forms.Form):
    """Sends a message once more; ``tries`` is how often it was tried when the button was shown."""

    tries = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class ProgrammeMixin:
    """A page about one programme: the site's, or the one that was chosen in the header. Without one, there is only one
    thing to do: make it."""

    needs_programme = True

    @cached_property
    def programme(self) -> Any:
        return choosing.programme_of_request(self.request)

    @cached_property
    def site(self) -> Any:
        """The Site of the programme; without one, that of the request."""
        return self.programme.site if self.programme is not None else site_of(self.request)

    def absolute(self, path: str) -> str:
        """Return the address of a page that customers open, on the programme's own Site."""
        here = site_of(self.request).pk == self.site.pk
        return str(self.request.build_absolute_uri(path)) if here else f"{root(self.site)}{path}"

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        # The page's own programme: that of an order is the order's, whatever was chosen.
        if request.method == "POST" and choosing.is_stale(request, self.programme):
            messages.error(
                request, _("Another programme was chosen in another window meanwhile. Nothing was changed: look again.")
            )
            return redirect("loyalty-dashboard:loyalty-programmes")
        if self.needs_programme and self.programme is None:
            if may(request.user, PROGRAMME):
                return redirect("loyalty-dashboard:loyalty-programme")
            return render(request, "oscar_loyalty/dashboard/no_programme.html")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(programme=self.programme, site=self.site, **kwargs)


class FromReplicaMixin:
    """A page that only reads, and may be some moments behind: from a replica, where the shop has one."""

    def get(self, request, *args, **kwargs):
        with replicas.reading():
            response = super().get(request, *args, **kwargs)
            # While the block lasts: a template reads too.
            return response.render() if hasattr(response, "render") and not response.is_rendered else response


class FilteredListView(FromReplicaMixin, ProgrammeMixin, generic.TemplateView):
    """A list with filters in its address; what is wrong with a filter is said beside it, the others still count."""

    form_class: Any = None
    per_page = PER_PAGE

    @cached_property
    def form(self) -> Any:
        form = self.form_class(self.request.GET, **self.get_form_kwargs())
        form.is_valid()
        return form

    def get_form_kwargs(self) -> dict[str, Any]:
        return {}

    @property
    def filters(self) -> dict[str, Any]:
        """What was asked for, as far as it makes sense."""
        cleaned: dict[str, Any] = self.form.cleaned_data
        return cleaned

    @property
    def filtered(self) -> bool:
        return any(value not in (None, "", False) for value in self.filters.values())

    def get_rows(self) -> Any:
        raise NotImplementedError

    def get_paginator(self) -> Any:
        return ShortPaginator(self.get_rows(), self.per_page)

    def get_page(self) -> Any:
        return self.get_paginator().get_page(self.request.GET.get("page"))

    def get_context_data(self, **kwargs):
        page = self.get_page()
        query = self.request.GET.copy()
        query.pop("page", None)
        return super().get_context_data(
            form=self.form,
            page_obj=page,
            paginator=page.paginator,
            filtered=self.filtered,
            query=query.urlencode(),
            **kwargs,
        )


class ExportMixin:
    """Answers with the rows of a list, and its filters, as a file that is written while it is sent.

    A long list that the worker knows (``list_name``) becomes an Excel file by and by: the answer is the page of files.
    """

    export_name: Any = ""
    list_name = ""

    @classmethod
    def table_of(cls, programme: Any, query: str) -> files.Table:
        """Return the list with the filters of ``query``, for the worker."""
        request = HttpRequest()
        request.method, request.GET = "GET", QueryDict(query)
        view: Any = cls()
        view.setup(request, format="xlsx")
        view.programme = programme
        return files.Table(view.get_columns(), view.get_export_rows, view.get_number)

    def get_number(self) -> int | None:
        """Return how many rows there are."""
        return int(self.get_rows().order_by().count())

    def is_long(self) -> bool:
        return bool(self.get_rows().order_by()[files.SMALL :].exists())

    def get_columns(self) -> list[exports.Column]:
        raise NotImplementedError

    def get_export_rows(self) -> Any:
        raise NotImplementedError

    def get(self, request, *args, **kwargs):
        if kwargs["format"] == "xlsx" and self.list_name and self.is_long():
            return self.ask(request)
        return export_response(
            self.get_columns(), self.get_export_rows(), name=str(self.export_name), format=kwargs["format"]
        )

    def ask(self, request: Any) -> Any:
        query = request.GET.copy()
        query.pop("page", None)
        name, filters = str(self.export_name), query.urlencode()
        # Asked for twice within a minute, it is one file.
        key = f"{request.user.pk}:{self.programme.pk}:{self.list_name}:{filters}:{timezone.now():%Y%m%d%H%M}"
        try:
            files.ask(
                programme=self.programme,
                user=request.user,
                name=self.list_name,
                filters=filters,
                title=name,
                key=sha256(key.encode()).hexdigest(),
            )
        except files.TooManyFiles:
            messages.warning(request, _("Some of your files are still being made. Please wait until they are ready."))
        return redirect("loyalty-dashboard:loyalty-files")


def export_response(columns: Any, rows: Any, *, name: str, format: str) -> Any:
    """Return ``rows`` as a download, "csv" or "xlsx"."""
    day = timezone.localdate().isoformat()
    filename = f"{slugify(name) or 'export'}-{day}.{format}"
    if format == "csv":
        lines = _in_language(exports.csv_blocks(columns, rows), get_language())
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    elif format == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        file = exports.xlsx_file(columns, rows, title=name)
        response = FileResponse(file, as_attachment=True, filename=filename, content_type=kind)
    else:
        raise Http404
    # Names and addresses of customers have no place in a shared cache.
    response["Cache-Control"] = "private, no-store"
    return response


def _in_language(lines: Any, language: str | None) -> Any:
    """Write each part in the reader's language, read from where the page reads: when it is asked for, the request is
    over."""
    while True:
        with override(language), replicas.reading():
            try:
                line = next(lines)
            except StopIteration:
                return
        yield line


def say_errors(request: Any, form: Any) -> None:
    """Say on the next page what was wrong with a form that has no page of its own."""
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, error)
