from django.urls import path

from oscar_loyalty.contrib.appointment import views

app_name = "loyalty-appointment"

urlpatterns = [
    path("", views.DayView.as_view(), name="day"),
    path("<int:pk>/mark/", views.MarkView.as_view(), name="mark"),
]
