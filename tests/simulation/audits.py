"""The shop's audit after each step, without asking anew what cannot have another answer.

A check of the audit is a function of what the database answers, and of the time: after the same answers it asks the
same next question, and at the end finds the same. So each check has a tree of its questions, and what it found stands
at the leaves. The questions are asked again, as plain SQL, down to a leaf; where an answer is new, the check itself
runs, as it does in a shop, and the tree grows. Within a world, a leaf holds until something is written to one of the
tables that were asked about.
"""

from unittest import mock

from django.db import connection

from oscar_loyalty import clock
from oscar_loyalty.reports import audit
from tests.simulation.scales import words

#: Questions that are known of all checks together, until all are forgotten: worlds differ, and memory ends.
MOST = 50_000


class Forest:
    """What was asked and found so far, in whatever world. A check that looks at the clock has a tree for each time."""

    def __init__(self):
        self.trees, self.size, self.timely = {}, 0, set()

    def time(self, check):
        return clock.now() if check in self.timely else None

    def tree(self, check):
        if self.size > MOST:
            self.trees, self.size = {}, 0
        return self.trees.setdefault((check, self.time(check)), {})

    def climb(self, check):
        """What the check finds, and the words of all its questions."""
        node, about = self.tree(check), set()
        while "found" not in node:
            node = node["answers"].get(answer(*node["asks"])) if node else None
            if node is None:
                return self.grow(check)
            about |= node["about"]
        return node["found"], about

    def grow(self, check):
        """Let the check run as in a shop, and remember its questions."""
        asked, now = [], clock.now()

        def tell():
            self.timely.add(check)
            return now

        def listen(execute, sql, params, many, context):
            asked.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen), mock.patch.object(clock, "_source", tell):
            found = list(check())
        about = set().union(*(words(sql) for sql, _params in asked))
        if not all(sql.startswith(("SELECT", "BEGIN")) for sql, _params in asked):
            # It reckons in a table of its own: only the check itself can ask what is in there.
            return found, about
        node = self.tree(check)
        for question in asked:
            if question[0].startswith("BEGIN"):
                continue
            if node.get("asks") != question:
                node.update(asks=question, answers={})
            node = node["answers"].setdefault(answer(*question), {"about": words(question[0])})
        self.size += len(asked)
        node["found"] = found
        return found, about


FOREST = Forest()


class Audits:
    """The audit of one world, whose ``scales`` hear what is written."""

    def __init__(self, scales):
        self.scales, self.leaves = scales, {}

    def findings(self):
        return [finding for check in audit._checks for finding in self._of(check)]

    def _of(self, check):
        """What a check finds: what it found before, while all is still as it was."""
        time, found, about, since = self.leaves.get(check, (None, [], (), -1))
        if since < 0 or time != FOREST.time(check) or self.scales.heard(about, since):
            found, about = FOREST.climb(check)
            self.leaves[check] = FOREST.time(check), found, about, self.scales.statements
        return found


def answer(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return repr(cursor.fetchall())
