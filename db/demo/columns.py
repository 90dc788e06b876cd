"""Arrow columns from arrays of numbers: moments, days, exact decimals and texts picked from a list."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from db.demo.keys import Bytes, texts_of
from db.demo.seasons import DAY, Ints

NEVER = int(np.iinfo(np.int64).max)  # stands for NULL in arrays of moments

Column = Any  # pyarrow has no types
Mask = NDArray[np.bool_]


def stamps(at: Ints) -> Column:
    """Moments; NEVER is NULL."""
    # Without a zone: the loading session's is UTC, and writing zones as CSV takes thirteen times as long.
    return pa.array(at, pa.int64(), mask=at == NEVER).cast(pa.timestamp("us"))


def days(at: Ints) -> Column:
    """The day (UTC) of each moment."""
    return pa.array((at // DAY).astype(np.int32)).cast(pa.date32())


def decimals(scaled: Ints, scale: int, known: Mask | None = None) -> Column:
    """Exact decimals from whole numbers of the smallest unit."""
    words = np.empty((len(scaled), 2), "<i8")
    words[:, 0] = scaled
    words[:, 1] = scaled >> 63
    column = pa.Array.from_buffers(pa.decimal128(38, scale), len(scaled), [None, pa.py_buffer(words)])
    return column if known is None else only(known, column)


def only(known: Mask, column: Column) -> Column:
    """The column where it is known, NULL elsewhere."""
    return pc.if_else(pa.array(known), column, pa.scalar(None, column.type))


def picked(texts: Sequence[str | None], codes: NDArray[Any]) -> Column:
    """The text of each code; a negative code is NULL."""
    return pa.array(texts, pa.string()).take(pa.array(codes.astype(np.int64), mask=codes < 0))


def key_texts(keys: Bytes, codes: NDArray[Any]) -> Column:
    """The key of each code; a negative code is NULL."""
    if len(keys) == 0:
        return pa.nulls(len(codes), pa.string())
    column = texts_of(keys[np.maximum(codes, 0)])
    return only(codes >= 0, column) if (codes < 0).any() else column


def same(value: str, count: int) -> Column:
    """One text on every row."""
    return pa.repeat(pa.scalar(value, pa.string()), count)
