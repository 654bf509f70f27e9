"""What members are told of holds, of points that were given, and of households."""

from typing import Any

from oscar_loyalty import times
from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning import explain
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, leaving, sharing, statuses
from oscar_loyalty.messaging import services
from oscar_loyalty.messaging.builders import _about, _member, _to_member
from oscar_loyalty.messaging.links import absolute
from oscar_loyalty.messaging.registry import after_sending, builder


def _tell(member: Any, *, kind: str, key: str, context: dict[str, Any]) -> None:
    services.queue(kind=kind, key=key, to=member.email, language=member.language, context=context, member=member)


@handler(statuses.TELL)
def tell_status(row: Any) -> None:
    changes = get_model("loyalty_members", "StatusChange").objects.select_related("member")
    change = changes.filter(pk=row.payload["change"]).first()
    if change is not None:
        _tell(change.member, kind="membership", key=f"membership:{change.pk}", context={"change": change.pk})


@builder("membership", to_member=True)
def membership(message: Any) -> dict[str, Any] | None:
    """The membership was put on hold, closed or opened again; nothing, when that is not so any more."""
    changes = get_model("loyalty_members", "StatusChange").objects.select_related("member__programme__site")
    change = changes.filter(pk=message.context["change"]).first()
    if change is None or change.member.status != change.after or change.member.merged_into_id is not None:
        return None
    return {**_to_member(change.member), "status": change.after, "reason": change.reason if change.shown else ""}


@handler(giving.TELL)
def tell_gift(row: Any) -> None:
    """Tell both that points are on their way or have come; the giver alone, that they are back."""
    rows = get_model("loyalty_members", "Transfer").objects.select_related("source", "target")
    gift = rows.filter(pk=row.payload["transfer"]).first()
    if gift is None:
        return
    state = row.payload["state"]
    by_giver = (gift.actor_type, gift.actor_id) == ("user", str(gift.source.user_id))
    sides = {"open": ("giver", "receiver"), "done": ("giver", "receiver"), "cancelled": () if by_giver else ("giver",)}
    for side in sides.get(state, ("giver",)):
        member = gift.source if side == "giver" else gift.target
        if member is not None:
            context = {"transfer": gift.pk, "side": side, "state": state}
            _tell(member, kind="gift", key=f"gift:{gift.pk}:{state}:{side}", context=context)


@builder("gift", to_member=True)
def gift(message: Any) -> dict[str, Any] | None:
    """Points that were given: what it means for whom it is written to, as long as it is so."""
    rows = get_model("loyalty_members", "Transfer").objects.select_related("source", "target", "programme", "hold")
    found = rows.filter(pk=message.context["transfer"], state=message.context["state"]).first()
    if found is None or (found.state == "open" and not found.is_open):
        return None
    is_giver = message.context["side"] == "giver"
    member = _member(found.source_id if is_giver else found.target_id)
    if member is None:
        return None
    about = _to_member(member)
    # Who has no account yet gets one first, by the link that proves the e-mail.
    url = absolute("give", member.programme.site) if member.user_id else about["account_url"]
    return {
        **about,
        "account_url": url,
        "state": found.state,
        "is_giver": is_giver,
        "other": found.whom if is_giver else sharing.name_for_others(found.source),
        "points": member.programme.points_label(found.units),
        "units": found.units,
        "until": times.last_day(found.until),
        "at_once": found.at_once,
        "reason": found.reason,
        "repaid": explain.repaid_sentence(_repaid(found), member.programme) if is_giver else "",
    }


def _repaid(gift: Any) -> int:
    """Return how many of the points that are the giver's again paid what was owed."""
    return ledger.repaid(hold=gift.hold) if gift.hold is not None and gift.hold.state == "released" else 0


@handler(households.INVITED)
def tell_invited(row: Any) -> None:
    rows = get_model("loyalty_members", "HouseholdInvitation").objects.select_related("member")
    invitation = rows.filter(pk=row.payload["invitation"], member__isnull=False).first()
    if invitation is not None:
        key, context = f"household:{invitation.pk}", {"invitation": invitation.pk}
        _tell(invitation.member, kind="household", key=key, context=context)


@builder("household", to_member=True)
def household(message: Any) -> dict[str, Any] | None:
    """Somebody wants the member in the household, as long as it waits for an answer."""
    rows = get_model("loyalty_members", "HouseholdInvitation").objects.select_related("invited_by")
    invitation = rows.filter(pk=message.context["invitation"]).first()
    member = _member(invitation.member_id) if invitation is not None and invitation.is_open else None
    if member is None:
        return None
    about = _to_member(member)
    url = absolute("household", member.programme.site) if member.user_id else about["account_url"]
    other = sharing.name_for_others(invitation.invited_by)
    return {**about, "account_url": url, "other": other, "until": times.last_day(invitation.until)}


@handler(leaving.TELL)
def tell_left(row: Any) -> None:
    departures = get_model("loyalty_members", "Departure").objects.select_related("member__programme")
    departure = departures.filter(pk=row.payload["departure"]).first()
    if departure is not None:
        context = {"departure": departure.pk}
        _tell(departure.member, kind="farewell", key=f"farewell:{departure.pk}", context=context)


@builder("farewell", to_member=True)
def farewell(message: Any) -> dict[str, Any] | None:
    """The membership has ended as its member wished; nothing, when they are back."""
    departures = get_model("loyalty_members", "Departure").objects.select_related("member__programme__site")
    departure = departures.filter(pk=message.context["departure"]).exclude(state="undone").first()
    if departure is None:
        return None
    member, site = departure.member, departure.member.programme.site
    if departure.state == "done":
        # Erased by now: the last mail goes where it was queued to.
        member.email = message.to
    about = {**_about(site), "member": member, "programme": member.programme}
    leads_back = departure.state == "open" and departure.leads_back
    # Who joined by e-mail alone has no page to come back to.
    back = absolute("privacy", site) if leads_back and member.user_id else ""
    until = times.last_day(departure.erase_at) if departure.state == "open" else None
    return {**about, "until": until, "leads_back": leads_back, "account_url": back}


@after_sending("farewell")
def forget_address(message: Any) -> None:
    """The last mail knows whom it went to only as long as the programme does."""
    if get_model("loyalty_members", "Departure").objects.filter(pk=message.context["departure"], state="done").exists():
        message.to = ""
        message.save(update_fields=["to"])
