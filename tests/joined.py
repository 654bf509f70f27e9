"""Nobody reads a locked row together with what was joined to it before: a guard that is on in every test.

PostgreSQL answers whoever has waited for a lock with the row as it is now, joined to what it was joined to before. So a
query that locks rows (``select_for_update``) may join (``select_related``) only by keys that never change, which are
named here, or gives its rows to :func:`oscar_loyalty.locks.as_locked`. Django's compiler is asked, on both databases;
so it does not matter by how many functions a query was put together.
"""

import sys

from django.db.models.sql.compiler import SQLCompiler

from oscar_loyalty.locks import as_locked

PACKAGES = ("oscar_loyalty", "wagtail_club")
#: Keys that no code of ours changes once the row is written. Before you add one, search for what writes it: a merge of
#: members rewrites whatever has registered as a mover (``members.merging``).
FIXED = {
    "loyalty_due.BulkSlice.run",
    "loyalty_earning.Award.entry",
    "loyalty_earning.Award.programme",
    "loyalty_earning.Draft.programme",
    "loyalty_earning.GuestLink.order",
    "loyalty_earning.GuestLink.programme",
    "loyalty_earning.Referral.programme",
    "loyalty_members.Departure.member",
    "loyalty_members.HouseholdInvitation.household",
    "loyalty_members.Member.account",
    "loyalty_members.Member.programme",
    "loyalty_members.TierProposal.programme",
    "loyalty_members.TierReview.programme",
    "loyalty_members.Transfer.hold",
    "loyalty_members.Transfer.programme",
    "loyalty_payments.Allotment.tender",
    "loyalty_payments.Tender.attempt",
    "loyalty_payments.TenderReturn.allotment",
    "loyalty_payments.TenderReturn.refund",
    "loyalty_reports.Simulation.programme",
    "loyalty_rewards.Claim.entry",
}


class JoinedUnderLock(AssertionError):
    """A query of ours locks rows and joins others by a key that may change."""


def joined(infos, path=""):
    """The keys by which other rows are read along: ``Model.field``."""
    for info in infos.get("related_klass_infos", ()):
        field = info["field"]
        yield f"{field.model._meta.label}.{field.name}"
        yield from joined(info)


def names(code):
    """What a function names, those within it included."""
    for part in (code, *(constant for constant in code.co_consts if hasattr(constant, "co_names"))):
        yield from part.co_names


def callers():
    """The functions of ours that are under way, the innermost first, without what they are called by elsewhere."""
    frame, ours = sys._getframe(1), []
    while frame is not None and len(ours) < 3:
        if frame.f_globals.get("__name__", "").split(".")[0] in PACKAGES:
            ours.append(frame.f_code)
        frame = frame.f_back
    return ours


def look(compiler):
    query = compiler.query
    if not (query.select_for_update and query.select_related and compiler.klass_info):
        return
    loose = sorted(set(joined(compiler.klass_info)) - FIXED)
    if not loose:
        return
    found = callers()
    # The query may be put together and read in a helper, or in a comprehension, of whoever gives its rows on.
    if found and not any(as_locked.__name__ in names(code) for code in found[:2]):
        where = f"{found[0].co_filename}:{found[0].co_firstlineno} ({found[0].co_qualname})"
        raise JoinedUnderLock(f"{where} locks rows joined by {', '.join(loose)}.")


def install(patch):
    as_sql = SQLCompiler.as_sql

    def guarded(self, *args, **kwargs):
        made = as_sql(self, *args, **kwargs)
        look(self)
        return made

    patch.setattr(SQLCompiler, "as_sql", guarded)
