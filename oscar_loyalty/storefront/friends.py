"""Where an invitation leads, and where the QR code of a product does."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import generic
from django.views.decorators.cache import never_cache

from oscar_loyalty.earning import actions, occasions
from oscar_loyalty.earning.referrals import selectors
from oscar_loyalty.members import selectors as members
from oscar_loyalty.storefront import inviting


@method_decorator(never_cache, name="dispatch")
class InvitationView(generic.TemplateView):
    """Says who invites, by the first name only, and what both get; opening it keeps the code for this visit."""

    template_name = "oscar_loyalty/storefront/invitation.html"

    def get(self, request, *args, **kwargs):
        programme = members.programme_for(request=request)
        found = selectors.invitation(kwargs["code"], programme) if programme is not None else None
        scheme = selectors.scheme_of(programme) if found is not None else None
        works = scheme is not None and scheme.is_active
        member = members.member_of_request(request)
        context = self.get_context_data(
            programme=programme,
            works=works,
            scheme=scheme,
            name=selectors.short_name(found.member) if found is not None else "",
            member=member,
            own=found is not None and member is not None and member.pk == found.member_id,
            join=reverse("loyalty-account:join"),
        )
        response = self.render_to_response(context, status=200 if works else 404)
        if works and member is None:
            inviting.remember(request, response, found.code)
        response["Referrer-Policy"] = "same-origin"
        return response


@method_decorator(never_cache, name="dispatch")
class ScanView(generic.TemplateView):
    """Where a printed code leads: one button gives the points. Opening it changes nothing."""

    template_name = "oscar_loyalty/storefront/scan.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.programme = members.programme_for(request=request)
        self.product = occasions.read_scan(kwargs["token"], self.programme)
        self.member = members.member_of_request(request)

    def get(self, request, *args, **kwargs):
        context = self.get_context_data(product=self.product, programme=self.programme, member=self.member)
        known = self.product is not None and self.programme is not None
        if known:
            rule = actions.rules_of(self.programme).get("scan")
            context["points"] = rule.points if rule is not None else 0
            if self.member is not None:
                context["done"] = occasions.scanned_today(member=self.member, product=self.product)
        return self.render_to_response(context, status=200 if known else 404)

    def post(self, request, *args, **kwargs):
        if self.product is None or self.programme is None:
            raise Http404
        if not request.user.is_authenticated:
            return redirect_to_login(request.path, reverse("customer:login"))
        if self.member is None:
            return redirect(f"{reverse('loyalty-account:join')}?next={request.path}")
        award = occasions.scan(member=self.member, product=self.product)
        if award is None:
            messages.info(request, _("This brings nothing more at the moment."))
        else:
            values = {"points": self.programme.points_label(award.points)}
            said = ngettext("%(points)s is on your account now.", "%(points)s are on your account now.", award.points)
            messages.success(request, said % values)
        return redirect("loyalty-account:history" if award is not None else "loyalty-account:overview")
