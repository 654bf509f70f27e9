"""Django's statements, each put into words once: worlds ask the same again and again, at other times.

Of a query that is about to be asked, a mark is made of all that its words depend on, and of the times in it only which
of them are the same: the times go into the words of the first query with the same mark, where its own were. What the
shop says to the database, and when, stays as it is: with ``compare``, all is put into words anew, and must be the same.
"""

from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, cached_property
from inspect import getattr_static
from unittest import mock
from uuid import UUID

from django.db.models import Field
from django.db.models.expressions import BaseExpression
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.query import Query
from django.db.models.sql.where import NothingNode, WhereNode
from django.utils.tree import Node

#: Statements that are known, until all are forgotten.
MOST = 20_000
#: Stands for a statement that a time has become another part of than a value: the words of a day, say.
BY_ITS_TIMES = object()
PLAIN = frozenset((bool, int, float, Decimal, UUID, date, time, timedelta, bytes))
#: What is only kept for the next time, or said by something else as well.
NOT_MARKED = {"_constructor_args", "_annotation_select_cache", "_extra_select_cache", "creation_counter"}
#: What a compiler has learnt about a statement when it has put it into words.
LEARNT = ("select", "klass_info", "annotation_col_map", "has_extra_select", "col_count")


class Times(dict):
    """Times by their number, and how often any was said."""

    said = 0


class Unmarked(Exception):
    """Nobody can tell of this whether another one is the same."""


@cache
def _names_left_out(kind):
    found = {name for name in dir(kind) if isinstance(getattr_static(kind, name, None), cached_property)}
    # Some say it themselves.
    return frozenset((found - {"output_field"}) | NOT_MARKED)


def mark(value, times):
    """All that ``value`` says, to be compared; times are counted, and put into ``times`` in their order."""
    kind = type(value)
    if value is None or kind is str:
        return value
    if kind in PLAIN:
        return kind, value
    if kind is tuple or kind is list:
        return (kind, *[mark(each, times) for each in value]) if value else kind
    if kind is dict:
        return (kind, *[(mark(key, times), mark(each, times)) for key, each in value.items()]) if value else kind
    if kind is datetime:
        times.said += 1
        return datetime, times.setdefault(value, len(times))
    return _mark_of(kind)(value, times)


def _itself(value, times):
    return value


def _number(value, times):
    return id, id(value)


def _set(value, times):
    before = len(times)
    found = frozenset(mark(each, times) for each in value)
    if len(times) > before:
        raise Unmarked
    return found


def _field(value, times):
    # One of a model's own is there for ever; others are made where they are needed.
    return _number(value, times) if getattr(value, "model", None) is not None else _parts(value, times)


def _parts(value, times):
    left_out = _names_left_out(type(value))
    return (
        type(value),
        *[(name, mark(each, times)) for name, each in vars(value).items() if each is not None and name not in left_out],
    )


@cache
def _mark_of(kind):
    if issubclass(kind, type):
        return _itself
    if issubclass(kind, ForeignObjectRel):
        return _number
    if issubclass(kind, set | frozenset):
        return _set
    if issubclass(kind, Field):
        return _field
    if issubclass(kind, Query | BaseExpression | Node | WhereNode | NothingNode | BaseTable | Join):
        return _parts
    raise Unmarked(kind)


class Statements:
    """The statements that are known; :meth:`known` lets Django use them."""

    def __init__(self, *, compare=False):
        self.made, self.compare, self.deep = {}, compare, False
        self.put = SQLCompiler.as_sql
        #: How many statements did not have to be put into words.
        self.spared = 0

    def as_sql(self, compiler, with_limits=True, with_col_aliases=False):
        query = compiler.query
        if self.deep or with_col_aliases or not with_limits or query.select_for_update or query.combinator:
            return self.put(compiler, with_limits, with_col_aliases)
        times = Times()
        try:
            key = (compiler.connection.vendor, type(compiler), compiler.elide_empty, mark(query, times))
            known = self.made.get(key)
        except Unmarked:
            known = key = None
        if known is BY_ITS_TIMES:
            key, times = (key, *times), Times()
            known = self.made.get(key)
        if known is not None:
            return self._again(compiler, known, times)
        self.deep = True
        try:
            sql, params = self.put(compiler, with_limits, with_col_aliases)
        finally:
            self.deep = False
        if key is not None:
            self._keep(compiler, key, sql, params, times)
        return sql, params

    def _keep(self, compiler, key, sql, params, times):
        if len(self.made) > MOST:
            self.made.clear()
        slots = {compiler.connection.ops.adapt_datetimefield_value(each): number for each, number in times.items()}
        places = [
            (place, slots[each]) for place, each in enumerate(params) if type(each) in (str, datetime) and each in slots
        ]
        if len(places) != times.said:
            self.made[key] = BY_ITS_TIMES
            key, places = (key, *times), []
        learnt = {name: vars(compiler)[name] for name in LEARNT if name in vars(compiler)}
        self.made[key] = sql, tuple(params), places, learnt

    def _again(self, compiler, known, times):
        sql, params, places, learnt = known
        self.spared += 1
        if places:
            moments, params = list(times), list(params)
            for place, number in places:
                params[place] = compiler.connection.ops.adapt_datetimefield_value(moments[number])
        if self.compare:
            self.deep = True
            try:
                plain, values = self.put(compiler, True, False)
            finally:
                self.deep = False
            assert (plain, tuple(values)) == (sql, tuple(params)), f"{plain} {values}\nis not\n{sql} {params}"
        vars(compiler).update(learnt)
        return sql, tuple(params)

    @contextmanager
    def known(self):
        made = lambda compiler, *args, **named: self.as_sql(compiler, *args, **named)  # noqa: E731
        with mock.patch.object(SQLCompiler, "as_sql", made):
            yield
