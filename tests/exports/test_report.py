"""The month's report as it is set: texts of customers stay texts, and pictures show what the figures say."""

import io
import json
import re
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pypdf
import pytest
from pypdf._text_extraction._layout_mode import text_show_operations
from pypdf.generic import ContentStream

from app.exports import report
from app.exports.report import month_named
from app.exports.report_drawings import Step, bars, bridge, columns
from app.exports.report_parts import Figure, Picture, Section, Table, plain
from db.errors import SightlineError

ID = "ab12cd34ef56ab78"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("#panic()", "*bold*", "$x^2$", '"); #read("/etc/passwd")', "<b>&amp;", "= Heading", "@ref", "\\ ` ~ _under_")


def rects(svg, colour=None):
    found = ET.fromstring(svg).iter(f"{SVG}rect")
    return [one for one in found if colour in {None, one.get("fill")}]


def pages_of(sections):
    told = {
        "title": "A month", "subtitle": "All", "facts": [["Days", "31"]], "footer": "Sightline",
        "sections": [plain(one) for one in sections],
        "receipts": [{"id": ID, "of": "AI cost", "made_from": "ai_days v1", "through": "2026-11-01"}],
    }  # fmt: skip
    return pypdf.PdfReader(io.BytesIO(report._set(json.dumps(told)))).pages


def text_of(sections):
    return "\n".join(page.extract_text() for page in pages_of(sections))


def test_texts_are_set_as_they_read_whatever_they_hold():
    names = Table(("Model", "USD"), tuple((name, "1.00") for name in HOSTILE), 1, ID)
    drawn = Picture(bars([(name, 1.0, "1.00") for name in HOSTILE]), "\n".join(HOSTILE))
    text = text_of([Section("".join(HOSTILE[:2]), HOSTILE[2], tables=(names,), pictures=(drawn,))])
    assert [name for name in HOSTILE if text.count(name) < 2] == []


def test_every_part_of_a_section_is_on_the_paper_with_its_receipt():
    section = Section(
        "The month", "A reason", (Figure("AI cost", "13.47 USD", "+60.1 %", ID),),
        tables=(Table(("Model", "USD"), (("gpt-4o", "13.47"),), 1, ID, ("Together", "13.47")),), notes=("A note",),
    )  # fmt: skip
    text = text_of([section])
    told = ("The month", "A reason", "AI cost", "13.47 USD", "+60.1 %", "gpt-4o", "Together", "A note")
    assert [one for one in told if one not in text] == []
    assert text.count(ID) == 3


LONG = {
    "a name in words": "Somebody with a very long name and a company whose name is longer still " * 2,
    "a name of one word": "gemini-flash" + "previewofsomethingthatnobodywaitsfor" * 2,
    "an address": "somebody.with.a.very.long.name@department.of.a.company.with.a.long.name.example",
}
AMOUNT, DAY = "1,234,567.89 USD", "30 Sep 2026"
SHAPES = {
    "by model": (("Model", "AI cost, USD", "Generations", "Unpriced generations"), 1, (), "nfff"),
    "margin": (("Plan", "Recognised revenue, USD", "AI cost, USD", "Margin, USD", "Margin rate"), 1, (), "nffff"),
    "budgets": (("Budget", "Covers", "Spent", "Amount", "Used", "Reached"), 2, (1, 1), "nnffff"),
    "reconciliation": (("", "What it is", "USD"), 2, (0, 1), "dnf"),
    "corrections": (("Made", "Why", "Model", "Product", "USD"), 4, (0, 2, 1.2, 0), "dnndf"),
}  # fmt: skip


def runs(page):
    """Texts of a page where they stand: line, left and right end, and the text."""
    content = ContentStream(page["/Contents"].get_object(), page.pdf, "bytes")
    for run in text_show_operations(iter(content.operations), page._layout_mode_fonts()):
        yield round(run["ty"]), run["tx"], run["displaced_tx"], run["text"]


def overlaps(pages):
    """Pairs of texts on one line that stand over each other, and texts beyond the paper's margin."""
    found = []
    for page in pages:
        lines = defaultdict(list)
        for line, left, right, told in runs(page):
            lines[line].append((left, right, told))
        for told in lines.values():
            for (_, right, one), (left, _, other) in pairwise(sorted(told)):
                if right > left + 0.5:
                    found.append((one, other))
            found += [(one, "the margin") for _, right, one in told if right > float(page.mediabox.width) - 45]
    return found


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_two_cells_of_a_row_stand_over_each_other_however_long_a_name_is(shape, name):
    heads, first_figure, shares, kinds = SHAPES[shape]
    row = tuple({"n": LONG[name], "f": AMOUNT, "d": DAY}[kind] for kind in kinds)
    pages = pages_of([Section("A table", tables=(Table(heads, (row, row), first_figure, ID, row, shares=shares),))])
    assert overlaps(pages) == []
    text = "\n".join(page.extract_text() for page in pages)
    assert text.count(AMOUNT) == 3 * kinds.count("f")
    assert text.count(DAY) == 3 * kinds.count("d")


def test_columns_stand_on_each_other_as_high_as_their_sums():
    """Of 2 + 6 and 4 + 0 on a scale to 8, the parts are a quarter, three quarters, a half and nothing high."""
    heights = [float(one.get("height")) for one in rects(columns(["1", "2"], {"A": [2, 4], "B": [6, 0]}))[2:]]
    whole = heights[0] + heights[1]
    assert [round(one / whole, 2) for one in heights] == [0.25, 0.75, 0.5, 0.0]


def test_nothing_at_all_is_drawn_as_nothing():
    assert rects(columns(["1"], {"A": [0.0]}))[0].get("height") == "0.0"
    assert rects(bars([])) == []
    assert "<svg" in columns([], {})


def test_bars_are_as_long_as_their_amounts_and_below_zero_in_another_colour():
    long, short = rects(bars([("A", 10.0, ""), ("B", -5.0, "")]))
    assert float(long.get("width")) == 2 * float(short.get("width"))
    assert long.get("fill") != short.get("fill")


def test_steps_hang_where_the_one_before_ended():
    def at(one):
        return float(one.get("x")), float(one.get("x")) + float(one.get("width"))

    steps = [
        Step("Ledger", Decimal(0), Decimal(60), "60", is_level=True),
        Step("More", Decimal(60), Decimal(100), "+40"),
        Step("Less", Decimal(100), Decimal(80), "-20"),
        Step("Bill", Decimal(0), Decimal(80), "80", is_level=True),
    ]
    ledger, more, less, bill = [
        at(one) for one in rects(bridge(steps, Decimal(50), Decimal(100))) if one.get("fill") != "#eef1f5"
    ]
    assert [round(one[1] - one[0]) for one in (ledger, more, less, bill)] == [50, 200, 100, 150]
    assert more[0] == pytest.approx(ledger[1], abs=0.2)
    assert less[1] == pytest.approx(more[1], abs=0.2)
    assert bill[1] == pytest.approx(less[0], abs=0.2)


@pytest.mark.parametrize(
    "given", ["", "2026", "2026-13", "2026-10-01", "October", "\u0662\u0660\u0662\u0666-\u0661\u0660x"]
)
def test_what_names_no_month_is_refused(given):
    with pytest.raises(SightlineError, match=re.escape(f"'{given[:20]}' is no month")):
        month_named(given)
