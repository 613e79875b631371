"""The loops of linear models that learn row by row; `learners` says what they do.

Rows are sparse: (n, a) places and the numbers that stand there, all others are 0. Steps are those of AdaGrad (Duchi,
Hazan and Singer 2011, with a diagonal matrix) and shrinkage that of river: of the weights that a row touches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch_detectors.base import Floats

    Places = NDArray[np.int64]

LOG, SQUARED, ABSOLUTE = range(3)
"""Losses of a model with one output; the first is of labels 0 and 1, and expects log odds."""

Settings = tuple[float, float, float, int]
"""Step, shrinkage, step of the intercept, and after how many rows all rows so far are learnt once more; 0 for never."""

_EPS = 1e-8
_SURE = 18.0
_LEAST = 1e-15


@kernel
def slope(loss: int, said: float, truth: float) -> float:
    """Return the derivative of a loss at what a model said."""
    if loss == SQUARED:
        return 2.0 * (said - truth)
    if loss == ABSOLUTE:
        return 1.0 if said > truth else -1.0
    sign = 2.0 * truth - 1.0
    z = said * sign
    if z > _SURE:
        return -sign * math.exp(-z)
    return -sign if z < -_SURE else -sign / (math.exp(z) + 1.0)


@kernel
def single(
    places: Places, numbers: Floats, truth: Floats, size: int, loss: int, settings: Settings, again: Places
) -> Floats:
    """Return what a model with one output said of each row before it learnt it.

    Parameters
    ----------
    places, numbers
        (n, a) places of a row, each below `size`, and what stands there.
    truth
        (n,) what is learnt.
    size, loss, settings
        Weights of the model, its loss, and how it learns.
    again
        The order in which the rows so far are learnt once more, one after the other for each time.
    """
    rate, shrink, rate_intercept, block = settings
    weights, squares, out = np.zeros(size), np.zeros(size), np.empty(len(truth))
    intercept, at = 0.0, 0
    for i in range(len(truth)):
        turns = i + 1 if block > 0 and (i + 1) % block == 0 else 0
        for turn in range(turns + 1):
            row = i if turn == 0 else again[at + turn - 1]
            said = 0.0
            for j in range(places.shape[1]):
                said += weights[places[row, j]] * numbers[row, j]
            said += intercept
            if turn == 0:
                out[i] = said
            step = slope(loss, said, truth[row])
            intercept -= rate_intercept * step
            for j in range(places.shape[1]):
                place = places[row, j]
                gradient = numbers[row, j] * step + shrink * weights[place]
                squares[place] += gradient * gradient
                weights[place] -= rate / np.sqrt(squares[place] + _EPS) * gradient
        at += turns
    return out


@kernel
def think(place: Places, number: Floats, weights: Floats, met: NDArray[np.bool_], shares: Floats) -> None:
    """Write the probability of each class that has been met; 0 for the others."""
    shares[:] = 0.0
    for j in range(len(place)):
        shares += weights[place[j]] * number[j]
    highest = -np.inf
    for k in range(len(shares)):
        if met[k] and shares[k] > highest:
            highest = shares[k]
    total = 0.0
    for k in range(len(shares)):
        shares[k] = np.exp(shares[k] - highest) if met[k] else 0.0
        total += shares[k]
    if total > 0.0:
        shares /= total


@kernel
def several(
    places: Places, numbers: Floats, truth: Places, size: int, classes: int, settings: Settings, again: Places
) -> Floats:
    """Return the probability of each class that a softmax regression gave each row before it learnt it.

    Parameters
    ----------
    places, numbers
        (n, a) places of a row, each below `size`, and what stands there.
    truth
        (n,) class of each row, below `classes`.
    size, classes, settings
        Weights of each class, classes, and how the model learns; it has no intercept.
    again
        The order in which the rows so far are learnt once more, one after the other for each time.
    """
    rate, shrink, _, block = settings
    weights, squares = np.zeros((size, classes)), np.zeros((size, classes))
    met, shares, out = np.zeros(classes, dtype=np.bool_), np.zeros(classes), np.empty((len(truth), classes))
    at = 0
    for i in range(len(truth)):
        turns = i + 1 if block > 0 and (i + 1) % block == 0 else 0
        for turn in range(turns + 1):
            row = i if turn == 0 else again[at + turn - 1]
            think(places[row], numbers[row], weights, met, shares)
            if turn == 0:
                out[i] = shares
            met[truth[row]] = True
            for k in range(classes):
                if met[k]:
                    step = min(max(shares[k], _LEAST), 1.0 - _LEAST) - (1.0 if k == truth[row] else 0.0)
                    for j in range(places.shape[1]):
                        place = places[row, j]
                        gradient = numbers[row, j] * step + shrink * weights[place, k]
                        squares[place, k] += gradient * gradient
                        weights[place, k] -= rate / np.sqrt(squares[place, k] + _EPS) * gradient
        at += turns
    return out
