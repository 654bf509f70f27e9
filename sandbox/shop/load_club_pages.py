"""What members read in the club of the demonstration, in both languages; needs the tiers of the programme."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.utils import timezone
from oscar.core.loading import get_model
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Locale

from oscar_loyalty.members import selectors as members
from sandbox.shop.club import FILMS, PICTURES
from sandbox.shop.club.texts import Part, read
from sandbox.shop.data.club import HOME_PICTURE, SECTIONS, Piece
from sandbox.shop.load_club import publish
from sandbox.shop.load_vouchers import load_vouchers
from sandbox.shop.papers import PAPERS

LANGUAGES = ("en", "fr")
#: What the film of three breaths says, when.
BREATHS = {"en": ("Breathe in", "Breathe out"), "fr": ("Inspirez", "Expirez")}


def load_club_pages() -> None:
    """Make the sections and their pages where the club has none yet."""
    home = apps.get_model("wagtail_club", "ClubHomePage").objects.filter(locale__language_code="en").first()
    if home is None or home.get_children().exists():
        return
    load_vouchers()
    desk = Desk()
    for page in home.get_translations(inclusive=True).specific():
        page.picture = desk.picture(HOME_PICTURE)
        publish(page)
    for head, pieces in SECTIONS:
        section = desk.add(home, head, "ClubSectionPage")
        for piece in pieces:
            desk.add(section, piece, piece.kind)


class Desk:
    """Writes pages: knows the tiers and products, and keeps each picture and paper once."""

    def __init__(self) -> None:
        self.tiers = {tier.code: tier for tier in members.tiers(members.programme_of())}
        self.products = {
            product.upc: product for product in get_model("catalogue", "Product").objects.exclude(upc=None)
        }
        self.french = Locale.objects.get(language_code="fr")
        self.kept: dict[Any, Any] = {}

    def add(self, parent: Any, piece: Piece, kind: str) -> Any:
        """Publish ``piece`` below ``parent``, and its French translation below the parent's."""
        page = apps.get_model("wagtail_club", kind)(slug=piece.slug, show_in_menus=kind == "ClubSectionPage")
        page.picture = self.picture(piece.picture)
        if piece.tier:
            page.audience, page.minimum_tier = "tier", self.tiers[piece.tier]
            # Everybody may see it, so it is none of those on the page.
            page.teaser_image = self.picture(piece.teaser)
        if kind == "ClubOfferPage":
            self.date(page, piece)
        self.write(page, piece, "en")
        # Live from its first moment: to save it once more as a revision takes longer than to write it.
        page.first_published_at = page.last_published_at = page.latest_revision_created_at = timezone.now()
        parent.add_child(instance=page)
        translation = page.copy_for_translation(self.french)
        self.write(translation, piece, "fr")
        publish(translation)
        return page

    def date(self, page: Any, piece: Piece) -> None:
        now = timezone.now().replace(minute=0, second=0, microsecond=0)
        page.code, page.ends_at = piece.code, now + timedelta(days=piece.ends or 0)
        page.opens_at = None if piece.opens is None else now + timedelta(days=piece.opens)
        if piece.upcs:
            page.products = [("products", {"title": "", "products": [self.products[upc] for upc in piece.upcs]})]

    def write(self, page: Any, piece: Piece, language: str) -> None:
        text = read(piece.slug, language)
        page.title = page.draft_title = text.title
        page.introduction = text.introduction
        page.teaser_title, page.teaser_text = text.teaser_title, text.teaser_text
        if hasattr(page, "body"):
            page.body = self.blocks(text.parts, language)

    def blocks(self, parts: list[Part], language: str) -> list[tuple[str, Any]]:
        """Return the blocks that the parts of a text are in Wagtail."""
        return [BLOCKS[kind](self, content, language) for kind, content in parts]

    def steps(self, content: dict, language: str) -> tuple[str, Any]:
        steps = [
            {"title": step["title"], "text": step["html"], "image": self.picture(step["picture"])}
            for step in content["steps"]
        ]
        return "steps", {"minutes": content["minutes"], "needed": content["needed"], "steps": steps}

    def film(self, content: dict, language: str) -> tuple[str, Any]:
        name = content["name"]
        return "video", {
            "file": self.paper(f"{name}.webm", content["title"], (FILMS / f"{name}.webm").read_bytes),
            "title": content["title"],
            "poster": self.picture(name),
            "subtitles": self.paper(f"{name}.{language}.vtt", content["title"], lambda: subtitles(language)),
            "transcript": "",
        }

    def download(self, content: dict, language: str) -> tuple[str, Any]:
        name, title = content["name"], content["title"]
        paper = self.paper(f"{name}-{language}.pdf", title, lambda: PAPERS[name](language))
        return "download", {"document": paper, "title": title}

    def for_gold(self, content: dict, language: str) -> tuple[str, Any]:
        inner = self.blocks(content["parts"], language)
        return "for_tier", {"tier": self.tiers["gold"], "invitation": content["invitation"], "content": inner}

    def picture(self, name: str) -> Any:
        if name not in self.kept:
            with (PICTURES / f"{name}.webp").open("rb") as file:
                self.kept[name] = get_image_model().objects.create(
                    title=name.replace("-", " ").capitalize(), file=ImageFile(file, name=f"{name}.webp")
                )
        return self.kept[name]

    def paper(self, name: str, title: str, content: Callable[[], bytes]) -> Any:
        if name not in self.kept:
            file = ContentFile(content(), name=name)
            self.kept[name] = get_document_model().objects.create(title=title, file=file)
        return self.kept[name]


def subtitles(language: str) -> bytes:
    """Return what is read while the flower opens, for four seconds, and closes, for six."""
    lines = ["WEBVTT", ""]
    for breath in range(3):
        start = breath * 10
        for words, begin, end in zip(BREATHS[language], (start, start + 4), (start + 4, start + 10), strict=True):
            lines += [f"00:{begin:02}.000 --> 00:{end:02}.000", words, ""]
    return "\n".join(lines).encode()


BLOCKS: dict[str, Callable[[Desk, dict, str], tuple[str, Any]]] = {
    "heading": lambda desk, content, language: ("heading", content["words"]),
    "text": lambda desk, content, language: ("text", content["html"]),
    "quote": lambda desk, content, language: ("quote", content),
    "tip": lambda desk, content, language: ("tip", {"title": content["title"], "text": content["html"]}),
    "picture": lambda desk, content, language: (
        "picture",
        {"image": desk.picture(content["name"]), "alt": content["alt"], "caption": content["caption"]},
    ),
    "products": lambda desk, content, language: (
        "products",
        {"title": content["title"], "products": [desk.products[upc] for upc in content["upcs"]]},
    ),
    "steps": Desk.steps,
    "film": Desk.film,
    "download": Desk.download,
    "for_gold": Desk.for_gold,
}
