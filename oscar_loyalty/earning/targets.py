"""How closely something that has a target fits a line of a purchase. Pure, as the engine is."""

from typing import Any, Protocol

#: Which rule wins where several fit a line: the highest; among categories the deepest.
SPECIFICITY = {"everything": 0, "class": 1, "category": 2, "range": 3, "product": 4, "variant": 5}


class Targeted(Protocol):
    """A rule, a goal: about everything, or about one thing by its primary key."""

    @property
    def target(self) -> str: ...
    @property
    def target_id(self) -> int | None: ...


def fit(about: Targeted, line: Any) -> int | None:
    """Return how deep ``about`` fits a :class:`~oscar_loyalty.earning.engine.Line` (0 but for categories), or ``None``
    where it does not."""
    if about.target == "everything":
        return 0
    if about.target_id is None:
        return None
    if about.target == "variant" or (about.target == "product" and line.parent is None):
        return 0 if line.product == about.target_id else None
    if about.target == "product":
        return 0 if about.target_id in (line.parent, line.product) else None
    if about.target == "range":
        return 0 if about.target_id in line.ranges else None
    if about.target == "category":
        return next((depth for pk, depth in line.categories if pk == about.target_id), None)
    return 0 if line.product_class == about.target_id else None
