"""The loyalty programme that a shop on django-oscar installs."""

__version__ = "0.1.0.dev0"

#: What :func:`installed` adds to a shop's ``INSTALLED_APPS``. The order is that of the rooms: each app uses only those
#: above it.
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


def installed(installed_apps, before="oscar"):
    """Return ``installed_apps`` with ours among them, and ours for those of Oscar's that :data:`STAND_INS` names.

    Ours stand right before Oscar's: our templates, which extend Oscar's of the same name, are found before these, and
    after those of the shop's own apps. Apps that the shop has forked are not named in :data:`STAND_INS`, so they are
    left alone; the mixins in the documentation give them the same features.

    ``before`` names the app, or the package of apps, that ours stand before: the shop's own where it has replaced
    ``oscar.config.Shop``. Raises :exc:`ValueError` if it is not in the list.
    """
    return insert(INSTALLED_APPS, [STAND_INS.get(app, app) for app in installed_apps], before)


def insert(apps, installed_apps, before):
    """Return ``installed_apps`` with ``apps`` right before the first that is ``before`` or lies in that package.

    Raises :exc:`ValueError` if there is none.
    """
    for place, app in enumerate(installed_apps):
        if f"{app}.".startswith(f"{before}."):
            return [*installed_apps[:place], *apps, *installed_apps[place:]]
    raise ValueError(f"INSTALLED_APPS has nothing of {before!r}, which must be there.")
