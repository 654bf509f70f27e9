from typing import Any

from django.apps import apps
from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, ResendForm, say_errors
from oscar_loyalty.dashboard.handlers import AUDIT, ask_for_audit
from oscar_loyalty.dashboard.health.services import resend_once
from oscar_loyalty.due import selectors as due
from oscar_loyalty.due import services as due_services
from oscar_loyalty.giftcards import guessing
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import of_site
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.money import Money
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.reports import selectors as reports


def _named(label: str) -> str:
    """What the rows of a table are called, which the audit names by their model."""
    for model in apps.get_models():
        if model.__name__ == label and model._meta.app_label.startswith("loyalty_"):
            return str(model._meta.verbose_name_plural)
    return label


def backs_to_look_at(site: Any) -> list[Any]:
    """Return the money of the Site's orders that a provider refused to give back, or has not given for too long."""
    rows = list(payments.unsettled_returns().filter(of_site(site.pk, "refund__order__site"))[:100])
    for part in rows:
        part.money = Money(part.amount, part.allotment.tender.attempt.currency)
    return rows


class HealthView(ProgrammeMixin, generic.TemplateView):
    """Whether the books agree, whether work gets done, and what was given up."""

    template_name = "oscar_loyalty/dashboard/health.html"
    needs_programme = False

    def get_context_data(self, **kwargs):
        Due = get_model("loyalty_due", "Due")
        mails = Paginator(messaging.outbox(site=self.site).filter(state__in=["failed", "dead"]), PER_PAGE)
        audit = reports.audit_light()
        return super().get_context_data(
            checked=[(_named(label), number) for label, number in audit.run.checked.items()] if audit.run else [],
            audit=audit,
            audit_asked=Due.objects.filter(kind=AUDIT, state="waiting").exists(),
            sweep=due.light(),
            guessing=guessing.seen(),
            beats=get_model("loyalty_due", "Heartbeat").objects.order_by("name"),
            dead=Due.objects.filter(state="dead").order_by("-due_at")[:100],
            refunds=backs_to_look_at(self.site),
            mails=mails.get_page(self.request.GET.get("page")),
            **kwargs,
        )


class AuditView(ProgrammeMixin, generic.View):
    """Has the books audited."""

    needs_programme = False

    def post(self, request, *args, **kwargs):
        ask_for_audit()
        messages.info(
            request, _("The check has been asked for. On large books it takes a few minutes: look again then.")
        )
        return redirect("loyalty-dashboard:loyalty-health")


class RetryView(ProgrammeMixin, generic.View):
    """Puts work that was given up back into the queue."""

    needs_programme = False

    def post(self, request, *args, **kwargs):
        due_services.retry(pk=kwargs["pk"])
        messages.success(request, _("It will be tried again within a few minutes."))
        return redirect("loyalty-dashboard:loyalty-health")


class ResendView(ProgrammeMixin, generic.View):
    """Sends a message that failed."""

    needs_programme = False

    def post(self, request, *args, **kwargs):
        message = get_object_or_404(messaging.outbox(site=self.site), pk=kwargs["pk"])
        form = ResendForm(request.POST)
        if form.is_valid():
            resend_once(message=message, tries=form.cleaned_data["tries"])
            message.refresh_from_db(fields=["to"])
            messages.success(request, _("The message is on its way to %(email)s.") % {"email": message.to})
        else:
            say_errors(request, form)
        return redirect("loyalty-dashboard:loyalty-health")
