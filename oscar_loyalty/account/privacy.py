"""What a member agrees to, a copy of their data, and leaving; and the way out of mails, without signing in."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views import generic
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from oscar_loyalty import clock
from oscar_loyalty.account import oneself, selectors
from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.defaults import conf
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.members import consents, leaving
from oscar_loyalty.members.exceptions import CannotLeave, Merged
from oscar_loyalty.reports import copies


def _actor(request: Any) -> Ref:
    return Ref.of("user", request.user.pk)


class ConsentsForm(forms.Form):
    """A tick for each kind that can be given here; what has to be told first can only be withdrawn.

    The page says itself what it has shown, since much may have been answered elsewhere while it lay open.
    """

    def __init__(self, *args: Any, standings: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standings = standings
        for standing in standings:
            kind = standing.kind
            if kind.page and not standing.given:
                continue
            self.fields[kind.code] = forms.BooleanField(
                label=kind.title,
                help_text=kind.help,
                required=False,
                initial=standing.given,
                show_hidden_initial=True,
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
            )

    def rows(self) -> list[tuple[Any, Any]]:
        """Return each standing with its field, or ``None`` where there is something to tell first."""
        return [(one, self[one.kind.code] if one.kind.code in self.fields else None) for one in self.standings]

    def answers(self) -> dict[str, bool]:
        """Return what the member has changed of what the page showed, by kind."""
        return {code: self.cleaned_data[code] for code in self.changed_data}


class PasswordForm(forms.Form):
    """The password of whoever has one."""

    def __init__(self, *args: Any, ask: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ask:
            self.fields["password"] = forms.CharField(
                label=_("Your password"),
                strip=False,
                widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
                help_text=_("So that we know that it is you."),
            )


class LeaveForm(PasswordForm):
    """Whoever has no password types a word, so that no slip of the finger ends a membership."""

    def __init__(self, *args: Any, ask: bool, **kwargs: Any) -> None:
        super().__init__(*args, ask=ask, **kwargs)
        self.word = _("leave")
        if not ask:
            self.fields["word"] = forms.CharField(
                label=_("Type the word “%(word)s”") % {"word": self.word},
                widget=forms.TextInput(
                    attrs={"class": "form-control", "autocomplete": "off", "autocapitalize": "none"}
                ),
            )

    def clean_word(self) -> str:
        if self.cleaned_data["word"].strip().casefold() != self.word.casefold():
            raise forms.ValidationError(_("Please type “%(word)s”, or go back.") % {"word": self.word})
        return self.word


class PrivacyMixin(MemberMixin):
    section = "privacy"


class PrivacyView(PrivacyMixin, generic.FormView):
    """One screen: what one agrees to with its history, the copy of one's data, and the way out."""

    template_name = "oscar_loyalty/account/privacy.html"
    form_class = ConsentsForm
    page_title = gettext_lazy("Privacy and e-mails")

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "standings": consents.standings(self.member)}

    def get_context_data(self, **kwargs):
        page = Paginator(consents.history(self.member), 10).get_page(self.request.GET.get("page"))
        titles = {kind.code: kind.title for kind in consents.kinds()}
        rows = [(titles[row.kind], row) for row in page.object_list]
        kwargs.setdefault("password_form", PasswordForm(ask=self.asks))
        return super().get_context_data(
            rows=rows,
            page_obj=page,
            paginator=page.paginator,
            copy=copies.copy_of(self.member),
            copy_days=conf.DATA_EXPORT_DAYS,
            left=self.member.status == "closed",
            **kwargs,
        )

    @property
    def asks(self) -> bool:
        """Whether the copy of one's data asks for the password first."""
        return self.request.user.has_usable_password() and not oneself.is_fresh(self.request)

    def form_valid(self, form):
        consents.answer(member=self.member, given=form.answers(), source="account", actor=_actor(self.request))
        messages.success(self.request, _("Saved. What you have switched off stops at once."))
        return redirect(self.at("privacy"))


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class CopyView(PrivacyView):
    """Asks for a copy of one's data."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        if not self.prove(request):
            return self.get(request, *args, **kwargs)
        copy = copies.request(member=self.member, language=get_language() or "")
        if copy.state == "ready":
            messages.success(request, _("Your copy is ready."))
        else:
            messages.success(request, _("Your copy is being put together. It will be here in some minutes."))
        return redirect(self.at("privacy") + "#copy")

    def prove(self, request) -> bool:
        """Believe whoever was there a moment ago, else ask for the password, and remember that it was right."""
        if oneself.is_fresh(request):
            return True
        form = PasswordForm(request.POST, ask=self.asks)
        self.wrong = form
        if not form.is_valid():
            return False
        if (problem := oneself.problem(request, form.cleaned_data.get("password", ""))) is not None:
            form.add_error(*problem)
            return False
        oneself.note_proved(request)
        return True

    def get_form(self, form_class=None):
        # The ticks are another form's: this one was not about them.
        return ConsentsForm(standings=consents.standings(self.member))

    def get_context_data(self, **kwargs):
        return super().get_context_data(password_form=self.wrong, **kwargs)


class CopyFileView(PrivacyMixin, generic.View):
    """The copy itself, for its member alone, as long as it is there."""

    def get(self, request, uuid):
        copy = copies.file_of(self.member, uuid)
        if copy is None:
            raise Http404
        if not oneself.is_fresh(request):
            if request.user.has_usable_password():
                said = _("Please type your password first, so that nobody else gets your data.")
            else:
                said = _("Please sign out and in again first, so that we know that it is you.")
            messages.info(request, said)
            return redirect(self.at("privacy") + "#copy")
        name = f"{_('my-data')}-{clock.now():%Y-%m-%d}.zip"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(bytes(copy.file), content_type="application/zip", headers=headers)


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class LeaveView(PrivacyMixin, generic.FormView):
    """What is lost and what stays, and the way out."""

    template_name = "oscar_loyalty/account/leave.html"
    form_class = LeaveForm
    page_title = gettext_lazy("Leave")

    def get_page_title(self):
        return _("Leave %(name)s") % {"name": self.programme.name}

    @cached_property
    def departure(self):
        return leaving.departure_of(self.member)

    def get(self, request, *args, **kwargs):
        # Who was joined with another leaves there: the note on the page says with which account.
        away = self.departure is not None or self.member.merged_into_id is not None
        return redirect(self.at("privacy")) if away else super().get(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "ask": self.request.user.has_usable_password()}

    def get_context_data(self, **kwargs):
        goes = selectors.what_goes(self.member, self.request.user)
        return super().get_context_data(goes=goes, days=conf.LEAVING_DAYS, **kwargs)

    def form_valid(self, form):
        problem = oneself.problem(self.request, form.cleaned_data.get("password", ""))
        if problem is not None:
            form.add_error(*problem)
            return self.form_invalid(form)
        try:
            leaving.leave(member=self.member, key=f"left:{uuid4().hex}", actor=_actor(self.request))
        except Merged:
            messages.error(self.request, _("This membership was joined with another, for good."))
        else:
            messages.success(self.request, _("You have left. Thank you for the time you were with us."))
        return redirect(self.at("privacy"))


class ComeBackView(PrivacyMixin, generic.View):
    """Undoes leaving while it can be undone."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        try:
            leaving.come_back(member=self.member, actor=_actor(request))
        except CannotLeave:
            messages.error(request, _("It is too late for that. You can join anew."))
        else:
            messages.success(request, _("Good that you are back. You have what you had."))
        return redirect(self.at("overview"))


@method_decorator([csrf_exempt, never_cache, transaction.non_atomic_requests], name="dispatch")
class UnsubscribeView(generic.View):
    """The link at the end of a mail: says what stops, and stops it by a button, also the mail program's own.

    Opening the link alone changes nothing, since programs that look for viruses open every link. Whoever has the link
    has the mail, so no session is asked for: hence no token against forged forms.
    """

    template_name = "oscar_loyalty/account/unsubscribe.html"

    def dispatch(self, request, *args, token, **kwargs):
        self.found = consents.read_token(token)
        if self.found is None:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get(self, request, *args, **kwargs):
        member, kind = self.found
        context = {"kind": kind, "programme": member.programme, "on": consents.allows(member, kind.code)}
        context |= {"closed": member.status == "closed"}
        response = render(request, self.template_name, context)
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    def post(self, request, *args, **kwargs):
        member, kind = self.found
        consents.answer(member=member, given={kind.code: request.POST.get("again") == "1"}, source="mail")
        return self.get(request)
