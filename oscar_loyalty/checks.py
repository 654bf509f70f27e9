"""System checks: each names a way in which a shop can be set up wrongly, and which feature is off for it.

Errors are ``loyalty.E001`` and on, warnings ``loyalty.W001`` and on; the reference in the documentation lists them.
"""

from django.core.checks import Error, Tags, register

from oscar_loyalty.defaults import conf


@register(Tags.security)
def giftcard_keys(app_configs, **kwargs):
    """Gift-card codes are made from a key that must not be Django's own, nor lie in the database."""
    from django.conf import settings

    keys = conf.GIFTCARD_KEYS
    if not keys:
        return [
            Error(
                "OSCAR_LOYALTY_GIFTCARD_KEYS is empty: gift cards can be neither issued nor used.",
                hint='Set it to {"1": "<a secret of at least 32 characters>"}, kept outside the database.',
                id="loyalty.E001",
            )
        ]
    problems = []
    if settings.SECRET_KEY in keys.values():
        problems.append(
            Error(
                "OSCAR_LOYALTY_GIFTCARD_KEYS holds Django's SECRET_KEY.",
                hint="SECRET_KEY is rotated and shared with other uses: give gift cards a key of their own.",
                id="loyalty.E002",
            )
        )
    for key_id, secret in keys.items():
        if len(str(secret)) < 32:
            problems.append(
                Error(
                    f"The gift-card key {key_id!r} is shorter than 32 characters.",
                    hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
                    id="loyalty.E003",
                )
            )
    return problems
