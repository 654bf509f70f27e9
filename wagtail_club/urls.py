"""The addresses of pictures and documents; a shop whose models have the club's mixins includes them anywhere.

To include them closes Wagtail's own API endpoints of pictures and documents as well.
"""

from django.urls import path

from wagtail_club import endpoints, file_views

app_name = "wagtail_club_files"

endpoints.close()

urlpatterns = [
    path("pictures/<int:image_id>/<str:filename>", file_views.picture, name="picture"),
    path("documents/<int:document_id>/<str:filename>", file_views.document, name="document"),
]
