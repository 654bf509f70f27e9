"""Tags about inviting friends."""

from django import template

from oscar_loyalty.earning.referrals import selectors
from oscar_loyalty.members import selectors as members
from oscar_loyalty.storefront import inviting
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()


@register.simple_tag(takes_context=True)
@careful()
def loyalty_invite(context):
    """Propose to invite friends, and say what both get; nothing where nobody can."""
    member = members.member_of_request(context["request"])
    if member is None or not member.can_earn:
        return ""
    scheme = selectors.scheme_of(member.programme)
    return render(context, "invite", programme=member.programme, scheme=scheme) if scheme.is_active else ""


@register.simple_tag
def loyalty_brings(scheme):
    """Return what both get by the terms of now: ``referrer`` and ``friend``, in words; "" for nothing."""
    return selectors.brings(selectors.terms(scheme), scheme.programme)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_invited(context):
    """A field for an invitation's code on the registration form, or who has invited; its name is ``loyalty_code``."""
    request = context["request"]
    programme = members.programme_for(request=request)
    if programme is None or not selectors.scheme_of(programme).is_active:
        return ""
    code = inviting.code_of(request)
    found = selectors.invitation(code, programme) if code else None
    return render(
        context,
        "invited",
        programme=programme,
        by=selectors.short_name(found.member) if found is not None else "",
        typed=request.POST.get("loyalty_code", "") if request.method == "POST" else "",
    )
