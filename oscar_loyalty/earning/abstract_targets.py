"""What rules and goals are about."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AbstractTargeted(models.Model):
    """Something about everything, or about one product, product type, category or range."""

    EVERYTHING, CLASS, CATEGORY, RANGE, PRODUCT, VARIANT = (
        "everything",
        "class",
        "category",
        "range",
        "product",
        "variant",
    )
    TARGETS = [
        (EVERYTHING, _("Everything")),
        (CLASS, _("A product type")),
        (CATEGORY, _("A category")),
        (RANGE, _("A range")),
        (PRODUCT, _("A product")),
        (VARIANT, _("A variant")),
    ]
    #: Which field holds the object of which target.
    TARGET_FIELDS = {
        PRODUCT: "product",
        VARIANT: "product",
        CLASS: "product_class",
        CATEGORY: "category",
        RANGE: "range",
    }

    target = models.CharField(_("applies to"), max_length=16, choices=TARGETS, default=EVERYTHING)
    # A target that is gone leaves the row behind, for what came from it; it matches nothing then.
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product"),
    )
    product_class = models.ForeignKey(
        "catalogue.ProductClass",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product type"),
    )
    category = models.ForeignKey(
        "catalogue.Category",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("category"),
    )
    range = models.ForeignKey(
        "offer.Range", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("range")
    )

    class Meta:
        abstract = True

    @property
    def target_object(self):
        """What it is about: a product, product type, category or range; ``None`` for everything."""
        return self.product or self.product_class or self.category or self.range

    @property
    def target_id(self) -> int | None:
        return self.product_id or self.product_class_id or self.category_id or self.range_id

    @property
    def target_name(self) -> str:
        return str(self.target_object or self.get_target_display())
