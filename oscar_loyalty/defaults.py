"""Settings, each with its default and a sentence. A shop sets ``OSCAR_LOYALTY_<NAME>`` in its own settings."""

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
    def GIFTCARD_CLASS_SLUG(self) -> str:
        """Slug of the product class of gift cards."""
        return self._get("GIFTCARD_CLASS_SLUG", "gift-card")

    @property
    def GIFTCARD_ATTEMPTS(self) -> int:
        """Wrong gift-card codes allowed for each account, session and address within the window."""
        return self._get("GIFTCARD_ATTEMPTS", 10)

    @property
    def GIFTCARD_ATTEMPTS_WINDOW(self) -> int:
        """Length of that window, in minutes."""
        return self._get("GIFTCARD_ATTEMPTS_WINDOW", 60)

    @property
    def TRUSTED_PROXIES(self) -> int:
        """How many proxies of the shop's own stand in front of it, each adding an address to ``X-Forwarded-For``."""
        return self._get("TRUSTED_PROXIES", 0)

    @property
    def HOLD_MINUTES(self) -> int:
        """How long points and gift cards stay set aside for a checkout that has not ended."""
        return self._get("HOLD_MINUTES", 60)

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


conf = Conf()
