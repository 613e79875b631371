"""What a baseline keeps of a category column: the frequent words with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from anchorwatch_detectors.piecewise import mid_ranks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WORDS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class CategoryProfile:
    """Distribution of a category column.

    Attributes
    ----------
    words
        The most frequent words, by count descending, then by word.
    counts
        (words + 1,) int64 how often each occurred; the last is everything else ("other").
    missing
        Values that were missing.
    """

    words: tuple[str, ...]
    counts: Ints
    missing: int

    @classmethod
    def of(cls, codes: ArrayLike, vocabulary: Sequence[str], limit: int = WORDS) -> Self:
        """Return the profile of a sample; the order of values and vocabulary does not matter.

        Parameters
        ----------
        codes
            (n,) integers: positions in `vocabulary`, -1 for missing.
        vocabulary
            Distinct words.
        limit
            Most words to keep by name; the rest is counted as other.
        """
        code = np.asarray(codes, dtype=np.int64).ravel()
        counts = np.bincount(code[code >= 0], minlength=len(vocabulary)).tolist()
        seen = {word: count for word, count in zip(vocabulary, counts, strict=True) if count}
        return cls._ordered(seen, 0, int((code < 0).sum()), limit)

    @classmethod
    def _ordered(cls, seen: Mapping[str, int], other: int, missing: int, limit: int | None) -> Self:
        """Return the profile of counted words, in order, those beyond `limit` among the others."""
        order = sorted(seen, key=lambda word: (-seen[word], word))
        words = tuple(order[:limit])
        kept = [seen[word] for word in words]
        return cls(words, np.array([*kept, other + sum(seen.values()) - sum(kept)], np.int64), missing)

    @property
    def n(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    @property
    def mid_ranks(self) -> Floats:
        """(words + 1,) P(more frequent words) + P(this word) / 2, in [0, 1]; NaN without values."""
        return mid_ranks(self.counts.astype(np.float64))

    def cells(self, codes: ArrayLike, vocabulary: Sequence[str]) -> Ints:
        """Return the cell of each value.

        Parameters
        ----------
        codes
            (n,) integers: positions in `vocabulary`, -1 for missing.
        vocabulary
            Words; those the profile does not name are other.

        Returns
        -------
        ndarray
            (n,) int64: position in `words`, len(words) for other, -1 for missing.
        """
        place = {word: at for at, word in enumerate(self.words)}
        table = np.array([*(place.get(word, len(place)) for word in vocabulary), -1], np.int64)
        return table[np.asarray(codes, dtype=np.int64)]

    def merge(self, other: Self) -> Self:
        """Return the profile of both samples together, with the words of both; the order does not matter.

        Counts add up exactly. A word that one side counted among its others stays there for that side.
        """
        seen: dict[str, int] = {}
        for side in (self, other):
            for word, count in zip(side.words, side.counts.tolist(), strict=False):
                seen[word] = seen.get(word, 0) + count
        rest = int(self.counts[-1] + other.counts[-1])
        return self._ordered(seen, rest, self.missing + other.missing, None)

    def compact(self, limit: int = WORDS) -> Self:
        """Return a profile of at most so many words: the rarest join the others."""
        seen = dict(zip(self.words, self.counts.tolist(), strict=False))
        return self._ordered(seen, int(self.counts[-1]), self.missing, limit)

    def to_plain(self) -> dict[str, Any]:
        """Return the profile as numbers, strings and lists that JSON keeps exactly."""
        return {"words": list(self.words), "counts": self.counts.tolist(), "missing": self.missing}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the profile that `to_plain` described.

        Raises
        ------
        ValueError
            If it describes none: an entry is missing, words repeat, counts do not fit them or are negative.
        """
        check_entries(plain, "words", "counts", "missing")
        words, counts = tuple(plain["words"]), np.asarray(plain["counts"], dtype=np.int64)
        if len(set(words)) != len(words) or len(counts) != len(words) + 1 or (counts < 0).any():
            raise ValueError("a category profile needs distinct words and one count more, none negative: build it anew")
        return cls(words, counts, int(plain["missing"]))


def check_entries(plain: Mapping[str, Any], *keys: str) -> None:
    """Raise ValueError unless a described profile has all its entries."""
    if lacking := [key for key in keys if key not in plain]:
        raise ValueError(f"a column profile lacks {', '.join(lacking)}: it cannot be read, build the baseline anew")
