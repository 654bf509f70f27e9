"""Reads the texts of the club; how they are written stands in ``texts/README.md``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from sandbox.shop.club import TEXTS

#: What a page is made of: the kind of each part, and its content.
Part = tuple[str, dict]


@dataclass
class Text:
    title: str = ""
    introduction: str = ""
    teaser_title: str = ""
    teaser_text: str = ""
    parts: list[Part] = field(default_factory=list)


def read(slug: str, language: str) -> Text:
    """Return the text of a piece in a language."""
    lines = iter((TEXTS / f"{slug}.{language}.txt").read_text(encoding="utf-8").splitlines())
    text = Text()
    for line in lines:
        if not line.strip():
            break
        name, _, words = line.partition(": ")
        setattr(text, name.replace(" ", "_"), words)
    text.parts = parts(lines)
    return text


def parts(lines: Iterator[str]) -> list[Part]:
    """Return what the lines say, up to ``@end`` or their end."""
    found: list[Part] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            add_text(found, paragraph)
            paragraph.clear()

    for line in lines:
        if line == "@end":
            break
        mark, _, rest = line.partition(" ")
        if mark in READERS:
            close()
            found.append(READERS[mark](rest, lines))
        elif line.strip():
            paragraph.append(line)
        else:
            close()
    close()
    return found


def add_text(found: list[Part], lines: list[str]) -> None:
    """Add a paragraph or a list to the text before it, where there is one."""
    if all(line.startswith("- ") for line in lines):
        html = "<ul>" + "".join(f"<li>{inline(line[2:])}</li>" for line in lines) + "</ul>"
    else:
        html = f"<p>{inline(' '.join(lines))}</p>"
    if found and found[-1][0] == "text":
        found[-1][1]["html"] += html
    else:
        found.append(("text", {"html": html}))


def inline(words: str) -> str:
    words = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(words, quote=False))
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", words)


def cells(rest: str, *names: str) -> dict:
    given = [cell.strip() for cell in rest.split("|")]
    return dict(zip(names, [*given, *[""] * len(names)], strict=False))


def read_steps(rest: str, lines: Iterator[str]) -> Part:
    steps: list[dict] = []
    needed: list[str] = []
    for line in lines:
        mark, _, words = line.partition(" ")
        if line == "@end":
            break
        if mark == "+":
            needed.append(words)
        elif mark == "#":
            steps.append({**cells(words, "title", "picture"), "html": ""})
        elif line.strip():
            steps[-1]["html"] += f"<p>{inline(line)}</p>"
    return "steps", {"minutes": int(rest), "needed": needed, "steps": steps}


def read_tip(rest: str, lines: Iterator[str]) -> Part:
    tip = cells(rest, "title", "html")
    return "tip", tip | {"html": f"<p>{inline(tip['html'])}</p>"}


def read_products(rest: str, lines: Iterator[str]) -> Part:
    given = cells(rest, "title", "upcs")
    return "products", given | {"upcs": given["upcs"].split()}


READERS = {
    "##": lambda rest, lines: ("heading", {"words": rest}),
    ">": lambda rest, lines: ("quote", cells(rest, "text", "source")),
    "!": read_tip,
    "@picture": lambda rest, lines: ("picture", cells(rest, "name", "alt", "caption")),
    "@products": read_products,
    "@download": lambda rest, lines: ("download", cells(rest, "name", "title")),
    "@film": lambda rest, lines: ("film", cells(rest, "name", "title")),
    "@steps": read_steps,
    "@gold": lambda rest, lines: ("for_gold", {"invitation": rest, "parts": parts(lines)}),
}
