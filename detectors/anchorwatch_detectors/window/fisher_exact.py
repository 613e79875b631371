"""Fisher's exact test, word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from scipy.special import gammaln

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.window.cells import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_AT_ONCE: Final = 1_000_000
"""Terms that are summed in one go: about 50 MB."""
_EQUAL: Final = 1 + 1e-7
"""Two tables are equally likely if they differ by no more, as in R."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherExact(WindowTest):
    """Fisher's exact test of each word against all others: for few values and rare words, where chi-square errs.

    For a column of two words the p-value is that of `scipy.stats.fisher_exact`, two-sided. For more words it is the
    smallest of theirs times their number (Bonferroni's correction), so it errs on the careful side, and the drift of a
    single word among many is seen better than by chi-square, a small one of all of them worse.

    The statistic is the largest distance of a word's shares. The effect is the largest Cohen's h of a word,
    2 abs(arcsin(sqrt(p)) - arcsin(sqrt(q))), from 0 to pi: a share that rises from 1 % to 5 % is as much as one from
    50 % to 62 %.

    `smallest_effect` is 0.2, a small effect by Cohen's convention.

    Examples
    --------
    >>> import numpy as np
    >>> said = FisherExact().compare(np.array([[990, 10]]), np.array([[45, 5]]))
    >>> round(said.effect.item(), 3), round(said.p_value.item(), 6)
    (0.443, 0.000419)

    References
    ----------
    Fisher, R. A. (1922). On the interpretation of chi-square from contingency tables, and the calculation of P. Journal
    of the Royal Statistical Society 85(1), 87-94. Cohen, J. (1988). Statistical Power Analysis for the Behavioral
    Sciences, chapter 6.
    """

    name: ClassVar[str] = "fisher_exact"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.CATEGORY})
    smallest_effect: ClassVar[float] = 0.2

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`."""
        del position
        p, q = shares(reference, current)
        known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
        effect = 2 * np.abs(np.arcsin(np.sqrt(p)) - np.arcsin(np.sqrt(q)))
        return (
            np.where(known, np.abs(p - q).max(axis=1, initial=0.0), np.nan),
            np.where(known, effect.max(axis=1, initial=0.0), np.nan),
        )

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`. Counts that are no whole numbers are rounded, word by word."""
        del position
        known = ~np.isnan(statistic)
        seen = ((reference + current) > 0) & known[:, np.newaxis]
        n, m = (np.broadcast_to(_rounded(side.sum(axis=1, keepdims=True)), side.shape) for side in (reference, current))
        before, found = _rounded(reference), _rounded(current)
        chance = np.ones(reference.shape)
        chance[seen] = _two_sided(found[seen], (before + found)[seen], n[seen], m[seen])
        words = seen.sum(axis=1)
        tests = np.where(words == 2, 1, words)  # two words make one table
        smallest = np.minimum(chance.min(axis=1, initial=1.0) * np.maximum(tests, 1), 1.0)
        return np.where(known, smallest, np.nan)


def _rounded(counts: Counts) -> Ints:
    return np.rint(counts).astype(np.int64)


def _two_sided(found: Ints, word: Ints, n: Ints, m: Ints) -> Floats:
    """Return the chance of a table no likelier than each one that was found, its margins given.

    What lies more than 30 standard deviations and 400 from the mean is left out: it has less than 1e-100 of the chance.

    Parameters
    ----------
    found
        (k,) how often a word is among the m values of a window.
    word
        (k,) how often it is among all n + m.
    """
    mean = word * (m / (n + m))
    deviation = np.sqrt(mean * (n / (n + m)) * ((n + m - word) / np.maximum(n + m - 1, 1)))
    low = np.maximum(np.maximum(0, word - n), np.floor(mean - 30 * deviation - 400).astype(np.int64))
    high = np.minimum(np.minimum(word, m), np.ceil(mean + 30 * deviation + 400).astype(np.int64))
    chance = np.empty(len(found))
    terms = np.cumsum(high - low + 1)
    cuts = np.searchsorted(terms, np.arange(_AT_ONCE, terms[-1:].sum(), _AT_ONCE))
    for part in np.split(np.arange(len(found)), cuts):
        if len(part):
            chance[part] = _summed(found[part], low[part], high[part], (word[part], n[part], m[part]))
    return chance


def _summed(found: Ints, low: Ints, high: Ints, margins: tuple[Ints, Ints, Ints]) -> Floats:
    """Return the sum of the hypergeometric chances, over low to high, that are not above that of what was found."""
    width = high - low + 1
    starts = np.cumsum(width) - width
    table = np.repeat(np.arange(len(width)), width)
    count = np.arange(len(table)) - starts[table] + low[table]
    word, n, m = margins
    there = _log_ways(found, word, n, m)
    ratio = np.exp(np.minimum(_log_ways(count, word[table], n[table], m[table]) - there[table], 1.0))
    unlikely = np.add.reduceat(np.where(ratio <= _EQUAL, ratio, 0.0), starts)
    whole = gammaln(word + 1) + gammaln(n + m - word + 1) - gammaln(n + m + 1) + gammaln(n + 1) + gammaln(m + 1)
    chance: Floats = np.minimum(unlikely * np.exp(there + whole), 1.0)
    return chance


def _log_ways(count: Ints, word: Ints, n: Ints, m: Ints) -> Floats:
    """Return the logarithm of what a hypergeometric chance depends on its count by."""
    cells = count, m - count, word - count, n - word + count
    return -sum((gammaln(cell + 1.0) for cell in cells), np.zeros(len(count)))
