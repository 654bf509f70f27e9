"""The owner's pages of stamp cards, challenges, surprises and thresholds."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import times
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, actor
from oscar_loyalty.dashboard.goals.forms import GIFTS, GoalForm, StampForm
from oscar_loyalty.dashboard.start.views import suggested_goal
from oscar_loyalty.dashboard.targets import OBJECTS
from oscar_loyalty.earning import goal_selectors, goals, prizes
from oscar_loyalty.earning.exceptions import MembershipRests, WrongGoal
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.money import from_minor


class GoalListView(ProgrammeMixin, generic.TemplateView):
    """The goals in plain words, with what became of them."""

    template_name = "oscar_loyalty/dashboard/goals/list.html"

    def get_context_data(self, **kwargs):
        ended = "ended" in self.request.GET
        found = Paginator(goal_selectors.goals_of(self.programme, ended=ended), PER_PAGE)
        page = found.get_page(self.request.GET.get("page"))
        rewards = prizes.rewards_of(self.programme)
        page.object_list = list(page.object_list)
        for goal in page.object_list:
            goal.said = goal_selectors.sentences(goal, self.programme, rewards)
        return super().get_context_data(page_obj=page, paginator=found, ended=ended, **kwargs)


class _GoalMixin(ProgrammeMixin):
    @cached_property
    def goal(self) -> Any:
        if "pk" not in self.kwargs:
            return None
        rows = get_model("loyalty_earning", "Goal").objects.filter(programme=self.programme, state="live")
        return get_object_or_404(rows.prefetch_related("steps"), pk=self.kwargs["pk"])


class GoalView(_GoalMixin, generic.FormView):
    """A new goal; or what comes after one."""

    template_name = "oscar_loyalty/dashboard/goals/goal.html"
    form_class = GoalForm

    def get_form_kwargs(self):
        return {"programme": self.programme, "goal": self.goal, **super().get_form_kwargs()}

    def get_initial(self):
        goal = self.goal
        if goal is None:
            return suggested_goal(self.request, self.programme)
        steps = list(goal.steps.all())
        shown = {"size": steps[-1].after, "points": steps[-1].points, "reward": steps[-1].reward}
        for prefix, step in zip(GIFTS, steps[:-1], strict=False):
            gift = {"after": step.after, "points": step.points, "reward": step.reward}
            shown |= {f"{prefix}{name}": value for name, value in gift.items()}
        if goal.counts == "money":
            for name in {"size", *(f"{prefix}after" for prefix in GIFTS)} & shown.keys():
                shown[name] = from_minor(shown[name], self.programme.currency)
        names = ("kind", "name", "text", "counts", "target", "head_start", "head_start_each", "repeats", "days")
        shown |= {name: getattr(goal, name) for name in (*names, *OBJECTS.values(), "minimum", "tier")}
        shown["until"] = times.last_day(goal.until)
        return shown

    def get_context_data(self, **kwargs):
        return super().get_context_data(goal=self.goal, **kwargs)

    def form_valid(self, form):
        key = f"dashboard:{self.request.user.pk}:{form.cleaned_data['token']}"
        try:
            with form.once():
                if self.goal is not None:
                    goals.change_goal(goal=self.goal, key=key, actor=actor(self.request), **form.terms)
                else:
                    goals.create_goal(programme=self.programme, key=key, actor=actor(self.request), **form.terms)
        except WrongGoal as error:
            field = {"steps": "size"}.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("It counts from now on. Cards that were begun keep their terms."))
        return redirect("loyalty-dashboard:loyalty-goals")


class GoalEndView(_GoalMixin, generic.TemplateView):
    """Ends a goal, once it was asked again."""

    template_name = "oscar_loyalty/dashboard/confirm.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            title=_("End this?"),
            text=_("No new card begins. Those that were begun can still be filled."),
            details=[str(self.goal.name), *goal_selectors.sentences(self.goal, self.programme)],
            button=_("End it"),
            back="loyalty-dashboard:loyalty-goals",
            back_label=_("Stamp cards and challenges"),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        goals.end_goal(goal=self.goal)
        messages.success(request, _("It has ended."))
        return redirect("loyalty-dashboard:loyalty-goals")


class MemberStampView(ProgrammeMixin, generic.FormView):
    """Stamps a member's card by hand."""

    template_name = "oscar_loyalty/dashboard/goals/stamp.html"
    form_class = StampForm

    @cached_property
    def member(self) -> Any:
        rows = get_model("loyalty_members", "Member").objects.filter(programme=self.programme, merged_into__isnull=True)
        return get_object_or_404(rows.select_related("programme", "tier"), pk=self.kwargs["pk"])

    def get_form_kwargs(self):
        return {"programme": self.programme, **super().get_form_kwargs()}

    def get_context_data(self, **kwargs):
        open_cards, past = goal_selectors.cards_of(self.member, past=5)
        return super().get_context_data(member=self.member, cards=[*open_cards, *past], **kwargs)

    def form_valid(self, form):
        data = form.cleaned_data
        if members.is_own(self.member, self.request.user):
            # Like points, nobody gives them to oneself.
            raise PermissionDenied
        try:
            with form.once():
                goals.add_stamp(
                    member=self.member,
                    goal=data["goal"],
                    reason=data["reason"],
                    quantity=data["quantity"],
                    key=f"dashboard:{self.request.user.pk}:{data['token']}",
                    actor=actor(self.request),
                )
        except WrongGoal as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.form_invalid(form)
        except MembershipRests:
            form.add_error(None, _("The membership is on hold or closed."))
            return self.form_invalid(form)
        messages.success(self.request, _("Stamped."))
        return redirect("loyalty-dashboard:loyalty-member", pk=self.member.pk)
