from django.urls import path

from sandbox.shop import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("booking/", views.ServiceListView.as_view(), name="services"),
]
