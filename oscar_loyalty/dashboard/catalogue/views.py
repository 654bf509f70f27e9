"""The view of the dashboard's product form, with points."""

from typing import Any

from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.catalogue.forms import ProductFormPointsMixin
from oscar_loyalty.dashboard.navigation import PROGRAMME, may


class ProductPointsViewMixin:
    """Tells the form who fills it in; who may not change the programme sees no field for points.

    A shop with its own catalogue dashboard puts it in front of its ``ProductCreateUpdateView``.
    """

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        if issubclass(self.get_form_class(), ProductFormPointsMixin):
            kwargs["loyalty_programme"] = choosing.programme_of_request(self.request)
        return kwargs

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        if isinstance(form, ProductFormPointsMixin):
            form.loyalty_user = self.request.user
            form.loyalty_deferred = True
            if not may(self.request.user, PROGRAMME):
                form.drop_points()
        return form

    def forms_valid(self, form, formsets):
        # Oscar saves a new product before it looks at stock and images, and deletes it again if they are wrong.
        response = super().forms_valid(form, formsets)
        if isinstance(form, ProductFormPointsMixin):
            form.save_points()
        return response


def with_points(view: Any) -> Any:
    """Return ``view``, a ``ProductCreateUpdateView``, with a form that asks for points."""
    if issubclass(view.form_class, ProductFormPointsMixin):
        return type(view.__name__, (ProductPointsViewMixin, view), {"__module__": __name__})

    class ProductForm(ProductFormPointsMixin, view.form_class):  # type: ignore[name-defined, misc]
        pass

    class ProductCreateUpdateView(ProductPointsViewMixin, view):  # type: ignore[misc, valid-type]
        form_class = ProductForm

    return ProductCreateUpdateView
