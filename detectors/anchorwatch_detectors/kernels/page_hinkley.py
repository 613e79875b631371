"""The loop of Page-Hinkley; `sequential.page_hinkley` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@kernel
def take(
    rows: Floats, block: Block, warm: int, delta: float, alpha: float, highest: tuple[float, float], fresh: Floats
) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, 10), the columns of `PageHinkley.fresh`.
    highest
        Distance that raises an alarm, for a rise and for a fall.
    """
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    highest_rise, highest_fall = highest
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            n, mean, up, down = row[0], row[1], row[2], row[3]
            low, low_n, low_mean, high, high_n, high_mean = row[4], row[5], row[6], row[7], row[8], row[9]
            for i in range(gather(block, span, subject, series, events)):
                x = series[i]
                n += 1.0
                mean += (1.0 / n) * (x - mean)
                deviation = x - mean
                up = alpha * up + deviation - delta
                down = alpha * down + deviation + delta
                if up < low:
                    low, low_n, low_mean = up, n, mean
                if down > high:
                    high, high_n, high_mean = down, n, mean
                if n >= warm and (up - low > highest_rise or high - down > highest_fall):
                    alarms = with_room(alarms, k)
                    where = (events[i], group, subject)
                    if up - low > highest_rise:
                        put_split(alarms[k], where, (up - low, highest_rise), (n, mean), (low_n, low_mean))
                    else:
                        put_split(alarms[k], where, (high - down, highest_fall), (n, mean), (high_n, high_mean))
                    k += 1
                    n, mean, up, down = fresh[0], fresh[1], fresh[2], fresh[3]
                    low, low_n, low_mean = fresh[4], fresh[5], fresh[6]
                    high, high_n, high_mean = fresh[7], fresh[8], fresh[9]
            row[0], row[1], row[2], row[3] = n, mean, up, down
            row[4], row[5], row[6], row[7], row[8], row[9] = low, low_n, low_mean, high, high_n, high_mean
    return alarms[:k]
