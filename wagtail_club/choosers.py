"""What editors pick from in Wagtail's own windows: products of the shop, and members."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.chooser import ChooseResultsView, ChooseView, ChosenMultipleView, ChosenView
from wagtail.admin.viewsets.chooser import ChooserViewSet

from oscar_loyalty.members.sites import site_of


class SearchForm(BaseFilterForm):
    """Looks each word up in the fields of a model that Wagtail does not index."""

    fields_searched: tuple[str, ...] = ()
    q = forms.CharField(
        label=_("Search term"), widget=forms.TextInput(attrs={"placeholder": _("Search")}), required=False
    )

    def filter(self, objects):
        objects = super().filter(objects)
        self.search_query = self.cleaned_data.get("q", "")
        self.is_searching = bool(self.search_query)
        for word in self.search_query.split():
            match = Q()
            for name in self.fields_searched:
                match |= Q(**{f"{name}__icontains": word})
            objects = objects.filter(match)
        return objects


class ProductSearchForm(SearchForm):
    fields_searched = ("title", "upc")


class MemberSearchForm(SearchForm):
    fields_searched = ("first_name", "last_name", "email", "number")


class WithNumber:
    """Tells products of the same name apart."""

    @property
    def columns(self):
        return [*super().columns, Column("upc", label=_("Number"))]


class ForClubEditors:
    """Members have names and addresses: only those who write pages of the club look them up."""

    def dispatch(self, request, *args, **kwargs):
        from wagtail_club import editors

        if not editors.write_for_the_club(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class OfThisSite(ForClubEditors):
    """Offers the members of the programme on whose Site the editor works, and nobody else's; with whole names."""

    @property
    def columns(self):
        return [*super().columns, Column("full_name", label=_("Name")), Column("email", label=_("E-mail"))]

    def filter_object_list(self, objects):
        return super().filter_object_list(self.of_site(objects))

    def get_object(self, pk):
        return self.of_site(self.model_class.objects.filter(pk=pk)).get()

    def get_objects(self, pks):
        return self.of_site(super().get_objects(pks))

    def of_site(self, members):
        return members.filter(programme__site=site_of(self.request).pk)


class ProductChooserViewSet(ChooserViewSet):
    model = "catalogue.Product"
    icon = "tag"
    choose_one_text = _("Choose a product")
    choose_another_text = _("Choose another product")
    per_page = 20
    choose_view_class = type("ChooseProduct", (WithNumber, ChooseView), {"filter_form_class": ProductSearchForm})
    choose_results_view_class = type(
        "ChooseProductResults", (WithNumber, ChooseResultsView), {"filter_form_class": ProductSearchForm}
    )

    def get_object_list(self):
        from oscar_loyalty.loading import get_model

        return get_model("catalogue", "Product").objects.browsable().order_by("title")


class MemberChooserViewSet(ChooserViewSet):
    model = "loyalty_members.Member"
    icon = "user"
    choose_one_text = _("Choose a member")
    choose_another_text = _("Choose another member")
    per_page = 20
    choose_view_class = type("ChooseMember", (OfThisSite, ChooseView), {"filter_form_class": MemberSearchForm})
    choose_results_view_class = type(
        "ChooseMemberResults", (OfThisSite, ChooseResultsView), {"filter_form_class": MemberSearchForm}
    )
    chosen_view_class = type("ChosenMember", (OfThisSite, ChosenView), {})
    chosen_multiple_view_class = type("ChosenMembers", (OfThisSite, ChosenMultipleView), {})

    def get_object_list(self):
        from oscar_loyalty.loading import get_model

        members = get_model("loyalty_members", "Member").objects.filter(merged_into__isnull=True)
        return members.exclude(status="closed").order_by("last_name", "first_name", "pk")


products = ProductChooserViewSet("club_products")
members = MemberChooserViewSet("club_members")

ProductChooserBlock = products.get_block_class(name="ProductChooserBlock", module_path="wagtail_club.choosers")
MemberChooserBlock = members.get_block_class(name="MemberChooserBlock", module_path="wagtail_club.choosers")
