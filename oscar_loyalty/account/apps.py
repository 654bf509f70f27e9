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
                path("card/", view("CardView", "card"), name="card"),
                path("card/card.pdf", view("PrintView", "card"), name="card-print"),
                path("card/card.pkpass", view("AppleView", "card"), name="card-apple"),
                path("card/google/", view("GoogleView", "card"), name="card-google"),
                path("invite/", view("InviteView", "friends"), name="invite"),
                path("invite/code.svg", view("InviteCodeView", "friends"), name="invite-code"),
                path("profile/", view("ProfileView", "friends"), name="profile"),
                path("privacy/", view("PrivacyView", "privacy"), name="privacy"),
                path("privacy/copy/", view("CopyView", "privacy"), name="copy"),
                path("privacy/copy/<uuid:uuid>/", view("CopyFileView", "privacy"), name="copy-file"),
                path("leave/", view("LeaveView", "privacy"), name="leave"),
                path("leave/undo/", view("ComeBackView", "privacy"), name="leave-undo"),
                path("messages/", view("MessagesView", "inbox"), name="messages"),
                path("messages/<int:pk>/", view("MessageView", "inbox"), name="message"),
                path("unsubscribe/<str:token>/", view("UnsubscribeView", "privacy"), name="unsubscribe"),
                path("earn/", view("EarnView"), name="earn"),
                path("join/", view("JoinView"), name="join"),
                path("guest-orders/", view("GuestOrdersView", "guests"), name="guest-orders"),
                path("guest-orders/<str:token>/", view("GuestClaimView", "guests"), name="guest-claim"),
                path("join/<str:token>/", view("ClaimView"), name="claim"),
                path("give/", view("GiveView", "people"), name="give"),
                path("give/<uuid:uuid>/<str:answer>/", view("GiftAnswerView", "people"), name="gift-answer"),
                path("household/", view("HouseholdView", "people"), name="household"),
                path("household/leave/", view("HouseholdLeaveView", "people"), name="household-leave"),
                path("household/<int:pk>/remove/", view("HouseholdLeaveView", "people"), name="household-remove"),
                path(
                    "household/<uuid:uuid>/<str:answer>/",
                    view("HouseholdAnswerView", "people"),
                    name="household-answer",
                ),
                # Rewards.
                path("rewards/", view("RewardsView", "rewards"), name="rewards"),
                path("rewards/<int:pk>/", view("RewardView", "rewards"), name="reward"),
                path("rewards/mine/", view("MyRewardsView", "rewards"), name="my-rewards"),
                path("rewards/mine/<uuid:uuid>/back/", view("GiveBackView", "rewards"), name="reward-back"),
                path("rewards/mine/<uuid:uuid>/code.svg", view("RewardCodeView", "rewards"), name="reward-code"),
                path("early/", view("EarlyView", "early"), name="early"),
                path("early/<uuid:uuid>/back/", view("PassBackView", "early"), name="early-back"),
                path("tier/", view("TierView", "tiers"), name="tier"),
            ]
        )
