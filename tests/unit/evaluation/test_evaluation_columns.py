"""Columns are read piece by piece, and rows are counted over all pieces and files."""

import numpy as np
import pytest

from anchorwatch.errors import UsageError
from anchorwatch.evaluation.columns import Numbers, pieces
from anchorwatch.evaluation.log import of_column, of_errors


@pytest.fixture
def two_files(tmp_path):
    """Write two files of 7 and 5 rows."""
    paths = [tmp_path / "b.csv", tmp_path / "a.csv"]
    for path, (start, stop) in zip(paths, ((0, 7), (7, 12)), strict=True):
        rows = [f"{i},{'yes' if i % 2 else 'no'},{'yes' if i % 3 else 'no'}" for i in range(start, stop)]
        path.write_text("\n".join(["x,said,true", *rows]))
    return [str(path) for path in paths]


def test_files_are_read_one_after_the_other_in_the_order_they_are_named(two_files):
    assert [len(cells) for (cells,) in pieces(two_files, ["x"])] == [7, 5]
    assert of_column(two_files, "x").values.tolist() == list(range(12))


def test_errors_are_where_two_columns_differ(two_files):
    expected = [float((i % 2 == 0) != (i % 3 == 0)) for i in range(12)]
    assert of_errors(two_files, "said", "true").values.tolist() == expected


def test_the_first_value_that_is_no_number_is_told_by_its_row_in_the_whole_log():
    numbers = Numbers("x")
    numbers.take([1, "2", True, "false", None])
    numbers.take(["word", float("inf"), "", "more", "words", "x"])
    with pytest.raises(UsageError, match=r"5 of 9 values are no number, the first in row 5: 'word'"):
        numbers.values()


def test_up_to_half_of_the_values_may_be_no_numbers_and_are_missing():
    numbers = Numbers("x")
    numbers.take([1, "2.5", True, "word", None, {}, float("nan")])
    values = numbers.values()
    assert values[:3].tolist() == [1.0, 2.5, 1.0]
    assert np.isnan(values[3:]).all()
