from tests.earning.conftest import (  # noqa: F401
    basket_of,
    cancel,
    haircut,
    later,
    order,
    own,
    per_euro,
    petals,
    place,
    shampoo,
    sweep,
)
