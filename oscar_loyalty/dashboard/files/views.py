"""The files that somebody has asked for: how far each is, and to fetch them."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.views import generic

from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin
from oscar_loyalty.reports import files

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FileListView(ProgrammeMixin, generic.TemplateView):
    template_name = "oscar_loyalty/dashboard/files/list.html"

    def get_context_data(self, **kwargs):
        page = Paginator(files.of(self.request.user, self.programme), PER_PAGE).get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        busy = next((file for file in page.object_list if file.under_way), None)
        return super().get_context_data(page_obj=page, paginator=page.paginator, busy=busy, **kwargs)


class FileMixin(ProgrammeMixin):
    """One file of whoever asks; other people's are not there."""

    @cached_property
    def file(self) -> Any:
        return get_object_or_404(files.of(self.request.user, self.programme), uuid=self.kwargs["uuid"])


class FileView(FileMixin, generic.View):
    """Sends a file that is ready."""

    def get(self, request, *args, **kwargs):
        if self.file.state != self.file.READY:
            raise Http404
        day = timezone.localdate(self.file.ready_at).isoformat()
        response = StreamingHttpResponse(files.pieces(self.file), content_type=EXCEL)
        response["Content-Length"] = str(self.file.size)
        name = f"{slugify(self.file.title) or 'export'}-{day}.xlsx"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class FileProgressView(FileMixin, generic.View):
    """How far a file is, for the page that shows it."""

    def get(self, request, *args, **kwargs):
        answer = JsonResponse({"over": not self.file.under_way, "percent": self.file.percent or 0})
        answer["Cache-Control"] = "private, no-store"
        return answer


class FileAgainView(FileMixin, generic.View):
    """Has a file made again that could not be."""

    http_method_names = ["post", "options"]

    def post(self, request, *args, **kwargs):
        files.restart(file=self.file)
        return redirect("loyalty-dashboard:loyalty-files")
