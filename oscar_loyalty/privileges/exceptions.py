class PassRefused(Exception):
    """A guest pass cannot be given or used; ``str()`` says why, to whoever asked."""


class NoMorePasses(PassRefused):
    """All that the member may give have been given."""


class WrongWindow(Exception):
    """An early access that makes no sense; ``field`` is where, ``str()`` says what to the owner."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
