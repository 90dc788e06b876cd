"""The month's report as it is set: texts of customers stay texts, and pictures show what the figures say."""

import io
import json
import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pypdf
import pytest

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


def text_of(sections):
    told = {
        "title": "A month", "subtitle": "All", "facts": [["Days", "31"]], "footer": "Sightline",
        "sections": [plain(one) for one in sections],
        "receipts": [{"id": ID, "of": "AI cost", "made_from": "ai_days v1", "through": "2026-11-01"}],
    }  # fmt: skip
    pages = pypdf.PdfReader(io.BytesIO(report._set(json.dumps(told)))).pages
    return "\n".join(page.extract_text() for page in pages)


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
    ledger, more, less, bill = [at(one) for one in rects(bridge(steps)) if one.get("fill") != "#eef1f5"]
    assert more[0] == pytest.approx(ledger[1], abs=0.2)
    assert less[1] == pytest.approx(more[1], abs=0.2)
    assert bill[1] == pytest.approx(less[0], abs=0.2)


@pytest.mark.parametrize(
    "given", ["", "2026", "2026-13", "2026-10-01", "October", "\u0662\u0660\u0662\u0666-\u0661\u0660x"]
)
def test_what_names_no_month_is_refused(given):
    with pytest.raises(SightlineError, match=re.escape(f"'{given[:20]}' is no month")):
        month_named(given)
