"""Points by hand for many members, and the second person who approves."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import keys
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin
from oscar_loyalty.dashboard.members import services
from oscar_loyalty.dashboard.members.forms import AdjustForm
from oscar_loyalty.dashboard.navigation import APPROVE, may
from oscar_loyalty.earning import adjustments, selectors
from oscar_loyalty.earning.exceptions import AlreadyDecided, NotAllowed, NotEnough, OwnAccount
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import is_own

#: Members in one adjustment.
MOST = 500


class AdjustManyView(ProgrammeMixin, generic.TemplateView):
    """Asks how many points, shows what would happen, and does it; the members come from the list."""

    template_name = "oscar_loyalty/dashboard/members/adjust.html"

    def get(self, request, *args, **kwargs):
        return redirect("loyalty-dashboard:loyalty-members")

    def get_members(self) -> list[Any]:
        typed = map(keys.number, self.request.POST.getlist("member"))
        ids = [pk for pk in typed if pk is not None][: MOST + 1]
        members = get_model("loyalty_members", "Member").objects.filter(
            programme=self.programme, merged_into__isnull=True, pk__in=ids
        )
        return list(members.select_related("account", "tier").order_by("last_name", "first_name", "pk"))

    def post(self, request, *args, **kwargs):
        members = self.get_members()
        if not members:
            messages.error(request, _("Choose at least one member first."))
            return redirect("loyalty-dashboard:loyalty-members")
        if len(members) > MOST:
            messages.error(request, _("At most %(number)s members at a time.") % {"number": MOST})
            return redirect("loyalty-dashboard:loyalty-members")
        step = request.POST.get("step", "")
        form = AdjustForm(request.POST if step else None, members=members)
        if step and form.is_valid():
            if step == "confirm" and self.ask(form, members):
                return redirect("loyalty-dashboard:loyalty-adjustments")
            if step == "preview":
                return self.show(form, members, preview=self.preview(form, members))
        return self.show(form, members)

    def ask(self, form: Any, members: list[Any]) -> bool:
        cleaned = form.cleaned_data
        try:
            with form.once():
                adjustment = adjustments.request_adjustment(
                    programme=self.programme,
                    members=members,
                    units=cleaned["units"],
                    reason=cleaned["reason"],
                    notify=cleaned["notify"],
                    key=services.adjustment_key(self.request.user, cleaned["token"]),
                    user=self.request.user,
                )
        except NotEnough as error:
            values = {"member": str(error.member), "missing": self.programme.points_label(error.missing)}
            form.add_error("units", _("%(member)s has too few: %(missing)s are missing.") % values)
            return False
        except OwnAccount as error:
            form.add_error(None, str(error))
            return False
        services.say(self.request, adjustment)
        return True

    def preview(self, form: Any, members: list[Any]) -> dict[str, Any]:
        units = form.cleaned_data["units"]
        balances = ledger.balances([member.account for member in members])
        rows = []
        for member in members:
            usable = balances[member.account_id].usable
            rows.append({"member": member, "before": usable, "after": usable + units, "short": usable + units < 0})
        return {
            "rows": rows,
            "units": units,
            "total": units * len(members),
            "waits": abs(units) * len(members) > self.programme.adjust_limit,
            "short": units < 0 and any(row["short"] for row in rows),
            "own": any(is_own(member, self.request.user) for member in members),
        }

    def show(self, form: Any, members: list[Any], preview: Any = None) -> Any:
        return self.render_to_response(self.get_context_data(form=form, members=members, preview=preview))


def _rows(programme: Any) -> Any:
    rows = get_model("loyalty_earning", "Adjustment").objects.filter(programme=programme)
    return rows.select_related("requested_by", "decided_by").prefetch_related("items__member")


class AdjustmentListView(ProgrammeMixin, generic.TemplateView):
    """What waits for a second person, and what was done before."""

    template_name = "oscar_loyalty/dashboard/members/adjustments.html"

    def get_context_data(self, **kwargs):
        done = _rows(self.programme).exclude(state="waiting")
        page = Paginator(done, PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            waiting=selectors.adjustments_waiting(self.programme), page_obj=page, paginator=page.paginator, **kwargs
        )


class AdjustmentView(ProgrammeMixin, generic.TemplateView):
    """One adjustment, with its members; here the second person decides."""

    template_name = "oscar_loyalty/dashboard/members/adjustment.html"

    def get_context_data(self, **kwargs):
        adjustment = get_object_or_404(_rows(self.programme), pk=self.kwargs["pk"])
        items = list(adjustment.items.all())
        user = self.request.user
        mine = adjustment.requested_by_id == user.pk
        own = any(is_own(item.member, user) for item in items)
        waiting = adjustment.state == "waiting"
        return super().get_context_data(
            adjustment=adjustment,
            items=items,
            total=adjustment.units * len(items),
            mine=mine,
            own=own,
            may_approve=waiting and not mine and not own and may(user, APPROVE),
            may_refuse=waiting and (mine or may(user, APPROVE)),
            **kwargs,
        )


class DecideView(ProgrammeMixin, generic.View):
    """The second person's decision."""

    def post(self, request, *args, **kwargs):
        rows = get_model("loyalty_earning", "Adjustment").objects.filter(programme=self.programme)
        adjustment = get_object_or_404(rows, pk=kwargs["pk"])
        decide = {"approve": adjustments.approve, "refuse": adjustments.refuse}.get(kwargs["decision"])
        if decide is None:
            raise Http404
        try:
            row = decide(adjustment=adjustment, user=request.user)
        except NotEnough as error:
            values = {"member": str(error.member), "missing": self.programme.points_label(error.missing)}
            messages.error(request, _("%(member)s has too few: %(missing)s are missing.") % values)
        except AlreadyDecided as error:
            messages.error(request, str(error))
        except NotAllowed as error:
            if not request.user.has_perm(APPROVE):
                raise
            messages.error(request, str(error))
        else:
            if row.state == "done":
                services.say(request, row)
            else:
                messages.success(request, _("The adjustment was refused; no points have moved."))
        return redirect("loyalty-dashboard:loyalty-adjustment", pk=adjustment.pk)
