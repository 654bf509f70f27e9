"""The owner's pages of several programmes: which one they are about, changing over, and a new one."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sites.models import Site
from django.urls import reverse

from oscar_loyalty.dashboard import choosing
from oscar_loyalty.earning import rules
from oscar_loyalty.earning.selectors import own_points
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors


def url(name, *args):
    return reverse(f"loyalty-dashboard:loyalty-{name}", args=args)


def change_over(client, house, **more):
    return client.post(url("programme-choose"), {"programme": house.programme.pk, **more})


def test_the_pages_are_about_the_site_they_are_opened_on(a, b, boss):
    for house, other in ((a, b), (b, a)):
        response = house.client(boss).get(url("members"))
        assert response.context["programme"] == house.programme
        text = response.content.decode()
        assert f'<option value="{house.programme.pk}" selected>' in text
        assert f'<option value="{other.programme.pk}">' in text


def test_changing_over_stays_on_the_list_and_for_the_session(a, b, boss):
    client = a.client(boss)
    assert f'name="next" value="{url("members")}"' in client.get(url("members")).content.decode()
    # A page about one member means nothing elsewhere.
    assert 'name="next" value=""' in client.get(url("member", a.member.pk)).content.decode()
    response = change_over(client, b, next=url("members"))
    assert response.url == url("members")
    assert client.get(url("rules")).context["programme"] == b.programme
    assert client.get(url("member", a.member.pk)).status_code == 404
    assert change_over(client, a, next="https://elsewhere.example/").url == url("overview")
    assert client.get(url("rules")).context["programme"] == a.programme


@pytest.mark.parametrize("wrong", ["", "x", "999999", "1e3", "²"])
def test_a_wrong_choice_changes_nothing(a, boss, wrong):
    client = a.client(boss)
    assert client.post(url("programme-choose"), {"programme": wrong}).status_code == 404
    assert client.get(url("rules")).context["programme"] == a.programme


def test_a_form_of_another_window_changes_nothing(a, b, boss):
    client = a.client(boss)
    shown = client.get(url("referral-terms")).content.decode()
    assert f'data-loyalty-programme="{a.programme.pk}"' in shown
    change_over(client, b)
    form = {"is_active": "on", "friend_points": 7, choosing.FIELD: a.programme.pk}
    assert client.post(url("referral-terms"), form).url == url("programmes")
    assert not get_model("loyalty_earning", "ReferralScheme").objects.filter(is_active=True).exists()


def test_an_order_of_another_site_is_refunded(a, b, boss, place):
    """Its page is about the order's own programme, and so says the form that it sends."""
    order, client = place(b, "78"), a.client(boss)
    page = client.get(url("refunds", order.number))
    assert f'data-loyalty-programme="{b.programme.pk}"' in page.content.decode()
    form = {"step": "preview", "token": "a" * 32, f"quantity_{order.lines.get().pk}": 1, "reason": "Too short"}
    shown = client.post(url("refunds", order.number), {**form, choosing.FIELD: b.programme.pk})
    assert shown.status_code == 200 and not shown.context["form"].errors
    assert client.post(url("refunds", order.number), {**form, choosing.FIELD: a.programme.pk}).url == url("programmes")


def only_beta(user, programmes):
    return programmes if user.is_superuser else programmes.filter(name="Programme-Beta")


@pytest.fixture
def colleague(db, django_user_model):
    user = django_user_model.objects.create_user(username="c", email="c@example.com", password="p", is_staff=True)
    rows = Permission.objects.filter(content_type__app_label="loyalty_members")
    user.user_permissions.set(rows)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="order"))
    return user


def test_who_may_see_one_programme_sees_no_other(a, b, colleague, settings, place):
    settings.OSCAR_LOYALTY_DASHBOARD_PROGRAMMES = f"{__name__}.only_beta"
    client = a.client(colleague)
    response = client.get(url("members"))
    assert response.context["programme"] == b.programme and "Alpha" not in response.content.decode()
    assert change_over(client, a).status_code == 404
    # Oscar's own dashboard would show the order; what the programme knows of it, only to whom it is for.
    order = place(a, "77")
    settings.OSCAR_LOYALTY_DASHBOARD_PROGRAMMES = ""
    assert client.get(url("refunds", order.number)).context["programme"] == a.programme
    settings.OSCAR_LOYALTY_DASHBOARD_PROGRAMMES = f"{__name__}.only_beta"
    assert client.get(url("refunds", order.number)).status_code == 404
    new = Site.objects.create(domain="gamma.example", name="Shop Gamma")
    assert client.get(url("programme-create", new.pk)).status_code == 403
    assert "Gamma" not in client.get(url("programmes")).content.decode()


