"""The kit's style sheet, with the theme's colours."""

from pathlib import Path

from app.ui.pictures import shades

_SHEET = Path(__file__).with_name("look.css")


def sheet() -> str:
    """What makes charts, tiles and tables readable, in light and in dark: every page is served with it."""
    colours = "\n".join(
        f".sl-{name} {{ color: light-dark({light}, {dark}); }}" for name, (light, dark) in shades().items()
    )
    return f"{_SHEET.read_text(encoding='utf-8')}\n{colours}"
