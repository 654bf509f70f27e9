"""Rules, as the owner adds, changes and ends them; and points on the product form."""

from decimal import Decimal

import pytest
from django.urls import reverse

from oscar_loyalty.dashboard.rules.guarding import points_change
from oscar_loyalty.earning import rules, selectors
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.loading import get_model


@pytest.fixture
def live(programme):
    return lambda: get_model("loyalty_earning", "Rule").objects.filter(programme=programme, state="live")


AMOUNT = {"kind": "amount", "target": "everything", "points": "2", "per": "1.00", "threshold": "5"}


def test_points_per_amount(owner, url, live):
    assert owner.post(url("rule-create"), AMOUNT).status_code == 302
    version = live().get().versions.get()
    assert version.spec == {"points": "2", "per": "1", "threshold": "5"}
    assert version.published_by
    text = owner.get(url("rules")).content.decode()
    assert "2\xa0petals per €1, on what is above €5" in text and "Everything in the shop" in text
    # A second click is not a second rule; other numbers are.
    owner.post(url("rule-create"), AMOUNT)
    assert live().count() == 1


def test_a_second_click_gives_no_second_rule_per_order(owner, url, live):
    for _click in range(2):
        owner.post(url("rule-create"), {"kind": "order", "target": "everything", "points": "50"})
    assert live().count() == 1


@pytest.mark.parametrize(
    ("kind", "numbers", "said"),
    [
        ("unit", {"points": "15"}, "15\xa0petals for each piece"),
        ("order", {"points": "50", "threshold": "100"}, "50\xa0petals for each order of €100 or more"),
        ("visit", {"points": "10"}, "10\xa0petals for each visit"),
        ("exclude", {}, "Nothing: these bring no points"),
    ],
)
def test_every_kind_for_every_target(kind, numbers, said, owner, url, live, haircut):
    category = get_model("catalogue", "Category").add_root(name="Care")
    range_ = get_model("offer", "Range").objects.create(name="Summer")
    targets = {
        "class": ("product_class", haircut.product_class, "Product type: Service"),
        "category": ("category", category, "Category: Care"),
        "range": ("range", range_, "Range: Summer"),
        "product": ("product", haircut, "Product: Haircut"),
    }
    for target, (field, thing, _words) in targets.items():
        data = {"kind": kind, "target": target, field: thing.pk, "name_0": "Spring", **numbers}
        assert owner.post(url("rule-create"), data).status_code == 302
    text = owner.get(url("rules")).content.decode()
    assert all(words in text for _field, _thing, words in targets.values())
    assert text.count(said) == 4 and text.count("Spring") == 4


def test_a_variant_is_told_from_its_product(owner, url, live, haircut):
    Product = get_model("catalogue", "Product")
    parent = Product.objects.create(title="Colour", product_class=haircut.product_class, structure="parent")
    child = Product.objects.create(title="Colour, long hair", parent=parent, structure="child")
    owner.post(url("rule-create"), {"kind": "unit", "target": "product", "product": child.pk, "points": "90"})
    assert live().get().target == "variant"


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"kind": "amount", "target": "everything"}, {"points", "per"}),
        ({"kind": "unit", "target": "product", "points": "1.5"}, {"points", "product"}),
        ({"kind": "unit", "target": "category", "points": "-1"}, {"points", "category"}),
        ({"kind": "exclude", "target": "everything"}, {"target"}),
        ({"kind": "nonsense", "target": "everything"}, {"kind"}),
        ({"kind": "order", "target": "everything", "points": "NaN", "threshold": "1e309"}, {"points", "threshold"}),
    ],
)
def test_mistakes_are_said_at_their_fields(data, fields, owner, url, live):
    response = owner.post(url("rule-create"), data)
    assert set(response.context["form"].errors) == fields
    assert not live().exists()


def test_a_product_has_its_points_once(owner, url, programme, haircut):
    rules.set_product_points(product=haircut, points=80, programme=programme)
    data = {"kind": "unit", "target": "product", "product": haircut.pk, "points": "90"}
    response = owner.post(url("rule-create"), data)
    assert set(response.context["form"].errors) == {"product"}


