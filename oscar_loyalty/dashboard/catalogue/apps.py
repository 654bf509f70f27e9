from oscar.apps.dashboard.catalogue import apps


class CatalogueDashboardConfig(apps.CatalogueDashboardConfig):
    """Stands in for ``oscar.apps.dashboard.catalogue``: the product form also asks for points."""

    name = "oscar_loyalty.dashboard.catalogue"
