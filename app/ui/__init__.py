"""What pages are made of. Pages import it as `from app import ui`."""

from app.ui.charts import line
from app.ui.people import person_here
from app.ui.tiles import Tile, tiles
from app.ui.words import nothing_here

__all__ = ["Tile", "line", "nothing_here", "person_here", "tiles"]
