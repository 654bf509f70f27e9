"""Finding classes and models, in a shop's fork first.

Oscar's own ``get_class`` looks for a class that a fork leaves out in ``oscar.apps``; the apps of a
plugin are not there. This one falls back to the plugin itself.
"""

from functools import cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule
from oscar.core.loading import get_model

__all__ = ["get_class", "get_model"]


@cache
def get_class(module: str, name: str) -> Any:
    """Return class ``name`` from ``module``, such as ``("earning.engine", "Engine")``.

    The room is the first part of ``module``; the app with the label ``loyalty_<room>`` is asked first, which
    is the shop's fork where there is one, then this package.

    :raises ImportError: when neither has the module.
    :raises AttributeError: when neither has the class.
    """
    room, _, rest = module.partition(".")
    package = apps.get_app_config(f"loyalty_{room}").module
    own = f"oscar_loyalty.{module}"
    if package.__name__ != f"oscar_loyalty.{room}" and (not rest or module_has_submodule(package, rest)):
        found = import_module(f"{package.__name__}.{rest}" if rest else package.__name__)
        if hasattr(found, name):
            return getattr(found, name)
    return getattr(import_module(own), name)
