"""The role of an accuracy metric: truth and what the model said come in, a value with its uncertainty goes out."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Needs = Literal["class", "score", "value", "ranks"]
Kind = Literal["binary", "multiclass", "regression", "ranking"]


class Estimate(NamedTuple):
    """A metric's value over a sample, and how well the sample tells it.

    Attributes
    ----------
    value
        The metric, in its own unit; NaN where it is undefined.
    error
        Standard error of `value`, above 0; NaN where `value` is.
    low, high
        95 % confidence interval, by the method that the metric names.
    n
        Rows that count.
    support
        How many of them carry what is known, at most `n`: predicted positives for the precision, the rarer class for
        the area under a ROC curve. The squared error goes by its inverse.
    excess
        By how much `value` is above the truth on average, at most; 0 where the bias vanishes beside `error`.
    """

    value: float
    error: float
    low: float
    high: float
    n: int
    support: int
    excess: float = 0.0


class Metric(abc.ABC):
    """An accuracy metric; it has no parameters and no state.

    Attributes
    ----------
    name
        By which it is known.
    needs
        What `given` holds: predicted classes, scores of the positive class (0 to 1 where they are probabilities) or the
        probabilities of several, predicted values, or for each rank of a list whether its item is relevant.
    kinds
        Models it suits.
    larger_is_better
        Whether a rise is an improvement.
    margin
        Difference that is worth knowing, where the configuration gives none: in the metric's own unit, or with
        `relative` as a share of the baseline's value.
    relative
        Whether it has the unit of the values, or no upper bound.
    order
        Order of the power mean of parts of a sample that makes the value of all: 2 for the root of a mean of squares.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs]
    kinds: ClassVar[frozenset[Kind]]
    larger_is_better: ClassVar[bool] = True
    margin: ClassVar[float] = 0.02
    relative: ClassVar[bool] = False
    order: ClassVar[float] = 1.0

    @abc.abstractmethod
    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the metric over a sample.

        Parameters
        ----------
        truth
            (n,) true classes as codes (binary: 1 for positive, 0 for negative; where there are probabilities their
            columns, and larger ones for classes without), true values, or how many items are relevant.
        given
            (n,) what the model said, as `needs` tells; (n, k) for the first k ranks or the probabilities of k classes.
            Rows in which anything is not finite are left out.
        """


class Loss(Metric):
    """A metric that is better where it is smaller, and small where a model is good: its margin is a share of it."""

    larger_is_better: ClassVar[bool] = False
    margin: ClassVar[float] = 0.05
    relative: ClassVar[bool] = True


def usable(truth: Floats, given: Floats) -> tuple[Floats, Floats]:
    """Return the rows in which both are finite; raises ValueError if they are not of one length."""
    truth, given = np.asarray(truth, np.float64), np.asarray(given, np.float64)
    if truth.ndim != 1 or truth.shape != given.shape:
        raise ValueError(f"truth and what was given must be two columns of one length: {truth.shape}, {given.shape}")
    good = np.isfinite(truth) & np.isfinite(given)
    return (truth, given) if good.all() else (truth[good], given[good])


def usable_ranks(relevant: Floats, given: Floats) -> tuple[Floats, Floats]:
    """Return the rows in which both are finite; raises ValueError if they are not (n,) and (n, k), k at least 1.

    Probabilities of k classes with their true ones have the same form.
    """
    relevant, given = np.asarray(relevant, np.float64), np.asarray(given, np.float64)
    if given.ndim != 2 or relevant.shape != given.shape[:1] or not given.shape[1]:
        raise ValueError(f"a column of counts and so many rows of ranks are needed: {relevant.shape}, {given.shape}")
    good = np.isfinite(relevant) & np.isfinite(given).all(axis=1)
    return (relevant, given) if good.all() else (relevant[good], given[good])


def are_probabilities(given: Floats) -> bool:
    """Return whether all scores lie in 0 to 1."""
    return bool(((given >= 0.0) & (given <= 1.0)).all())


BINARY: Final[frozenset[Kind]] = frozenset({"binary"})
CLASSES: Final[frozenset[Kind]] = frozenset({"binary", "multiclass"})
MANY: Final[frozenset[Kind]] = frozenset({"multiclass"})
VALUES: Final[frozenset[Kind]] = frozenset({"regression"})
RANKS: Final[frozenset[Kind]] = frozenset({"ranking"})
