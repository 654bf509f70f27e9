"""Keys as they come from addresses and forms, where anybody may write anything."""

#: The largest number that the databases know.
LARGEST = 2**63 - 1


def is_text(text: str) -> bool:
    """Whether ``text`` can be asked for: PostgreSQL refuses a question with a zero byte in it."""
    return "\x00" not in text


def number(text: object) -> int | None:
    """Return the whole number, not below 0, that ``text`` is, or ``None``: of no key, and of none too long for one."""
    typed = str(text)
    # Python would take a circled two for a digit, and seconds to read a million of them.
    if not typed.isdecimal() or len(typed) > 19:
        return None
    found = int(typed)
    return found if found <= LARGEST else None
