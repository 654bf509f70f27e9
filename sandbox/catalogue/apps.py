from oscar.apps.catalogue import apps


class CatalogueConfig(apps.CatalogueConfig):
    name = "sandbox.catalogue"
    default_auto_field = "django.db.models.BigAutoField"
