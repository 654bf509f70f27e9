from oscar.apps.checkout import apps


class CheckoutConfig(apps.CheckoutConfig):
    """Stands in for ``oscar.apps.checkout``; keeps its label, by which Oscar finds its classes."""

    name = "oscar_loyalty.checkout"
