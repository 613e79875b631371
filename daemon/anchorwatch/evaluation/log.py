"""A log with known changes: the columns that are asked for, as one stream of numbers."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import UNSET

from anchorwatch.errors import ConfigurationError, NoData, UsageError
from anchorwatch.evaluation.report import About
from anchorwatch.events.classes import class_word
from anchorwatch.events.reader import Reader, lenient
from anchorwatch.events.values import Unusable, canonical, number
from anchorwatch.transport.files import FileSource
from anchorwatch_detectors.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anchorwatch.events.records import Records
    from anchorwatch_detectors.base import Floats

BASELINE: Final = 10_000
"""Rows of the baseline where it is not said, as far as half of the rows before the first change reach."""

SMALL: Final = 1000
"""Values of a baseline below which a user is told that it is small."""

_TOPIC, _PIECE = "log", 100_000
_TRUTH: Final = {"true": 1.0, "false": 0.0}


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
    (cells,) = _cells(paths, [column])
    values = _numbers(column, cells)
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
    said, true = _cells(paths, [prediction, label])
    if threshold is None:
        values = _differ((prediction, [*map(_word, said)]), (label, [*map(_word, true)]))
    else:
        score, truth = _numbers(prediction, said), _numbers(label, true)
        strange = np.flatnonzero(np.isfinite(truth) & ~np.isin(truth, (0.0, 1.0)))
        if len(strange):
            raise UsageError(
                f"--label {label}: row {strange[0]} has {true[strange[0]]!r}; beside --threshold a label is 0 or 1"
            )
        known = np.isfinite(score) & np.isfinite(truth)
        values = np.where(known, (score >= threshold) != (truth == 1.0), np.nan)
    if not np.isfinite(values).any():
        raise NoData(f"no row has both {prediction} and {label}: is it the right file, or are these of two files?")
    return Log(f"{_files(paths)}: errors, {prediction} against {label}", values, errors=True)


def _files(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _differ(said: tuple[str, list[str | None]], true: tuple[str, list[str | None]]) -> Floats:
    """Return 1 where two columns of words differ, NaN where either is missing."""
    pairs = list(zip(said[1], true[1], strict=True))
    values = np.array([np.nan if None in pair else float(pair[0] != pair[1]) for pair in pairs])
    if (values == 1.0).any() and not (values == 0.0).any():
        row = int(np.argmax(values == 1.0))
        one, other = pairs[row]
        raise UsageError(
            f"not one {said[0]} is like its {true[0]}: row {row} has {one!r} and {other!r}. If the prediction is a "
            "score, give --threshold; else name the columns with the classes"
        )
    return values


def _cells(paths: Sequence[str], names: Sequence[str]) -> list[list[Any]]:
    """Return the cells of columns, a list each."""
    found: list[list[Any]] = [[] for _ in names]
    readers: dict[bool, Reader] = {}
    first = b""
    for records in _records(paths):
        text = records.text_values
        if text not in readers:
            readers[text] = _reader(names, text=text)
        reader = readers[text]
        rows, _ = reader.read([value or b"" for value in records.values])
        first = first or next((value for value in records.values if value), b"")
        for cells, name in zip(found, names, strict=True):
            cells.extend(map(reader.getter(name), rows))
    if not found[0]:
        raise NoData(f"{', '.join(paths)}: holds not one row: is it the right file?")
    for cells, name in zip(found, names, strict=True):
        if all(cell is UNSET for cell in cells):
            raise UsageError(_no_column(paths, name, first))
    return found


def _reader(names: Sequence[str], *, text: bool) -> Reader:
    try:
        return Reader(dict.fromkeys(names, False), text=text)
    except ConfigurationError as error:
        raise UsageError(f"{', '.join(names)}: {error}") from error


def _records(paths: Sequence[str]) -> Iterator[Records]:
    """Yield the records of files, one file after the other."""
    for path in paths:
        source = FileSource({_TOPIC: [path]})
        everything = set(source.partitions())
        for partition in sorted(everything):
            while partition not in source.ended():
                yield from source.poll(_PIECE, 0.0, everything - {partition})
        source.close()


def _no_column(paths: Sequence[str], name: str, first: bytes) -> str:
    """Say that a column is not there, and which ones are."""
    row = lenient(first)
    if not isinstance(row, dict):
        shown = first[:60].decode(errors="replace")
        return f"{', '.join(paths)}: no row is an object with named values; the first one is {shown}"
    close = difflib.get_close_matches(name, row, n=1, cutoff=0.5)
    meant = f", did you mean {close[0]!r}?" if close else ""
    return f"{', '.join(paths)}: no row has a column {name!r}{meant}; the first row has {', '.join(row)}"


def _numbers(column: str, cells: list[Any]) -> Floats:
    """Return the numbers of cells; NaN where there is none."""
    values = np.array([_number(cell) for cell in cells])
    given = np.array([not (cell is None or cell is UNSET or cell == "") for cell in cells])
    wrong = np.flatnonzero(given & ~np.isfinite(values))
    if len(wrong) * 2 > given.sum():
        shown = cells[wrong[0]]
        example = "an object, a list or no finite number" if isinstance(shown, Unusable) else repr(shown)
        raise UsageError(
            f"column {column!r} is not numeric: {len(wrong):,} of {int(given.sum()):,} values are no number, the first "
            f"in row {wrong[0]}: {example}. Name a numeric column, or for a model's errors --prediction and --label"
        )
    if not np.isfinite(values).any():
        raise NoData(f"column {column!r} has no value in any of {len(cells):,} rows")
    return values


def _number(cell: Any) -> float:
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str) and cell.strip().lower() in _TRUTH:
        return _TRUTH[cell.strip().lower()]
    found = number(cell, text=True)
    return float("nan") if found is None else found


def _word(cell: Any) -> str | None:
    """Return the class that a cell names; None where there is none; 1, 1.0 and "1" are one."""
    if cell is None or cell is UNSET or isinstance(cell, Unusable) or cell == "":
        return None
    return class_word(canonical(cell))
