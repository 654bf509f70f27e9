"""Settings, each with its default and a sentence. A shop sets ``OSCAR_LOYALTY_<NAME>`` in its own settings."""

from decimal import Decimal
from typing import Any

from django.conf import settings


class Conf:
    """Reads each setting when it is asked for, so that tests can override it."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, f"OSCAR_LOYALTY_{name}", default)

    @property
    def WORKER(self) -> str:
        """Who does background work: ``"cron"`` (``loyalty_run`` every minute), ``"celery"``, or ``"inline"``
        (at once, in the process that caused it; for demonstrations)."""
        return self._get("WORKER", "cron")

    @property
    def REPLICA(self) -> str:
        """Alias in ``DATABASES`` of a replica that the owner's pages read from, by the router
        ``oscar_loyalty.replicas.ReplicaRouter``; empty: there is none."""
        return str(self._get("REPLICA", ""))

    @property
    def EXPORT_DAYS(self) -> int:
        """How many days a large file that a colleague has asked for can be fetched before it is deleted."""
        return int(self._get("EXPORT_DAYS", 7))

    @property
    def SITE_ID(self) -> int | None:
        """The Site of what has none of its own (commands, bookings, orders of a till), where one process serves several
        Sites and ``SITE_ID`` is not set; by default the first Site."""
        return self._get("SITE_ID", None)

    @property
    def DASHBOARD_PROGRAMMES(self) -> str:
        """Which programmes a colleague may see in the dashboard, where there are several: the path of a function that
        gets the user and the programmes, a queryset, and returns those; by default all of them."""
        return self._get("DASHBOARD_PROGRAMMES", "")

    @property
    def LANGUAGES(self) -> list[str]:
        """Languages in which the owner writes names and texts; by default English, French and the site's own,
        as far as the shop offers them."""
        offered = dict(settings.LANGUAGES)
        wanted = dict.fromkeys([settings.LANGUAGE_CODE, "en", "fr"])
        return self._get("LANGUAGES", [code for code in wanted if code in offered] or [settings.LANGUAGE_CODE])

    @property
    def GIFTCARD_KEYS(self) -> dict[str, str]:
        """Key ring from which gift-card codes are made, by id; the first is used for new cards. Keep old ones."""
        return self._get("GIFTCARD_KEYS", {})

    @property
    def GIFTCARDS_SHARED(self) -> bool:
        """Whether a gift card of one Site pays at the others too. The Sites then also share their lists of cards."""
        return self._get("GIFTCARDS_SHARED", False)

    @property
    def GIFTCARD_CLASS_SLUG(self) -> str:
        """Slug of the product class of gift cards, which this package makes: none that the shop has made itself. All
        products of that class are gift cards, and no others."""
        return self._get("GIFTCARD_CLASS_SLUG", "loyalty-gift-card")

    @property
    def GIFTCARD_ATTEMPTS(self) -> int:
        """Wrong gift-card codes allowed for each account, session, address and code within the window."""
        return self._get("GIFTCARD_ATTEMPTS", 10)

    @property
    def GIFTCARD_ATTEMPTS_WINDOW(self) -> int:
        """Length of that window, in minutes."""
        return self._get("GIFTCARD_ATTEMPTS_WINDOW", 60)

    @property
    def GIFTCARD_TOPUP_LIMIT(self) -> Any:
        """How much money, in a card's own currency, whoever manages gift cards may put on cards by hand at a time; more
        needs the permission to approve points."""
        return Decimal(str(self._get("GIFTCARD_TOPUP_LIMIT", 500)))

    @property
    def GIFTCARD_REMIND_DAYS(self) -> int:
        """How many days before a gift card ends its holder is reminded, once; 0: never."""
        return self._get("GIFTCARD_REMIND_DAYS", 30)

    @property
    def GIFTCARD_GRACE_DAYS(self) -> int:
        """How many days what comes back to a gift card that has ended since can still be spent."""
        return self._get("GIFTCARD_GRACE_DAYS", 30)

    @property
    def GIFTCARD_FOREIGN_CODES(self) -> bool:
        """Whether codes of another system, brought in by an import, are accepted. They are often short, and so easier
        to guess than ours."""
        return self._get("GIFTCARD_FOREIGN_CODES", False)

    @property
    def TRUSTED_PROXIES(self) -> int:
        """How many proxies of the shop's own stand in front of it, each adding an address to ``X-Forwarded-For``."""
        return self._get("TRUSTED_PROXIES", 0)

    @property
    def GIFTCARD_ALERT_TRIES(self) -> int:
        """Wrong gift-card codes from everybody together within the window, from which on the owner is told."""
        return self._get("GIFTCARD_ALERT_TRIES", 50)

    @property
    def GIFTCARD_ALERT_EMAIL(self) -> str:
        """Who is told by e-mail that somebody is guessing codes, at most once an hour; by default the first of
        ``MANAGERS``, then of ``ADMINS``, then the first superuser with an address."""
        people = [*getattr(settings, "MANAGERS", []), *getattr(settings, "ADMINS", [])]
        first = people[0] if people else ""
        # Django takes pairs of a name and an address, and from version 6 on addresses alone.
        return self._get("GIFTCARD_ALERT_EMAIL", first if isinstance(first, str) else first[1])

    @property
    def GIFTCARD_DESIGNS(self) -> dict[str, Any]:
        """Designs of gift cards beside the three of this package, by code: for each a ``name``, a ``template`` with its
        drawing as SVG, and a static ``picture`` (PNG or JPEG, 1.7 times as wide as high) for mail and print. ``None``
        takes one of ours away."""
        return self._get("GIFTCARD_DESIGNS", {})

    @property
    def GIFTCARD_DELIVERY_HOUR(self) -> int:
        """The hour of the day, in the shop's time zone, at which gift cards that were given a day are sent."""
        return self._get("GIFTCARD_DELIVERY_HOUR", 8)

    @property
    def PRINT_FONT(self) -> str:
        """File of a TrueType font for printed cards; by default DejaVu Sans, which comes with this package."""
        return self._get("PRINT_FONT", "")

    @property
    def WALLET_ICON(self) -> str:
        """Static path of a square PNG, at least 150 pixels wide: the shop's picture on wallet passes."""
        return self._get("WALLET_ICON", "oscar_loyalty/wallet/icon.png")

    @property
    def WALLET_APPLE_TYPE(self) -> str:
        """Apple's identifier of the shop's passes (``pass.com.example.loyalty``); empty: none for Apple's Wallet."""
        return self._get("WALLET_APPLE_TYPE", "")

    @property
    def WALLET_APPLE_TEAM(self) -> str:
        """The shop's team identifier at Apple (ten signs)."""
        return self._get("WALLET_APPLE_TEAM", "")

    @property
    def WALLET_APPLE_CERTIFICATE(self) -> str:
        """PEM file with the certificate that Apple gave for that identifier, and its private key."""
        return str(self._get("WALLET_APPLE_CERTIFICATE", ""))

    @property
    def WALLET_APPLE_PASSWORD(self) -> str:
        """What that private key is encrypted with, if it is."""
        return self._get("WALLET_APPLE_PASSWORD", "")

    @property
    def WALLET_APPLE_WWDR(self) -> str:
        """PEM file with Apple's intermediate certificate (Worldwide Developer Relations)."""
        return str(self._get("WALLET_APPLE_WWDR", ""))

    @property
    def WALLET_APPLE_PUSH(self) -> str:
        """Apple's push service, which tells a phone that its pass has changed."""
        return self._get("WALLET_APPLE_PUSH", "https://api.push.apple.com")

    @property
    def WALLET_GOOGLE_ISSUER(self) -> str:
        """The shop's issuer id at Google Wallet; empty: no passes for Google Wallet."""
        return str(self._get("WALLET_GOOGLE_ISSUER", ""))

    @property
    def WALLET_GOOGLE_KEY(self) -> str:
        """JSON file of the service account that signs for that issuer."""
        return str(self._get("WALLET_GOOGLE_KEY", ""))

    @property
    def HOLD_MINUTES(self) -> int:
        """How long points and gift cards stay set aside for a checkout that has not ended."""
        return self._get("HOLD_MINUTES", 60)

    @property
    def GUEST_LINK_DAYS(self) -> int:
        """How many days a link works that brings a guest's order to an account; so long, too, an address counts as
        proven that such a link was sent to."""
        return self._get("GUEST_LINK_DAYS", 60)

    @property
    def MONEY(self) -> list[str]:
        """How our checkout lets people pay what points and gift cards do not: ``"stripe"``, ``"on_site"`` (when they
        come), or both, the first being proposed. Without Stripe's keys, ``"stripe"`` is left out."""
        return self._get("MONEY", ["on_site"])

    @property
    def STRIPE_SECRET_KEY(self) -> str:
        """Stripe's secret key (``sk_live_…``, ``sk_test_…``); without it nobody can pay by card."""
        return self._get("STRIPE_SECRET_KEY", "")

    @property
    def STRIPE_WEBHOOK_SECRET(self) -> list[str]:
        """Signing secret of Stripe's webhook (``whsec_…``); a list of two while one is being replaced."""
        secrets = self._get("STRIPE_WEBHOOK_SECRET", [])
        return [secrets] if isinstance(secrets, str) else list(secrets)

    @property
    def STRIPE_ACCOUNT(self) -> str:
        """The connected account that is paid (``acct_…``), where the key is a platform's."""
        return self._get("STRIPE_ACCOUNT", "")

    @property
    def STRIPE_API_BASE(self) -> str:
        """Another address of Stripe's API, such as that of the test server that comes with this package."""
        return self._get("STRIPE_API_BASE", "")

    @property
    def REFUND_EVENT_TYPES(self) -> list[str]:
        """Names of Oscar's payment event types that mean a refund; the first is used for refunds made here."""
        return self._get("REFUND_EVENT_TYPES", ["Refund", "Refunded"])

    @property
    def REFUND_LATE_HOURS(self) -> int:
        """After how many hours a refund that still waits for the payment provider turns the light red."""
        return self._get("REFUND_LATE_HOURS", 6)

    @property
    def SERVICE_CLASS_SLUGS(self) -> list[str]:
        """Slugs of the product classes whose products are bookable services."""
        return self._get("SERVICE_CLASS_SLUGS", ["service"])

    @property
    def SWEEP_LATE_MINUTES(self) -> int:
        """After how many minutes without a sweep the dashboard's light turns red."""
        return self._get("SWEEP_LATE_MINUTES", 10)

    @property
    def APPOINTMENT_AUTO_ATTEND(self) -> float | None:
        """Hours after the end of an appointment at which it counts as attended though nobody said so; ``None``:
        never."""
        return self._get("APPOINTMENT_AUTO_ATTEND", None)

    @property
    def APPOINTMENT_SITE(self) -> str:
        """Which Site an appointment is of, where the calendar serves several: the path of a function that gets the
        appointment and returns a ``Site``, or ``None`` for the default one, which all are of otherwise."""
        return self._get("APPOINTMENT_SITE", "")

    @property
    def CONSENT(self) -> str:
        """Dotted path of the shop's consent tool: a function of the request and a purpose (``"invitation"``,
        ``"device"``) that returns whether the visitor agreed to a cookie for it. Empty: no such cookie is ever set; an
        invitation is kept in the session then."""
        return self._get("CONSENT", "")

    @property
    def LEAVING_DAYS(self) -> int:
        """How many days a member who has left may come back before everything that names them is erased."""
        return self._get("LEAVING_DAYS", 14)

    @property
    def DATA_EXPORT_DAYS(self) -> int:
        """How many days a member can fetch the copy of their data that they asked for."""
        return self._get("DATA_EXPORT_DAYS", 7)

    @property
    def PROFILE_PARTS(self) -> list[str]:
        """What makes a member's profile complete: some of ``"name"``, ``"birthday"``, ``"address"``, and what the shop
        adds with ``oscar_loyalty.earning.profiles.part``."""
        return self._get("PROFILE_PARTS", ["name", "birthday", "address"])

    @property
    def SHARING_KEEP_DAYS(self) -> int:
        """How many days after its end a gift of points, or an invitation to a household, still says the e-mail or card
        number that was typed; 0: it is erased at once."""
        return self._get("SHARING_KEEP_DAYS", 30)

    @property
    def REFERRAL_DAYS(self) -> int:
        """How many days an invitation is remembered, and how long after joining its code can still be typed."""
        return self._get("REFERRAL_DAYS", 30)

    @property
    def REFERRAL_KEEP_DAYS(self) -> int:
        """After how many days the hashed traces of devices and cards that guard referrals are deleted."""
        return self._get("REFERRAL_KEEP_DAYS", 400)

    @property
    def REFERRAL_MAILBOXES(self) -> list[str]:
        """Mail providers, beside those this package knows, where what stands behind a ``+`` names the same mailbox."""
        return self._get("REFERRAL_MAILBOXES", [])


conf = Conf()
