"""The one guard for bad values: they never reach a detector's arithmetic, they are counted, and too many are told.

One NaN silences river's ADWIN and PageHinkley for ever: it enters a running sum, and every comparison after it is
false. An infinity or a sentinel such as 1e300 does the same through overflow or lost digits. So every detector of
this library passes such values over, as if the event had not happened for that lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from anchorwatch_detectors.base import Floats

LARGEST = 2.0**53
"""Largest magnitude taken as a measurement, about 9.0e15.

Beyond it a double no longer tells neighbouring whole numbers apart, so that one such value in a running sum swallows
the ordinary values added to it, and the detector hears nothing more. Below it detectors see exactly what they are
given.
"""


def usable(values: Floats, low: float = -LARGEST, high: float = LARGEST) -> NDArray[np.bool_]:
    """Say which values may enter a detector's arithmetic.

    Parameters
    ----------
    values
        Any shape, float64.
    low, high
        Ends of what the detector can take, finite; both belong to it.

    Returns
    -------
    ndarray of bool
        The shape of `values`; False for NaN, the infinities and what lies outside [low, high].

    Examples
    --------
    >>> usable(np.array([0.5, np.nan, -np.inf, 1e300, -3.0])).tolist()
    [True, False, False, False, True]
    """
    return (values >= low) & (values <= high)


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides from the counts of bad values whether silence may be read as stability.

    A detector that passed over most of a stream says nothing about it: its verdict is UNDETERMINED, never STABLE.

    Parameters
    ----------
    most_bad
        Largest share of bad values, in [0, 1], with which a verdict still stands. 0 tolerates none, 1 all.
    least
        Fewest usable values, at least 0, with which a verdict stands.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> Guard(most_bad=0.5, least=30).undetermined(taken=[100, 100, 10], passed_over=[0, 101, 0]).tolist()
    [False, True, True]
    """

    most_bad: float = 0.5
    least: int = 30

    def __post_init__(self) -> None:
        if not 0.0 <= self.most_bad <= 1.0:
            raise ValueError(f"most_bad is a share of values and must lie in [0, 1], not {self.most_bad!r}")
        if self.least < 0:
            raise ValueError(f"least is a number of values and must be at least 0, not {self.least!r}")

    def undetermined(self, taken: ArrayLike, passed_over: ArrayLike) -> NDArray[np.bool_]:
        """Say which lanes are UNDETERMINED.

        Parameters
        ----------
        taken, passed_over
            Numbers of usable and of bad values, of one shape; of the span the verdict is about: the difference of a
            state's counts at the span's two ends.

        Returns
        -------
        ndarray of bool
            True where fewer than `least` values were usable or a share above `most_bad` was not.
        """
        good = np.asarray(taken, dtype=np.int64)
        bad = np.asarray(passed_over, dtype=np.int64)
        return np.asarray((good < self.least) | (bad > self.most_bad * (good + bad)))
