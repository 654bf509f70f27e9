"""The shop's square picture in the sizes that phones ask for."""

import io
from functools import lru_cache

from django.contrib.staticfiles import finders
from PIL import Image


@lru_cache(maxsize=32)
def scaled(path: str, edge: int) -> bytes:
    """Return the PNG at the static path ``path`` as a square of ``edge`` pixels.

    Raises ``FileNotFoundError`` when there is none, ``OSError`` when it is no picture.
    """
    found = finders.find(path)
    if not isinstance(found, str):
        raise FileNotFoundError(f"There is no static file {path}.")
    out = io.BytesIO()
    with Image.open(found) as source:
        source.convert("RGBA").resize((edge, edge), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
