"""Pages of our own: plain HTML that needs no script, in the colours of the app."""

from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

STYLE = Path(__file__).with_name("paper.css")
ICON = Path(__file__).parent.parent / "ui" / "icon.svg"
STYLE_PATH = "/sign-in/paper.css"
ICON_PATH = "/sign-in/icon.svg"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(title: str, body: str, *, status: int = 200, again: str | None = None) -> HTMLResponse:
    """A page; `again` is the address that the browser goes to by itself after three seconds. The body is HTML."""
    refresh = f'<meta http-equiv="refresh" content="3;url={escape(again)}">' if again is not None else ""
    return HTMLResponse(
        f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}
<title>{escape(title)} · Sightline</title>
<link rel="icon" href="{ICON_PATH}">
<link rel="stylesheet" href="{STYLE_PATH}">
</head>
<body>
<main>
<header><img src="{ICON_PATH}" alt="" width="36" height="36"><p class="brand">Sightline</p></header>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
""",
        status,
        {"content-security-policy": _POLICY, "cache-control": "no-store"},
    )


def told(sentence: str, *, is_bad: bool = False) -> str:
    """A sentence that a screen reader reads out at once."""
    return f'<p class="told{" bad" if is_bad else ""}" role="{"alert" if is_bad else "status"}">{escape(sentence)}</p>'


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
