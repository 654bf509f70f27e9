from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Fourteen months of a salon's life, made up."""

    name = "sandbox.demo"
    label = "demo"
    default_auto_field = "django.db.models.BigAutoField"
