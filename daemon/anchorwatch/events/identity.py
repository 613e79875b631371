"""128-bit identity of a prediction: a hash of its id, the same in every process, on every machine, for ever.

The ids of waiting predictions are kept in the store as these hashes, so the function is part of the store's format.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Ids

    Words = NDArray[np.uint64]

LONGEST = 256
"""Ids of more bytes (UTF-8) are hashed by BLAKE2b, where a loop over blocks of many ids at once no longer pays."""

_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)
_N1 = np.uint64(0x52DCE729)
_N2 = np.uint64(0x38495AB5)
_FIVE = np.uint64(5)


def identify(ids: Sequence[str]) -> Ids:
    """Return the identity of each id.

    MurmurHash3_x64_128 with seed 0 of the id in UTF-8 (A. Appleby, public domain, 2011), all ids of one length at
    once: a third of the time of a call of hashlib for each. It spreads well, and is not meant to resist someone who
    crafts collisions: whoever may send events can as well send the same id twice.

    Parameters
    ----------
    ids
        n texts without lone surrogates.

    Returns
    -------
    (n, 2) hashes, low half first.
    """
    if not ids:
        return np.empty((0, 2), np.uint64)
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    try:
        matrix = _padded(ids, int(lengths.max())) if lengths.max() <= LONGEST else None
    except UnicodeEncodeError:
        matrix = None
    if matrix is not None:
        return _by_length(matrix, lengths)
    encoded = [text.encode() for text in ids]
    lengths = np.fromiter(map(len, encoded), np.int64, len(ids))
    short = [text if len(text) <= LONGEST else b"" for text in encoded]
    out = _by_length(_padded(short, max(map(len, short))), np.where(lengths <= LONGEST, lengths, 0))
    for i in np.flatnonzero(lengths > LONGEST):
        out[i] = np.frombuffer(hashlib.blake2b(encoded[i], digest_size=16).digest(), "<u8")
    return out


def _padded(texts: Sequence[str] | Sequence[bytes], longest: int) -> NDArray[np.uint8]:
    """Return the bytes of `texts`, (n, width), zeros behind each, the width a multiple of 16 above every length."""
    width = longest // 16 * 16 + 16
    return np.array(texts, dtype=f"S{width}").view(np.uint8).reshape(len(texts), width)


def _by_length(matrix: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Ids:
    distinct = np.flatnonzero(np.bincount(lengths))
    if len(distinct) == 1:
        return _murmur(matrix.view("<u8").astype(np.uint64, copy=False), int(distinct[0]))
    out = np.empty((len(matrix), 2), np.uint64)
    for length in distinct:
        rows = lengths == length
        out[rows] = _murmur(matrix[rows].view("<u8").astype(np.uint64, copy=False), int(length))
    return out


def _murmur(words: Words, length: int) -> Ids:
    """Hash ids of `length` bytes given as (n, width) little-endian words, zeros behind the last byte."""
    low = np.zeros(len(words), np.uint64)
    high = np.zeros(len(words), np.uint64)
    blocks = length // 16
    for block in range(blocks):
        low ^= _rotated(words[:, 2 * block] * _C1, 31) * _C2
        low = (_rotated(low, 27) + high) * _FIVE + _N1
        high ^= _rotated(words[:, 2 * block + 1] * _C2, 33) * _C1
        high = (_rotated(high, 31) + low) * _FIVE + _N2
    if length % 16 > 8:
        high ^= _rotated(words[:, 2 * blocks + 1] * _C2, 33) * _C1
    if length % 16:
        low ^= _rotated(words[:, 2 * blocks] * _C1, 31) * _C2
    low ^= np.uint64(length)
    high ^= np.uint64(length)
    low = low + high
    high = high + low
    low = _mixed(low)
    high = _mixed(high)
    low = low + high
    return np.stack([low, high + low], axis=1)


def _rotated(words: Words, bits: int) -> Words:
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))


def _mixed(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return words ^ (words >> np.uint64(33))
