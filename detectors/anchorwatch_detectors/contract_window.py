"""The contract of window tests, one sentence a check; `checks` yields them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors import synth
from anchorwatch_detectors.comparison import ColumnKind
from anchorwatch_detectors.contract import require, require_validated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.comparison import Comparison, WindowTest

Table = tuple["Ints", "Ints", "Floats | None"]
"""(columns, cells) counts of baselines and windows, and the positions of numeric cells."""


def check_result_has_one_value_a_column(test: WindowTest) -> None:
    """Check that statistic, p-value and effect are float64, one for each column, also where there are no columns."""
    for reference, current, position in _tables(test):
        for columns in (len(reference), 1, 0):
            said = _compared(test, reference[:columns], current[:columns], position, columns)
            for name, field in _named(said):
                require(field.shape == (columns,), f"{name} of {columns} columns has the shape {field.shape}")
                require(field.dtype == np.float64, f"{name} is {field.dtype}, not float64")


def check_columns_are_independent(test: WindowTest) -> None:
    """Check that a column's result does not depend on the columns beside it, nor on their order."""
    for reference, current, position in _tables(test):
        together = _compared(test, reference, current, position)
        order = np.arange(len(reference))[::-1]
        turned = _compared(test, reference[order], current[order], None if position is None else position[order])
        for (name, field), (_, other) in zip(_named(together), _named(turned), strict=True):
            require(_close(field[order], other), f"{name} depends on the order of the columns")
        for column in range(len(reference)):
            one = slice(column, column + 1)
            alone = test.compare(reference[one], current[one], None if position is None else position[one])
            for (name, field), (_, other) in zip(_named(together), _named(alone), strict=True):
                require(_close(field[one], other), f"{name} of a column alone is another than among others")


def check_padding_changes_nothing(test: WindowTest) -> None:
    """Check that cells that are empty on both sides, as padding is, change nothing."""
    for reference, current, position in _tables(test):
        wide = [np.pad(counts, ((0, 0), (0, 3))) for counts in (reference, current)]
        place = None if position is None else np.pad(position, ((0, 0), (0, 3)), mode="edge")
        bare, padded = _compared(test, reference, current, position), test.compare(wide[0], wide[1], place)
        for (name, field), (_, other) in zip(_named(bare), _named(padded), strict=True):
            require(_close(field, other), f"{name} changes with padding")


def check_equal_sides_do_not_differ(test: WindowTest) -> None:
    """Check that of equal counts the statistic and the effect are 0, and the p-value, where there is one, about 1."""
    for reference, _, position in _tables(test):
        said = test.compare(reference, reference.copy(), position)
        require(np.abs(said.statistic).max() < 1e-9, "the statistic of equal counts is not 0")
        require(np.abs(said.effect).max() < 1e-9, "the effect of equal counts is not 0")
        require((np.isnan(said.p_value) | (said.p_value > 0.99)).all(), "the p-value of equal counts is not about 1")


def check_empty_sides_are_nan(test: WindowTest) -> None:
    """Check that a column that is empty on either side is NaN in every field, and its neighbours are not."""
    for reference, current, position in _tables(test):
        usual = _compared(test, reference, current, position)
        left, right = reference.copy(), current.copy()
        left[0] = right[1] = 0
        left[2] = right[2] = 0
        said = _compared(test, left, right, position)
        for (name, field), (_, whole) in zip(_named(said), _named(usual), strict=True):
            require(np.isnan(field[:3]).all(), f"{name} of an empty column is not NaN")
            require(_close(field[3:], whole[3:]), f"{name} changes where another column is empty")


def check_larger_shift_has_larger_effect(test: WindowTest) -> None:
    """Check that the farther a window is from its baseline, the larger are its effect and its statistic."""
    for kind in sorted(test.kinds):
        tables = [_table(kind, shift) for shift in (0.25, 0.5, 1.0, 2.0)]
        said = [_compared(test, *table) for table in tables]
        for name in ("effect", "statistic"):
            sizes = np.array([getattr(each, name) for each in said])
            require((np.diff(sizes, axis=0) > 0).all(), f"the {name} of {kind} columns does not grow with the shift")


