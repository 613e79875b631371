"""A log with known changes: the columns that are asked for, as one stream of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch.errors import NoData, UsageError
from anchorwatch.evaluation.columns import Numbers, pieces, word_of
from anchorwatch.evaluation.report import About
from anchorwatch_detectors.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch_detectors.base import Floats

BASELINE: Final = 10_000
"""Rows of the baseline where it is not said, as far as half of the rows before the first change reach."""

SMALL: Final = 1000
"""Values of a baseline below which a user is told that it is small."""


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """One stream read from files.

    Attributes
    ----------
    what
        What it is of, in words.
    values
        (rows,) numbers; NaN where a row has no usable one.
    errors
        Whether they are errors: 1 for wrong, 0 for right.
    """

    what: str
    values: Floats
    errors: bool

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @property
    def missing(self) -> int:
        """Rows without a usable value."""
        return int(np.isnan(self.values).sum())

    def trial(self, changes: Sequence[int], baseline: int | None = None) -> Trial:
        """Return the rows after the baseline, with their changes.

        Parameters
        ----------
        changes
            Rows with the first value after each change, counted from 0 in the whole log.
        baseline
            How many of the first rows make the baseline; None for `BASELINE`, or half of those before the first change
            where these are fewer.

        Raises
        ------
        UsageError
            If a change lies outside the log or within the baseline, or the baseline leaves nothing.
        """
        known, rows = sorted(set(changes)), len(self)
        for change in known:
            if not 0 < change < rows:
                raise UsageError(f"--change {change}: the log has rows 0 to {rows - 1}, and the first cannot be new")
        n = min(BASELINE, (known[0] if known else rows) // 2) if baseline is None else baseline
        if n >= rows:
            raise UsageError(f"--baseline {n}: the log has {rows} rows, so nothing would be left to watch; take fewer")
        if known and known[0] < n:
            raise UsageError(
                f"--change {known[0]}: lies within the baseline, rows 0 to {n - 1}, which would then hold both: take "
                f"fewer rows for it, with --baseline {known[0] // 2}"
            )
        if not (self.errors or np.isfinite(self.values[:n]).any()):
            raise UsageError(
                f"--baseline {n}: holds no usable value of {self.what}, and a numeric column is held against its "
                "baseline; take more rows"
            )
        return Trial(self.values[:n], self.values[n:], np.array(known, np.int64) - n, self.errors)

    def about(self, trial: Trial) -> About:
        """Return what a trial of it is, in words and numbers."""
        n, known = len(trial.baseline), (trial.changes + len(trial.baseline)).tolist()
        usable = trial.baseline[np.isfinite(trial.baseline)]
        with np.errstate(over="ignore", invalid="ignore"):
            usual = float(usable.mean()) if len(usable) else float("nan")
        past = f"rows 0 to {n - 1:,} ({f'{usual:.1%} errors' if self.errors else f'mean {usual:.6g}'})" if n else "none"
        told = f"row{'s' * (len(known) > 1)} {', '.join(f'{row:,}' for row in known)}" if known else "none"
        notes = []
        if self.missing:
            notes.append(f"{self.missing:,} rows have no usable value; they are passed over and keep their place.")
        if 0 < len(usable) < SMALL:
            notes.append(
                f"The baseline has only {len(usable):,} usable values: it is itself uncertain, and a detector that "
                "allows for that finds a small change late, or never."
            )
        if self.errors and usual > 0.5:
            notes.append("More than half of the baseline is errors. Is 1 right instead of wrong here? Turn it round.")
        return About(
            f"{self.what}, {len(self):,} rows. Baseline: {past}. Known changes: {told}.",
            {"what": self.what, "rows": len(self), "missing": self.missing, "errors": self.errors}
            | {"baseline": n, "changes": known},
            first=n,
            notes=tuple(notes),
        )


def of_column(paths: Sequence[str], column: str) -> Log:
    """Return a numeric column; one of 0 and 1 (false and true) alone is taken for errors.

    Parameters
    ----------
    paths
        Files (JSONL, CSV, Parquet) or patterns, one after the other as one log.
    column
        Its name; in JSONL and Parquet dots lead into nested fields.

    Raises
    ------
    UsageError
        If a file or the column is not there, or it is not numeric.
    NoData
        If there is not one row, or a file is damaged.
    """
    numbers = Numbers(column)
    for (cells,) in pieces(paths, [column]):
        numbers.take(cells)
    values = numbers.values()
    errors = bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())
    return Log(f"{_files(paths)}: {column}{', taken for errors (1 = wrong)' * errors}", values, errors)


def of_errors(paths: Sequence[str], prediction: str, label: str, threshold: float | None = None) -> Log:
    """Return the errors of a model: 1 where prediction and label differ; NaN where either is missing.

    Parameters
    ----------
    paths
        As for `of_column`.
    prediction, label
        Their columns.
    threshold
        Where the prediction is a score: from which one on it says yes. The label is then 0 or 1, or false or true.

    Raises
    ------
    UsageError, NoData
        As `of_column` does, and if no prediction is like its label.
    """
    if threshold is None:
        values = _differing(paths, prediction, label)
    else:
        values = _misjudged(paths, prediction, label, threshold)
    if not np.isfinite(values).any():
        raise NoData(f"no row has both {prediction} and {label}: is it the right file, or are these of two files?")
    return Log(f"{_files(paths)}: errors, {prediction} against {label}", values, errors=True)


def _files(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _differing(paths: Sequence[str], prediction: str, label: str) -> Floats:
    """Return 1 where two columns of words differ, NaN where either is missing."""
    found: list[Floats] = []
    example: tuple[int, str | None, str | None] | None = None
    for said, true in pieces(paths, [prediction, label]):
        pairs = list(zip(map(word_of, said), map(word_of, true), strict=True))
        values = np.array([np.nan if None in pair else float(pair[0] != pair[1]) for pair in pairs])
        if example is None and (values == 1.0).any():
            at = int(np.argmax(values == 1.0))
            example = (at + sum(map(len, found)), *pairs[at])
        found.append(values)
    whole = np.concatenate(found)
    if example is not None and not (whole == 0.0).any():
        row, one, other = example
        raise UsageError(
            f"not one {prediction} is like its {label}: row {row} has {one!r} and {other!r}. If the prediction is a "
            "score, give --threshold; else name the columns with the classes"
        )
    return whole


def _misjudged(paths: Sequence[str], prediction: str, label: str, threshold: float) -> Floats:
    """Return 1 where a score is on the wrong side of a threshold, NaN where it or the truth is missing."""
    scores, truths = Numbers(prediction), Numbers(label)
    for said, true in pieces(paths, [prediction, label]):
        scores.take(said)
        truths.take(true)
    score, truth = scores.values(), truths.values()
    strange = np.flatnonzero(np.isfinite(truth) & ~np.isin(truth, (0.0, 1.0)))
    if len(strange):
        row = int(strange[0])
        raise UsageError(f"--label {label}: row {row} has {truth[row]:g}; beside --threshold a label is 0 or 1")
    known = np.isfinite(score) & np.isfinite(truth)
    return np.where(known, (score >= threshold) != (truth == 1.0), np.nan)
