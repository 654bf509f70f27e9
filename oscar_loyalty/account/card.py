"""The member's card: on the screen, on paper, and in a phone's wallet."""

import logging

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.account.faces import face
from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.defaults import conf
from oscar_loyalty.members import printing
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.wallet import apple, google, services
from oscar_loyalty.wallet.exceptions import WalletOff
from oscar_loyalty.wallet.views import pass_response

log = logging.getLogger("oscar_loyalty")


class CardView(MemberMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/card.html"
    page_title = gettext_lazy("My card")
    section = "card"

    def get_context_data(self, **kwargs):
        return super().get_context_data(apple=apple.is_on(), google=google.is_on(), **face(self.member), **kwargs)


class PrintView(MemberMixin, generic.View):
    def get(self, request, *args, **kwargs):
        pdf = printing.pdf(
            member=self.member, shop_name=site_of(request).name, shop_url=request.build_absolute_uri("/")
        )
        response = HttpResponse(pdf, content_type="application/pdf")
        response["Content-Disposition"] = 'inline; filename="card.pdf"'
        return response


class WalletView(MemberMixin, generic.View):
    """Makes a pass, or says on the card's page that it could not."""

    wallet = None

    @cached_property
    def shown(self):
        return services.pass_of(member=self.member)

    def get(self, request, *args, **kwargs):
        if not self.wallet.is_on():
            raise Http404
        try:
            return self.make()
        except WalletOff:
            log.exception("A pass could not be made")
            messages.error(
                request,
                _("The card cannot be made for your wallet at the moment. You can print it, or show this page."),
            )
            return redirect("loyalty-account:card")


class AppleView(WalletView):
    wallet = apple

    def make(self):
        return pass_response(self.request, *self.shown)


class GoogleView(WalletView):
    wallet = google

    def make(self):
        wallet_pass, contents = self.shown
        link = google.save_link(
            contents=contents,
            serial=wallet_pass.serial,
            programme=self.programme,
            root=self.request.build_absolute_uri("/").rstrip("/"),
            logo=self.request.build_absolute_uri(static(conf.WALLET_ICON)),
        )
        return redirect(link)