def test_a_change_is_another_version(owner, url, programme, boss):
    rule = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": 1}).rule
    page = owner.get(url("rule", rule.pk))
    assert {field.name for field in page.context["form"].plain} == {"points", "per", "threshold", "name"}
    owner.post(url("rule", rule.pk), {"points": "3", "per": "1"})
    assert [version.number for version in rule.versions.order_by("number")] == [1, 2]
    text = owner.get(url("rule", rule.pk)).content.decode()
    assert "3\xa0petals per €1" in text and "1\xa0petal per €1" in text and "Ada Boss" in text


def test_a_rule_is_ended_after_a_question(owner, url, programme, live):
    rule = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": 1}).rule
    assert "End this rule?" in owner.get(url("rule-end", rule.pk)).content.decode()
    assert live().exists()
    for _click in range(2):
        assert owner.post(url("rule-end", rule.pk)).status_code == 302
    assert not live().exists()
    assert "1\xa0petal per €1" in owner.get(url("rules") + "?ended").content.decode()
    # An ended rule is history.
    assert "Publish" not in owner.get(url("rule", rule.pk)).content.decode()


# The product form


@pytest.fixture
def form_of(db):
    """What Oscar's product form sends, with a category and nothing in its other sections."""
    category = get_model("catalogue", "Category").add_root(name="All")

    def form_of(product, **more):
        data = {"title": product.title, "upc": product.upc or "", "structure": product.structure, "is_public": "on"}
        for prefix in ("productcategory_set", "images", "primary_recommendations", "stockrecords"):
            data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
        data |= {"productcategory_set-TOTAL_FORMS": "1", "productcategory_set-0-category": str(category.pk)}
        there = product.productcategory_set.first() if product.pk else None
        if there is not None:
            data |= {"productcategory_set-INITIAL_FORMS": "1", "productcategory_set-0-id": str(there.pk)}
            data |= {"productcategory_set-0-category": str(there.category_id)}
        return data | more

    return form_of


def save(owner, product, data):
    return owner.post(reverse("dashboard:catalogue-product", args=[product.pk]), data)


def test_the_product_form_asks_for_points(owner, programme, haircut, form_of):
    page = owner.get(reverse("dashboard:catalogue-product", args=[haircut.pk])).content.decode()
    assert 'name="loyalty_points"' in page and "How many petals each piece brings" in page
    response = save(owner, haircut, form_of(haircut, loyalty_points="80"))
    assert response.status_code == 302
    assert selectors.own_points(haircut, programme) == 80
    page = owner.get(reverse("dashboard:catalogue-product", args=[haircut.pk])).content.decode()
    assert 'value="80"' in page
    rule = get_model("loyalty_earning", "Rule").objects.get()
    assert rule.versions.get().published_by
    # Zero is a number; the same again is no new version; empty means the general rules.
    save(owner, haircut, form_of(haircut, loyalty_points="0"))
    save(owner, haircut, form_of(haircut, loyalty_points="0"))
    assert selectors.own_points(haircut, programme) == 0
    assert rule.versions.count() == 2
    save(owner, haircut, form_of(haircut, loyalty_points=""))
    assert selectors.own_points(haircut, programme) is None


def test_the_product_form_changes_the_points_alone(owner, url, programme, haircut, form_of):
    data = {"kind": "unit", "target": "product", "product": haircut.pk, "points": "80"}
    owner.post(url("rule-create"), {**data, "weekdays": ["0"], "cap_day": "160"})
    rule = get_model("loyalty_earning", "Rule").objects.get()
    page = owner.get(reverse("dashboard:catalogue-product", args=[haircut.pk])).content.decode()
    assert "Its rule says more, which stays: on Mondays, at most 160\xa0petals in a day." in page
    assert f'<a href="{url("rule", rule.pk)}">Change the rule</a>' in page
    # The limit is asked of the rule as it will be: on Mondays, 160 a day.
    assert points_change(programme, haircut, 90).spec == {
        "points": "90",
        "when": {"weekdays": [0]},
        "caps": {"day": 160},
    }
    assert save(owner, haircut, form_of(haircut, loyalty_points="90")).status_code == 302
    specs = [version.spec for version in rule.versions.order_by("number")]
    assert [spec.pop("points") for spec in specs] == ["80", "90"]
    assert specs == [{"when": {"weekdays": [0]}, "caps": {"day": 160}}] * 2