def nothing(user, programmes):
    return programmes.none()


def test_who_may_see_none_is_told_so(a, b, colleague, settings):
    settings.OSCAR_LOYALTY_DASHBOARD_PROGRAMMES = f"{__name__}.nothing"
    assert a.client(colleague).get(url("members")).status_code == 403


def test_the_list_of_programmes(a, b, boss, django_assert_max_num_queries):
    new = Site.objects.create(domain="gamma.example", name="Shop Gamma")
    client = a.client(boss)
    with django_assert_max_num_queries(14):
        response = client.get(url("programmes"))
    text = response.content.decode()
    assert "Programme-Alpha" in text and "Programme-Beta" in text and url("programme-create", new.pk) in text
    Site.objects.bulk_create(Site(domain=f"s{n}.example", name=f"Later {n}") for n in range(30))
    with django_assert_max_num_queries(14):
        assert len(client.get(url("programmes")).context["page_obj"].object_list) == 25


def test_the_programme_of_another_site_is_made_from_here(a, b, boss):
    new = Site.objects.create(domain="gamma.example", name="Shop Gamma")
    client = a.client(boss)
    page = client.get(url("programme-create", new.pk))
    assert "Shop Gamma" in page.content.decode()
    data = {}
    for bound in page.context["form"]:
        value = bound.value()
        widget = bound.field.widget
        if hasattr(widget, "decompress"):
            for number, part in enumerate(value if isinstance(value, list) else widget.decompress(value)):
                data[f"{bound.html_name}_{number}"] = part or ""
        elif value is not None and value is not False:
            data[bound.html_name] = value
    data["name"] = "Gamma Club"
    response = client.post(url("programme-create", new.pk), data)
    assert response.status_code == 302, response.context["form"].errors
    made = selectors.programme_of(new)
    assert made.name == "Gamma Club"
    assert client.get(url("rules")).context["programme"] == made
    # It is there now.
    assert client.get(url("programme-create", new.pk)).status_code == 404
    assert selectors.programme_of(a.site) == a.programme


def test_a_site_without_a_programme_offers_the_others(a, b, boss):
    new = Site.objects.create(domain="gamma.example", name="Shop Gamma")
    client = replace(a, site=new).client(boss)
    assert client.get(url("overview")).context["programme"] is None
    assert "loyalty-switcher" in client.get(url("overview")).content.decode()
    change_over(client, b)
    assert client.get(url("overview")).context["programme"] == b.programme


def test_one_site_has_nothing_to_choose(programme, boss, client):
    client.force_login(boss)
    text = client.get(url("members"), headers={"host": programme.site.domain}).content.decode()
    assert "loyalty-switcher" not in text and url("programmes") not in text


def test_the_product_form_is_about_the_chosen_programme(a, b, boss, haircut, own):
    client = a.client(boss)
    address = reverse("dashboard:catalogue-product", args=[haircut.pk])
    assert client.get(address).context["form"].fields["loyalty_points"].initial == 80
    change_over(client, b)
    form = client.get(address).context["form"]
    assert form.fields["loyalty_points"].initial == 5 and "Beta" in form.fields["loyalty_points"].help_text
    rules.set_product_points(product=haircut, points=6, programme=b.programme)
    assert (own_points(haircut, a.programme), own_points(haircut, b.programme)) == (80, 6)


def test_a_printed_code_leads_to_the_programmes_own_site(a, b, boss, haircut):
    from oscar_loyalty.dashboard.friends.views import ScanCodeView

    client = a.client(boss)
    change_over(client, b)
    response = client.get(url("scan-code", haircut.pk))
    view = ScanCodeView()
    view.request = response.wsgi_request
    assert view.absolute("/x/") == "https://beta.example/x/"
    change_over(client, a)
    view = ScanCodeView()
    view.request = client.get(url("scan-code", haircut.pk)).wsgi_request
    assert view.absolute("/x/") == "http://alpha.example/x/"


@pytest.mark.parametrize("right", ["manage_cards", "manage_programme", "approve_points", "view_loyalty"])
def test_whoever_changes_over_arrives(a, b, django_user_model, right):
    colleague = django_user_model.objects.create_user("colleague", "colleague@example.com", is_staff=True)
    colleague.user_permissions.add(Permission.objects.get(content_type__app_label="loyalty_members", codename=right))
    client = a.client(colleague)
    response = client.post(url("programme-choose"), {"programme": b.programme.pk}, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain == [(url("overview" if right == "view_loyalty" else "programmes"), 302)]
