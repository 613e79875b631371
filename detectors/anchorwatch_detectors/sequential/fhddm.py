"""FHDDM: the share of correct predictions in a window against the best it has been, held apart by Hoeffding's bound."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Fhddm(ArrayDetector):
    """Fast Hoeffding drift detection; river's order of operations: same alarms, bit for bit.

    The share of correct predictions in a sliding window is compared with the best it has been since the lane began; an
    alarm is raised when it lies below it by more than Hoeffding's bound. It rings for rises of the error alone. A
    second, shorter window inside the first finds abrupt changes sooner (the stacking variant).

    **Polarity.** Values are errors, 1 = wrong, as everywhere in this library. river's documentation says the same of
    its class, but that watches for falls, as the paper does: it has to be fed 1 = correct. So the alarms on errors x
    are those of `river.drift.binary.FHDDM` on 1 - x. Values outside [0, 1] are passed over. With a short window and
    values between 0 and 1 that holds on Python 3.11; later ones add floats up with more digits, and river's sum is
    Python's.

    Of an alarm, `statistic` is how far the share has fallen, `threshold` the bound, `since` the number of values after
    the share was last at its best, `before` and `after` are the means of the errors up to there and after it.

    Parameters
    ----------
    sliding_window_size
        Values in the window, from 1 to 100,000. Larger sees smaller changes, later.
    confidence_level
        Probability of a false alarm at one check, in (0, 1). Smaller means fewer false alarms and later true ones.
    short_window_size
        Newest values of the window that make the shorter one, at least 1, not above `sliding_window_size`; None for no
        second window. Shorter sees only larger changes, sooner.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.5]).astype(float)
    >>> alarms = Fhddm().start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1041], [485], [0.09])

    References
    ----------
    Pesaranghader, A., Viktor, H. L. (2016). Fast Hoeffding drift detection method for evolving data streams. European
    Conference on Machine Learning and Knowledge Discovery in Databases, 96-111. Pesaranghader, A., Viktor, H., Paquet,
    E. (2018). Reservoir of diverse adaptive learners and stacking fast Hoeffding drift detection methods for evolving
    data streams. Machine Learning 107, 1711-1743 (the short window).
    """

    name: ClassVar[str] = "fhddm"

    sliding_window_size: int = 100
    confidence_level: float = 0.000001
    short_window_size: int | None = None

    def __post_init__(self) -> None:
        check_whole(self.name, "sliding_window_size", self.sliding_window_size, least=1, most=100_000)
        check_real(self.name, "confidence_level", self.confidence_level, above=0.0, below=1.0)
        if self.short_window_size is not None:
            check_whole(self.name, "short_window_size", self.short_window_size, least=1, most=self.sliding_window_size)

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins.

        n and mean of all errors, sum of the window, number of values in it, place of its oldest; then best share with
        n and mean at it, of the window and of the short one; then the window, whose values are 1 = correct.
        """
        return np.zeros(11 + self.sliding_window_size)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.fhddm import take

        short = self.short_window_size or 0
        return rows, take(rows, block, short, (self._bound(self.sliding_window_size), self._bound(short or 1)))

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such; see `ArrayDetector.check`."""
        rows = super(Fhddm, self).check(rows)
        places = rows[:, :, 3:5]
        if not ((places >= 0) & (places < self.sliding_window_size) & (places == np.floor(places))).all():
            raise ValueError(f"{self.name}: a stored lane is not a window of {self.sliding_window_size} values")
        return rows

    def to_river(self, row: Floats) -> Any:
        """Return river's `FHDDM` in the state of a lane: its window holds 1 = correct."""
        from river import drift

        made = drift.binary.FHDDM(**self.parameters())
        filled, head = int(row[3]), int(row[4])
        ring = itertools.islice(itertools.cycle(row[11:].tolist()), head, head + filled)
        made._sliding_window = deque(ring, maxlen=self.sliding_window_size)  # noqa: SLF001 - there is no other way
        made.n_one, made._u_max = row[2].item(), row[5].item()  # noqa: SLF001
        if self.short_window_size is not None:
            made._u_short_max = row[8].item()  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `FHDDM`.

        river counts no values: of an alarm that follows, `since` counts from here on where the best share is not
        reached again, and `before` and `after` are NaN.
        """
        check_river(self, detector)
        row = self.fresh()
        window = list(detector._sliding_window)  # noqa: SLF001 - river has no other way to read a state
        if detector.drift_detected or not (window or detector._u_max):  # noqa: SLF001
            return row
        n, unknown = len(window), math.nan
        row[:8] = n, unknown, detector.n_one, n, 0, detector._u_max, n, unknown  # noqa: SLF001
        if self.short_window_size is not None:
            row[8:11] = detector._u_short_max, n, unknown  # noqa: SLF001
        row[11 : 11 + n] = window
        return row

    def _bound(self, size: int) -> float:
        return math.sqrt(math.log(1 / self.confidence_level) / (2 * size))
