"""Streams like a sample of which only profiles are kept: a Gaussian copula of ranks, with a memory for each column.

What is kept of the dependence is small: the correlation of the columns' normal scores, and each column's
autocorrelation time. What a copula cannot know is lost: dependence in the tails, cycles, values missing together, and
what of a category's dependence does not go by the frequency of its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from anchorwatch_detectors.usual import memory_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from anchorwatch_detectors.base import Floats

DIGITS: Final = 4
"""Decimals that are kept of a correlation; a sample of a million rows tells no more than three."""
_LONGEST: Final = 10_000.0
"""Autocorrelation times beyond it are drawn as this one."""


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """How the columns of a sample hang together.

    Attributes
    ----------
    correlation
        (columns, columns) of the normal scores of the mid-ranks, over the rows in which both have a value.
    memory
        (columns,) integrated autocorrelation time of the normal scores, in rows; 1 for none.
    """

    correlation: Floats
    memory: Floats

    @classmethod
    def of(cls, ranks: ArrayLike) -> Self:
        """Measure the dependence of a sample.

        Parameters
        ----------
        ranks
            (columns, rows) mid-ranks in [0, 1] in the order in which the rows came; NaN for no value.

        Examples
        --------
        >>> u = np.random.default_rng(1).random(5000)
        >>> Dependence.of([u, u, 1.0 - u]).correlation.round(2).tolist()
        [[1.0, 1.0, -1.0], [1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]
        """
        scores = _scores(np.atleast_2d(np.asarray(ranks, dtype=np.float64)))
        known = np.isfinite(scores)
        centred = np.where(known, scores - _row_means(scores, known), 0.0)
        present = known.astype(np.float64)
        together = centred @ centred.T
        own = (centred**2) @ present.T
        scale = np.sqrt(own * own.T)
        correlation = np.divide(together, scale, out=np.zeros_like(together), where=scale > 0.0)
        np.fill_diagonal(correlation, 1.0)
        memory = [memory_of(row[there]) for row, there in zip(scores, known, strict=True)]
        return cls(np.clip(correlation, -1.0, 1.0).round(DIGITS), np.array(memory).round(DIGITS))

    @classmethod
    def none(cls, columns: int) -> Self:
        """Return the dependence of independent columns without a memory."""
        return cls(np.eye(columns), np.ones(columns))

    def to_plain(self) -> dict[str, Any]:
        """Return it as lists that JSON keeps exactly: of the correlation what lies below the diagonal, by rows."""
        below = np.tril_indices(len(self.memory), -1)
        return {"correlation": self.correlation[below].tolist(), "memory": self.memory.tolist()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the dependence that `to_plain` described.

        Raises
        ------
        ValueError
            If it describes none: an entry is missing, there are not as many correlations as pairs of columns, or a
            number is out of its range.
        """
        if set(plain) != {"correlation", "memory"}:
            raise ValueError(f"a dependence has the entries correlation and memory, not {', '.join(plain) or 'none'}")
        below, memory = (np.asarray(plain[key], dtype=np.float64) for key in ("correlation", "memory"))
        n = len(memory)
        if below.shape != (n * (n - 1) // 2,):
            raise ValueError(f"{n} columns have {n * (n - 1) // 2} pairs, not {below.size} correlations")
        if not ((np.abs(below) <= 1.0).all() and (memory >= 1.0).all() and np.isfinite(memory).all()):
            raise ValueError("a correlation lies in [-1, 1], and an autocorrelation time is a number of at least 1")
        correlation = np.eye(n)
        correlation[np.tril_indices(n, -1)] = below
        return cls(correlation + correlation.T - np.eye(n), memory)

    def draw(self, masses: Sequence[ArrayLike], size: int, rng: np.random.Generator) -> Floats:
        """Return ranks with this dependence.

        Parameters
        ----------
        masses
            Of each column, the mass of its cells in order: ties hide a part of the dependence, so that more is drawn.
        size
            Rows.
        rng
            Source of chance.

        Returns
        -------
        ndarray
            (columns, size) uniform on [0, 1]; each column's quantiles at them have its distribution.

        Raises
        ------
        ValueError
            If there are not as many columns.
        """
        if len(masses) != len(self.memory):
            raise ValueError(f"this is the dependence of {len(self.memory)} columns, not of {len(masses)}")
        from scipy.signal import lfilter
        from scipy.special import ndtr

        seen = np.array([_seen(np.asarray(mass, dtype=np.float64)) for mass in masses])
        latent = np.minimum(1.0 + (self.memory - 1.0) / seen, _LONGEST)
        keep = (latent - 1.0) / (latent + 1.0)  # of an autoregression with that autocorrelation time
        fresh = np.sqrt(1.0 - keep**2)
        wanted = np.clip(self.correlation / np.sqrt(np.outer(seen, seen)), -1.0, 1.0)
        root = _root(wanted * (1.0 - np.outer(keep, keep)) / np.outer(fresh, fresh))
        scores = root @ rng.standard_normal((len(masses), size))
        if (keep > 0.0).any() and size:
            start = root @ rng.standard_normal((len(masses), 1))
            for i in np.flatnonzero(keep > 0.0).tolist():
                scores[i] = lfilter([fresh[i]], [1.0, -keep[i]], scores[i], zi=keep[i] * start[i])[0]
        return np.asarray(ndtr(scores), dtype=np.float64)


def _scores(ranks: Floats) -> Floats:
    """Return normal scores; ranks of 0 and 1 count as just inside."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(ranks, 1e-9, 1.0 - 1e-9)))


def _row_means(scores: Floats, known: Floats) -> Floats:
    total = np.where(known, scores, 0.0).sum(axis=1, keepdims=True)
    return np.asarray(total / np.maximum(known.sum(axis=1, keepdims=True), 1))


def _seen(mass: Floats) -> float:
    """Return the share of a standard normal's variance that is left when only the cell of its rank is known."""
    total = mass.sum()
    if not total > 0.0 or (mass > 0.0).sum() < 2:
        return 1.0
    from scipy.special import ndtri

    share = mass[mass > 0.0] / total
    edges = ndtri(np.concatenate([[0.0], np.cumsum(share)[:-1], [1.0]]))
    density = np.where(np.isfinite(edges), np.exp(-(np.where(np.isfinite(edges), edges, 0.0) ** 2) / 2.0), 0.0)
    within = -np.diff(density / np.sqrt(2.0 * np.pi))
    return float(np.clip((within**2 / share).sum(), 0.01, 1.0))


def _root(matrix: Floats) -> Floats:
    """Return a square root of the correlation matrix nearest to a matrix that may be none: rows have length 1."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    length = np.sqrt((root**2).sum(axis=1, keepdims=True))
    return np.asarray(root / np.where(length > 0.0, length, 1.0))