def check_effect_is_a_finite_size(test: WindowTest) -> None:
    """Check that the effect is finite and not negative and the p-value in [0, 1] or NaN, however odd the counts."""
    odd_reference = np.array([[5, 0, 0, 0], [0, 0, 0, 9], [1, 0, 0, 0], [3, 3, 3, 3], [10**9, 1, 0, 0]])
    odd_current = np.array([[0, 0, 0, 5], [9, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 10**9, 0]])
    tables = list(_tables(test))
    for kind in test.kinds:
        place = np.tile(np.array([-1.0, 0.0, 0.0, 1e6]), (5, 1)) if kind is ColumnKind.NUMERIC else None
        tables.append((odd_reference, odd_current, place))
    for table in tables:
        said = _compared(test, *table)
        require(
            (np.isfinite(said.effect) & (said.effect >= 0)).all(), f"an effect is negative or endless: {said.effect}"
        )
        inside = (said.p_value >= 0) & (said.p_value <= 1)
        require((np.isnan(said.p_value) | inside).all(), f"a p-value is outside [0, 1]: {said.p_value}")


def check_effect_does_not_grow_with_the_sample(test: WindowTest) -> None:
    """Check that the effect is the size of a difference: ten times as many of the same values leave it as it is."""
    for reference, current, position in _tables(test):
        few, many = (_compared(test, reference * k, current * k, position).effect for k in (1, 10))
        require(_close(few, many, 1e-6), "the effect changes with the number of values")


def check_inflation_weakens_the_p_value_alone(test: WindowTest) -> None:
    """Check that values worth fewer independent ones have a larger p-value, the same statistic and the same effect."""
    for reference, current, position in _tables(test):
        bare = _compared(test, reference, current, position)
        for times in (1.0, 4.0):
            said = test.compare(reference, current, position, inflation=np.full(len(reference), times))
            require(np.array_equal(said.statistic, bare.statistic), "the statistic depends on the inflation")
            require(np.array_equal(said.effect, bare.effect), "the effect depends on the inflation")
            worth = np.isnan(bare.p_value) | (said.p_value >= bare.p_value * (1 - 1e-9))
            require(worth.all(), "serial correlation makes a p-value smaller")
            same = np.isnan(bare.p_value) | (bare.p_value > 0.99) | (said.p_value > bare.p_value)
            require(times == 1.0 or same.all(), "a p-value is the same whatever the inflation")


def check_p_values_are_given_where_wanted(test: WindowTest) -> None:
    """Check that without p-values a test says NaN for them, and of statistic and effect the same."""
    for reference, current, position in _tables(test):
        bare, said = (test.compare(reference, current, position, p_values=wanted) for wanted in (True, False))
        require(np.isnan(said.p_value).all(), "a p-value is worked out that is not wanted")
        require(_close(bare.statistic, said.statistic), "the statistic depends on whether p-values are wanted")
        require(_close(bare.effect, said.effect), "the effect depends on whether p-values are wanted")


def check_inputs_are_left_alone(test: WindowTest) -> None:
    """Check that the counts that are given are not changed."""
    for reference, current, position in _tables(test):
        given = [array for array in (reference, current, position) if array is not None]
        before = [array.copy() for array in given]
        test.compare(reference, current, position)
        require(all(map(np.array_equal, given, before)), "the test changes the counts that it was given")


def check_parameters_are_validated(test: WindowTest) -> None:
    """Check that a parameter that cannot be is refused with ValueError."""
    require_validated(test)


def _tables(test: WindowTest) -> Iterator[Table]:
    """Yield, for each kind of column that the test takes, tables of five columns: unmoved, and moved."""
    for kind in sorted(test.kinds):
        for shift in (0.0, 0.7):
            yield _table(kind, shift)


def _table(kind: ColumnKind, shift: float) -> Table:
    """Return counts of five columns over 30 cells; values move by `shift` standard deviations, or so many words do."""
    edges = np.linspace(-4.0, 4.0, 29)
    sides = []
    for size, moved, salt in ((2000, 0.0, 0), (800, shift, 50)):
        cells = [np.searchsorted(edges, synth.normal(size, seed + salt, moved)) for seed in range(5)]
        sides.append(np.stack([np.bincount(cell, minlength=30) for cell in cells]))
    position = np.tile(np.concatenate([[-4.0], edges]), (5, 1)) if kind is ColumnKind.NUMERIC else None
    return sides[0], sides[1], position


def _compared(
    test: WindowTest, reference: Ints, current: Ints, position: Floats | None, columns: int | None = None
) -> Comparison:
    return test.compare(reference, current, None if position is None else position[:columns])


def _named(said: Comparison) -> list[tuple[str, Floats]]:
    return [(field.name, getattr(said, field.name)) for field in fields(said)]


def _close(one: Floats, other: Floats, tolerance: float = 1e-9) -> bool:
    return bool(np.allclose(one, other, rtol=tolerance, atol=1e-12, equal_nan=True))
