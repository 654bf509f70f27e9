from oscar_loyalty.dashboard.catalogue import apps


class CatalogueDashboardConfig(apps.CatalogueDashboardConfig):
    """The plugin's stand-in for Oscar's catalogue dashboard, with the French texts on the forms."""

    name = "sandbox.dashboard"

    # pylint: disable=attribute-defined-outside-init
    def ready(self):
        super().ready()
        from sandbox.dashboard.forms import in_french

        # Oscar finds classes of nested apps by the outer app: the views are given their forms here.
        self.product_createupdate_view = in_french(self.product_createupdate_view, "title", "description")
        self.category_create_view = in_french(self.category_create_view, "name")
        self.category_update_view = in_french(self.category_update_view, "name")
