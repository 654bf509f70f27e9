"""“How to earn” names no product that is kept from whoever reads it."""

import pytest
from oscar.test.factories import create_product

from oscar_loyalty.earning import rules

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(client, person):
    """What a member of a tier reads: ``told("silver")``."""

    def told(tier):
        client.force_login(person(tier))
        return client.get("/accounts/loyalty/earn/").content.decode()

    return told


@pytest.mark.parametrize("others", ["hidden", "teased"])
@pytest.mark.parametrize("starts", [0, 5])
def test_what_is_in_no_list_is_not_named_with_its_points_either(others, starts, told, window, programme, soap):
    rose = create_product(title="Soap of roses", structure="parent")
    petal = create_product(title="", parent=rose, structure="child")
    none = create_product(title="Soap for nothing")
    about = {"programme": programme, "target": "product", "target_object": soap}
    rules.publish_rule(**about, kind="unit", spec={"points": 80})
    rules.publish_rule(**about, kind="booster", spec={"times": 2})
    rules.set_product_points(product=petal, points=7)
    rules.set_product_points(product=none, points=0)
    for product in (soap, rose, none):
        window("gold", target=product, starts=starts, others=others, closed_before=True)
    assert "Soap" not in told("silver") and "Soap" not in told(None)
    if not starts:
        text = told("gold")
        assert soap.get_absolute_url() in text and "Double petals on “Soap”" in text
        assert "Soap of roses" in text and "Without points: Soap for nothing." in text


def test_what_others_may_know_of_is_named(told, window, programme, soap):
    rules.set_product_points(product=soap, points=80)
    window("gold", others="priceless")
    assert "Soap" in told("silver")
