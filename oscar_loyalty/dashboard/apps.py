from django.urls import path
from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarDashboardConfig

from oscar_loyalty.dashboard.permissions import DEFAULT, PERMISSIONS
from oscar_loyalty.loading import get_class

#: Address, room and class of the view, and the name of the URL (unique among all apps of the dashboard).
PAGES = [
    ("", "overview.views", "OverviewView", "loyalty-overview"),
    ("programme/", "programme.views", "ProgrammeView", "loyalty-programme"),
    ("programme/tiers/new/", "programme.views", "TierView", "loyalty-tier-create"),
    ("programme/tiers/<int:pk>/", "programme.views", "TierView", "loyalty-tier"),
    ("rules/", "rules.views", "RuleListView", "loyalty-rules"),
    ("rules/new/", "rules.views", "RuleView", "loyalty-rule-create"),
    ("rules/<int:pk>/", "rules.views", "RuleView", "loyalty-rule"),
    ("rules/<int:pk>/end/", "rules.views", "RuleEndView", "loyalty-rule-end"),
    ("members/", "members.views", "MemberListView", "loyalty-members"),
    ("members/export/<str:format>/", "members.views", "MemberExportView", "loyalty-members-export"),
    ("members/adjust/", "members.adjusting", "AdjustManyView", "loyalty-members-adjust"),
    ("members/enrol/", "members.enrolling", "EnrolView", "loyalty-members-enrol"),
    ("members/<int:pk>/", "members.views", "MemberView", "loyalty-member"),
    ("members/<int:pk>/adjust/", "members.views", "MemberAdjustView", "loyalty-member-adjust"),
    ("members/<int:pk>/tier/", "members.views", "MemberTierView", "loyalty-member-tier"),
    ("members/<int:pk>/welcome/", "members.views", "MemberWelcomeView", "loyalty-member-welcome"),
    ("adjustments/", "members.adjusting", "AdjustmentListView", "loyalty-adjustments"),
    ("adjustments/<int:pk>/", "members.adjusting", "AdjustmentView", "loyalty-adjustment"),
    ("adjustments/<int:pk>/<str:decision>/", "members.adjusting", "DecideView", "loyalty-adjustment-decide"),
    ("movements/", "movements.views", "MovementListView", "loyalty-movements"),
    ("movements/export/<str:format>/", "movements.views", "MovementExportView", "loyalty-movements-export"),
    ("guest-orders/", "guests.views", "GuestOrderListView", "loyalty-guest-orders"),
    ("guest-orders/<int:pk>/send/", "guests.views", "GuestOrderSendView", "loyalty-guest-order-send"),
    ("gift-cards/", "giftcards.views", "GiftCardListView", "loyalty-giftcards"),
    ("gift-cards/export/<str:format>/", "giftcards.views", "GiftCardExportView", "loyalty-giftcards-export"),
    ("gift-cards/values/", "giftcards.values", "DenominationListView", "loyalty-denominations"),
    ("gift-cards/values/new/", "giftcards.values", "DenominationView", "loyalty-denomination-create"),
    ("gift-cards/values/<int:pk>/", "giftcards.values", "DenominationView", "loyalty-denomination"),
    ("gift-cards/till/", "giftcards.till", "FindView", "loyalty-giftcards-till"),
    ("gift-cards/till/<uuid:uuid>/", "giftcards.till", "ActivateView", "loyalty-giftcard-activate"),
    ("gift-cards/batches/", "giftcards.batches", "BatchListView", "loyalty-giftcard-batches"),
    ("gift-cards/batches/new/", "giftcards.batches", "BatchCreateView", "loyalty-giftcard-batch-create"),
    ("gift-cards/batches/<int:pk>/", "giftcards.batches", "BatchView", "loyalty-giftcard-batch"),
    ("gift-cards/batches/<int:pk>/start/", "giftcards.batches", "BatchStartView", "loyalty-giftcard-batch-start"),
    (
        "gift-cards/batches/<int:pk>/codes/<str:format>/",
        "giftcards.batches",
        "BatchCodesView",
        "loyalty-giftcard-batch-codes",
    ),
    ("gift-cards/batches/<int:pk>/refused/", "giftcards.batches", "BatchRefusedView", "loyalty-giftcard-batch-refused"),
    ("gift-cards/import/", "giftcards.batches", "ImportView", "loyalty-giftcards-import"),
    ("gift-cards/settings/", "giftcards.settings", "PolicyView", "loyalty-giftcards-policy"),
    ("gift-cards/liability/", "giftcards.settings", "LiabilityView", "loyalty-giftcards-liability"),
    (
        "gift-cards/liability/export/<str:format>/",
        "giftcards.settings",
        "LiabilityExportView",
        "loyalty-giftcards-liability-export",
    ),
    ("gift-cards/values/custom/", "giftcards.amounts", "CustomAmountView", "loyalty-custom-amount"),
    ("gift-cards/<uuid:uuid>/", "giftcards.views", "GiftCardView", "loyalty-giftcard"),
    ("gift-cards/<uuid:uuid>/<str:action>/", "giftcards.views", "GiftCardActionView", "loyalty-giftcard-action"),
    ("orders/<str:number>/refunds/", "refunds.views", "RefundView", "loyalty-refunds"),
    ("orders/<str:number>/refunds/<uuid:uuid>/", "refunds.views", "RefundPartView", "loyalty-refund-part"),
    ("payments/", "payments.views", "PaymentListView", "loyalty-payments"),
    ("payments/events/", "payments.views", "EventListView", "loyalty-payment-events"),
    ("payments/<uuid:uuid>/", "payments.views", "PaymentView", "loyalty-payment"),
    ("payments/<uuid:uuid>/<str:action>/", "payments.views", "SettleView", "loyalty-payment-settle"),
    ("health/", "health.views", "HealthView", "loyalty-health"),
    ("health/audit/", "health.views", "AuditView", "loyalty-health-audit"),
    ("health/due/<int:pk>/retry/", "health.views", "RetryView", "loyalty-health-retry"),
    ("health/messages/<int:pk>/resend/", "health.views", "ResendView", "loyalty-health-resend"),
    ("goals/", "goals.views", "GoalListView", "loyalty-goals"),
    ("goals/new/", "goals.views", "GoalView", "loyalty-goal-create"),
    ("goals/<int:pk>/", "goals.views", "GoalView", "loyalty-goal"),
    ("goals/<int:pk>/end/", "goals.views", "GoalEndView", "loyalty-goal-end"),
    ("members/<int:pk>/stamp/", "goals.views", "MemberStampView", "loyalty-member-stamp"),
    ("limits/", "limits.views", "LimitsView", "loyalty-limits"),
    # Actions and referral.
    ("actions/", "friends.views", "ActionsView", "loyalty-actions"),
    ("actions/scan/", "friends.views", "ScanListView", "loyalty-scans"),
    ("actions/scan/<int:pk>/code.svg", "friends.views", "ScanCodeView", "loyalty-scan-code"),
    ("referrals/", "friends.views", "ReferralListView", "loyalty-referrals"),
    ("referrals/terms/", "friends.views", "SchemeView", "loyalty-referral-terms"),
    ("referrals/<int:pk>/<str:decision>/", "friends.views", "DecideView", "loyalty-referral-decide"),
    # Holds, duplicates, points from member to member.
    ("members/<int:pk>/status/<str:status>/", "people.statuses", "MemberStatusView", "loyalty-member-status"),
    ("members/<int:pk>/merge/", "people.merging", "FindDuplicateView", "loyalty-member-duplicates"),
    ("members/<int:pk>/merge/<int:other>/", "people.merging", "MergeView", "loyalty-member-merge"),
    ("gifts/", "people.sharing", "GiftListView", "loyalty-gifts"),
    ("gifts/terms/", "people.sharing", "PolicyView", "loyalty-sharing-terms"),
    ("gifts/<uuid:uuid>/call-off/", "people.sharing", "CallOffView", "loyalty-gift-call-off"),
    # Rewards.
    ("rewards/", "rewards.views", "RewardListView", "loyalty-rewards"),
    ("rewards/new/", "rewards.views", "RewardKindView", "loyalty-reward-kind"),
    ("rewards/new/<str:kind>/", "rewards.views", "RewardView", "loyalty-reward-create"),
    ("rewards/<int:pk>/", "rewards.views", "RewardView", "loyalty-reward"),
    ("rewards/<int:pk>/codes/", "rewards.views", "RewardCodesView", "loyalty-reward-codes"),
    ("rewards/<int:pk>/codes/remove/", "rewards.views", "RewardCodesRemoveView", "loyalty-reward-codes-remove"),
    ("rewards/settings/", "rewards.views", "PolicyView", "loyalty-reward-settings"),
    ("rewards/claims/", "rewards.claims", "ClaimListView", "loyalty-reward-claims"),
    ("rewards/claims/<uuid:uuid>/", "rewards.claims", "ClaimView", "loyalty-reward-claim"),
    ("rewards/claims/<uuid:uuid>/use/", "rewards.claims", "ClaimUseView", "loyalty-reward-use"),
    ("rewards/claims/<uuid:uuid>/renew/", "rewards.claims", "ClaimRenewView", "loyalty-reward-renew"),
    ("rewards/claims/<uuid:uuid>/cancel/", "rewards.claims", "ClaimCancelView", "loyalty-reward-cancel"),
    ("members/<int:pk>/reward/", "rewards.claims", "MemberGiveView", "loyalty-member-reward"),
    # Several Sites.
    ("programmes/", "programme.sites", "ProgrammeListView", "loyalty-programmes"),
    ("programmes/choose/", "programme.sites", "ChooseView", "loyalty-programme-choose"),
    ("programmes/new/<int:pk>/", "programme.sites", "ProgrammeOfSiteView", "loyalty-programme-create"),
    # Tiers by rule.
    ("tiers/", "tiers.views", "TiersView", "loyalty-tiers"),
    ("tiers/preview/", "tiers.views", "TierPreviewView", "loyalty-tiers-preview"),
    ("tiers/preview/progress/", "tiers.views", "TierPreviewProgressView", "loyalty-tiers-preview-progress"),
    ("tiers/<int:pk>/remove/", "tiers.views", "TierRemoveView", "loyalty-tier-remove"),
    ("members/<int:pk>/tier/end/", "members.views", "MemberTierEndView", "loyalty-member-tier-end"),
    ("members/<int:pk>/tiers/", "members.views", "MemberTiersView", "loyalty-member-tiers"),
    # Early access and guest passes.
    ("early-access/", "early.views", "WindowListView", "loyalty-early"),
    ("early-access/new/", "early.views", "WindowView", "loyalty-early-create"),
    ("early-access/<int:pk>/", "early.views", "WindowView", "loyalty-early-window"),
    ("early-access/<int:pk>/end/", "early.views", "WindowEndView", "loyalty-early-end"),
    ("early-access/<int:pk>/go-on/", "early.views", "WindowGoOnView", "loyalty-early-go-on"),
    ("guest-passes/", "early.views", "PassListView", "loyalty-passes"),
    ("guest-passes/<uuid:uuid>/back/", "early.views", "PassBackView", "loyalty-pass-back"),
    # Drafts of rules, and the way to a running programme.
    ("start/", "start.views", "StartView", "loyalty-start"),
    ("start/<slug:code>/", "start.views", "PresetView", "loyalty-preset"),
    ("drafts/", "drafts.views", "DraftListView", "loyalty-drafts"),
    ("drafts/new/", "drafts.views", "DraftCreateView", "loyalty-draft-create"),
    ("drafts/<int:pk>/", "drafts.views", "DraftView", "loyalty-draft"),
    ("drafts/<int:pk>/edit/", "drafts.views", "DraftEditView", "loyalty-draft-edit"),
    ("drafts/<int:pk>/copy/", "drafts.views", "DraftCopyView", "loyalty-draft-copy"),
    ("drafts/<int:pk>/discard/", "drafts.views", "DraftDiscardView", "loyalty-draft-discard"),
    ("drafts/<int:pk>/rules/", "drafts.items", "DraftRulesView", "loyalty-draft-rules"),
    ("drafts/<int:pk>/rules/new/", "drafts.items", "DraftItemView", "loyalty-draft-rule-create"),
    ("drafts/<int:pk>/rules/<int:rule>/", "drafts.items", "DraftItemView", "loyalty-draft-rule"),
    ("drafts/<int:pk>/rules/<int:rule>/end/", "drafts.items", "DraftEndView", "loyalty-draft-rule-end"),
    ("drafts/<int:pk>/changes/<int:item>/", "drafts.items", "DraftItemView", "loyalty-draft-item"),
    ("drafts/<int:pk>/changes/<int:item>/drop/", "drafts.items", "DraftDropView", "loyalty-draft-item-drop"),
    ("drafts/<int:pk>/publish/", "drafts.publishing", "DraftPublishView", "loyalty-draft-publish"),
    ("drafts/<int:pk>/call-off/", "drafts.publishing", "DraftCallOffView", "loyalty-draft-call-off"),
    # Large files.
    ("files/", "files.views", "FileListView", "loyalty-files"),
    ("files/<uuid:uuid>/", "files.views", "FileView", "loyalty-file"),
    ("files/<uuid:uuid>/progress/", "files.views", "FileProgressView", "loyalty-file-progress"),
    ("files/<uuid:uuid>/again/", "files.views", "FileAgainView", "loyalty-file-again"),
    # The simulator.
    ("simulations/", "simulator.views", "SimulationListView", "loyalty-simulations"),
    ("simulations/new/", "simulator.views", "SimulationNewView", "loyalty-simulation-new"),
    ("simulations/<int:pk>/", "simulator.views", "SimulationView", "loyalty-simulation"),
    ("simulations/<int:pk>/progress/", "simulator.views", "SimulationProgressView", "loyalty-simulation-progress"),
    ("simulations/<int:pk>/compare/", "simulator.views", "SimulationCompareView", "loyalty-simulation-compare"),
    (
        "simulations/<int:pk>/members/<str:format>/",
        "simulator.views",
        "SimulationExportView",
        "loyalty-simulation-export",
    ),
    ("simulations/<int:pk>/<str:action>/", "simulator.views", "SimulationActionView", "loyalty-simulation-action"),
]


class LoyaltyDashboardConfig(OscarDashboardConfig):
    """The owner's pages. A shop changes one by a view of the same name in its fork, or by a template."""

    name = "oscar_loyalty.dashboard"
    label = "loyalty_dashboard"
    verbose_name = _("Loyalty dashboard")
    namespace = "loyalty-dashboard"
    default_permissions = DEFAULT
    permissions_map = PERMISSIONS

    def ready(self):
        from oscar_loyalty.dashboard import checks, handlers  # noqa: F401  (both register themselves)

    def get_urls(self):
        urls = [
            path(address, get_class(f"dashboard.{module}", view).as_view(), name=name)
            for address, module, view, name in PAGES
        ]
        return self.post_process_urls(urls)
