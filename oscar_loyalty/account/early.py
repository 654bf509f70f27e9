"""What a member has before others, and the friends they bring."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.privileges import early_passes, passes, selectors, words
from oscar_loyalty.privileges.exceptions import PassRefused

PER_PAGE = 12


class GiveForm(forms.Form):
    """A pass for a friend; given once, however often its button is pressed."""

    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, initial=lambda: uuid4().hex)
    kind = forms.CharField(max_length=16, widget=forms.HiddenInput)
    subject = forms.CharField(max_length=40, widget=forms.HiddenInput)
    friend = forms.CharField(
        label=gettext_lazy("For whom (only you read this)"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )


class EarlyView(MemberMixin, generic.TemplateView):
    """What is early for the member, what they may bring friends to, and the passes they have given."""

    template_name = "oscar_loyalty/account/early.html"
    page_title = gettext_lazy("Early access")
    section = "early"

    def get_context_data(self, *, wrong: Any = None, **kwargs):
        windows = selectors.early_for(self.member) if self.is_open else []
        early = [
            {"name": early_passes.name_of(row), "url": early_passes.url_of(row), "until": words.moment(row.free_at)}
            for row in windows
        ]
        give = selectors.to_give(self.member) if self.is_open else []
        for number, row in enumerate(give):
            subject = row["subject"]
            same = wrong is not None and wrong.data.get("subject") == subject.pk and wrong.data["kind"] == subject.kind
            initial = {"kind": subject.kind, "subject": subject.pk}
            row["form"] = wrong if same else GiveForm(initial=initial, auto_id=f"pass-{number}-%s")
        paginator = Paginator(passes.of_member(self.member), PER_PAGE)
        page = paginator.get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        for row in page.object_list:
            link = reverse("loyalty-storefront:guest-pass", args=[passes.token_of(row)])
            row.link = self.request.build_absolute_uri(link)
            row.until = words.moment(row.valid_until)
        return super().get_context_data(early=early, give=give, page_obj=page, paginator=paginator, **kwargs)

    def post(self, request, *args, **kwargs):
        form = GiveForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(wrong=form))
        data, user = form.cleaned_data, request.user
        subject = passes.find(data["kind"], data["subject"])
        if subject is None:
            messages.error(request, _("Nobody can be invited to this any more."))
            return redirect("loyalty-account:early")
        try:
            passes.give(
                member=self.member,
                subject=subject,
                friend=data["friend"],
                key=f"account:{user.pk}:{data['token']}",
                actor=Ref.of("user", user.pk),
            )
        except PassRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The link for your friend is below. The first who opens it comes in."))
        return redirect(f"{reverse('loyalty-account:early')}#passes")


class PassBackView(MemberMixin, generic.TemplateView):
    """Asks once, then ends a pass."""

    template_name = "oscar_loyalty/account/early_back.html"
    page_title = gettext_lazy("Take the invitation back")
    section = "early"

    @cached_property
    def guest_pass(self) -> Any:
        return get_object_or_404(passes.of_member(self.member), uuid=self.kwargs["uuid"])

    def get(self, request, *args, **kwargs):
        if self.guest_pass.state not in ("waiting", "open"):
            return redirect("loyalty-account:early")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(row=self.guest_pass, **kwargs)

    def post(self, request, *args, **kwargs):
        if self.member is None:
            raise Http404
        passes.take_back(row=self.guest_pass, actor=Ref.of("user", request.user.pk))
        messages.success(request, _("The invitation is taken back."))
        return redirect("loyalty-account:early")
