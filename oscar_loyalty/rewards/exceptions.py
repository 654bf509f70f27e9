from typing import Any


class RewardError(Exception):
    """A reward cannot be had, or a claim cannot be changed; nothing has been written. ``code`` is stored, ``str()``
    is for whoever asked."""

    code = "refused"

    def __init__(self, message: Any = "", *, code: str = "") -> None:
        super().__init__(message)
        self.code = code or self.code


class NotEnoughPoints(RewardError):
    """``missing`` says how many points there are too few."""

    code = "points"

    def __init__(self, message: Any, missing: int) -> None:
        super().__init__(message)
        self.missing = missing
