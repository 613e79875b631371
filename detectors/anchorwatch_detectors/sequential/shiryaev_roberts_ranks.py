"""Mixture Shiryaev-Roberts on ranks within the baseline: a change of location or spread of any numeric feature."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np

from anchorwatch_detectors.mixture import Mixture
from anchorwatch_detectors.parameters import check_choice, check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.shiryaev_roberts import Bets

KNOTS: Final = 257
LOCATIONS: Final = {0.1: 0.36, 0.25: 0.24, 0.55: 0.22, 1.2: 0.18}
"""Shifts that are bet on, up and down, in standard deviations, and their shares; small ones need more."""
SPREADS: Final = (0.6, 1.6)
"""Factors of the standard deviation that are bet on, to equal shares."""
SPREAD_SHARE: Final = 0.05
"""Share of the bets on spread where location is bet on too."""
REST: Final = 0.005
"""Share that is never put at stake."""


@dataclass(frozen=True, slots=True)
class ShiryaevRobertsRanks(Mixture):
    """Mixture Shiryaev-Roberts detector for ranks within the baseline (its distribution function at the value).

    Ranks are uniform on [0, 1] as long as nothing changed, whatever the feature's unit and tails. Each chain bets with
    the likelihood ratio of a normal score (the normal quantile of the rank) that is shifted or spread by one amount out
    of a grid. Ranks with ties (mid-ranks of a feature with few values: their variance is below 1/12) are bet on
    through their mean and variance alone.

    Of an alarm, `statistic` is the mean evidence, `since` the number of values since the likeliest time
    of a change, `before` the mean rank of the baseline and the lane's values up to it, `after` that of those since.

    Parameters
    ----------
    average_run_length
        Values between two false alarms of a lane on average, in [100, 1e15]; see `ShiryaevRoberts`.
    change
        "location", "spread" (same middle, other width), or "both" (nearly all bets on location).
    mode
        Which shifts of location: "up", "down", or "both". Of spread, always both.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.usual import of_sample
    >>> rng = np.random.default_rng(7)
    >>> usual = of_sample(rng.random((1, 10_000)))
    >>> ranks = np.concatenate([rng.random(5000), rng.random(1000) ** 0.7])
    >>> alarms = ShiryaevRobertsRanks().start(groups=1, subjects=1, usual=usual).update(ranks[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.after.round(2).tolist()[:1]
    ([5320], [285], [0.59])

    References
    ----------
    Shin, J., Ramdas, A., Rinaldo, A. (2022). E-detectors: a nonparametric framework for sequential change detection.
    arXiv:2203.03532.
    Gordon, L., Pollak, M. (1994). An efficient sequential nonparametric scheme for detecting a change of distribution.
    Annals of Statistics 22 (2), 763-804.
    """

    name: ClassVar[str] = "shiryaev_roberts_ranks"

    average_run_length: float = 1_000_000.0
    change: Literal["location", "spread", "both"] = "both"
    mode: Literal["up", "down", "both"] = "both"

    def __post_init__(self) -> None:
        check_real(self.name, "average_run_length", self.average_run_length, least=100.0, most=1e15)
        check_choice(self.name, "change", self.change, ("location", "spread", "both"))
        check_choice(self.name, "mode", self.mode, ("up", "down", "both"))

    def chains(self) -> int:
        """Return the number of chains."""
        sides = 0 if self.change == "spread" else 1 + (self.mode == "both")
        return sides * len(LOCATIONS) + len(SPREADS) * (self.change != "location")

    def bets(self) -> Bets:
        """Return what the chains bet on."""
        return _bets(self.change, self.mode)


@functools.cache
def _bets(change: str, mode: str) -> Bets:
    from anchorwatch_detectors.kernels.shiryaev_roberts import Bets

    scores = _scores()
    shifts = np.array([*LOCATIONS, *(-shift for shift in LOCATIONS)])
    location = np.exp(np.outer(scores, shifts))
    widths = np.array(SPREADS)
    spread = np.exp(np.outer(scores**2 / 2, 1 - 1 / widths**2))
    share = {"location": 0.0, "spread": 1.0, "both": SPREAD_SHARE}[change]
    sides = {"up": (1.0, 0.0), "down": (0.0, 1.0), "both": (0.5, 0.5)}[mode]
    shares = np.outer(sides, [*LOCATIONS.values()]).ravel()
    weight = np.r_[(1.0 - share) * shares, np.full(len(SPREADS), share / len(SPREADS))]
    ratios = np.concatenate([location, spread], axis=1)[:, weight > 0.0]
    weight = weight[weight > 0.0]
    smooth = (1.0 - REST) * (ratios / _mean(ratios) - 1.0)
    first, second, tied = _quadratic(smooth)
    payoff = np.stack([smooth, tied])
    scales = np.stack([scores, (scores**2 - 1.0) / np.sqrt(2.0)], axis=1)
    gains = np.abs(_mean(payoff[:, :, :, np.newaxis] * scales[:, np.newaxis, :], axis=1)).max(axis=-1)
    none = np.empty(0)
    return Bets(weight, none, none, payoff, 2.0 * np.sqrt(np.pi) * gains, first, second)


def _scores() -> Floats:
    """Return normal scores of the knots; at 0 and 1 that of the middle of the outer half cell."""
    inner = np.linspace(0.0, 1.0, KNOTS)
    inner[0], inner[-1] = 0.25 / (KNOTS - 1), 1.0 - 0.25 / (KNOTS - 1)
    return np.array([NormalDist().inv_cdf(u) for u in inner])


def _mean(values: Floats, axis: int = 0) -> Floats:
    """Return the mean under the uniform distribution of functions that are linear between knots."""
    inner, ends = np.sum(values, axis=axis), np.take(values, [0, -1], axis=axis).sum(axis=axis) / 2.0
    return np.asarray((inner - ends) / (KNOTS - 1))


def _quadratic(payoff: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the payoffs closest to those given that are quadratic in the rank: factors of u - 1/2 and (u - 1/2)^2."""
    x = np.linspace(0.0, 1.0, KNOTS) - 0.5
    square = x**2 - _mean(x**2)
    first = _mean(x[:, np.newaxis] * payoff) / _mean(x**2)
    second = _mean(square[:, np.newaxis] * payoff) / _mean(square**2)
    return first, second, np.outer(x, first) + np.outer(square, second)
