from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import clock
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, actor
from oscar_loyalty.dashboard.rules import conditions
from oscar_loyalty.dashboard.rules.conditions import FIELD_OF
from oscar_loyalty.dashboard.rules.forms import NumbersForm, RuleForm
from oscar_loyalty.dashboard.rules.guarding import GuardMixin, change_of
from oscar_loyalty.dashboard.rules.services import publish_once
from oscar_loyalty.earning import margin, rules, selectors, words
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.loading import get_model


class RuleListView(ProgrammeMixin, generic.TemplateView):
    """The rules in plain words."""

    template_name = "oscar_loyalty/dashboard/rules/list.html"

    def get_context_data(self, **kwargs):
        ended = "ended" in self.request.GET
        names = words.tier_names(self.programme)

        def say(spec: dict[str, Any], rule: Any) -> str:
            return words.sentence(rule, spec, self.programme, names, staff=True)

        rows = []
        for rule in selectors.rules_of(self.programme, ended=ended):
            shown = rule.current or next(iter(rule.coming), None)
            if shown is not None and (rule.state == "ended") == ended:
                coming = [(version, say(version.spec, rule)) for version in rule.coming if version is not shown]
                about, says = words.applies_to(rule), say(shown.spec, rule)
                rows.append({"rule": rule, "version": shown, "applies_to": about, "says": says, "coming": coming})
        # The general ones first, as they are read: "2 points per euro; but …".
        order = ["everything", "class", "category", "range", "product", "variant"]
        rows.sort(key=lambda row: (order.index(row["rule"].target), row["applies_to"].casefold(), row["rule"].pk))
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(
            rows=page.object_list, page_obj=page, paginator=page.paginator, ended=ended, now=clock.now(), **kwargs
        )


class RuleView(GuardMixin, ProgrammeMixin, generic.FormView):
    """A new rule; or the next version of one."""

    template_name = "oscar_loyalty/dashboard/rules/rule.html"

    def get_rule(self) -> Any:
        if "pk" not in self.kwargs:
            return None
        queryset = get_model("loyalty_earning", "Rule").objects.filter(programme=self.programme)
        queryset = queryset.select_related("product__parent", "product_class", "category", "range")
        return get_object_or_404(queryset, pk=self.kwargs["pk"])

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        self.rule = self.get_rule() if self.programme is not None else None
        return super().dispatch(request, *args, **kwargs)

    def get_form(self, form_class=None):
        if self.rule is None:
            return RuleForm(programme=self.programme, **self.get_form_kwargs())
        return NumbersForm(programme=self.programme, kind=self.rule.kind, **self.get_form_kwargs())

    def get_initial(self):
        if self.rule is None:
            return {"per": "1.00"}
        current = self.rule.versions.order_by("-number").first()
        spec = current.spec if current else {}
        return {"name": self.rule.name, **spec, **conditions.initial(spec)}

    def get_context_data(self, **kwargs):
        versions: list[dict[str, Any]] = []
        if self.rule is not None:
            rows = list(self.rule.versions.order_by("-number").prefetch_related("draft_items__draft"))
            ids = [row.published_by for row in rows if row.published_by_type == "user" and row.published_by.isdigit()]
            people = get_user_model().objects.in_bulk(ids)
            names = words.tier_names(self.programme)
            for row in rows:
                person = people.get(int(row.published_by)) if row.published_by in ids else None
                who = (person.get_full_name() or person.email or person.get_username()) if person else ""
                says = words.sentence(self.rule, row.spec, self.programme, names, staff=True)
                mine = next(
                    (item.draft for item in row.draft_items.all() if row.valid_from == item.draft.valid_from), None
                )
                versions.append({"version": row, "says": says, "who": who, "draft": mine})
        return super().get_context_data(
            rule=self.rule,
            versions=versions,
            now=clock.now(),
            applies_to=words.applies_to(self.rule) if self.rule else "",
            **kwargs,
        )

    def form_valid(self, form):
        fields = {"programme": self.programme, "spec": form.spec, "actor": actor(self.request)}
        fields["name"] = form.cleaned_data["name"]
        try:
            change = change_of(form, rule=self.rule)
            margin.check_times(self.programme, [change])
            case = self.too_much([change])
            if case is not None:
                return self.render_to_response(self.get_context_data(form=form, margin=case))
            with transaction.atomic():
                if self.rule is not None:
                    rules.publish_rule(kind=self.rule.kind, rule=self.rule, **fields)
                else:
                    kind = form.cleaned_data["kind"]
                    publish_once(kind=kind, target=form.rule_target, target_object=form.target_object, **fields)
        except WrongRule as error:
            field = FIELD_OF.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
            return self.form_invalid(form)
        except IntegrityError:
            form.add_error(None, _("There is such a rule already."))
            return self.form_invalid(form)
        messages.success(self.request, _("The rule is in force from now on. What was earned before stays as it is."))
        return redirect("loyalty-dashboard:loyalty-rules")


class RuleEndView(ProgrammeMixin, generic.TemplateView):
    """Ends a rule, once it was asked again."""

    template_name = "oscar_loyalty/dashboard/confirm.html"

    def get_rule(self) -> Any:
        queryset = get_model("loyalty_earning", "Rule").objects.filter(programme=self.programme)
        return get_object_or_404(queryset, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs):
        rule = self.get_rule()
        current = rule.versions.order_by("-number").first()
        names = words.tier_names(self.programme)
        says = words.sentence(rule, current.spec if current else {}, self.programme, names)
        return super().get_context_data(
            title=_("End this rule?"),
            text=_("From now on it brings nothing more. What was earned by it stays."),
            details=[words.applies_to(rule), says],
            button=_("End the rule"),
            back="loyalty-dashboard:loyalty-rules",
            back_label=_("Earning rules"),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        rules.end_rule(rule=self.get_rule(), actor=actor(request))
        messages.success(request, _("The rule has ended."))
        return redirect("loyalty-dashboard:loyalty-rules")
