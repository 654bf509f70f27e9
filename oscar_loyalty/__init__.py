"""The loyalty programme that a shop on django-oscar installs."""

__version__ = "0.1.0.dev0"

#: What a shop adds to its ``INSTALLED_APPS``, before Oscar's own apps so that the templates of this
#: package, which extend Oscar's, are found first. The order is that of the rooms: each app uses only
#: those above it.
INSTALLED_APPS = [
    "oscar_loyalty.apps.LoyaltyConfig",
    "oscar_loyalty.due.apps.DueConfig",
    "oscar_loyalty.ledger.apps.LedgerConfig",
    "oscar_loyalty.members.apps.MembersConfig",
    "oscar_loyalty.giftcards.apps.GiftcardsConfig",
    "oscar_loyalty.payments.apps.PaymentsConfig",
    "oscar_loyalty.earning.apps.EarningConfig",
    "oscar_loyalty.rewards.apps.RewardsConfig",
    "oscar_loyalty.privileges.apps.PrivilegesConfig",
    "oscar_loyalty.messaging.apps.MessagingConfig",
    "oscar_loyalty.wallet.apps.WalletConfig",
    "oscar_loyalty.reports.apps.ReportsConfig",
    "oscar_loyalty.storefront.apps.StorefrontConfig",
    "oscar_loyalty.account.apps.AccountConfig",
    "oscar_loyalty.dashboard.apps.LoyaltyDashboardConfig",
]

#: Oscar's apps that have a stand-in here, for a shop that has not forked them itself.
STAND_INS = {
    "oscar.apps.checkout.apps.CheckoutConfig": "oscar_loyalty.checkout.apps.CheckoutConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig": (
        "oscar_loyalty.dashboard.catalogue.apps.CatalogueDashboardConfig"
    ),
}


def stand_in(installed_apps):
    """Return ``installed_apps`` with each of Oscar's apps named in :data:`STAND_INS` replaced by ours.

    Apps that the shop has forked are not named there, so they are left alone; the mixins in the
    documentation give them the same features.
    """
    return [STAND_INS.get(app, app) for app in installed_apps]
