"""What members read in the club of the demonstration, in both languages; needs the tiers of the programme."""

from datetime import timedelta
from io import BytesIO

from django.apps import apps
from django.core.files.images import ImageFile
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.models import Locale

from oscar_loyalty.members import selectors as members
from sandbox.shop.data.club import SECTIONS, Piece
from sandbox.shop.load_club import publish
from sandbox.shop.pictures import draw


def load_club_pages() -> None:
    """Make the sections and their pages where the club has none yet."""
    home = apps.get_model("wagtail_club", "ClubHomePage").objects.filter(locale__language_code="en").first()
    if home is None or home.get_children().exists():
        return
    tiers = {tier.code: tier for tier in members.tiers(members.programme_of())}
    french = Locale.objects.get(language_code="fr")
    for head, pieces in SECTIONS:
        section = add(home, head, "ClubSectionPage", tiers, french)
        for piece in pieces:
            add(section, piece, "ClubOfferPage" if piece.code else "ClubArticlePage", tiers, french)


def add(parent, piece: Piece, kind: str, tiers, french):
    """Publish ``piece`` below ``parent``, and its French translation below the parent's."""
    page = apps.get_model("wagtail_club", kind)(slug=piece.slug, show_in_menus=kind == "ClubSectionPage")
    page.picture = page.teaser_image = picture(piece)
    if piece.tier:
        page.audience, page.minimum_tier = "tier", tiers[piece.tier]
    if piece.code:
        page.code, page.ends_at = piece.code, timezone.now() + timedelta(days=60)
    write(page, piece, 0, tiers)
    parent.add_child(instance=page)
    publish(page)
    translation = page.copy_for_translation(french)
    write(translation, piece, 1, tiers)
    publish(translation)
    return page


def write(page, piece: Piece, language: int, tiers) -> None:
    page.title = page.draft_title = piece.title[language]
    page.introduction = piece.text[language]
    page.teaser_title, page.teaser_text = piece.title[language], piece.teaser[language]
    if hasattr(page, "body"):
        page.body = [("text", f"<p>{paragraph[language]}</p>") for paragraph in piece.body]
        if piece.steps:
            steps = [{"title": title[language], "text": f"<p>{text[language]}</p>"} for title, text in piece.steps]
            page.body.append(("steps", {"minutes": piece.minutes, "needed": [], "steps": steps}))
        if piece.for_gold:
            page.body.append(
                (
                    "for_tier",
                    {
                        "tier": tiers["gold"],
                        "invitation": ("There is more here for Gold.", "Il y a une suite pour le palier Or.")[language],
                        "content": [("text", f"<p>{piece.for_gold[language]}</p>")],
                    },
                )
            )


def picture(piece: Piece):
    shape, colour = piece.picture
    title = f"{shape}, {colour}"
    found = get_image_model().objects.filter(title=title).first()
    if found is None:
        found = get_image_model().objects.create(
            title=title, file=ImageFile(BytesIO(draw(shape, colour)), name=f"club-{shape}-{colour}.jpg")
        )
    return found
