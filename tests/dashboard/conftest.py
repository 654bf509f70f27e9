"""A small salon: an owner, colleagues with some of the permissions, members who bought and booked."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.earning import adjustments, bookings, rules
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members


@pytest.fixture(autouse=True)
def _menu(settings):
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def url():
    """The address of a page: ``url("members")``, ``url("member", 3)``."""
    return lambda name, *args: reverse(f"loyalty-dashboard:loyalty-{name}", args=args)


@pytest.fixture
def staff(db, django_user_model):
    """Make a colleague with some permissions: ``staff("view_loyalty")``."""

    def staff(*permissions, username="colleague", **fields):
        user = django_user_model.objects.create_user(
            username=username,
            email=f"{username}@example.com",
            password="petale-demo",
            is_staff=True,
            first_name=username.title(),
            **fields,
        )
        for codename in permissions:
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label="loyalty_members", codename=codename)
            )
        return user

    return staff


@pytest.fixture
def boss(db, django_user_model):
    return django_user_model.objects.create_superuser(
        username="boss", email="boss@example.com", password="petale-demo", first_name="Ada", last_name="Boss"
    )


@pytest.fixture
def owner(client, boss):
    """The owner's browser."""
    client.force_login(boss)
    return client


@pytest.fixture(params=["account", "e-mail"])
def own(request, boss, programme):
    """The owner's own membership, with the account or by the same e-mail alone."""
    whose = {"user": boss} if request.param == "account" else {"email": boss.email}
    return members.join(programme=programme, source="test", **whose)


@pytest.fixture
def haircut(db):
    """A service of the salon."""
    ProductClass, Product = get_model("catalogue", "ProductClass"), get_model("catalogue", "Product")
    service, _made = ProductClass.objects.get_or_create(
        slug="service", defaults={"name": "Service", "requires_shipping": False, "track_stock": False}
    )
    return Product.objects.create(title="Haircut", product_class=service, structure="standalone", upc="haircut")


@pytest.fixture
def many(programme, django_user_model):
    """Make so many members: ``many(30)``."""

    def many(number, points=100):
        made = []
        for index in range(number):
            user = django_user_model.objects.create_user(
                username=f"m{index}",
                email=f"m{index}@example.com",
                first_name=f"First{index}",
                last_name=f"Last{index}",
            )
            member = members.join(programme=programme, user=user, source="test")
            if points:
                books.earn(
                    account=member.account, units=points, key=f"many:{index}", kind="adjust", usable_from=clock.now()
                )
            made.append(member)
        return made

    return many


@pytest.fixture
def visit(programme, haircut):
    """A visit that brought points: ``visit(member, "b1")``."""
    rules.set_product_points(product=haircut, points=80, programme=programme)

    def visit(member, reference):
        bookings.made(
            reference=reference,
            service=haircut,
            starts_at=clock.now(),
            member=member,
            price=Decimal(40),
            currency="EUR",
        )
        return bookings.attended(reference=reference)

    return visit


@pytest.fixture
def card(programme, user):
    """An active gift card of 25 euros."""
    catalogue.set_denomination(value=Decimal(25), points_price=2500)
    return giftcards.issue(
        value=Decimal(25), key="test:card", buyer=user, recipient_name="Lou", recipient_email="lou@example.com"
    )


@pytest.fixture
def big_adjustment(programme, member, staff):
    """An adjustment above the limit, asked for by a colleague."""
    colleague = staff("view_loyalty", "adjust_points", username="asker")
    return adjustments.request_adjustment(
        programme=programme, members=[member], units=5000, reason="Ten years with us", key="big", user=colleague
    )
