"""Points for somebody else, and for oneself from somebody; the household."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.core.validators import validate_email
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import generic
from django.views.decorators.debug import sensitive_post_parameters
from stdnum import luhn

from oscar_loyalty.account import oneself
from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.checkout.points import PointsField
from oscar_loyalty.earning import explain
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, sharing
from oscar_loyalty.members.exceptions import SharingRefused


def _new_token() -> str:
    return uuid4().hex


class _ToForm(forms.Form):
    """Whom one means: an e-mail or a card number; what cannot be either is said, and nothing else."""

    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, initial=_new_token)
    to = forms.CharField(
        label=gettext_lazy("E-mail or card number"),
        max_length=254,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_to(self) -> str:
        to = self.cleaned_data["to"].strip()
        if not to:
            return ""
        if "@" in to:
            try:
                validate_email(to)
            except ValidationError:
                raise ValidationError(_("This is no e-mail address. Please look once more.")) from None
            return to
        digits = "".join(sign for sign in to if sign.isdecimal())
        if len(digits) != 12 or not luhn.is_valid(digits):
            raise ValidationError(_("This is no card number: those have 12 digits. Please look once more."))
        return digits


class GiveForm(_ToForm):
    """Whom, and how many; the password is asked for last."""

    person = forms.ChoiceField(
        label=gettext_lazy("For whom"), required=False, widget=forms.Select(attrs={"class": "form-control"})
    )
    units = PointsField(
        label=gettext_lazy("How many"),
        min_value=1,
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"}),
    )
    field_order = ["token", "person", "to", "units", "password"]

    def __init__(self, *args: Any, member: Any, policy: Any, people: list[Any], ask: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member, self.names = member, {row.member.number: sharing.name_for_others(row.member) for row in people}
        self.fields["to"].required = not self.names and not policy.household_only
        others = [] if policy.household_only else [("", _("Somebody else"))]
        self.fields["person"].choices = [*self.names.items(), *others]
        if not self.names:
            del self.fields["person"]
        if policy.household_only:
            del self.fields["to"]
        elif self.names:
            self.fields["to"].help_text = _("For somebody who is not in your household.")
        label = member.programme.points_label
        least = {"least": label(policy.minimum)}
        self.fields["units"].help_text = (
            _("From %(least)s to %(most)s.") % {**least, "most": label(policy.maximum)}
            if policy.maximum is not None
            else _("At least %(least)s.") % least
        )
        if ask:
            self.fields["password"] = forms.CharField(
                label=_("Your password"),
                strip=False,
                widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
                help_text=_("So that nobody else gives your points away."),
            )

    def clean(self) -> Any:
        data = super().clean()
        data["to"] = data.get("person") or data.get("to") or ""
        if not data["to"] and not self.errors:
            self.add_error("to" if "to" in self.fields else None, _("Say for whom."))
        return data

    @property
    def whom(self) -> str:
        """Whom they are for, as the giver knows them."""
        to = self.cleaned_data["to"]
        return self.names.get(to, to)


class InviteForm(_ToForm):
    pass


def _actor(request: Any) -> Ref:
    return Ref.of("user", request.user.pk)


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class GiveView(MemberMixin, generic.FormView):
    """What waits for one's answer, a form to give points in two steps, and what was given before."""

    template_name = "oscar_loyalty/account/give.html"
    form_class = GiveForm
    page_title = gettext_lazy("Give points")
    section = "give"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.policy = sharing.policy_of(self.programme) if self.programme is not None else None

    def get_form_kwargs(self):
        household = sharing.household_of(self.member)
        people = sharing.people_of(household) if household is not None else []
        return {
            **super().get_form_kwargs(),
            "member": self.member,
            "policy": self.policy,
            "people": [row for row in people if row.member_id != self.member.pk],
            "ask": self.request.POST.get("step") == "confirm" and self.request.user.has_usable_password(),
        }

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = Paginator(sharing.gifts_of(self.member), 20).get_page(self.request.GET.get("page"))
        rows = list(page.object_list)
        for row in rows:
            row.came = row.target_id == self.member.pk and row.source_id != self.member.pk
            row.other = sharing.name_for_others(row.source) if row.came else row.whom
        page.object_list = rows
        left = sharing.left_to_give(self.member, self.policy)
        usable = ledger.usable(self.member.account)
        context.update(
            policy=self.policy,
            waiting=[(row, sharing.name_for_others(row.source)) for row in sharing.waiting_for(self.member)[:50]],
            page_obj=page,
            paginator=page.paginator,
            usable=usable,
            left=usable if left is None else min(usable, left),
            may_give=self.policy.is_active and self.member.status == "active" and self.programme.is_active,
        )
        return context

    def post(self, request, *args, **kwargs):
        form = self.get_form()
        if not form.is_valid():
            wrong = set(form.errors) == {"password"}
            return self.show(form, confirm=wrong)
        data = form.cleaned_data
        step = request.POST.get("step")
        try:
            if step == "confirm":
                if (problem := oneself.problem(request, form.cleaned_data.get("password", ""))) is not None:
                    form.add_error(*problem)
                    return self.show(form, confirm=True)
                gift = giving.give(
                    source=self.member,
                    to=data["to"],
                    units=data["units"],
                    key=f"account:{self.member.pk}:{data['token']}",
                    actor=_actor(request),
                )
                return self.done(gift)
            giving.check(source=self.member, to=data["to"], units=data["units"])
        except SharingRefused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.show(form)
        if step == "change":
            return self.show(self.unbound(form))
        return self.show(self.unbound(form, ask=request.user.has_usable_password()), confirm=True, said=form)

    def unbound(self, form: Any, *, ask: bool = False) -> Any:
        """Return the form with what was typed, and nothing wrong yet."""
        kwargs = {**self.get_form_kwargs(), "ask": ask, "initial": form.data.dict()}
        kwargs.pop("data", None)
        kwargs.pop("files", None)
        return self.form_class(**kwargs)

    def show(self, form: Any, *, confirm: bool = False, said: Any = None) -> Any:
        said = said or form
        cleaned = getattr(said, "cleaned_data", {})
        extra = {"confirm": confirm}
        if confirm:
            extra |= {
                "whom": said.whom,
                "points": self.programme.points_label(cleaned["units"]),
                "at_once": "person" in said.fields and bool(cleaned.get("person")),
                "kept": [(name, said.data.get(name, "")) for name in ("token", "person", "to", "units")],
            }
        return self.render_to_response(self.get_context_data(form=form, **extra))

    def done(self, gift: Any) -> Any:
        values = {"points": self.programme.points_label(gift.units), "to": gift.to}
        if gift.state == "done":
            messages.success(self.request, _("%(to)s has got %(points)s from you.") % values)
        else:
            text = ngettext(
                "%(points)s is set aside for %(to)s. If that is a member, they get an e-mail. If nobody accepts it, it "
                "comes back to you.",
                "%(points)s are set aside for %(to)s. If that is a member, they get an e-mail. If nobody accepts the "
                "points, they come back to you.",
                gift.units,
            )
            messages.success(self.request, text % values)
        return redirect("loyalty-account:give")


