from oscar.apps.dashboard.catalogue import apps


class CatalogueDashboardConfig(apps.CatalogueDashboardConfig):
    """Stands in for ``oscar.apps.dashboard.catalogue``: the product form also asks for points."""

    name = "oscar_loyalty.dashboard.catalogue"

    # pylint: disable=attribute-defined-outside-init
    def ready(self):
        super().ready()
        from oscar_loyalty.dashboard.catalogue.views import with_points

        # Oscar finds classes of nested apps by the outer app, so that a stand-in cannot answer for it: the view itself
        # is replaced, whatever form it has.
        self.product_createupdate_view = with_points(self.product_createupdate_view)
