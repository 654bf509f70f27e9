"""Where the link of a guest pass leads."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import generic
from django.views.decorators.cache import never_cache

from oscar_loyalty.members.sharing import name_for_others
from oscar_loyalty.privileges import passes, words
from oscar_loyalty.privileges.exceptions import PassRefused


@method_decorator(never_cache, name="dispatch")
class GuestPassView(generic.TemplateView):
    """Says who invites to what; one button uses the pass. Opening the page changes nothing: programs that look at
    links before people do use up no pass."""

    template_name = "oscar_loyalty/storefront/guest_pass.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.row = passes.read(kwargs["token"])
        self.subject = passes.subject_of(self.row) if self.row is not None else None

    def get(self, request, *args, **kwargs):
        problem = passes.problem(self.row, self.subject) if self.row is not None else ""
        works = self.row is not None and not problem
        taken = works and self.row.opened_at is not None and not self.holds()
        context = self.get_context_data(works=works and not taken, taken=taken, problem=problem)
        if works and not taken:
            context.update(
                name=name_for_others(self.row.member),
                subject=self.subject,
                until=words.moment(self.row.valid_until),
                own=request.user.is_authenticated and self.row.member.user_id == request.user.pk,
                held=self.row.opened_at is not None,
                path=request.path,
            )
        response = self.render_to_response(context, status=200 if works and not taken else 404)
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    def holds(self) -> bool:
        return passes.holds(self.row, user=self.request.user, request=self.request)

    def post(self, request, *args, **kwargs):
        if self.row is None:
            return self.get(request, *args, **kwargs)
        if self.subject is not None and self.subject.accounts_only and not request.user.is_authenticated:
            return redirect_to_login(request.path, reverse("customer:login"))
        number = passes.number_of(request) or passes.new_browser()
        try:
            opened = passes.open_pass(row=self.row, user=request.user, browser=passes.fingerprint(number))
        except passes.PassTaken as error:
            passes.refused(row=self.row, user=request.user)
            messages.error(request, str(error))
            return redirect(request.path)
        except PassRefused as error:
            messages.error(request, str(error))
            return redirect(request.path)
        response = redirect(self.subject.url)
        passes.keep_browser(request, response, number, until=opened.valid_until)
        return response
