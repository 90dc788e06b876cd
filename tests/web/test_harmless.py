"""A template's HTML is shown as what it says and looks like, and nothing that runs, loads, sends or leads away."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.web.harmless import harmless, harmless_style
from tests.web.hostile import CORPUS

# Whatever a browser could do something with, in what is written.
FORBIDDEN = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|link|base|meta(?! charset| name=\"viewport\")|form|svg|math|input|frame)"
    r"|\son\w+\s*=|\s(href|srcset|action|background|ping|formaction|xlink:href)\s*=|@import|url\s*\(",
    re.IGNORECASE,
)


PARTS = (
    "<", ">", "/", "script", "style", "svg", "a", " href=", "img", " src=x", " onerror=f()", "'", '"', "<!--", "-->",
    "&lt;", "<![CDATA[", "]]>", "</", "\0", "\n", "title", "textarea", "noscript", "x", "{}", "@import", "url(", "/*",
    "\\75rl(",
)  # fmt: skip


def inside_tags(html):
    """What stands within tags and styles, where alone it could do something."""
    return " ".join(re.findall(r"<[^>]*>|(?<=<style>)[^<]*", html))


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_of_the_hostile_is_left(name):
    assert FORBIDDEN.search(inside_tags(harmless(CORPUS[name]("http://canary.example")))) is None


@given(st.lists(st.sampled_from(PARTS), max_size=25).map("".join))
@example("<style><img src=x onerror=f()></style><img src=x onerror=f()>")
def test_nothing_is_left_of_anything_that_can_be_put_together(html):
    assert FORBIDDEN.search(inside_tags(harmless(html))) is None


TABLE = '<table width="600" bgcolor="#eee"><tr><td style="color:red">x'
LINK = '<a title="https://shop.example/?a=1" style="color:#1f5fbf;text-decoration:underline;">Buy</a>'


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<p>1 < 2 & 3</p>", "<p>1 &lt; 2 &amp; 3</p>"),
        (TABLE, f"{TABLE}</td></tr></table>"),
        ('<a href="https://shop.example/?a=1">Buy</a>', LINK),
        ('<img src="https://cdn.example/x.png" alt="A cake">', '<img alt="A cake">'),
        ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,AAAA">'),
        ('<img src="data:image/svg+xml;base64,AAAA">', "<img>"),
        ("<button onclick=f()>Go</button>", "<span>Go</span>"),
        ("<b>a</i>b</b>", "<b>ab</b>"),
    ],
)
def test_what_it_says_stays(given, shown):
    assert f">{shown}</body>" in harmless(given)


def test_colours_of_the_whole_stay():
    assert '<body bgcolor="#fafafa">Hi' in harmless('<html><body bgcolor="#fafafa" onload="f()">Hi</body></html>')


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p{color:red;background:url(http://x)}", "p{color:red;}"),
        ("@import 'x';b{margin:0}", ";b{margin:0}"),
        ("p{background:u\\72l(http://x);margin:1px}", "p{;margin:1px}"),
        ("p{color:/*x*/red}", "p{color: red}"),
        ("@media (max-width:600px){p{width:100%}}", "@media (max-width:600px){p{width:100%}}"),
    ],
)
def test_of_styles_what_loads_is_left_out_and_the_rest_stays(css, kept):
    assert harmless_style(css) == kept
