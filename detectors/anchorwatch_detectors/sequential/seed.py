"""SEED: a window of blocks that is cut where its means differ, and whose alike blocks grow together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.beyond_river import BeyondRiver
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Seed(BeyondRiver):
    """SEED, the drift detector of the volatility detector: as ADWIN, with cuts where they may be needed.

    Values enter blocks of `block_size`. Whenever one is full, the window is looked through at each boundary of its
    blocks, from the newest back; where the means of the two sides differ by more than chance allows (ADWIN's Bernstein
    bound with the window's variance), the lane rings and begins anew. Once in `compress_term` blocks neighbours that
    are alike become one, from the newest back: the i-th pair if its means differ by less than i `growth`
    `smallest_gap`. So old boundaries go where no change was, and those at changes stay. It takes values in [0, 1]
    (errors, ranks); others are passed over. That bounds the window to 1 / (`growth` `smallest_gap`) + `compress_term`
    + 1 blocks: 4.9 KB a lane with the defaults.

    On a stream that does not change it rings, measured with the defaults, once in 400,000 errors at a rate of .05, in
    90,000 at .25. The paper goes on with the newer side after an alarm, this lane with an empty window.

    Of an alarm, `statistic` is the distance of the means, `threshold` the bound, `since` the number of values after
    the newest boundary where it is exceeded, `before` and `after` are the means on its sides.

    Parameters
    ----------
    delta
        Confidence of a check, a probability in (0, 1). Smaller means fewer false alarms and later true ones.
    block_size
        Values of a block, from 2 to 100,000; there is a check at each. Larger is faster and delays an alarm.
    smallest_gap
        Unit of the distance up to which neighbours are alike, from 0.001 to 1 (the paper's epsilon prime).
    growth
        By how many units that distance grows from pair to pair, from 0.1 to 10 (the paper's alpha, linear growth).
    compress_term
        Blocks from one compression to the next, from 1 to 10,000. Fewer save memory and blur the cut.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = Seed().start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1023], [160], [0.09])

    References
    ----------
    Huang, D. T. J., Koh, Y. S., Dobbie, G., Pears, R. (2014). Detecting volatility shift in data streams. IEEE
    International Conference on Data Mining, 863-868.
    """

    name: ClassVar[str] = "seed"

    delta: float = 0.05
    block_size: int = 32
    smallest_gap: float = 0.01
    growth: float = 0.8
    compress_term: int = 75

    def __post_init__(self) -> None:
        check_real(self.name, "delta", self.delta, above=0.0, below=1.0)
        check_whole(self.name, "block_size", self.block_size, least=2, most=100_000)
        check_real(self.name, "smallest_gap", self.smallest_gap, least=0.001, most=1.0)
        check_real(self.name, "growth", self.growth, least=0.1, most=10.0)
        check_whole(self.name, "compress_term", self.compress_term, least=1, most=10_000)

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]: the bound is for values there."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.seed` says what its numbers are."""
        return np.zeros(5 + 3 * self._most)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.seed import Settings, take

        step = float(self.smallest_gap) * float(self.growth)
        return rows, take(rows, block, Settings(float(self.delta), self.block_size, step, self.compress_term))

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such; see `ArrayDetector.check`."""
        rows = super(Seed, self).check(rows)
        held, waited = rows[:, :, 0], rows[:, :, 1]
        ends = np.array([self._most - 1, self.compress_term - 1, self.block_size - 1])
        places = rows[:, :, :3]
        if not (np.isfinite(rows).all() and ((places >= 0) & (places <= ends) & (places == np.floor(places))).all()):
            raise ValueError(f"{self.name}: a stored lane is not a window of blocks of {self.block_size} values")
        in_use = np.arange(self._most) < held[:, :, np.newaxis]
        after_compression = self._most - self.compress_term - 1
        if not ((held - waited <= after_compression).all() and (rows[:, :, 5::3][in_use] >= 1).all()):
            raise ValueError(f"{self.name}: a stored lane holds a block without values, or more than it can")
        return rows

    @property
    def _most(self) -> int:
        """Return how many blocks a window can hold: means in [0, 1] are alike once their distance may be above 1."""
        return math.ceil(1.0 / (self.smallest_gap * self.growth)) + self.compress_term + 2
