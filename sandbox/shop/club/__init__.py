"""The club of the demonstration: what is written in it (``texts``), and drawn for it (``pictures``, ``films``)."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
TEXTS, PICTURES, FILMS = HERE / "texts", HERE / "pictures", HERE / "films"
