"""What pages are made of. Pages import it as `from app import ui`."""

from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind as receipt
from app.ui.bridges import Expected, interval, waterfall
from app.ui.charts import area, bars, chart, heat, line
from app.ui.empty import nothing_here
from app.ui.field import Limit
from app.ui.links import address as link
from app.ui.live import read
from app.ui.people import person_here
from app.ui.reasons import reasons
from app.ui.rows import Column
from app.ui.scope import Note, Scope
from app.ui.steps import funnel
from app.ui.tables import table
from app.ui.tiles import tiles
from app.ui.top import top
from app.ui.views import one_of

__all__ = [
    "Asked",
    "Column",
    "Expected",
    "Limit",
    "Note",
    "Refused",
    "Scope",
    "area",
    "ask",
    "bars",
    "chart",
    "funnel",
    "heat",
    "interval",
    "line",
    "link",
    "nothing_here",
    "one_of",
    "person_here",
    "read",
    "reasons",
    "receipt",
    "table",
    "tiles",
    "top",
    "waterfall",
]
