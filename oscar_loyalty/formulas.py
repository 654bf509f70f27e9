"""What people typed is never a formula in a table that somebody opens."""

import re

#: What a spreadsheet takes for the start of a formula; some also look behind blanks, and at the wide forms.
SIGNS = "=+-@＝＋－＠"
#: Where a spreadsheet may begin a new cell: in French, Excel cuts lines at semicolons, within our quotes as well.
_WITHIN = re.compile(rf"([;\t\r\n]\s*)(?=[{re.escape(SIGNS)}])")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run ``text``."""
    return text[:1] in ("\t", "\r", "\n") or text.lstrip().startswith(tuple(SIGNS))


def as_text(text: str) -> str:
    """Return ``text`` for a cell of CSV such that it stays a text, wherever the line is cut."""
    text = _WITHIN.sub(r"\1'", text)
    return f"'{text}" if is_formula(text) else text
