"""A bar for the command line; where there is no terminal, a line for each part."""

import time
from typing import TextIO

WIDTH = 32


class Progress:
    """Counts parts of known size: ``begin("orders", 60)``, then ``step()`` sixty times."""

    def __init__(self, out: TextIO) -> None:
        self.out, self.live = out, out.isatty()
        self.name, self.total, self.done, self.since = "", 0, 0, 0.0

    def begin(self, name: str, total: int = 1) -> None:
        self.end()
        self.name, self.total, self.done, self.since = name, max(total, 1), 0, time.monotonic()
        self._draw()

    def step(self, count: int = 1) -> None:
        self.done = min(self.total, self.done + count)
        self._draw()

    def end(self) -> None:
        """Close the part under way, if there is one."""
        if not self.name:
            return
        seconds = time.monotonic() - self.since
        if self.live:
            self.done = self.total
            self._draw()
            self.out.write(f" {seconds:5.1f} s\n")
        else:
            self.out.write(f"{self.name}: {seconds:.1f} s\n")
        self.out.flush()
        self.name = ""

    def _draw(self) -> None:
        if self.live:
            full = WIDTH * self.done // self.total
            bar = "█" * full + "·" * (WIDTH - full)
            self.out.write(f"\r{self.name:18} {bar} {100 * self.done // self.total:3} %")
            self.out.flush()
