"""The server's own time: it runs as the world's does, is moved by tests, and is kept with the state."""

import time


class Clock:
    """Whole seconds since the epoch."""

    def __init__(self, store):
        self.store = store
        self.offset = store.meta("clock_offset", 0)
        self.frozen_at = store.meta("clock_frozen_at", None)

    def now(self):
        return int(self.frozen_at if self.frozen_at is not None else time.time() + self.offset)

    def move(self, *, advance=0, to=None, freeze=None):
        """Move it by seconds, or to a time; ``freeze`` stops it (True) or lets it run on (False)."""
        target = (self.now() if to is None else to) + advance
        stopped = self.frozen_at is not None if freeze is None else freeze
        self.frozen_at = target if stopped else None
        self.offset = target - int(time.time())
        self.store.set_meta("clock_offset", self.offset)
        self.store.set_meta("clock_frozen_at", self.frozen_at)
        return self.now()
