"""An answer made anew, live: the same question to Postgres, over the rollups as its tables give them at this moment."""

from collections.abc import Mapping
from typing import Any

from app.lake.calendar import CALENDAR_SQL
from app.lake.postgres import on_postgres
from app.lake.sources import SOURCES
