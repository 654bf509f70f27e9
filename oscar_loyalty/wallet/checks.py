from django.core.checks import Error, Warning, register


@register()
def certificates(app_configs, **kwargs):
    """What is named for passes can be read, signs, and lives for a while yet."""
    from datetime import timedelta

    from oscar_loyalty import clock
    from oscar_loyalty.defaults import conf
    from oscar_loyalty.wallet import apple, google
    from oscar_loyalty.wallet.exceptions import WalletOff

    found = []
    named = (conf.WALLET_APPLE_TYPE, conf.WALLET_APPLE_TEAM, conf.WALLET_APPLE_CERTIFICATE, conf.WALLET_APPLE_WWDR)
    if apple.is_on():
        try:
            certificate, _key, _wwdr = apple.signer()
            apple.icons(conf.WALLET_ICON)
        except WalletOff as error:
            found.append(Error(str(error), hint=APPLE, id="loyalty.E130"))
        else:
            if certificate.not_valid_after_utc < clock.now() + timedelta(days=30):
                ends = certificate.not_valid_after_utc.date().isoformat()
                hint = "Make a new one at Apple: passes are neither made nor updated without."
                found.append(
                    Warning(f"The certificate of Apple's passes ends on {ends}.", hint=hint, id="loyalty.W131")
                )
    elif any(named):
        found.append(
            Warning("Apple's passes are off: some of what they need is not named.", hint=APPLE, id="loyalty.W130")
        )
    if google.is_on():
        try:
            google.account()
        except WalletOff as error:
            found.append(Error(str(error), hint=GOOGLE, id="loyalty.E131"))
    elif conf.WALLET_GOOGLE_ISSUER or conf.WALLET_GOOGLE_KEY:
        found.append(
            Warning("Google's passes are off: some of what they need is not named.", hint=GOOGLE, id="loyalty.W132")
        )
    return found


APPLE = (
    "Set OSCAR_LOYALTY_WALLET_APPLE_TYPE, …_TEAM, …_CERTIFICATE (a PEM file with certificate and key) and …_WWDR "
    "(Apple's intermediate certificate as PEM), or none of them."
)
GOOGLE = "Set OSCAR_LOYALTY_WALLET_GOOGLE_ISSUER and …_GOOGLE_KEY (the service account's JSON file), or none of them."
