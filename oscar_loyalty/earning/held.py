"""What this room holds on a person, and what is left of it when they leave: figures, without a person."""

from types import SimpleNamespace
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.earning import explain
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold, left_out

FIGURES = "figures of the programme, under a number that names nobody any more"


def _rows(name: str) -> Any:
    return get_model("loyalty_earning", name).objects.all()


def _simple(name: str, title: Any, model: str, **options: Any) -> None:
    def rows(person: Person) -> Any:
        return _rows(model).filter(member__in=person.members)

    if options.pop("delete", False):
        options["erase"] = lambda person: rows(person).delete()
    hold(f"earning.{name}", title, rows, columns=[f"loyalty_earning.{model}.member"], **options)


hold(
    "movements",
    _("Your points"),
    lambda person: get_model("loyalty_ledger", "Entry").objects.filter(account__in=person.accounts),
    columns=["loyalty_ledger.Entry.account"],
    said={"what_for": (_("What for"), lambda told: explain.entry_title(SimpleNamespace(**told)))},
    keeps="entries of the books are never changed; what named a person lies beside them and is erased",
)
_simple("awards", _("Points earned"), "Award", names=["tier__name"], keeps=FIGURES)
_simple("bookings", _("Visits"), "Booking", keeps="what was booked and paid, as long as the order or the calendar")
_simple("numbers", _("Customer numbers"), "CustomerNumber", delete=True)
_simple("profile", _("What you told about yourself"), "MemberProfile", delete=True)
_simple("goals", _("Stamp cards and challenges"), "GoalCard", names=["goal__name"], keeps=FIGURES)
_simple("stamps", _("Stamps"), "Stamp", names=["goal__name"], keeps=FIGURES)
_simple("invitation", _("Your invitation code"), "Invitation", delete=True)
_simple("devices", _("Devices seen, as a fingerprint"), "ReferralDevice", delete=True)


def _erase_claims(person: Person) -> None:
    _rows("GuestClaim").filter(member__in=person.members).update(email="")


_simple("claims", _("Guest orders you added"), "GuestClaim", names=["order__number"], erase=_erase_claims)


def _erase_adjustments(person: Person) -> None:
    """The reason may name the person, where it was about them alone."""
    about = _rows("AdjustmentItem").filter(member__in=person.members).values("adjustment")
    alone = _rows("Adjustment").annotate(number=Count("items")).filter(pk__in=about, number=1)
    _rows("Adjustment").filter(pk__in=list(alone.values_list("pk", flat=True))).update(reason="")


_simple(
    "adjustments",
    _("Adjustments"),
    "AdjustmentItem",
    names=["adjustment__reason", "adjustment__units", "adjustment__requested_at"],
    erase=_erase_adjustments,
)
hold(
    "earning.referrals",
    _("Friends who came by you, and whom you came by"),
    lambda person: _rows("Referral").filter(Q(referrer__in=person.members) | Q(friend__in=person.members)),
    # Who the other one is, and what the guards say of both, is not this person's alone.
    without=["reasons", "terms"],
    columns=["loyalty_earning.Referral.referrer", "loyalty_earning.Referral.friend"],
    keeps=FIGURES,
)
hold(
    "earning.links",
    _("Links to guest orders"),
    lambda person: _rows("GuestLink").filter(
        Q(asked_by=person.user, asked_by__isnull=False) | Q(used_by=person.user, used_by__isnull=False)
    ),
    without=["nonce"],
    columns=["loyalty_earning.GuestLink.asked_by", "loyalty_earning.GuestLink.used_by"],
    keeps="belongs to an order, and to the account in the shop",
)
for _column in ("Adjustment.requested_by", "Adjustment.decided_by", "Referral.decided_by"):
    left_out(f"loyalty_earning.{_column}", why="who decided it on behalf of the shop")
