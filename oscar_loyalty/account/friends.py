"""Inviting friends, and what a member tells about themselves."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.translation import get_supported_language_variant, gettext_lazy
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.account.views import AccountMixin
from oscar_loyalty.earning import actions, profiles
from oscar_loyalty.earning.referrals import selectors, services
from oscar_loyalty.qr import svg_response
from oscar_loyalty.storefront import inviting


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Invitation code"),
        max_length=20,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autocapitalize": "characters"}),
    )


class ProfileForm(forms.Form):
    """How to greet and write to a member, and a birthday; the year is nobody's business unless somebody tells it."""

    greeting_name = forms.CharField(
        label=gettext_lazy("What shall we call you?"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("The name we greet you by, here and in our e-mails. Empty: your first name."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "nickname"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of our e-mails"),
        required=False,
        widget=forms.Select(attrs={"class": "form-control"}),
    )
    day = forms.IntegerField(
        label=gettext_lazy("Day"),
        required=False,
        min_value=1,
        max_value=31,
        widget=forms.NumberInput(attrs={"class": "form-control", "autocomplete": "bday-day"}),
    )
    month = forms.TypedChoiceField(
        label=gettext_lazy("Month"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "–"), *MONTHS.items()],
        widget=forms.Select(attrs={"class": "form-control", "autocomplete": "bday-month"}),
    )
    year = forms.IntegerField(
        label=gettext_lazy("Year (if you like)"),
        required=False,
        widget=forms.NumberInput(attrs={"class": "form-control", "autocomplete": "bday-year"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields["language"]
        language.choices = settings.LANGUAGES
        if not self.get_initial_for_field(language, "language"):
            # Else the browser would choose the first one.
            language.choices = [("", _("The language of the shop")), *settings.LANGUAGES]

    def clean(self) -> Any:
        data = super().clean()
        if not {"day", "month", "year"} & set(self.errors):
            profiles.check_birthday(data.get("day"), data.get("month"), data.get("year"))
        return data


class MemberMixin(AccountMixin):
    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated and self.member is None:
            return redirect(self.at("overview"))
        return super().dispatch(request, *args, **kwargs)


class InviteView(MemberMixin, generic.FormView):
    template_name = "oscar_loyalty/account/invite.html"
    form_class = CodeForm
    page_title = gettext_lazy("Invite friends")
    section = "invite"

    def get(self, request, *args, **kwargs):
        response = super().get(request, *args, **kwargs)
        inviting.see_device(request, response)
        return response

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = Paginator(selectors.friends_of(self.member), 20).get_page(self.request.GET.get("page"))
        scheme = selectors.scheme_of(self.programme)
        context.update(
            scheme=scheme,
            friends=[(selectors.short_name(row.friend), row) for row in page.object_list],
            page_obj=page,
            paginator=page.paginator,
            may_type=selectors.may_type(self.member),
        )
        if scheme.is_active and self.member.can_earn:
            invitation = services.invitation_of(member=self.member)
            link = self.request.build_absolute_uri(reverse("loyalty-storefront:invitation", args=[invitation.code]))
            text = _("I am a member of %(name)s. Come by my link, and we both get something: %(link)s") % {
                "name": self.programme.name,
                "link": link,
            }
            mail = f"mailto:?subject={quote(_('An invitation for you'))}&body={quote(text)}"
            context.update(code=invitation.code, link=link, mail=mail, chat=f"https://wa.me/?text={quote(text)}")
        return context

    def form_valid(self, form):
        referral = inviting.accept(self.request, self.member, form.cleaned_data["code"])
        if referral is None:
            form.add_error("code", _("We do not know this code. Look once more, or ask your friend for the link."))
            return self.form_invalid(form)
        messages.success(self.request, _("Noted. What you both get comes after your first order."))
        return redirect(self.at("invite"))


class InviteCodeView(MemberMixin, generic.View):
    """The QR code of the member's own link."""

    def get(self, request, *args, **kwargs):
        if not selectors.scheme_of(self.programme).is_active:
            raise Http404
        code = services.invitation_of(member=self.member).code
        return svg_response(request.build_absolute_uri(reverse("loyalty-storefront:invitation", args=[code])))


class ProfileView(MemberMixin, generic.FormView):
    template_name = "oscar_loyalty/account/profile.html"
    form_class = ProfileForm
    page_title = gettext_lazy("About you")
    section = "profile"

    def get_initial(self):
        member = self.member
        try:
            language = get_supported_language_variant(member.language)
        except LookupError:
            language = ""
        told = {"greeting_name": member.greeting_name, "language": language}
        return {**told, "day": member.birth_day, "month": member.birth_month, "year": member.birth_year}

    def get_context_data(self, **kwargs):
        rules = actions.rules_of(self.programme)
        found = {code: rules[code].points for code in ("profile", "birthday") if code in rules and rules[code].points}
        parts = profiles.parts(self.member)
        return super().get_context_data(
            parts=parts, complete=all(told for _part, told in parts), brings=found, **kwargs
        )

    def form_valid(self, form):
        data = form.cleaned_data
        if "language" not in form.changed_data:
            # The stored one may say more than the choices do.
            data["language"] = ""
        try:
            profiles.tell(member=self.member, **data)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("Saved. Thank you."))
        return redirect(self.at("profile"))
