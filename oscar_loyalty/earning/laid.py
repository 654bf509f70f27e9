"""A draft as the engine's facts: its changes laid over the rules, as if they had always been in force."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from oscar_loyalty.earning import facts
from oscar_loyalty.earning.engine import Line, RuleFacts
from oscar_loyalty.loading import get_model

#: What a draft's rules are numbered from among the facts: they are newer than any published version.
ABOVE = 2**40
ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
TARGETS = ("product", "product_class", "category", "range")


class DraftBook(facts.RuleBook):
    """The rules of a draft's programme with its changes laid over them: these hold at any moment, past ones too.

    So orders of last month can be asked what they would have brought. A draft's rule has a version of ``ABOVE`` and
    more, and, while it is new, a negative primary key.
    """

    def __init__(self, draft: Any, *, since: datetime, until: datetime | None = None) -> None:
        items = list(draft.items.select_related("category", "rule__category").order_by("pk"))
        self._lay(draft.programme, items, since=since, until=until)

    @classmethod
    def of(cls, programme: Any, items: Iterable[Any], *, since: datetime, until: datetime | None = None) -> "DraftBook":
        """Return the rules of ``programme`` with these changes laid over them; they need not be in the database."""
        book = cls.__new__(cls)
        book._lay(programme, list(items), since=since, until=until)
        return book

    def _lay(self, programme: Any, items: list[Any], *, since: datetime, until: datetime | None) -> None:
        facts.RuleBook.__init__(self, programme, since=since, until=until)
        self._changed = {item.rule_id for item in items if item.rule_id}
        self._laid: list[facts.Dated] = [_laid(item) for item in items if not item.ends]

    @property
    def general(self) -> list[facts.Dated]:
        return [*super().general, *(dated for dated in self._laid if dated.facts.target not in facts.OF_PRODUCTS)]

    def learn(self, products: Iterable[int]) -> None:
        new = set(products) - self._own.keys()
        super().learn(new)
        for dated in self._laid:
            if dated.facts.target in facts.OF_PRODUCTS and dated.facts.target_id in new:
                self._own[dated.facts.target_id].append(dated)

    def everything(self) -> list[facts.Dated]:
        """Return all rules, those of single products too."""
        mine = [dated for dated in self._laid if dated.facts.target in facts.OF_PRODUCTS]
        return [*self.general, *self._load(None), *mine]

    def _load(self, products: Sequence[int] | None = (), *, general: bool = False) -> list[facts.Dated]:
        return [dated for dated in super()._load(products, general=general) if dated.facts.rule not in self._changed]


def _laid(item: Any) -> facts.Dated:
    """Return a change as if it had been published, and always in force."""
    rule = item.rule
    if rule is None:
        fields = {field: getattr(item, field) for field in ("kind", "target", "category")}
        ids = {f"{field}_id": getattr(item, f"{field}_id") for field in TARGETS if field != "category"}
        rule = get_model("loyalty_earning", "Rule")(pk=-(item.pk or 0), **fields, **ids)
    rule.name = item.name or rule.name
    return facts._dated(
        SimpleNamespace(
            pk=ABOVE + (item.pk or 0),
            number=(item.base_number or 0) + 1,
            rule=rule,
            spec=item.spec,
            name=rule.name,
            valid_from=ALWAYS,
            valid_to=None,
        )
    )


def facts_of(draft: Any, at: datetime, lines: Iterable[Line] | None = None) -> list[RuleFacts]:
    """Return the rules as they would be at ``at`` with the draft published; those of single products for ``lines``."""
    book = DraftBook(draft, since=at)
    wanted = list(lines or ())
    book.learn({pk for line in wanted for pk in (line.product, line.parent) if pk is not None})
    return book.at(at, wanted)
