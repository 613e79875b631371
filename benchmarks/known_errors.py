"""Errors of two models, from the data that nannyml brings, with the row from which on there are more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from tests.integration import credit_card

if TYPE_CHECKING:
    from pathlib import Path

    from anchorwatch_detectors.base import Floats


class Errors(NamedTuple):
    """Errors of a model, 1 = wrong.

    Attributes
    ----------
    name
        Whose they are.
    values
        (rows,) the reference rows, then the analysis rows.
    change
        Row from which on they are more.
    run_length
        What the dial of a detector is set to.
    """

    name: str
    values: Floats
    change: int
    run_length: float


def known_errors() -> tuple[Errors, Errors]:
    """Return the errors of the three-class credit cards and of the car loans.

    Raises
    ------
    DataMissing
        They cannot be had.
    """
    card = [path for _, path in sorted(credit_card.tables().items(), key=_by_part)]
    car = [path for _, path in sorted(credit_card.tables(credit_card.CAR_LOAN).items(), key=_by_part)]
    return (
        Errors("credit card", _wrong(card, "y_true"), 90_000, 1_000_000.0),
        Errors("car loan", _wrong(car, "repaid"), 75_000, 100_000.0),
    )


def _by_part(named: tuple[str, Path]) -> int:
    """Return the place of a table: reference, analysis, labels of the analysis."""
    return 0 if "reference" in named[0] else 1 if named[0].endswith("analysis.csv") else 2


def _wrong(paths: list[Path], truth: str) -> Floats:
    reference, analysis, labels = (pd.read_csv(path) for path in paths)
    known = np.r_[reference[truth].to_numpy(), analysis[["id"]].merge(labels, on="id")[truth].to_numpy()]
    said = np.r_[reference["y_pred"].to_numpy(), analysis["y_pred"].to_numpy()]
    return np.asarray(known != said, dtype=np.float64)
