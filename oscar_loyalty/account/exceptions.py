class TooSoon(Exception):
    """The same was done a moment ago; it can be done again in a few minutes."""
