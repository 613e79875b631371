from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from anchorwatch.events.identity import LONGEST, identify

MASK = 2**64 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def rotated(x, bits):
    return ((x << bits) | (x >> (64 - bits))) & MASK


def mixed(x):
    x = ((x ^ (x >> 33)) * 0xFF51AFD7ED558CCD) & MASK
    x = ((x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53) & MASK
    return x ^ (x >> 33)


def murmur3(data):
    """MurmurHash3_x64_128 with seed 0, one byte string at a time, as its author wrote it."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = (int.from_bytes(data[at + i : at + i + 8], "little") for i in (0, 8))
        h1 ^= rotated(k1 * c1 & MASK, 31) * c2 & MASK
        h1 = ((rotated(h1, 27) + h2) * 5 + 0x52DCE729) & MASK
        h2 ^= rotated(k2 * c2 & MASK, 33) * c1 & MASK
        h2 = ((rotated(h2, 31) + h1) * 5 + 0x38495AB5) & MASK
    tail = data[whole:]
    h2 ^= rotated(int.from_bytes(tail[8:], "little") * c2 & MASK, 33) * c1 & MASK
    h1 ^= rotated(int.from_bytes(tail[:8], "little") * c1 & MASK, 31) * c2 & MASK
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & MASK
    h2 = (h2 + h1) & MASK
    h1, h2 = mixed(h1), mixed(h2)
    h1 = (h1 + h2) & MASK
    return [h1, (h2 + h1) & MASK]


def test_the_hash_is_murmur3_as_published():
    fox = identify(["The quick brown fox jumps over the lazy dog"])[0].tolist()
    assert "".join(f"{half:016x}" for half in fox) == "e34bbc7bbc071b6c7a433ca9c49a9347"


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=20))
@example(["", "a", "a\0", "a\0\0", "\0"])
@example(["x" * n for n in range(40)])
@example(["ä" * 20, "x" * 16])
def test_each_id_is_hashed_as_if_it_were_alone(ids):
    assert identify(ids).tolist() == [murmur3(text.encode()) for text in ids]


def test_a_very_long_id_changes_nothing_for_the_others():
    long = ["x" * LONGEST, "x" * (LONGEST + 1), "ä" * LONGEST, "short", "x" * (LONGEST + 1) + "y"]
    found = identify(long)
    assert found.tolist() == [identify([text])[0].tolist() for text in long]
    assert found[0].tolist() == murmur3(long[0].encode())
    assert len({tuple(row) for row in found.tolist()}) == len(long)


def test_ten_thousand_neighbouring_ids_are_spread_evenly_over_both_halves():
    found = identify([f"tx-{i}" for i in range(10_000)])
    for half in (0, 1):
        counts = [0] * 16
        for value in found[:, half].tolist():
            counts[value >> 60] += 1
        chi_square = sum((count - 625) ** 2 / 625 for count in counts)
        assert chi_square < 45  # 15 degrees of freedom: 1 in 10,000
