from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.base import ProgrammeMixin, actor
from oscar_loyalty.dashboard.programme import statuses
from oscar_loyalty.dashboard.programme.forms import ProgrammeForm, TierForm
from oscar_loyalty.dashboard.rules.guarding import GuardMixin
from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors, services
from oscar_loyalty.reports import standings


class ProgrammeView(GuardMixin, ProgrammeMixin, generic.FormView):
    """Makes the site's programme, or changes it."""

    template_name = "oscar_loyalty/dashboard/programme/programme.html"
    form_class = ProgrammeForm
    needs_programme = False

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        # A copy of its own: a form that proves wrong must not change what the page says of the programme.
        kwargs["instance"] = selectors.programme_of(self.site) or self.get_draft()
        return kwargs

    def get_draft(self):
        """What the page suggests before there is a programme."""
        return get_model("loyalty_members", "Programme")(
            currency=settings.OSCAR_DEFAULT_CURRENCY,
            points_name_one=localized(gettext_lazy("point")),
            points_name_many=localized(gettext_lazy("points")),
            **statuses.suggested(),
        )

    def get_context_data(self, **kwargs):
        if self.programme is not None:
            kwargs["tiers"], kwargs["as_of"] = standings.tiers_of(self.programme)
        return super().get_context_data(**kwargs)

    def form_valid(self, form):
        if self.programme is None:
            try:
                with transaction.atomic():
                    programme = services.create_programme(site=self.site, **form.cleaned_data)
            except IntegrityError:
                # Two clicks: the first has made it.
                return redirect("loyalty-dashboard:loyalty-programme")
            choosing.remember(self.request, programme)
            messages.success(
                self.request, _("“%(name)s” is there. Next: say what brings points.") % {"name": programme.name}
            )
            return redirect("loyalty-dashboard:loyalty-start")
        if {"redemption_points", "redemption_amount", "currency"} & set(form.changed_data):
            case = self.too_generous(form.instance)
            if case is not None:
                return self.render_to_response(self.get_context_data(form=form, margin=case))
        services.save_programme(programme=self.programme, actor=actor(self.request), **form.cleaned_data)
        messages.success(self.request, _("The programme has been changed."))
        return redirect("loyalty-dashboard:loyalty-programme")


class TierView(GuardMixin, ProgrammeMixin, generic.FormView):
    """Makes a tier, or changes one."""

    template_name = "oscar_loyalty/dashboard/programme/tier.html"
    form_class = TierForm

    def get_tier(self):
        if "pk" not in self.kwargs:
            return None
        return get_object_or_404(get_model("loyalty_members", "Tier"), programme=self.programme, pk=self.kwargs["pk"])

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "programme": self.programme, "instance": self.get_tier()}

    def get_context_data(self, **kwargs):
        return super().get_context_data(tier=self.get_tier(), **kwargs)

    def form_valid(self, form):
        if form.is_there_already:
            # A second click on the same button.
            return redirect("loyalty-dashboard:loyalty-tiers")
        new = not form.instance.pk
        form.instance.programme = self.programme
        if new or {"rank", "multiplier", "discount"} & set(form.changed_data):
            case = self.too_generous(self.programme, tier=form.instance)
            if case is not None:
                return self.render_to_response(self.get_context_data(form=form, margin=case))
        # Members who stand above a new tier belong to its group too.
        more = {"rebuild": True} if new else {}
        tier = services.save_tier(programme=self.programme, code=form.code, **form.cleaned_data, **more)
        messages.success(self.request, _("The tier “%(name)s” has been saved.") % {"name": tier.name})
        return redirect("loyalty-dashboard:loyalty-tiers")
