"""Colours that an owner chose, and what can be read on them."""


def text_on(colour: str) -> str:
    """Return ``"#ffffff"`` or ``"#000000"``, whichever is read better on ``colour`` (``"#rrggbb"``).

    By the contrast of WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of the relative luminances.
    """

    def channel(pair: str) -> float:
        value = int(pair, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(colour[start : start + 2]) for start in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"
