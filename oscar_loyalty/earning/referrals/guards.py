"""Why a referral may be none: each guard has a code; a reason is kept, never what led to it."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model

#: What staff read for each reason.
REASONS = {
    "self": _("It is the same person: the same account or e-mail."),
    "mailbox": _("Both e-mails end in the same mailbox."),
    "address": _("Both have the same postal address."),
    "card": _("Both have paid with the same card."),
    "device": _("Both were seen with the same device."),
    "cycle": _("They invited each other, directly or through others."),
    "too_many": _("The member had brought too many friends within a day."),
    "customer": _("The friend had ordered here before."),
}
#: Providers that deliver ``name+anything`` to ``name``; those that ignore dots as well; and their other names.
PLUS = {
    "gmail.com", "outlook.com", "hotmail.com", "live.com", "icloud.com", "me.com", "mac.com", "protonmail.com",
    "proton.me", "pm.me", "fastmail.com", "fastmail.fm", "yandex.com", "zoho.com", "tutanota.com", "mailbox.org",
}  # fmt: skip
DOTS = {"gmail.com"}
SAME = {"googlemail.com": "gmail.com", "pm.me": "proton.me", "protonmail.com": "proton.me", "me.com": "icloud.com",
        "mac.com": "icloud.com", "fastmail.fm": "fastmail.com"}  # fmt: skip
#: So far the chain of who brought whom is followed.
FAR = 50


def mailbox(email: str) -> str:
    """Return the mailbox behind an address, as far as its provider is known: "Lea.M+x@gmail.com" is "leam@gmail.com".

    Applied twice it changes nothing. An address that is none comes back in small letters.
    """
    name, at, domain = email.strip().lower().rpartition("@")
    if not at or not name:
        return email.strip().lower()
    domain = SAME.get(domain, domain)
    if domain in PLUS or domain in conf.REFERRAL_MAILBOXES:
        name = name.partition("+")[0] or name
    if domain in DOTS:
        name = name.replace(".", "") or name
    return f"{name}@{domain}"


def place(address: Any) -> str:
    """Return a postal address in the form in which two spellings of it are the same; "" where it says too little."""
    words = [address.line1, address.line2, address.line3, address.postcode, address.country_id]
    if not address.line1 or not (address.postcode or address.line4):
        return ""
    if not address.postcode:
        words.append(address.line4)
    plain = unicodedata.normalize("NFKD", " ".join(word for word in words if word)).casefold()
    return "".join(re.findall(r"\w", "".join(sign for sign in plain if not unicodedata.combining(sign))))


def device_digest(number: str) -> str:
    """Return the keyed hash under which a device is known."""
    return salted_hmac("oscar_loyalty.referrals.device", number, algorithm="sha256").hexdigest()


def on_joining(*, referrer: Any, friend: Any, scheme: Any) -> list[str]:
    """Return the reasons that can be known when the friend joins."""
    found = []
    if referrer.pk == friend.pk or (referrer.user_id is not None and referrer.user_id == friend.user_id):
        return ["self"]
    if referrer.email and referrer.email.lower() == friend.email.lower():
        found.append("self")
    elif referrer.email and mailbox(referrer.email) == mailbox(friend.email):
        found.append("mailbox")
    if _cycle(referrer, friend):
        found.append("cycle")
    Referral = get_model("loyalty_earning", "Referral")
    day = Referral.objects.filter(referrer=referrer, created_at__gt=clock.now() - timedelta(days=1))
    if day.exclude(friend=friend).count() >= scheme.daily_limit:
        found.append("too_many")
    orders = get_model("order", "Order").objects.filter(date_placed__lt=friend.joined_at)
    if orders.filter(Q(user=friend.user_id, user__isnull=False) | _guest(friend.email)).exists():
        found.append("customer")
    return found + traces(referrer=referrer, friend=friend)


def traces(*, referrer: Any, friend: Any) -> list[str]:
    """Return the reasons that show with time: addresses, cards and devices that both have used."""
    found = []
    if _places(referrer) & _places(friend):
        found.append("address")
    if _cards(referrer) & _cards(friend):
        found.append("card")
    Device = get_model("loyalty_earning", "ReferralDevice")
    own = Device.objects.filter(member=referrer).values("digest")
    if Device.objects.filter(member=friend, digest__in=own).exists():
        found.append("device")
    return found


def _guest(email: str) -> Q:
    return Q(guest_email__iexact=email) if email else Q(pk__in=[])


def _cycle(referrer: Any, friend: Any) -> bool:
    """Whether the friend has brought the referrer, directly or through others."""
    referrals = get_model("loyalty_earning", "Referral").objects.exclude(state="refused")
    above, seen = referrer.pk, set()
    while above is not None and above not in seen and len(seen) < FAR:
        if above == friend.pk:
            return True
        seen.add(above)
        above = referrals.filter(friend=above).values_list("referrer", flat=True).first()
    return False


def _places(member: Any) -> set[str]:
    """Return the member's postal addresses: those of the address book, and of the last orders."""
    if member.user_id is None:
        return set()
    found: list[Any] = list(get_model("address", "UserAddress").objects.filter(user=member.user_id)[:50])
    last = get_model("order", "Order").objects.filter(user=member.user_id).order_by("-pk")
    for order in last.select_related("shipping_address", "billing_address")[:20]:
        found += [order.shipping_address, order.billing_address]
    return _some(place(address) for address in found if address is not None)


def _cards(member: Any) -> set[str]:
    """Return the keyed hashes of the cards that the member has paid with."""
    if member.user_id is None:
        return set()
    tenders = get_model("loyalty_payments", "Tender").objects.filter(attempt__user=member.user_id)
    details = tenders.order_by("-pk").values_list("detail", flat=True)[:50]
    return _some(detail.get("card", "") for detail in details)


def _some(values: Iterable[str]) -> set[str]:
    return {value for value in values if value}
