"""Reads a page of the documentation, so that a test can follow it to the letter."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CAPTION = re.compile(r":caption: *(?P<name>\S+)\n")


@dataclass(frozen=True)
class Block:
    """A block of a page: ``kind`` is "sh" or "python"; ``caption`` the file a Python block belongs in."""

    heading: str
    kind: str
    caption: str
    body: str

    @property
    def commands(self) -> list[str]:
        return [line for line in self.body.splitlines() if line.strip() and not line.startswith("#")]


class Page:
    def __init__(self, name: str):
        self.text = (DOCS / name).read_text(encoding="utf-8")
        self.blocks = list(self._blocks())

    def _blocks(self):
        for match in FENCE.finditer(self.text):
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", self.text[: match.start()]), re.MULTILINE)
            info, body = match["info"].strip(), match["body"]
            caption = CAPTION.search(body)
            yield Block(
                heading=headings[-1],
                kind="python" if "python" in info else info,
                caption=caption["name"] if caption else "",
                body=CAPTION.sub("", body, count=1).lstrip("\n"),
            )

    def under(self, heading: str) -> list[Block]:
        """Return the blocks of one section."""
        found = [block for block in self.blocks if block.heading == heading]
        assert found, f"The page has no blocks under {heading!r}"
        return found

    def says(self, words: str) -> str:
        """Return ``words``, a button or link that the reader is told to look for in bold letters."""
        assert f"**{words}**" in self.text, f"The page does not speak of **{words}**"
        return words
