"""The ladder: who stands where, what leads higher, and who would move before that is changed."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import keys
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, actor
from oscar_loyalty.dashboard.tiers.forms import ConfirmForm, LadderForm
from oscar_loyalty.earning.tiering import preview, proposals, review, selectors, words
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import tiers as moving
from oscar_loyalty.reports import standings


class TiersView(ProgrammeMixin, generic.FormView):
    """All tiers with their members and what they bring, and the rules that lead to them."""

    template_name = "oscar_loyalty/dashboard/tiers/tiers.html"
    form_class = LadderForm

    @cached_property
    def standing(self) -> tuple[list[Any], Any]:
        return standings.tiers_of(self.programme)

    @property
    def tiers(self) -> list[Any]:
        return self.standing[0]

    def get_form_kwargs(self):
        given = {"programme": self.programme, "tiers": self.tiers, "instance": selectors.scheme_of(self.programme)}
        return {**super().get_form_kwargs(), **given}

    def get_context_data(self, **kwargs):
        scheme = selectors.scheme_of(self.programme)
        for tier in self.tiers:
            by_rule = scheme.is_automatic and tier.threshold is not None and tier is not self.tiers[0]
            tier.said = words.amount(scheme.metric, tier.threshold, self.programme) if by_rule else ""
        return super().get_context_data(
            tiers=self.tiers,
            as_of=self.standing[1],
            scheme=scheme,
            window=words.window(scheme, staff=True),
            review=review.latest(self.programme),
            **kwargs,
        )

    def form_valid(self, form):
        proposal = preview.ask(proposal=proposals.make(programme=self.programme, **form.proposed))
        address = reverse("loyalty-dashboard:loyalty-tiers-preview")
        return redirect(f"{address}?{urlencode({'p': proposal.key})}")


class ProposalMixin(ProgrammeMixin):
    """A page about a proposal; those that nobody can save any more are not there."""

    def dispatch(self, request, *args, **kwargs):
        if request.method in ("GET", "HEAD") and not request.GET.get("p"):
            return redirect("loyalty-dashboard:loyalty-tiers")
        return super().dispatch(request, *args, **kwargs)

    def get_proposal(self, key: str) -> Any:
        row = proposals.find(key, programme=self.programme) if keys.is_text(key) else None
        if row is None:
            raise Http404
        return row


class TierPreviewView(ProposalMixin, generic.TemplateView):
    """Who would move by other rules; then saves exactly these."""

    template_name = "oscar_loyalty/dashboard/tiers/preview.html"

    def get_context_data(self, **kwargs):
        row = self.get_proposal(self.request.GET.get("p", ""))
        proposal = proposals.of(row)
        tiers = {tier.pk: tier for tier in proposal.tiers()}
        scheme, lowest = proposal.scheme, next(iter(tiers), None)
        for tier in tiers.values():
            reached = scheme.is_automatic and tier.threshold is not None and tier.pk != lowest
            tier.said = words.amount(scheme.metric, tier.threshold, self.programme) if reached else ""
        kwargs |= {"rising": [], "falling": []}
        for rising, before, after, number in row.steps:
            if after in tiers:
                kwargs["rising" if rising else "falling"].append((tiers.get(before), tiers[after], number))
        if row.finished_at is not None:
            kwargs |= self.get_movers(row, tiers)
        return super().get_context_data(
            scheme=scheme,
            window=words.window(scheme, staff=True),
            tiers=tiers.values(),
            proposal=row,
            confirm=ConfirmForm(initial={"p": row.key}),
            outdated=not proposal.is_done and selectors.rules_of(self.programme) != proposal.was,
            **kwargs,
        )

    def get_movers(self, row: Any, tiers: dict[int, Any]) -> dict[str, Any]:
        """Return a page of those who would move."""
        which = "falling" if self.request.GET.get("show") == "falling" or not row.rising else "rising"
        paginator = Counted(row.moves.filter(rising=which == "rising").order_by("member"), PER_PAGE)
        paginator.count = row.rising if which == "rising" else row.falling
        page = paginator.get_page(self.request.GET.get("page"))
        moves = list(page.object_list)
        people = get_model("loyalty_members", "Member").objects.in_bulk([move.member for move in moves])
        page.object_list = [
            {"member": people[move.member], "before": tiers.get(move.before), "after": tiers[move.after]}
            for move in moves
            if move.member in people and move.after in tiers
        ]
        return {"which": which, "page_obj": page, "paginator": paginator}

    def post(self, request, *args, **kwargs):
        form = ConfirmForm(request.POST)
        if not form.is_valid():
            raise Http404
        proposal = proposals.of(self.get_proposal(form.cleaned_data["p"]))
        try:
            proposals.apply(proposal=proposal, quiet=not form.cleaned_data["tell"])
        except proposals.Outdated:
            messages.error(
                request, _("The tiers have been changed meanwhile, so nothing was saved. Please look again.")
            )
            return redirect("loyalty-dashboard:loyalty-tiers")
        messages.success(request, _("Saved. All members are being reviewed; whoever rises does so in a moment."))
        return redirect("loyalty-dashboard:loyalty-tiers")


class Counted(Paginator):
    """Pages of what was counted when it was written."""

    count = 0


class TierPreviewProgressView(ProposalMixin, generic.View):
    """How many members have been looked at, for the page that shows it."""

    def get(self, request, *args, **kwargs):
        row = self.get_proposal(request.GET.get("p", ""))
        answer = JsonResponse({"over": row.finished_at is not None, "percent": row.percent})
        answer["Cache-Control"] = "private, no-store"
        return answer


class TierRemoveView(ProgrammeMixin, generic.TemplateView):
    """Takes a tier away, after saying where its members go."""

    template_name = "oscar_loyalty/dashboard/tiers/remove.html"

    @cached_property
    def tier(self) -> Any:
        return get_object_or_404(get_model("loyalty_members", "Tier"), programme=self.programme, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            tier=self.tier,
            heir=moving.heir_of(self.tier),
            uses=moving.uses_of(self.tier),
            number=self.tier.members.exclude(status="closed").count(),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        gone = get_model("loyalty_members", "Tier").everything.filter(programme=self.programme, pk=kwargs["pk"])
        if gone.filter(removed_at__isnull=False).exists():
            # A second click.
            return redirect("loyalty-dashboard:loyalty-tiers")
        try:
            moving.remove(tier=self.tier, actor=actor(request), quiet="tell" not in request.POST)
        except ValueError:
            return self.render_to_response(self.get_context_data(), status=409)
        messages.success(request, _("The tier “%(name)s” is gone.") % {"name": self.tier.name})
        return redirect("loyalty-dashboard:loyalty-tiers")
