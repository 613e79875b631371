"""State as bytes: msgpack with numpy arrays as an extension type; the same value always gives the same bytes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

_ARRAY = 1


def pack(value: object) -> bytes:
    """Return the bytes of plain data: numbers, text, bytes, lists, dicts, msgspec structs and numpy arrays."""
    return _encoder.encode(value)


def unpack(data: bytes) -> Any:
    """Return what `pack` was given, structs as dicts; raises ValueError for bytes that are not of its making."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"these bytes are not a saved state: {error}") from error


def _array_out(value: object) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray):
        head = msgspec.msgpack.encode([value.dtype.str, list(value.shape)])
        return msgspec.msgpack.Ext(
            _ARRAY, len(head).to_bytes(4, "little") + head + np.ascontiguousarray(value).tobytes()
        )
    raise NotImplementedError(f"{type(value).__name__} is not plain data and cannot be part of a state")


def _array_in(code: int, data: memoryview) -> np.ndarray[Any, Any]:
    if code != _ARRAY:
        raise ValueError(f"extension type {code} is unknown")
    end = 4 + int.from_bytes(data[:4], "little")
    dtype, shape = msgspec.msgpack.decode(data[4:end])
    return np.frombuffer(data[end:], dtype=dtype).reshape(shape).copy()


_encoder = msgspec.msgpack.Encoder(enc_hook=_array_out, order="deterministic")
_decoder = msgspec.msgpack.Decoder(ext_hook=_array_in)
