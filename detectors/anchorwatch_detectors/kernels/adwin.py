"""The loops of ADWIN; `sequential.adwin` says what it does.

A lane is a row of numbers: how many values it holds, their total, their sum of squared deviations, the sum of all its
widths so far, and then its buckets: for each level, totals and then sums of squared deviations of up to
`max_buckets + 1` buckets of 2**level values, oldest first.

A lane begins anew after a cut, so the number of its buckets at each level follows from the number of its values alone
and is not kept. While values enter, the buckets lie in a wider space, so that all values between two checks enter as
one block: each level takes all that the level below passes on before the next one does, which changes neither the
buckets nor the order of any sum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block

HEAD = 4
"""Numbers of a row before its buckets."""
PIECE = 128
"""Most values that enter as one block."""
SLACK = 2.0**-50
"""More than the relative error that rounding can make in the difference of two means: eight units in the last place."""

Settings = tuple[float, int, int, int, int]
"""delta, clock, max_buckets, min_window_length, grace_period."""


class Buckets(NamedTuple):
    """The buckets of the lane that is fed.

    Attributes
    ----------
    totals, squares
        (levels, max_buckets + 1 + PIECE) of each bucket, oldest first.
    counts
        (levels + 1,) how many there are; the level behind the last stays empty.
    """

    totals: Floats
    squares: Floats
    counts: Ints


@kernel
def passed_on(entered: int, most: int) -> int:
    """Return how many pairs of buckets a level merged after so many entered it; it holds at most `most`."""
    return max(0, (entered - most + 1) >> 1)


@kernel
def unpack(row: Floats, buckets: Buckets, most: int) -> None:
    """Lay out the buckets of a lane."""
    entered = int(row[0])
    for level in range(len(buckets.counts)):
        merged = passed_on(entered, most)
        count = entered - 2 * merged
        place = HEAD + 2 * level * (most + 1)
        for i in range(count):
            buckets.totals[level, i] = row[place + i]
            buckets.squares[level, i] = row[place + most + 1 + i]
        buckets.counts[level] = count
        entered = merged


@kernel
def pack(row: Floats, buckets: Buckets, most: int) -> None:
    """Write the buckets back into the lane."""
    for level in range(len(buckets.totals)):
        count = buckets.counts[level]
        place = HEAD + 2 * level * (most + 1)
        for i in range(most + 1):
            row[place + i] = buckets.totals[level, i] if i < count else 0.0
            row[place + most + 1 + i] = buckets.squares[level, i] if i < count else 0.0


@kernel
def add(row: Floats, buckets: Buckets, series: Floats, start: int, stop: int) -> None:
    """Let values enter the count, the total, the sum of squared deviations and the lowest level."""
    width, total, variance, widths = row[0], row[1], row[2], row[3]
    held = buckets.counts[0] - start
    for i in range(start, stop):
        x = series[i]
        before = width
        width += 1.0
        if before > 0.0:
            deviation = x - total / before
            variance += before * deviation * deviation / width
        total += x
        widths += width
        buckets.totals[0, held + i], buckets.squares[0, held + i] = x, 0.0
    buckets.counts[0] += stop - start
    row[0], row[1], row[2], row[3] = width, total, variance, widths


@kernel
def settle(buckets: Buckets, most: int) -> None:
    """Merge the oldest buckets of each level in pairs, which enter the next one, until it holds at most `most`."""
    totals, squares, counts = buckets
    level, share, half = 0, 1.0, 0.5
    while counts[level] > most:
        pairs, held = (counts[level] - most + 1) >> 1, counts[level + 1]
        for i in range(pairs):
            a, b = totals[level, 2 * i], totals[level, 2 * i + 1]
            distance = a * share - b * share
            totals[level + 1, held + i] = a + b
            merged = squares[level, 2 * i] + squares[level, 2 * i + 1]
            squares[level + 1, held + i] = merged + half * distance * distance
        for i in range(counts[level] - 2 * pairs):
            totals[level, i] = totals[level, 2 * pairs + i]
            squares[level, i] = squares[level, 2 * pairs + i]
        counts[level] -= 2 * pairs
        counts[level + 1] += pairs
        level, share, half = level + 1, share * 0.5, half * 2.0


@kernel
def levels_in_use(counts: Ints) -> int:
    """Return the number of levels up to the highest that holds a bucket."""
    used = len(counts)
    while used > 0 and counts[used - 1] == 0:
        used -= 1
    return used


@kernel
def is_cut(n0: float, n1: float, distance: float, spread: float, scale: float, least: float) -> bool:
    """Say whether two means of `n0` and `n1` values are further apart than chance allows."""
    share = 1.0 / (n0 - least + 1.0) + 1.0 / (n1 - least + 1.0)
    return abs(distance) > math.sqrt(2.0 * share * spread * scale) + 2.0 / 3.0 * scale * share


@kernel
def surely_within(width: float, total: float, variance: float, scale: float) -> float:
    """Return a number c such that no cut is where (u0 * n1 - u1 * n0)**2 <= c * n0 * n1; negative if there is none.

    A cut needs a distance of the means above the first term of `is_cut`, whose `share` is at least
    (n0 + n1) / (n0 * n1). Rounding errors of the means are below SLACK * (|u0| / n0 + |u1| / n1), and by Cauchy and
    Schwarz |u0| * n1 + |u1| * n0 <= sqrt(2 * width * squares * n0 * n1).
    """
    squares = variance + total * total / width
    within = math.sqrt(2.0 * variance * scale) * (1.0 - 1e-9) - 2.0 * SLACK * math.sqrt(2.0 * width * squares)
    return within * within if within > 0.0 else -1.0


@kernel
def has_cut(row: Floats, buckets: Buckets, delta: float, least: float) -> bool:
    """Say whether the window is cut at any boundary of its buckets.

    The exact expression takes divisions and a root; `surely_within` passes most boundaries over without them.
    """
    width, total, variance = row[0], row[1], row[2]
    scale = math.log(2.0 * math.log(width) / delta)
    within = surely_within(width, total, variance, scale)
    n0, n1, u0, u1 = 0.0, width, 0.0, total
    for level in range(levels_in_use(buckets.counts) - 1, -1, -1):
        size = float(1 << level)
        for k in range(buckets.counts[level] - (1 if level == 0 else 0)):
            n0 += size
            n1 -= size
            u0 += buckets.totals[level, k]
            u1 -= buckets.totals[level, k]
            apart = u0 * n1 - u1 * n0
            if apart * apart <= within * (n0 * n1) or n0 < least or n1 < least:
                continue
            if is_cut(n0, n1, u0 / n0 - u1 / n1, variance / width, scale, least):
                return True
    return False


@kernel
def drop_oldest(row: Floats, buckets: Buckets) -> None:
    """Take the oldest bucket out of the window.

    With one bucket a level, levels between others may be empty; river panics where it meets one, a lane goes on.
    """
    totals, squares, counts = buckets
    last = levels_in_use(counts) - 1
    n, total, square = float(1 << last), totals[last, 0], squares[last, 0]
    row[0] -= n
    row[1] -= total
    distance = total / n - row[1] / row[0]
    row[2] -= square + n * row[0] * distance * distance / (n + row[0])
    counts[last] -= 1
    for i in range(counts[last]):
        totals[last, i], squares[last, i] = totals[last, i + 1], squares[last, i + 1]


@kernel
def put(alarm: Floats, row: Floats, held: float, total: float) -> None:
    """Write statistic, threshold, since, before and after of a window that held `held` values of sum `total`."""
    kept, after = row[0], row[1] / row[0]
    before = (total - row[1]) / (held - kept) if held > kept else np.nan
    alarm[3], alarm[4], alarm[5], alarm[6], alarm[7] = abs(after - before), np.nan, kept, before, after


@kernel
def walk(row: Floats, buckets: Buckets, series: Floats, start: int, end: int, settings: Settings) -> int:
    """Let the values [start, end) enter a lane up to a check that finds a cut; return how many, or -1 without one."""
    delta, clock, most, least, grace = settings
    n, i = int(row[0]), start
    while i < end:
        stop = min(end, i + PIECE, i + clock - n % clock)
        add(row, buckets, series, i, stop)
        settle(buckets, most)
        n, i = n + stop - i, stop
        if n % clock == 0 and n > grace and has_cut(row, buckets, delta, least):
            return i
    return -1


@kernel
def take(rows: Floats, block: Block, settings: Settings) -> Floats:
    """Feed all lanes; return the alarms. `rows` must have the levels that the values will use."""
    delta, _, most, least, _ = settings
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    levels = (rows.shape[2] - HEAD) // (2 * (most + 1))
    space = np.empty((2, levels, most + 1 + min(room, PIECE)))
    buckets = Buckets(space[0], space[1], np.zeros(levels + 1, dtype=np.int64))
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            end = gather(block, span, subject, series, events)
            unpack(row, buckets, most)
            at = walk(row, buckets, series, 0, end, settings)
            while at >= 0:
                held, total = row[0], row[1]
                cut = True
                while cut:
                    drop_oldest(row, buckets)
                    cut = has_cut(row, buckets, delta, least)
                alarms = with_room(alarms, k)
                alarms[k, 0], alarms[k, 1], alarms[k, 2] = events[at - 1], group, subject
                put(alarms[k], row, held, total)
                k += 1
                row[:HEAD], buckets.counts[:] = 0.0, 0
                at = walk(row, buckets, series, at, end, settings)
            pack(row, buckets, most)
    return alarms[:k]