class GiftAnswerView(MemberMixin, generic.View):
    """Accepts or declines what somebody gives, or calls the own gift off."""

    http_method_names = ["post"]

    def post(self, request, uuid, answer):
        if answer not in ("accept", "decline", "call-off"):
            raise Http404
        mine = Q(source=self.member) if answer == "call-off" else Q(target=self.member)
        gift = get_object_or_404(get_model("loyalty_members", "Transfer").objects.filter(mine), uuid=uuid)
        act = {"accept": giving.accept, "decline": giving.decline, "call-off": giving.call_off}[answer]
        number = gift.units
        said = {
            "accept": ngettext("%(points)s is yours now.", "%(points)s are yours now.", number),
            "decline": _("You have declined %(points)s."),
            "call-off": ngettext(
                "Called off: %(points)s is yours again.", "Called off: %(points)s are yours again.", number
            ),
        }[answer]
        try:
            row = act(transfer=gift, member=self.member, actor=_actor(request))
        except SharingRefused as error:
            messages.error(request, str(error))
        else:
            said %= {"points": self.programme.points_label(row.units)}
            owed = ledger.repaid(hold=row.hold) if answer == "call-off" else 0
            messages.success(request, f"{said} {explain.repaid_sentence(owed, self.programme)}".rstrip())
        return redirect("loyalty-account:give")


