"""What actions bring, the codes to print, the terms of referral, and who came by whom."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import FilteredListView, ProgrammeMixin, actor
from oscar_loyalty.dashboard.friends.forms import ReferralFilterForm, ScanFilterForm, SchemeForm, action_forms
from oscar_loyalty.earning import actions, occasions, prizes
from oscar_loyalty.earning.referrals import guards, selectors, services
from oscar_loyalty.loading import get_model
from oscar_loyalty.qr import svg_response


class ActionsView(ProgrammeMixin, generic.TemplateView):
    """All actions on one page; what is changed is a new version from now on."""

    template_name = "oscar_loyalty/dashboard/friends/actions.html"

    def get_context_data(self, **kwargs):
        kwargs.setdefault("rows", action_forms(self.programme))
        return super().get_context_data(**kwargs)

    def post(self, request, *args, **kwargs):
        rows = action_forms(self.programme, request.POST)
        checked = [form.is_valid() for _action, _rule, form in rows]
        if not all(checked):
            return self.render_to_response(self.get_context_data(rows=rows, wrong=True))
        with transaction.atomic():
            for action, _rule, form in rows:
                actions.set_rule(
                    programme=self.programme, action=action.code, actor=actor(request), **form.cleaned_data
                )
        messages.success(request, _("Saved. It counts for what happens from now on."))
        return redirect("loyalty-dashboard:loyalty-actions")


class ScanListView(FilteredListView):
    """Codes of products, to print."""

    template_name = "oscar_loyalty/dashboard/friends/scans.html"
    form_class = ScanFilterForm
    per_page = 12

    def get_rows(self):
        rows = get_model("catalogue", "Product").objects.filter(is_public=True).exclude(structure="parent")
        if self.filters.get("q"):
            rows = rows.filter(title__icontains=self.filters["q"])
        return rows.select_related("parent").order_by("title", "pk")


class ScanCodeView(ProgrammeMixin, generic.View):
    def get(self, request, pk):
        product = get_object_or_404(get_model("catalogue", "Product"), pk=pk)
        path = reverse("loyalty-storefront:scan", args=[occasions.scan_token(product, self.programme)])
        return svg_response(self.absolute(path))


class SchemeView(ProgrammeMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/friends/terms.html"
    form_class = SchemeForm

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "instance": selectors.scheme_of(self.programme)}

    def form_valid(self, form):
        services.save_scheme(programme=self.programme, **form.cleaned_data)
        messages.success(self.request, _("Saved. It counts for friends who join from now on."))
        return redirect("loyalty-dashboard:loyalty-referral-terms")


class ReferralListView(FilteredListView):
    """Who came by whom, how far it is, and why one was refused."""

    template_name = "oscar_loyalty/dashboard/friends/referrals.html"
    form_class = ReferralFilterForm

    def get_rows(self):
        return selectors.search(
            self.programme, words=self.filters.get("q") or "", state=self.filters.get("state") or ""
        )

    def get_page(self):
        page = super().get_page()
        rows = list(page.object_list)
        asked = any(row.promised_reward(side) for row in rows for side in selectors.SIDES)
        rewards = prizes.rewards_of(self.programme) if asked else {}
        for row in rows:
            row.brings = selectors.brings(row.terms, self.programme, rewards)
            row.why = [guards.REASONS[code] for code in row.reasons if code in guards.REASONS]
        page.object_list = rows
        return page


class DecideView(ProgrammeMixin, generic.View):
    """Allows a refused referral, or refuses one that has brought nothing yet; who decided is kept."""

    http_method_names = ["post"]

    def post(self, request, pk, decision):
        if decision not in ("allow", "refuse"):
            raise Http404
        referral = get_object_or_404(get_model("loyalty_earning", "Referral"), programme=self.programme, pk=pk)
        act = services.allow if decision == "allow" else services.refuse
        act(referral=referral, user=request.user)
        messages.success(request, _("Allowed.") if decision == "allow" else _("Refused."))
        return redirect("loyalty-dashboard:loyalty-referrals")
