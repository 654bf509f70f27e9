from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "sandbox.shop"
    label = "shop"
    verbose_name = "Maison Pétale"
    default_auto_field = "django.db.models.BigAutoField"
