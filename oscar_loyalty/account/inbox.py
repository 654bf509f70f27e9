"""What the programme has written to a member."""

from django.http import Http404
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.messaging import inbox


class MessagesView(MemberMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/messages.html"
    page_title = gettext_lazy("Messages")
    section = "messages"

    def get_context_data(self, **kwargs):
        page = inbox.notes(self.member, page=self.request.GET.get("page"))
        return super().get_context_data(page_obj=page, paginator=page.paginator, **kwargs)


class MessageView(MemberMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/message.html"
    section = "messages"

    def get_context_data(self, **kwargs):
        found = inbox.read(self.member, self.kwargs["pk"])
        if found is None:
            raise Http404
        self.page_title = found[0].title
        return super().get_context_data(note=found[0], text=found[1], **kwargs)