def test_a_wrong_number_is_said_at_the_field(owner, programme, haircut, form_of):
    response = save(owner, haircut, form_of(haircut, loyalty_points="-3", title="Cut"))
    assert set(response.context["form"].errors) == {"loyalty_points"}
    assert selectors.own_points(haircut, programme) is None
    haircut.refresh_from_db()
    assert haircut.title == "Haircut"


def test_a_new_product_gets_its_points_with_all_the_rest(owner, programme, haircut, form_of):
    new = get_model("catalogue", "Product")(title="Massage", structure="standalone")
    address = reverse("dashboard:catalogue-product-create", args=["service"])
    # Its stock is wrong: neither product nor rule stay behind.
    wrong = {"stockrecords-TOTAL_FORMS": "1", "stockrecords-0-partner_sku": "x", "stockrecords-0-price": "abc"}
    assert owner.post(address, form_of(new, loyalty_points="60", **wrong)).status_code == 200
    assert not get_model("loyalty_earning", "Rule").objects.exists()
    assert owner.post(address, form_of(new, loyalty_points="60")).status_code == 302
    made = get_model("catalogue", "Product").objects.get(title="Massage")
    assert selectors.own_points(made, programme) == 60


def test_who_may_not_change_the_programme_sees_no_points(client, staff, programme, haircut, form_of):
    from django.contrib.auth.models import Permission

    colleague = staff("view_loyalty")
    colleague.user_permissions.add(*Permission.objects.filter(content_type__app_label="catalogue"))
    client.force_login(colleague)
    rules.set_product_points(product=haircut, points=80, programme=programme)
    page = client.get(reverse("dashboard:catalogue-product", args=[haircut.pk])).content.decode()
    assert 'name="loyalty_points"' not in page
    assert save(client, haircut, form_of(haircut, loyalty_points="9")).status_code == 302
    assert selectors.own_points(haircut, programme) == 80


def test_a_gift_card_has_a_price_in_points(owner, programme, form_of):
    denomination = catalogue.set_denomination(value=Decimal(25), points_price=2500)
    product = denomination.product
    page = owner.get(reverse("dashboard:catalogue-product", args=[product.pk])).content.decode()
    assert 'name="loyalty_points_price"' in page and 'name="loyalty_points"' not in page
    response = save(owner, product, form_of(product, loyalty_points_price="2400"))
    assert response.status_code == 302
    denomination.refresh_from_db()
    assert (denomination.points_price, denomination.value) == (2400, Decimal(25))


def test_without_a_programme_the_form_is_oscars_own(owner, haircut, form_of):
    page = owner.get(reverse("dashboard:catalogue-product", args=[haircut.pk])).content.decode()
    assert "loyalty_points" not in page
    assert save(owner, haircut, form_of(haircut)).status_code == 302


def test_a_shop_with_its_own_form_uses_the_mixin(programme, haircut):
    from oscar.apps.dashboard.catalogue.forms import ProductForm
    from oscar.apps.dashboard.catalogue.views import ProductCreateUpdateView

    from oscar_loyalty.dashboard.catalogue.forms import ProductFormPointsMixin
    from oscar_loyalty.dashboard.catalogue.views import with_points

    class OwnForm(ProductFormPointsMixin, ProductForm):
        pass

    data = {"title": "Haircut", "upc": "haircut", "structure": "standalone", "loyalty_points": "70"}
    form = OwnForm(haircut.product_class, data=data, instance=haircut)
    assert form.is_valid(), form.errors
    form.save()
    assert selectors.own_points(haircut, programme) == 70

    class OwnView(ProductCreateUpdateView):
        form_class = OwnForm

    assert with_points(OwnView).form_class is OwnForm


def test_the_check_names_a_product_form_without_points(monkeypatch):
    from django.apps import apps
    from oscar.apps.dashboard.catalogue.views import ProductCreateUpdateView

    from oscar_loyalty.dashboard import checks

    assert checks.product_form(None) == []
    config = apps.get_app_config("catalogue_dashboard")
    monkeypatch.setattr(config, "product_createupdate_view", ProductCreateUpdateView)
    assert [problem.id for problem in checks.product_form(None)] == ["loyalty.W020"]


def test_the_check_names_a_menu_without_the_entry(settings):
    from oscar_loyalty.dashboard import checks

    assert checks.menu(None) == []
    settings.OSCAR_DASHBOARD_NAVIGATION = []
    assert [problem.id for problem in checks.menu(None)] == ["loyalty.W021"]
