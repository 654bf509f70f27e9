"""The member area. Include it at the address it is to have, such as ``club/me/``, before Wagtail's own URLs."""

from django.urls import path

from wagtail_club import me

app_name = "wagtail_club"

urlpatterns = [
    path("", me.AreaView.as_view(), name="me"),
    path("card/", me.CardView.as_view(), name="card"),
    path("manifest.webmanifest", me.ManifestView.as_view(), name="manifest"),
    path("icon-<int:edge>.png", me.IconView.as_view(), name="icon"),
    # Its address decides which pages it may answer: those of the member area and no others.
    path("sw.js", me.WorkerView.as_view(), name="worker"),
]
