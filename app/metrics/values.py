"""Filters that nothing matches: a value that never occurs in the viewer's rows is told from a period without any."""

from collections.abc import Sequence
from dataclasses import replace

from app.metrics import sql
from app.metrics.compile import Shape, reading_of
from app.metrics.dimensions import Dimension, Kind
from app.metrics.question import Checked, Value
from app.metrics.reader import Reader
from app.metrics.route import Part
from app.metrics.scope import Scope, unknown


def refuse_unknown(reader: Reader, shape: Shape, checked: Checked, scope: Scope) -> None:
    """Look at what occurs, in the viewer's workspaces alone, and offer the nearest of it."""
    for place, (dimension, filter_) in enumerate(checked.where):
        # Keys of workspaces and campaigns were looked up; of people the rows alone tell whether they worked there.
        is_found = dimension.kind is Kind.KEY and dimension.name != "user"
        if filter_.is_excluded or dimension.values or dimension.kind is Kind.WHOLE or is_found:
            continue
        there = {value for part in shape.parts for value in _occurring(reader, shape, part, dimension, scope)}
        for given, value in zip(filter_.values, scope.values[place], strict=True):
            if value is not None and value not in there:
                # Codes are no names, and of people no name is offered.
                raise unknown(dimension, given, [one for one in there if isinstance(one, str)])


def _occurring(reader: Reader, shape: Shape, part: Part, dimension: Dimension, scope: Scope) -> Sequence[Value]:
    reading = replace(reading_of(shape, part), by=(dimension,), where=())
    query = sql.grouped(reading.everything(reading.keys), 1)
    found = reader.execute(query.sql(dialect="duckdb"), scope.seen).fetchall()
    return [value for (value,) in found]
