"""What makes referrals move: awards, due rows and the sweep."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import rounds
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning import explain
from oscar_loyalty.earning.followers import follower
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.loading import get_model

#: Tenders in one sweep.
SLICE = 500


@follower("referrals")
def follow(awards: Sequence[Any]) -> None:
    """Settle the referrals of whose orders the awards are."""
    bought = [award for award in awards if award.source_type == "order"]
    if bought:
        rewards = get_model("loyalty_earning", "ReferralReward").objects.filter(source__in=[one.pk for one in bought])
        # After a merge an order may have its place in the referral of the membership that is no more.
        placed = Q(pk__in=list(rewards.values_list("referral", flat=True)))
        which = placed | Q(friend__in={one.member_id for one in bought})
        for referral in get_model("loyalty_earning", "Referral").objects.filter(which).order_by("pk"):
            services.settle(referral=referral)


@handler(services.GIVE)
def give_due(row: Any) -> None:
    reward = get_model("loyalty_earning", "ReferralReward").objects.select_related("referral")
    reward = reward.filter(pk=row.payload["reward"]).first()
    if reward is not None:
        services.give(reward=reward)


@explain.saying("referral", title=gettext_lazy("A friend you invited"))
def _invited(why: Mapping[str, Any], programme: Any) -> str:
    return _("%(points)s for a friend who came by you and ordered") % {
        "points": explain.points(why.get("points", 0), programme)
    }


@explain.saying("referred", title=gettext_lazy("You came by a friend"))
def _came(why: Mapping[str, Any], programme: Any) -> str:
    return _("%(points)s for coming by a friend") % {"points": explain.points(why.get("points", 0), programme)}


@sweeper("earning.referral_traces")
def forget() -> int:
    """Delete the hashed traces of devices and cards that are older than the shop keeps them."""
    before = clock.now() - timedelta(days=conf.REFERRAL_KEEP_DAYS)
    done, _by = get_model("loyalty_earning", "ReferralDevice").objects.filter(seen_at__lt=before).delete()
    Tender = get_model("loyalty_payments", "Tender")
    part = rounds.part("earning.referral_traces", Tender)
    old = Tender.objects.filter(attempt__created_at__lt=before, detail__has_key="card").order_by("pk")
    tenders = [tender for some in part.ranges() for tender in old.filter(some)[:SLICE]]
    for tender in tenders:
        tender.detail.pop("card")
        tender.save(update_fields=["detail"])
    if len(tenders) < SLICE:
        part.over()
    return int(done) + len(tenders)
