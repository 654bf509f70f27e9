"""The programmes of a shop with several Sites: which there are, which one the pages are about, a new one."""

from typing import Any

from django.contrib import messages
from django.contrib.sites.models import Site
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import keys
from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin
from oscar_loyalty.dashboard.navigation import PROGRAMME, VIEW, may
from oscar_loyalty.dashboard.programme.views import ProgrammeView
from oscar_loyalty.defaults import conf
from oscar_loyalty.members import selectors
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.reports import standings


def may_make(user: Any) -> bool:
    """Whether ``user`` may make the programme of any Site: not where the shop says who sees which."""
    return may(user, PROGRAMME) and (user.is_superuser or not conf.DASHBOARD_PROGRAMMES)


class ProgrammeListView(ProgrammeMixin, generic.TemplateView):
    """All Sites with their programmes."""

    template_name = "oscar_loyalty/dashboard/programme/sites.html"
    needs_programme = False

    def get_rows(self) -> Any:
        """Return Sites: those whose programme may be seen, and those without one."""
        own = [programme.site_id for programme in choosing.allowed(self.request)]
        seen = Q(pk__in=own)
        if may_make(self.request.user):
            seen |= Q(loyalty_programme__isnull=True)
        return Site.objects.filter(seen).select_related("loyalty_programme").order_by("name", "pk")

    def get_context_data(self, **kwargs):
        page = Paginator(self.get_rows(), PER_PAGE).get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        programmes = list(selectors.programmes().filter(site__in=[site.pk for site in page.object_list]))
        numbers, as_of = standings.members_of(programmes)
        for row in programmes:
            row.number = numbers[row.pk]
        found = {row.site_id: row for row in programmes}
        for site in page.object_list:
            site.programme = found.get(site.pk)
        return super().get_context_data(
            page_obj=page,
            as_of=as_of,
            paginator=page.paginator,
            here=site_of(self.request),
            may_make=may_make(self.request.user),
            **kwargs,
        )


class ChooseView(generic.View):
    """Changes over to another programme, and goes on where that makes sense: a list stays the list."""

    http_method_names = ["post"]

    def post(self, request):
        pk = keys.number(request.POST.get("programme", ""))
        if pk is None:
            raise Http404
        programme = choosing.choose(request, pk)
        messages.info(request, _("These pages are about %(name)s now.") % {"name": programme.name})
        # Whoever may change over may not always see the figures.
        start = "loyalty-overview" if may(request.user, VIEW) else "loyalty-programmes"
        return redirect(self.next_page() or f"loyalty-dashboard:{start}")

    def next_page(self) -> str:
        url = self.request.POST.get("next", "")
        here = {self.request.get_host()}
        own = url_has_allowed_host_and_scheme(url, allowed_hosts=here, require_https=self.request.is_secure())
        # Any other word would be taken for the name of a view.
        return url if own and url.startswith(("/", "http")) else ""


class ProgrammeOfSiteView(ProgrammeView):
    """Makes the programme of another Site."""

    programme = None

    @cached_property
    def site(self) -> Any:
        return get_object_or_404(Site, pk=self.kwargs["pk"], loyalty_programme__isnull=True)

    def get_context_data(self, **kwargs):
        return super().get_context_data(several=True, **kwargs)

    def dispatch(self, request, *args, **kwargs):
        if not may_make(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)
