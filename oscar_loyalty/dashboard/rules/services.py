"""Writes of the owner's page about rules."""

from typing import Any

from django.db import transaction

from oscar_loyalty.earning import rules, specs
from oscar_loyalty.loading import get_model


@transaction.atomic
def publish_once(
    *, programme: Any, kind: str, target: str, target_object: Any, spec: dict[str, Any], **fields: Any
) -> Any:
    """Publish a new rule, unless one that says the same about the same is in force; return the version in force.

    A second rule per order or visit would count twice, and a second click on a button is not a second rule.

    :raises WrongRule: when it makes no sense.
    """
    # One at a time, so that two clicks see each other.
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=programme.pk)
    live = get_model("loyalty_earning", "Rule").objects.filter(
        programme=programme, kind=kind, target=target, state="live"
    )
    if target_object is not None:
        live = live.filter(**{rules.FIELDS[target]: target_object})
    wanted = specs.clean_spec(kind, spec)
    for rule in live.prefetch_related("versions"):
        for version in rule.versions.all():
            if version.valid_to is None and version.spec == wanted:
                return version
    return rules.publish_rule(
        programme=programme, kind=kind, target=target, target_object=target_object, spec=spec, **fields
    )
