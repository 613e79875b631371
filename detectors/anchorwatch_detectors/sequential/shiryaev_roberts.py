"""Mixture Shiryaev-Roberts on the mean of bounded values: errors against the error rate of the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anchorwatch_detectors.mixture import Mixture
from anchorwatch_detectors.parameters import check_choice, check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.shiryaev_roberts import Bets

RISES, FALLS = 6, 5
"""Chains for rises, whose sizes go from odds 1.25 times as large to nearly all errors, and for falls."""
LARGEST_SHARE = 0.5
"""Share of the largest change, as a part of the smallest's: large changes show without it, small ones need each bit."""


@dataclass(frozen=True, slots=True)
class ShiryaevRoberts(Mixture):
    """Mixture Shiryaev-Roberts detector of a change of the mean, for values in [0, 1] against a baseline.

    For errors (1 = wrong) each chain bets with the likelihood ratio of an error rate whose odds are larger (smaller)
    by one factor out of a grid; for other values in [0, 1] the same bets are fair as long as the mean is the
    baseline's. The threshold is the average run length: there is nothing else to tune.

    Of an alarm, `statistic` is the mean evidence, `since` the number of values since the likeliest time
    of a change, `before` the mean of the baseline and the lane's values up to it, `after` that of the values since.

    Parameters
    ----------
    average_run_length
        Values between two false alarms of a lane on average, in [100, 1e15]; more comes later, by about
        log(average_run_length). It holds for independent values, on average over the baselines that could have been.
    mode
        "up" rings for rises of the mean (errors: worse), "down" for falls, "both" for either.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.usual import of_sample
    >>> rng = np.random.default_rng(7)
    >>> usual = of_sample((rng.random((1, 10_000)) < 0.1).astype(float))
    >>> errors = np.concatenate([rng.random(20_000) < 0.1, rng.random(1000) < 0.2]).astype(float)
    >>> alarms = ShiryaevRoberts().start(groups=1, subjects=1, usual=usual).update(errors[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.before.round(2).tolist()[:1]
    ([20227], [310], [0.1])

    References
    ----------
    Pollak, M. (1987). Average run lengths of an optimal method of detecting a change in distribution. Annals of
    Statistics 15 (2), 749-779.
    Shin, J., Ramdas, A., Rinaldo, A. (2022). E-detectors: a nonparametric framework for sequential change detection.
    arXiv:2203.03532.
    """

    name: ClassVar[str] = "shiryaev_roberts"

    average_run_length: float = 1_000_000.0
    mode: Literal["up", "down", "both"] = "up"

    def __post_init__(self) -> None:
        check_real(self.name, "average_run_length", self.average_run_length, least=100.0, most=1e15)
        check_choice(self.name, "mode", self.mode, ("up", "down", "both"))

    def chains(self) -> int:
        """Return the number of chains."""
        return RISES * (self.mode != "down") + FALLS * (self.mode != "up")

    def bets(self) -> Bets:
        """Return what the chains bet on: half on rises and half on falls where both are looked for."""
        from anchorwatch_detectors.kernels.shiryaev_roberts import Bets

        sides = [(1.0, RISES)] * (self.mode != "down") + [(-1.0, FALLS)] * (self.mode != "up")
        return Bets(
            weight=np.concatenate([_shares(n) / len(sides) for _, n in sides]),
            side=np.concatenate([np.full(n, sign) for sign, n in sides]),
            place=np.concatenate([np.linspace(0.0, 1.0, n) for _, n in sides]),
            payoff=np.empty((0, 0, 0)),
            shift=np.empty((0, 0)),
            first=np.empty(0),
            second=np.empty(0),
        )


def _shares(chains: int) -> Floats:
    """Return the share of each chain of a side, from the smallest change to the largest; they add up to 1."""
    shares = LARGEST_SHARE ** np.linspace(0.0, 1.0, chains)
    return np.asarray(shares / shares.sum())
