from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import services


@pytest.fixture
def tiers(programme):
    return {tier.code: tier for tier in members.tiers(programme)}


@pytest.fixture
def soap(db):
    return create_product(title="Soap", price=Decimal("20.00"), num_in_stock=100)


@pytest.fixture
def person(programme, tiers, django_user_model):
    """Make a member of a tier: ``person("gold")``, or a customer who is none: ``person(None)``."""

    def person(tier, name=None, status="active"):
        name = name or f"{tier or 'nobody'}-{status}"
        user = django_user_model.objects.create_user(name, f"{name}@example.com", "petale-demo", first_name=name)
        if tier is not None:
            member = joining.join(programme=programme, user=user, source="test")
            joining.set_tier(member=member, tier=tiers[tier], key=f"test:{name}")
            if status != "active":
                joining.set_status(member=member, status=status)
        return user

    return person


@pytest.fixture
def window(programme, tiers, soap):
    """Let something be for members first: ``window("gold", target=soap, days=10)``."""
    made = []

    def window(tier="gold", *, target=None, starts=0, days=10, **fields):
        now = clock.now()
        made.append(tier)
        return services.create(
            programme=programme,
            tier=tiers[tier],
            target=target or soap,
            opens_at=now + timedelta(days=starts),
            ends_at=now + timedelta(days=days),
            key=f"test:{len(made)}",
            **fields,
        )

    return window
