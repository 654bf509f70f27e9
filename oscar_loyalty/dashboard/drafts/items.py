"""What a draft changes: with the very form of the rules, and nothing of it is in force."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import PER_PAGE, actor
from oscar_loyalty.dashboard.drafts.base import OpenDraftMixin, closed
from oscar_loyalty.dashboard.rules import conditions
from oscar_loyalty.dashboard.rules.conditions import FIELD_OF
from oscar_loyalty.dashboard.rules.forms import NumbersForm, RuleForm
from oscar_loyalty.dashboard.rules.guarding import GuardMixin, change_of
from oscar_loyalty.dashboard.targets import OBJECTS
from oscar_loyalty.earning import draft_selectors, drafts, margin, words
from oscar_loyalty.earning.exceptions import DraftClosed, WrongRule
from oscar_loyalty.loading import get_model


class DraftRulesView(OpenDraftMixin, generic.TemplateView):
    """The rules in force that the draft says nothing about yet, to be changed or ended by it."""

    template_name = "oscar_loyalty/dashboard/drafts/rules.html"

    def get_context_data(self, **kwargs):
        page = Paginator(draft_selectors.rules_left(self.draft), PER_PAGE).get_page(self.request.GET.get("page"))
        names = words.tier_names(self.programme)
        rows = []
        for rule in page.object_list:
            last = max(rule.versions.all(), key=lambda version: version.number, default=None)
            if last is not None:
                says = words.sentence(rule, last.spec, self.programme, names, staff=True)
                rows.append({"rule": rule, "about": words.applies_to(rule), "says": says})
        return super().get_context_data(rows=rows, page_obj=page, paginator=page.paginator, **kwargs)


class _ItemMixin(OpenDraftMixin):
    @cached_property
    def item(self) -> Any:
        if "item" not in self.kwargs:
            return None
        return get_object_or_404(draft_selectors.items_of(self.draft), pk=self.kwargs["item"])

    @cached_property
    def rule(self) -> Any:
        if self.item is not None:
            return self.item.rule
        if "rule" not in self.kwargs:
            return None
        rows = get_model("loyalty_earning", "Rule").objects.filter(programme=self.programme, state="live")
        return get_object_or_404(rows.select_related(*draft_selectors.RELATED), pk=self.kwargs["rule"])


class DraftItemView(GuardMixin, _ItemMixin, generic.FormView):
    """A change of a draft: a new rule, or what a rule is to say."""

    template_name = "oscar_loyalty/dashboard/drafts/item.html"

    def get_form(self, form_class=None):
        if self.rule is None:
            return RuleForm(programme=self.programme, **self.get_form_kwargs())
        return NumbersForm(programme=self.programme, kind=self.rule.kind, **self.get_form_kwargs())

    @cached_property
    def last(self) -> Any:
        return self.rule.versions.order_by("-number").first() if self.rule is not None else None

    def get_initial(self):
        item = self.item
        if item is None or item.ends:
            if self.rule is None:
                return {"per": "1.00"}
            spec = self.last.spec if self.last else {}
            return {"name": self.rule.name, **spec, **conditions.initial(spec)}
        shown = {"name": item.name, **item.spec, **conditions.initial(item.spec)}
        if item.rule_id is None:
            target = "product" if item.target == "variant" else item.target
            shown |= {"kind": item.kind, "target": target}
            if target in OBJECTS and item.target_object is not None:
                shown[OBJECTS[target]] = item.target_object.pk
        return shown

    def get_context_data(self, **kwargs):
        now = ""
        if self.last is not None:
            names = words.tier_names(self.programme)
            now = words.sentence(self.rule, self.last.spec, self.programme, names, staff=True)
        about = words.applies_to(self.rule or self.item) if self.rule or self.item else ""
        return super().get_context_data(item=self.item, rule=self.rule, about=about, now=now, **kwargs)

    def form_valid(self, form):
        fields: dict[str, Any] = {"spec": form.spec, "name": form.cleaned_data["name"], "actor": actor(self.request)}
        if self.rule is None:
            kind = form.cleaned_data["kind"]
            fields |= {"kind": kind, "target": form.rule_target, "target_object": form.target_object}
        try:
            change = change_of(form, rule=self.rule, item=self.item)
            others = [one for one in draft_selectors.items_of(self.draft) if not _same(one, change)]
            margin.check_times(self.programme, [*others, change])
            case = self.too_much([*others, change])
            if case is not None:
                return self.render_to_response(self.get_context_data(form=form, margin=case))
            drafts.put(draft=self.draft, item=self.item, rule=self.rule, **fields)
        except WrongRule as error:
            field = FIELD_OF.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
            return self.form_invalid(form)
        except DraftClosed:
            return closed(self.request, self.draft)
        messages.success(self.request, _("It is in the draft. Nothing is in force before the draft is published."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)


def _same(one: Any, change: Any) -> bool:
    return one.pk == change.pk or (one.rule_id is not None and one.rule_id == change.rule_id)


class DraftEndView(_ItemMixin, generic.View):
    """Has the draft end a rule."""

    def post(self, request, *args, **kwargs):
        try:
            drafts.put(draft=self.draft, rule=self.rule, ends=True, actor=actor(request))
        except DraftClosed:
            return closed(request, self.draft)
        messages.success(request, _("The draft ends this rule. Until it is published, the rule stays as it is."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)


class DraftDropView(OpenDraftMixin, generic.View):
    """Takes a change out of the draft."""

    def post(self, request, *args, **kwargs):
        item = get_model("loyalty_earning", "DraftItem").objects.filter(pk=kwargs["item"]).first()
        if item is not None:
            # One that is no more was taken out by an earlier click; another draft's is none of this page's.
            if item.draft_id != self.draft.pk:
                raise Http404
            try:
                drafts.drop(item=item, actor=actor(request))
            except DraftClosed:
                return closed(request, self.draft)
        messages.success(request, _("The change has been taken out of the draft."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)
