"""Tags about memberships on hold, points from member to member, and households."""

from django import template

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import sharing
from oscar_loyalty.members.merging import survivor
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()


def _policy(request):
    """Return the terms of the member who asks, looked up once for each request; ``None`` without a member."""
    if not hasattr(request, "_loyalty_sharing"):
        member = members.member_of_request(request)
        request._loyalty_sharing = sharing.policy_of(member.programme) if member is not None else None
    return request._loyalty_sharing


@register.simple_tag(takes_context=True)
@careful()
def loyalty_sharing_sections(context):
    """Links to the pages of giving and households; nothing where nobody can give points."""
    policy = _policy(context["request"])
    if policy is None or not policy.is_active:
        return ""
    return render(context, "sharing_sections", policy=policy, section=context.get("section"))


@register.simple_tag(takes_context=True)
@careful()
def loyalty_waiting(context):
    """What somebody gives the member, or invites them to, and waits for an answer; nothing when there is nothing."""
    request = context["request"]
    member, policy = members.member_of_request(request), _policy(request)
    if policy is None or not policy.is_active:
        return ""
    gifts = list(sharing.waiting_for(member)[:5])
    invitations = list(sharing.invitations_for(member)[:5]) if policy.households else []
    if not gifts and not invitations:
        return ""
    return render(
        context,
        "waiting",
        gifts=[(sharing.name_for_others(gift.source), member.programme.points_label(gift.units)) for gift in gifts],
        invitations=[sharing.name_for_others(row.invited_by) for row in invitations],
    )


@register.simple_tag(takes_context=True)
@careful()
def loyalty_membership_note(context, member):
    """What a member on hold, or whose membership is closed or was joined with another, has to know."""
    if not member or member.status == "active":
        return ""
    current = survivor(member)
    if current.pk != member.pk:
        email = current.user.email if current.user is not None else ""
        name, _at, domain = email.partition("@")
        return render(
            context,
            "membership_note",
            joined=True,
            ending=current.number[-4:],
            email=f"{name[:1]}…@{domain}" if domain else "",
        )
    change = member.status_changes.first()
    reason = change.reason if change is not None and change.after == member.status and change.shown else ""
    return render(context, "membership_note", status=member.status, reason=reason)
