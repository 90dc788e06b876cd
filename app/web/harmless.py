"""A template's HTML as a document that only shows something: what could run, load, send or lead away is left out.

It is written anew from what was read, element by element: nothing that is not known here comes out. What holds even if
this were wrong is the policy that `app/web/preview.py` sends with it.
"""

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

_SHOWN = """
    a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn
    div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s
    samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
"""
# With everything in them.
_LEFT_OUT = """
    script noscript template iframe object applet frameset svg math audio video canvas select textarea title noframes
    noembed xmp plaintext portal map
"""
_KEPT = """
    align alt bgcolor border cellpadding cellspacing class color cols colspan dir face height hspace id lang nowrap open
    role rows rowspan scope size span start style summary title type valign value vspace width
"""
SHOWN, LEFT_OUT, KEPT = frozenset(_SHOWN.split()), frozenset(_LEFT_OUT.split()), frozenset(_KEPT.split())
# Buttons and fields stand where they stood, and do nothing.
AS_TEXT = {"button": "span", "label": "span", "form": "div", "fieldset": "div", "legend": "div"}
EMPTY = frozenset({"br", "col", "hr", "img", "wbr"})
_DRAWINGS = frozenset({"svg", "math"})
_PICTURE = re.compile(r"data:image/(png|gif|jpe?g|webp|avif|bmp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_LOADS = re.compile(
    r"@import|@font-face|@namespace|@charset|(?:url|image|image-set|src|expression)\s*\(|[\\<]", re.IGNORECASE
)
_RULE = re.compile(r"[^{};]+|[{};]")
# Mail is read on white; a picture that is not loaded leaves a frame with its text.
_OF_OURS = (
    ":root{background:#fff;color:#000;color-scheme:light}"
    "img:not([src]){display:inline-block;border:1px dashed #8a94a3;min-width:24px;min-height:18px;"
    "font:12px sans-serif;color:#55606e}"
)


def harmless(html: str) -> str:
    """The whole document, its styles with it."""
    reader = _Rewriter()
    reader.feed(html)
    reader.close()
    styles = "".join(f"<style>{style}</style>" for style in (_OF_OURS, *reader.styles))
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"{styles}</head><body{reader.body}>{reader.written()}</body></html>"
    )


def harmless_style(css: str) -> str:
    """Rules and declarations of it that load nothing; of one that does, nothing stays."""
    text = re.sub(r"/\*.*?\*/", " ", css, flags=re.DOTALL)
    return "".join(part for part in _RULE.findall(text) if not _LOADS.search(part))


class _Rewriter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.styles: list[str] = []
        self.body = ""
        self._out: list[str] = []
        self._open: list[str] = []
        self._left_out: list[str] = []
        self._in_style = False

    def written(self) -> str:
        return "".join(self._out) + "".join(f"</{name}>" for name in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if self._left_out:
            if tag in LEFT_OUT:
                self._left_out.append(tag)
        elif tag in LEFT_OUT:
            self._left_out.append(tag)
        elif tag == "style":
            self._in_style = True
        elif tag == "body":
            self.body = _attributes(tag, attrs)
        elif tag in SHOWN or tag in AS_TEXT:
            name = AS_TEXT.get(tag, tag)
            self._out.append(f"<{name}{_attributes(tag, attrs)}>")
            if name not in EMPTY:
                self._open.append(name)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """As browsers read it: outside of drawings, nothing ends with the tag that begins it."""
        if tag not in _DRAWINGS:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            if tag in self._left_out:
                del self._left_out[self._left_out.index(tag) :]
        elif tag == "style":
            self._in_style = False
        else:
            name = AS_TEXT.get(tag, tag)
            # Only what is open is closed, with what was left open in it.
            while name in self._open:
                last = self._open.pop()
                self._out.append(f"</{last}>")
                if last == name:
                    break

    def handle_data(self, data: str) -> None:
        if self._left_out:
            return
        if self._in_style:
            self.styles.append(harmless_style(data))
        else:
            self._out.append(escape(data, quote=False))


def _attributes(tag: str, given: Sequence[tuple[str, str | None]]) -> str:
    kept = {}
    for name, value in given:
        text = value or ""
        if name == "style":
            kept[name] = harmless_style(text)
        elif name in KEPT and name not in kept:
            kept[name] = text
        elif name == "src" and tag == "img" and _PICTURE.fullmatch(text.strip()):
            kept[name] = text.strip()
        elif name == "href" and tag == "a":
            # Where it leads is told, and nobody is led there.
            kept["title"] = text.strip()
            kept["style"] = f"color:#1f5fbf;text-decoration:underline;{kept.get('style', '')}"
    return "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
