"""Time-ordered keys (UUIDv7) made from a row's time and seeded bits, so that the same seed gives the same keys."""

from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from db.demo.seasons import Ints

Bytes = NDArray[np.uint8]

_HEX = np.frombuffer("".join(f"{number:02x}" for number in range(256)).encode(), np.uint8).reshape(256, 2)


def keys_at(rng: np.random.Generator, at: Ints) -> Bytes:
    """One key a row, sixteen bytes each."""
    keys = np.empty((len(at), 16), np.uint8)
    keys[:, :8] = ((at // 1000) << 16).astype(">i8").view(np.uint8).reshape(-1, 8)
    keys[:, 6:] = rng.integers(0, 256, (len(at), 10), dtype=np.uint8)
    keys[:, 6] = (keys[:, 6] & 0x0F) | 0x70
    keys[:, 8] = (keys[:, 8] & 0x3F) | 0x80
    return keys


def key_at(rng: np.random.Generator, at: int) -> UUID:
    """One key."""
    return UUID(bytes=keys_at(rng, np.array([at], np.int64))[0].tobytes())


def bytes_of(keys: list[UUID]) -> Bytes:
    """Keys of Python as an array."""
    return np.frombuffer(b"".join(key.bytes for key in keys), np.uint8).reshape(-1, 16)


def texts_of(keys: Bytes) -> pa.Array:
    """The hexadecimal digits of each row of bytes."""
    rows, width = keys.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * (2 * width)
    digits = np.ascontiguousarray(_HEX[keys])
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(digits))
