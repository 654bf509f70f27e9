"""Nobody asks what is not in a list that may be long: a guard that is on in every test.

PostgreSQL keeps the list of ``NOT (x IN (SELECT …))`` in memory while it is small. One that is too large for
``work_mem``, from some hundred thousand rows on, it reads through anew for each row that it looks at: what took a
second in a young shop then takes days. ``NOT EXISTS`` has no such cliff, so that is what is written
(``exclude(Exists(…OuterRef(…)))``). Django's compiler is asked, on both databases.
"""

import re
import sys

from django.db.models.sql.compiler import SQLCompiler

from tests.joined import PACKAGES

LIST = re.compile(r'NOT \([^()]* IN \(SELECT .*?FROM "(\w+)"')
#: Tables whose lists are short, and why.
SHORT = {
    "catalogue_product": "products that are hidden from somebody for some days",
    "loyalty_appointment_slotclaim": "claims of one slot",
    "loyalty_earning_draftitem": "what one draft changes",
    "wagtail_club_pageaccess": "the closed pages of one site; a query for each page would be slower",
    "wagtail_club_pagegrouppermission": "the pages that the groups of one user see",
    "wagtailcore_page": "pages are written by hand: thousands, not millions",
}


class LongList(AssertionError):
    """A query of ours asks what is not in a list that may have a row for each member or order."""


def asking():
    """The function of ours that asks, with nobody but Django in between: what Wagtail or Oscar ask is theirs."""
    frame = sys._getframe(2)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").split(".")[0]
        if package in PACKAGES:
            return frame.f_code
        if package != "django":
            return None
        frame = frame.f_back
    return None


def install(patch):
    as_sql = SQLCompiler.as_sql

    def guarded(self, *args, **kwargs):
        made = as_sql(self, *args, **kwargs)
        if " IN (SELECT" in made[0]:
            long = set(LIST.findall(made[0])) - SHORT.keys()
            if long and (found := asking()):
                where = f"{found.co_filename}:{found.co_firstlineno} ({found.co_qualname})"
                raise LongList(f"{where} asks what is not in a list of {', '.join(sorted(long))}: {made[0]}")
        return made

    patch.setattr(SQLCompiler, "as_sql", guarded)
