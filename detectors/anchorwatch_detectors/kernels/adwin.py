"""The loops of ADWIN; `sequential.adwin` says what it does.

A lane is a row of numbers: how many values it holds, their total, their sum of squared deviations, the sum of all its
widths so far, and then its buckets: for each level, totals and then sums of squared deviations of up to
`max_buckets + 1` buckets of 2**level values, oldest first.

A lane begins anew after a cut, so the number of its buckets at each level follows from the number of its values alone
and is not kept. Values enter between two checks as one block: each level takes all that the level below passes on
before the next one does, which changes neither the buckets nor the order of any sum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block

HEAD = 4
"""Numbers of a row before its buckets."""
PIECE = 512
"""Most values that enter as one block."""
SLACK = 2.0**-50
"""More than the relative error that rounding can make in the difference of two means: eight units in the last place."""

Settings = tuple[float, int, int, int, int]
"""delta, clock, max_buckets, min_window_length, grace_period."""


@kernel
def passed_on(entered: int, most: int) -> int:
    """Return how many pairs of buckets a level merged after so many entered it; it holds at most `most`."""
    return max(0, (entered - most + 1) >> 1)


@kernel
def count_buckets(counts: Ints, n: int, most: int) -> int:
    """Write how many buckets each level holds after `n` values; return the number of levels in use."""
    level, entered = 0, n
    while entered > 0:
        merged = passed_on(entered, most)
        counts[level] = entered - 2 * merged
        entered = merged
        level += 1
    return level


@kernel
def levels_for(n: int, most: int) -> int:
    """Return the number of levels that `n` values use, at least 1."""
    return max(1, count_buckets(np.empty(64, dtype=np.int64), n, most))


@kernel
def add(head: Floats, series: Floats, start: int, stop: int) -> None:
    """Let values enter the count, the total and the sum of squared deviations."""
    width, total, variance, widths = head[0], head[1], head[2], head[3]
    for i in range(start, stop):
        x = series[i]
        before = width
        width += 1.0
        if before > 0.0:
            deviation = x - total / before
            variance += before * deviation * deviation / width
        total += x
        widths += width
    head[0], head[1], head[2], head[3] = width, total, variance, widths


@kernel
def merge(scratch: Floats, source: int, first: int, pairs: int, size: int, place: int) -> None:
    """Merge pairs of neighbours among buckets of `size` values, from column `first` of one half of `scratch` on.

    They go into the other half, from column `place` on.
    """
    target = 2 - source
    share, half = 1.0 / size, size * 0.5
    for i in range(pairs):
        a, b = scratch[source, first + 2 * i], scratch[source, first + 2 * i + 1]
        distance = a * share - b * share
        squares = scratch[source + 1, first + 2 * i] + scratch[source + 1, first + 2 * i + 1]
        scratch[target, place + i] = a + b
        scratch[target + 1, place + i] = squares + half * distance * distance


@kernel
def enter(row: Floats, counts: Ints, scratch: Floats, n: int, new: int, most: int) -> int:
    """Let `new` values enter the buckets of a lane that held `n`; return the number of levels that they reached.

    Parameters
    ----------
    row
        The lane.
    counts
        (64,) buckets of each level, kept up to date.
    scratch
        (4, most + 1 + room): totals and sums of squared deviations, twice: what comes into a level, from column
        `most + 1` on and behind what it holds, and what it passes on. The values are in the first row.
    """
    size, place, source, before, coming = most + 1, HEAD, 0, n, new
    for level in range(64):
        merged = passed_on(before, most)
        held = before - 2 * merged
        pairs = passed_on(before + coming, most) - merged
        left = held + coming - 2 * pairs
        counts[level] = left
        if pairs == 0:
            for i in range(coming):
                row[place + held + i] = scratch[source, size + i]
                row[place + size + held + i] = scratch[source + 1, size + i]
            break
        first = size - held
        for i in range(held):
            scratch[source, first + i], scratch[source + 1, first + i] = row[place + i], row[place + size + i]
        merge(scratch, source, first, pairs, 1 << level, size)
        first += 2 * pairs
        for i in range(max(held, left)):
            row[place + i] = scratch[source, first + i] if i < left else 0.0
            row[place + size + i] = scratch[source + 1, first + i] if i < left else 0.0
        place, source, before, coming = place + 2 * size, 2 - source, merged, pairs
    return level + 1


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
def has_cut(row: Floats, counts: Ints, used: int, most: int, delta: float, least: float) -> bool:
    """Say whether the window is cut at any boundary of its buckets.

    The exact expression takes divisions and a root; `surely_within` passes most boundaries over without them.
    """
    width, total, variance = row[0], row[1], row[2]
    scale = math.log(2.0 * math.log(width) / delta)
    within = surely_within(width, total, variance, scale)
    n0, n1, u0, u1 = 0.0, width, 0.0, total
    for level in range(used - 1, -1, -1):
        size = float(1 << level)
        place = HEAD + 2 * level * (most + 1)
        for k in range(place, place + counts[level] - (1 if level == 0 else 0)):
            n0 += size
            n1 -= size
            u0 += row[k]
            u1 -= row[k]
            apart = u0 * n1 - u1 * n0
            if apart * apart <= within * (n0 * n1) or n0 < least or n1 < least:
                continue
            if is_cut(n0, n1, u0 / n0 - u1 / n1, variance / width, scale, least):
                return True
    return False


@kernel
def drop_oldest(row: Floats, counts: Ints, used: int, most: int) -> int:
    """Take the oldest bucket out of the window; return the number of levels in use."""
    last, size = used - 1, most + 1
    place = HEAD + 2 * last * size
    n, total, square = float(1 << last), row[place], row[place + size]
    row[0] -= n
    row[1] -= total
    distance = total / n - row[1] / row[0]
    row[2] -= square + n * row[0] * distance * distance / (n + row[0])
    counts[last] -= 1
    for i in range(place, place + counts[last]):
        row[i], row[size + i] = row[i + 1], row[size + i + 1]
    while used > 1 and counts[used - 1] == 0:  # with max_buckets 1 levels in between may be empty; river panics there
        used -= 1
    return used


@kernel
def shrink(row: Floats, counts: Ints, used: int, most: int, delta: float, least: float) -> None:
    """Drop the oldest buckets as long as the window is cut; called where it is."""
    cut = True
    while cut:
        used = drop_oldest(row, counts, used, most)
        cut = has_cut(row, counts, used, most, delta, least)


@kernel
def put(alarm: Floats, head: Floats, held: float, total: float) -> None:
    """Write statistic, threshold, since, before and after of a window that held `held` values of sum `total`."""
    kept, after = head[0], head[1] / head[0]
    before = (total - head[1]) / (held - kept) if held > kept else np.nan
    alarm[3], alarm[4], alarm[5], alarm[6], alarm[7] = abs(after - before), np.nan, kept, before, after


@kernel
def walk(row: Floats, series: Floats, start: int, end: int, settings: Settings, counts: Ints, scratch: Floats) -> int:
    """Let the values [start, end) enter a lane up to a check that finds a cut; return how many, or -1 without one."""
    delta, clock, most, least, grace = settings
    n, i = int(row[0]), start
    used = count_buckets(counts, n, most)
    while i < end:
        stop = min(end, i + PIECE, i + clock - n % clock)
        add(row, series, i, stop)
        for j in range(i, stop):
            scratch[0, most + 1 + j - i], scratch[1, most + 1 + j - i] = series[j], 0.0
        used = max(used, enter(row, counts, scratch, n, stop - i, most))
        n, i = n + stop - i, stop
        if n % clock == 0 and n > grace and has_cut(row, counts, used, most, delta, least):
            return i
    return -1


@kernel
def take(rows: Floats, block: Block, settings: Settings) -> Floats:
    """Feed all lanes; return the alarms. `rows` must have the levels that the values will use."""
    delta, _, most, least, _ = settings
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    scratch, counts = np.empty((4, min(PIECE, room) + most + 1)), np.zeros(64, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            end = gather(block, span, subject, series, events)
            at = walk(row, series, 0, end, settings, counts, scratch)
            while at >= 0:
                held, total = row[0], row[1]
                shrink(row, counts, count_buckets(counts, int(held), most), most, delta, least)
                alarms = with_room(alarms, k)
                alarms[k, 0], alarms[k, 1], alarms[k, 2] = events[at - 1], group, subject
                put(alarms[k], row, held, total)
                k += 1
                row[:] = 0.0
                at = walk(row, series, at, end, settings, counts, scratch)
    return alarms[:k]
