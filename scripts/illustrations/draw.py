"""Draw the illustrations and the film of the demo's club into sandbox/shop/club/.

    python scripts/illustrations/draw.py [NAME ...]

Needs Playwright and a Chromium, which the sandbox itself does not: what is drawn is kept with the texts.
"""

import io
import os
import sys
from pathlib import Path

from ink import DEFS, HIGH, WIDE
from PIL import Image
from playwright.sync_api import sync_playwright
from scenes import MAIN
from steps import STEPS, TEASERS

OUT = Path(__file__).resolve().parents[2] / "sandbox" / "shop" / "club"
#: Steps are shown smaller.
SIZES = {"main": (1600, 1000), "steps": (960, 600), "teasers": (1280, 800)}


def sheet(drawing: str) -> str:
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}">'
    return f'<!DOCTYPE html><body style="margin:0">{frame}<defs>{DEFS}</defs>{drawing}</svg>'


def main(names: list[str]) -> None:
    (OUT / "pictures").mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        for group, size in SIZES.items():
            scenes = {"main": MAIN, "steps": STEPS, "teasers": TEASERS}[group]
            for name, scene in scenes.items():
                if names and name not in names:
                    continue
                page.set_content(sheet(scene()))
                picture = (
                    Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize(size, Image.Resampling.LANCZOS)
                )
                picture.save(OUT / "pictures" / f"{name}.webp", quality=82, method=6)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
