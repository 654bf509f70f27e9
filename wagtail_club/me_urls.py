"""The member area. Include it at the address it is to have, such as ``club/me/``, before Wagtail's own URLs."""

from django.urls import path

from wagtail_club import me
from wagtail_club.own_pages import page

app_name = "wagtail_club"

urlpatterns = [
    path("", me.AreaView.as_view(), name="me"),
    path("card/", me.CardView.as_view(), name="card"),
    path("history/", page("HistoryView"), name="history"),
    path("invite/", page("InviteView", "friends"), name="invite"),
    path("profile/", page("ProfileView", "friends"), name="profile"),
    path("messages/", page("MessagesView", "inbox"), name="messages"),
    path("messages/<int:pk>/", page("MessageView", "inbox"), name="message"),
    path("privacy/", page("PrivacyView", "privacy"), name="privacy"),
    path("privacy/copy/", page("CopyView", "privacy"), name="copy"),
    path("privacy/copy/<uuid:uuid>/", page("CopyFileView", "privacy"), name="copy-file"),
    path("leave/", page("LeaveView", "privacy"), name="leave"),
    path("leave/undo/", page("ComeBackView", "privacy"), name="leave-undo"),
    path("manifest.webmanifest", me.ManifestView.as_view(), name="manifest"),
    path("icon-<int:edge>.png", me.IconView.as_view(), name="icon"),
    # Its address decides which pages it may answer: those of the member area and no others.
    path("sw.js", me.WorkerView.as_view(), name="worker"),
]
