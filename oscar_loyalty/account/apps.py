from django.urls import path
from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig

from oscar_loyalty.loading import get_class


class AccountConfig(OscarConfig):
    name = "oscar_loyalty.account"
    label = "loyalty_account"
    verbose_name = _("Member pages")
    namespace = "loyalty-account"

    def get_urls(self):
        def view(name, module="views"):
            return get_class(f"account.{module}", name).as_view()

        return self.post_process_urls(
            [
                path("", view("OverviewView"), name="overview"),
                path("history/", view("HistoryView"), name="history"),
                path("gift-cards/", view("GiftCardsView"), name="giftcards"),
                path("gift-cards/<uuid:uuid>/resend/", view("ResendView"), name="giftcard-resend"),
                path("gift-cards/<uuid:uuid>/change/", view("ChangeDeliveryView"), name="giftcard-change"),
                path("gift-cards/<uuid:uuid>/send/", view("SendNowView"), name="giftcard-send-now"),
                path("cards/", view("CardsView", "cards"), name="cards"),
                path("invite/", view("InviteView", "friends"), name="invite"),
                path("invite/code.svg", view("InviteCodeView", "friends"), name="invite-code"),
                path("profile/", view("ProfileView", "friends"), name="profile"),
                path("earn/", view("EarnView"), name="earn"),
                path("join/", view("JoinView"), name="join"),
                path("guest-orders/", view("GuestOrdersView", "guests"), name="guest-orders"),
                path("guest-orders/<str:token>/", view("GuestClaimView", "guests"), name="guest-claim"),
                path("join/<str:token>/", view("ClaimView"), name="claim"),
                path("tier/", view("TierView", "tiers"), name="tier"),
            ]
        )