class HouseholdView(MemberMixin, generic.FormView):
    """With whom one lives, who is invited, and by whom one is."""

    template_name = "oscar_loyalty/account/household.html"
    form_class = InviteForm
    page_title = gettext_lazy("My household")
    section = "household"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        policy = sharing.policy_of(self.programme)
        household = sharing.household_of(self.member)
        people = sharing.people_of(household) if household is not None else []
        invited = list(sharing.invited_by(household)) if household is not None else []
        context.update(
            policy=policy,
            people=[(row, sharing.name_for_others(row.member)) for row in people],
            first=bool(people) and people[0].member_id == self.member.pk,
            invited=invited,
            invitations=[
                (row, sharing.name_for_others(row.invited_by)) for row in sharing.invitations_for(self.member)[:20]
            ],
            may_invite=policy.is_active and policy.households and self.member.status == "active",
            room=policy.household_size - len(people) - len(invited) if people else policy.household_size - 1,
        )
        return context

    def form_valid(self, form):
        data = form.cleaned_data
        key = f"account:{self.member.pk}:{data['token']}"
        try:
            invitation = households.invite(member=self.member, to=data["to"], key=key)
        except SharingRefused as error:
            form.add_error(error.field or None, str(error))
            return self.form_invalid(form)
        text = _("%(to)s is invited. If they are a member, they get an e-mail, and decide.")
        messages.success(self.request, text % {"to": invitation.to})
        return redirect("loyalty-account:household")


class HouseholdAnswerView(MemberMixin, generic.View):
    """Accepts or declines an invitation, or takes one back."""

    http_method_names = ["post"]

    def post(self, request, uuid, answer):
        act = {"accept": households.accept, "decline": households.decline, "call-off": households.call_off}.get(answer)
        if act is None:
            raise Http404
        invitations = get_model("loyalty_members", "HouseholdInvitation").objects
        mine = Q(member=self.member)
        if answer == "call-off":
            # Who has invited may do so again when the household is no more: then there is nothing left to do.
            mine = Q(household__people__member=self.member) | Q(invited_by=self.member)
        invitation = get_object_or_404(invitations.filter(mine).distinct(), uuid=uuid)
        said = {
            "accept": _("You are in the household now. You can leave it at any time."),
            "decline": _("You have declined the invitation."),
            "call-off": _("The invitation has been taken back."),
        }[answer]
        try:
            act(invitation=invitation, member=self.member)
        except SharingRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said)
        return redirect("loyalty-account:household")


class HouseholdLeaveView(MemberMixin, generic.View):
    """Leaves the household, or takes somebody else out of it."""

    http_method_names = ["post"]

    def post(self, request, pk=None):
        if pk is None:
            households.leave(member=self.member)
            messages.success(request, _("You are in no household any more."))
            return redirect("loyalty-account:household")
        row = sharing.person(pk)
        if row is None or row.household != sharing.household_of(self.member):
            # Pressed twice, they are gone already: the page that was left open says who it was, and the answer no more.
            name = request.POST.get("name", "")[:80]
            if not name:
                raise Http404
            messages.success(request, _("%(name)s is not in your household any more.") % {"name": name})
            return redirect("loyalty-account:household")
        name = sharing.name_for_others(row.member)
        try:
            households.remove(member=self.member, other=row.member)
        except SharingRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("%(name)s is not in your household any more.") % {"name": name})
        return redirect("loyalty-account:household")
